"""Messages set aside because they could not be handled: kept whole, with the reason, until somebody decides."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from nats.aio.msg import Msg
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    delete,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from libs.chassis.database import (
    Database,
    Statement,
    Transaction,
    every_field,
    fields_except,
    param,
    sql,
)
from libs.chassis.errors import DomainError, FailedPrecondition, NotFound
from libs.chassis.faults import whereabouts
from libs.conveyor.headers import FACILITY, KEY, VERSION

if TYPE_CHECKING:
    from libs.conveyor.inbox import Consumer

parked = Table(
    "parked", MetaData(),
    Column("id", Uuid, primary_key=True), Column("consumer", Text), Column("message_id", Uuid),
    Column("subject", Text), Column("key", Text), Column("version", BigInteger), Column("facility_id", Uuid),
    Column("payload", LargeBinary), Column("headers", JSONB),
    Column("reason", Text), Column("message", Text), Column("attempts", Integer),
    Column("parked_at", DateTime(timezone=True)), Column("state", Text),
    Column("settled_at", DateTime(timezone=True)), Column("settled_reason", Text),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A message of one consumer that waits for a decision, or has had one. The payload may be health data."""

    id: UUID
    consumer: str
    message_id: UUID
    subject: str
    key: str
    version: int
    facility_id: UUID | None
    payload: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    reason: str
    message: str
    attempts: int
    parked_at: datetime
    state: str
    settled_at: datetime | None
    settled_reason: str | None


FIRST = datetime.min.replace(tzinfo=UTC), UUID(int=0)  # before every one

_p = parked.c
_consumer = param("consumer", type_=Text)
_after = tuple_(param("after_at", type_=DateTime(timezone=True)), param("after_id", type_=Uuid))
_new = insert(parked).values(every_field(parked))
_ADD = sql(_new.on_conflict_do_nothing(index_elements=["consumer", "message_id"]))
_PUT = sql(
    _new.on_conflict_do_update(
        index_elements=["consumer", "message_id"],
        set_={c: _new.excluded[c.name] for c in fields_except(parked, "id")},
    )
)
_REMOVE = sql(
    delete(parked).where(_p.consumer == param("consumer"), _p.message_id == param("message_id"))
)
_PAGE = sql(
    select(parked)
    .where(
        _p.state == "PARKED",
        or_(_consumer == "", _p.consumer == _consumer),
        tuple_(_p.parked_at, _p.id) > _after,
    )
    .order_by(_p.parked_at, _p.id)
    .limit(param("limit", type_=Integer)),
    row=Parked,
)
_one = select(parked).where(_p.id == param("id"))
_GET = sql(_one, row=Parked)
_HOLD = sql(_one.with_for_update(), row=Parked)
_SETTLE = sql(
    update(parked)
    .where(_p.id == param("id"))
    .values(
        state=param("new_state", type_=Text),
        settled_at=param("at", type_=DateTime(timezone=True)),
        settled_reason=param("why", type_=Text),
    )
)
_FAILED_AGAIN = sql(
    update(parked)
    .where(_p.id == param("id"))
    .values(attempts=_p.attempts + 1, message=param("new_message", type_=Text))
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message is parked, without health data."""

    reason: str
    message: str
    attempts: int


def entry(consumer: str, message_id: UUID, message: Msg, fault: Fault, at: datetime) -> Parked:
    """What to park of a message, which may be too broken to have a key or a version."""
    headers = message.headers or {}
    version = headers.get(VERSION, "")
    facility = headers.get(FACILITY, "")
    return Parked(
        id=uuid5(message_id, consumer),
        consumer=consumer,
        message_id=message_id,
        subject=message.subject,
        key=headers.get(KEY, ""),
        version=int(version) if version.isdecimal() else 0,
        facility_id=_uuid_or_none(facility),
        payload=message.data,
        headers=headers,
        reason=fault.reason,
        message=fault.message,
        attempts=fault.attempts,
        parked_at=at,
        state="PARKED",
        settled_at=None,
        settled_reason=None,
    )


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def add(tx: Transaction, entry: Parked, *, replace: bool = False) -> bool:
    """Park a message. False if it was parked already, and then it is only written anew with `replace`."""
    return await tx.run(_PUT if replace else _ADD, entry) == 1


async def remove(tx: Transaction, consumer: str, message_id: UUID) -> None:
    """Forget that a message was parked: it could be handled after all."""
    await tx.run(_REMOVE, consumer=consumer, message_id=message_id)


async def page(
    tx: Transaction, limit: int, after: tuple[datetime, UUID] = FIRST, consumer: str = ""
) -> list[Parked]:
    """What waits for a decision, longest first: of all consumers or of one, after a row."""
    after_at, after_id = after
    return await tx.fetch(
        _PAGE, consumer=consumer, after_at=after_at, after_id=after_id, limit=limit
    )


async def show(database: Database, id: UUID) -> Parked:
    async with database.system() as tx:
        return await _one_by(_GET, tx, id)


async def replay(database: Database, consumer: "Consumer", id: UUID) -> None:
    """Handle a parked message as if it came now. If it fails again it stays parked, and FailedPrecondition says why."""
    try:
        async with database.system() as tx:
            entry = await _one_by(_HOLD, tx, id)
            _must_wait(entry)
            delivery = consumer.read(entry.message_id, entry.subject, entry.payload, entry.headers)
            await consumer.handle(tx, [delivery])
            await tx.run(_SETTLE, id=id, new_state="REPLAYED", at=tx.at, why=None)
    except DomainError:
        raise
    except Exception as error:
        why = whereabouts(error)
        async with database.system() as tx:
            await tx.run(_FAILED_AGAIN, id=id, new_message=why)
        raise FailedPrecondition("REPLAY_FAILED", f"It failed again: {why}.") from error


async def discard(tx: Transaction, id: UUID, why: str) -> bool:
    """Decide that it will never be handled; the row stays, with the reason. False if that was decided before."""
    entry = await _one_by(_HOLD, tx, id)
    if entry.state == "DISCARDED":
        return False
    _must_wait(entry)
    await tx.run(_SETTLE, id=id, new_state="DISCARDED", at=tx.at, why=why)
    return True


async def _one_by(statement: Statement[Parked], tx: Transaction, id: UUID) -> Parked:
    found = await tx.one_or_none(statement, id=id)
    if found is None:
        raise NotFound("PARKED_NOT_FOUND", "There is no such parked message.")
    return found


def _must_wait(entry: Parked) -> None:
    if entry.state != "PARKED":
        raise FailedPrecondition("NOT_PARKED", f"It was settled before: {entry.state}.")
