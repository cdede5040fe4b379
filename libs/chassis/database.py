"""Statements compiled once and run by asyncpg, and the transaction: the only door to a database.

SQLAlchemy Core states tables and statements; `sql()` compiles each one at import. Nothing is ever set on a connection
outside a transaction, so the pool resets nothing between uses.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast, get_type_hints, overload
from uuid import UUID

import asyncpg
import msgspec
import orjson
from sqlalchemy import JSON, Table, bindparam
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql
from sqlalchemy.sql import ClauseElement

from libs.chassis import door
from libs.chassis.caller import Capacity
from libs.chassis.dialing import dial, prepare
from libs.chassis.errors import Unavailable

if TYPE_CHECKING:
    from asyncpg import Record
    from asyncpg.pool import PoolConnectionProxy

R = TypeVar("R")
Session: TypeAlias = "PoolConnectionProxy[Record]"
Work = Callable[["Transaction", list[Any]], Awaitable[None]]
param = bindparam

# A call to a neighbor inside a transaction would hold locks while it waits; channels refuse it.
in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)

CONNECTION_LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # not a PostgresError, and what a killed server looks like
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InvalidPasswordError,  # it was changed, and the file has not come yet
)


class Mode(StrEnum):
    READ = "READ"
    WRITE = "WRITE"


class NotBegun(Exception):
    """A statement in a transaction that has not begun: it can only gather what is left for the end."""


class StatementError(Exception):
    """A statement that cannot be carried. Raised at import, so a service with one never starts."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement(Generic[R]):
    """A compiled statement: its text, its parameters in order, and what a row becomes."""

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]
    decode: "Callable[[Record], R]"

    def arguments(self, source: object, values: dict[str, Any]) -> list[Any]:
        """The arguments in order: from `values`, else the constants, else the attributes of `source`."""
        out = []
        for name in self.names:
            if name in values:
                out.append(values[name])
            elif name in self.constants:
                out.append(self.constants[name])
            else:
                out.append(getattr(source, name))
        return out


@overload
def sql(statement: ClauseElement, *, row: type[R]) -> Statement[R]: ...


@overload
def sql(statement: ClauseElement) -> Statement[Any]: ...


def sql(statement: ClauseElement, *, row: type[Any] | None = None) -> Statement[Any]:
    """Compile `statement` once. A row becomes `row` by column name; without it, the value of the first column."""
    compiled: Any = statement.compile(dialect=postgresql())  # type: ignore[no-untyped-call]
    if compiled.post_compile_params:
        raise StatementError("an expanding IN cannot be compiled once; use = ANY(array)")
    if getattr(compiled, "insert_prefetch", None) or getattr(compiled, "update_prefetch", None):
        raise StatementError("a column with a Python default has no name to bind; pass the value")
    names = tuple(compiled.positiontup or ())
    constants = {n: b.value for n, b in compiled.binds.items() if not b.required and n in names}
    return Statement(compiled.string, names, constants, _decoder(compiled, row))


def _decoder(compiled: Any, row: type[Any] | None) -> "Callable[[Record], Any]":
    types = {column[0]: column[3] for column in compiled._result_columns}
    if row is None:
        first = next(iter(types.values()), None)
        if isinstance(first, JSON):
            return lambda record: None if record[0] is None else orjson.loads(record[0])
        return lambda record: record[0]
    if len(types) != len(compiled._result_columns):
        raise StatementError(f"duplicate labels in a row of {row.__name__}")
    hints = get_type_hints(row)
    if unknown := set(types) - set(hints):
        raise StatementError(f"{row.__name__} has no field {sorted(unknown)}")
    readers = [
        (label, msgspec.json.Decoder(hints[label], strict=False).decode)
        for label, type_ in types.items()
        if isinstance(type_, JSON)
    ]

    def decode(record: "Record") -> Any:
        values = dict(record)
        for label, read in readers:  # JSON comes as its text, and is read once
            if (text := values[label]) is not None:
                values[label] = () if text == "[]" else read(text)
        # Three times as quick as the constructor of a frozen dataclass, and it sees to enums and tuples.
        return msgspec.convert(values, row, strict=False)

    return decode


def every_field(table: Table) -> dict[Any, Any]:
    """`.values(every_field(t))`: one parameter per column, by the column's name."""
    return fields_except(table)


def fields_except(table: Table, *names: str) -> dict[Any, Any]:
    """As `every_field`, without some columns."""
    return {c: bindparam(c.name, type_=c.type) for c in table.c if c.name not in names}


class Transaction:
    """One open transaction. Read and write through it; it commits when its block ends.

    Without a connection it has not begun: what is left for its end can be taken over by one that has.
    """

    def __init__(
        self,
        connection: "Session | None",
        at: datetime,
        wake_relay: Callable[[], None] = lambda: None,
    ) -> None:
        self._open = connection
        self._deferred: dict[Statement[Any], list[list[Any]]] = {}
        self._left: dict[Work, list[Any]] = {}
        self._after_commit: list[Callable[[], None]] = []
        self._wake_relay = wake_relay
        self.at = at

    @property
    def _connection(self) -> Session:
        if self._open is None:
            raise NotBegun
        return self._open

    async def fetch(
        self, statement: Statement[R], source: object = None, /, **values: Any
    ) -> list[R]:
        records = await self._connection.fetch(statement.text, *statement.arguments(source, values))
        return [statement.decode(record) for record in records]

    async def one_or_none(
        self, statement: Statement[R], source: object = None, /, **values: Any
    ) -> R | None:
        record = await self._connection.fetchrow(
            statement.text, *statement.arguments(source, values)
        )
        return None if record is None else statement.decode(record)

    async def one(self, statement: Statement[R], source: object = None, /, **values: Any) -> R:
        record = await self._connection.fetchrow(
            statement.text, *statement.arguments(source, values)
        )
        if record is None:
            raise LookupError("the statement gave no row")
        return statement.decode(record)

    async def run(self, statement: Statement[Any], source: object = None, /, **values: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        tag = await self._connection.execute(statement.text, *statement.arguments(source, values))
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def run_many(self, statement: Statement[Any], sources: Iterable[object]) -> None:
        """Run a statement once per source, in one round trip."""
        rows = [statement.arguments(source, {}) for source in sources]
        if rows:
            await self._connection.executemany(statement.text, rows)

    def defer(self, statement: Statement[Any], **values: Any) -> None:
        """Run a statement just before the commit, in one round trip with all that were deferred alike."""
        self._deferred.setdefault(statement, []).append(statement.arguments(None, values))

    def later(self, work: "Work", item: object) -> None:
        """Leave something to be done just before the commit, before any deferred statement: `work` gets all items at once.

        It must be a function of a module, so that requests that share a transaction leave their items to one.
        """
        self._left.setdefault(work, []).append(item)

    def take_over(self, gathered: "Transaction") -> None:
        """Do at the end of this transaction what was left for the end of one that has not begun."""
        for work, items in gathered._left.items():
            self._left.setdefault(work, []).extend(items)
        for statement, rows in gathered._deferred.items():
            self._deferred.setdefault(statement, []).extend(rows)
        for callback in gathered._after_commit:
            if callback not in self._after_commit:
                self._after_commit.append(callback)

    async def flush(self) -> None:
        """Do what was left for the end, and run what was deferred."""
        while self._left:
            work = next(iter(self._left))
            await work(self, self._left.pop(work))
        for statement, rows in self._deferred.items():
            await self._connection.executemany(statement.text, rows)
        self._deferred.clear()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Have something called once this has committed. It must not fail and cannot be relied on: a crash forgets it."""
        self._after_commit.append(callback)

    def wake_relay_after_commit(self) -> None:
        """Spare the relay its next wait: there is something to publish."""
        if self._wake_relay not in self._after_commit:
            self._after_commit.append(self._wake_relay)

    def committed(self) -> None:
        for callback in self._after_commit:
            callback()


# What is read is planned once per connection: left to itself PostgreSQL plans a statement with short arrays anew each
# time, and with policies that takes longer than running it. What writes is left to itself: it fills tables that had no
# statistics when it was planned.
_READING = "; SET LOCAL synchronous_commit = off; SET LOCAL plan_cache_mode = force_generic_plan"


async def _keep(connection: object) -> None:
    """No RESET ALL between uses: nothing is ever set outside a transaction."""


async def open_pool(place: str, size: int, name: str) -> "asyncpg.Pool[Record]":
    """A pool whose connections are made where `place` says when each is made: a URL, or a file with it."""
    return await asyncpg.create_pool(
        place,
        connect=cast("Any", dial),  # it is given every option by its name
        min_size=0,
        max_size=size,
        init=prepare,
        reset=_keep,
        server_settings={
            "application_name": name,
            "idle_in_transaction_session_timeout": "10s",
            "lock_timeout": "5s",
        },
    )


class Database:
    """One service's database, by its two doors: people's requests, and the service's own work."""

    def __init__(
        self,
        people: "asyncpg.Pool[Record] | None",
        system: "asyncpg.Pool[Record] | None",
        now: Callable[[], datetime],
        wake_relay: Callable[[], None] = lambda: None,
    ) -> None:
        self._people = people
        self._system = system
        self._now = now
        self.wake_relay = wake_relay

    @contextlib.asynccontextmanager
    async def person(
        self,
        subject: UUID | None,
        facilities: Iterable[UUID],
        mode: Mode,
        timeout: float,
        capacity: Capacity = door.NOBODY_ELSE,
    ) -> AsyncIterator[Transaction]:
        """A transaction for somebody's request: row-level security shows what they may see."""
        begin = door.begin(subject, facilities, capacity, timeout)
        if mode is Mode.READ:
            begin += _READING
        async with self._transaction(self._people, begin, timeout) as tx:
            yield tx

    async def connect(self) -> None:
        """Have a connection of people's at hand: the first request would wait for it."""
        if self._people is not None:
            async with self._people.acquire():
                pass

    def not_begun(self) -> Transaction:
        """A transaction that gathers what is to be done, for one that takes it over."""
        return Transaction(None, self._now(), self.wake_relay)

    @contextlib.asynccontextmanager
    async def system(self, timeout: float = 30.0) -> AsyncIterator[Transaction]:
        """A transaction of the service itself, which sees every row. For consumers, timers and jobs only."""
        async with self._transaction(
            self._system, "BEGIN; SET LOCAL statement_timeout = 30000", timeout
        ) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connection of one's own, for who holds a session lock; it is ended afterwards, with whatever was set on it."""
        async with self._pool(self._system).acquire() as connection:
            try:
                yield connection
            finally:
                _end(connection)

    def statements(self, connection: Session) -> Transaction:
        """Statements on a connection of one's own, each a transaction in itself."""
        return Transaction(connection, self._now())

    @contextlib.asynccontextmanager
    async def _transaction(
        self, pool: "asyncpg.Pool[Record] | None", begin: str, timeout: float
    ) -> AsyncIterator[Transaction]:
        try:
            connection = await self._pool(pool).acquire(timeout=min(timeout, 5.0))
        except (*CONNECTION_LOST, TimeoutError) as error:
            raise Unavailable(
                "DATABASE_AWAY", "The database does not answer. Try again."
            ) from error
        token = in_transaction.set(True)
        try:
            try:
                await connection.execute(begin)
            except CONNECTION_LOST as error:  # it died in the pool: nothing was begun
                raise Unavailable(
                    "DATABASE_AWAY", "The database does not answer. Try again."
                ) from error
            tx = Transaction(connection, self._now(), self.wake_relay)
            yield tx
            await tx.flush()
            await connection.execute("COMMIT")
        except BaseException as error:
            await _abandon(connection, error)
            raise
        finally:
            in_transaction.reset(token)
            await asyncio.shield(self._pool(pool).release(connection))
        tx.committed()

    def _pool(self, pool: "asyncpg.Pool[Record] | None") -> "asyncpg.Pool[Record]":
        if pool is None:
            raise RuntimeError("this process was not given that door to the database")
        return pool

    async def close(self) -> None:
        for pool in (self._people, self._system):
            if pool is not None:
                pool.terminate()


async def _abandon(connection: Session, error: BaseException) -> None:
    """Roll back; a connection in doubt (cancelled, or lost) is ended instead of returned."""
    if isinstance(error, Exception) and not isinstance(error, CONNECTION_LOST):
        with contextlib.suppress(Exception):
            await asyncio.wait_for(connection.execute("ROLLBACK"), timeout=2.0)
            return
    _end(connection)


def _end(connection: Session) -> None:
    """End a connection, also one that the server has ended already."""
    with contextlib.suppress(asyncpg.InterfaceError, OSError):
        connection.terminate()
