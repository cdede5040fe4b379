"""The watch of a run: stands at every way out of the hubs in this process, and compares with what their databases have.

It looks when a host has stopped, and before a database is emptied for the next test. What it counts as an answer it sees
at the guard's door, by patients' ids in the bytes that go out; the product's own notes on whom it showed it does not ask.
"""

import functools
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import aiosmtplib
import asyncpg
import prometheus_client
from nats.aio.client import Client

from gateway.api.edge import Edge
from libs.chassis.guard import REQUEST_ID, Guard
from libs.chassis.wire import CallFailed
from libs.process.app import Host
from libs.telemetry.logs import JsonLines
from libs.testing.servers import Servers
from tests.watch.health import COLUMNS, OUTPUTS, phrases, sought
from tests.watch.tally import TALLY, Tally, test_now

_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Says which of the patients whom it was asked about may be seen, of whom the caller has just heard that something changed:
# its row is there, and names nobody, since nobody has looked at them.
_NAMES_NOBODY = frozenset({"/carehub.identity.v1.IdentityService/FilterVisible"})
_LOGGERS = ("libs", "services", "gateway", "asyncio", "asyncpg", "nats", "uvicorn", "grpc")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: where it came from, and its bytes."""

    test: str
    service: str
    method: str
    request_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """A text that left a hub, or that others read than those who may see the patient."""

    test: str
    kind: str
    text: str


def ids_in(data: bytes) -> set[UUID]:
    return {UUID(found.decode()) for found in _UUID.findall(data)}


class Watch:
    """Over the servers of a run."""

    def __init__(self, servers: Servers, tally: Tally = TALLY) -> None:
        self._servers = servers
        self._tally = tally
        self._answers: list[Answer] = []
        self._calls = Counter[tuple[str, str]]()
        self._said: set[Said] = set()
        self._labels: set[str] = set()
        self._filled: dict[str, str] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Stand at every way out until the block ends."""
        log = _Log(self._hear)
        with ExitStack() as stack:
            for owner, name, around in (
                (Guard, "answer", self._answered), (Edge, "_serve", self._over_rest), (Client, "publish", self._published),
                (aiosmtplib, "send", self._sent), (Host, "stop", self._stopped), (Servers, "prepare", self._prepared),
            ):  # fmt: skip
                stack.enter_context(_around(owner, name, around))
            for name in _LOGGERS:
                stack.enter_context(_listening(logging.getLogger(name), log))
            yield

    def _hear(self, kind: str, text: str) -> None:
        self._said.add(Said(test_now(), kind, text))

    # The ways out.

    async def _answered(
        self, answer: Callable[..., Any], guard: Guard, path: str, request: Any
    ) -> Any:
        if not request.headers.get(
            REQUEST_ID
        ):  # as the gateway does, so that it can be found again
            request = replace(request, headers={**request.headers, REQUEST_ID: str(uuid4())})
        request_id = request.headers[REQUEST_ID]
        self._calls[path, request_id] += 1
        try:
            response = await answer(guard, path, request)
        except CallFailed as failed:
            self._hear("errors", f"{failed} {failed.details}")
            raise
        if data := response.SerializeToString():
            self._answers.append(Answer(test_now(), path.split(".")[1], path, request_id, data))
        return response

    async def _over_rest(
        self, call: Callable[..., Any], edge: Edge, scope: Any, receive: Any, send: Any
    ) -> None:
        status = 0

        async def send_on(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = b"\n".join(b": ".join(pair) for pair in message.get("headers", ()))
                self._hear("headers", told.decode(errors="replace"))
            elif status >= 400:
                self._hear("errors", message.get("body", b"").decode(errors="replace"))
            await send(message)

        await call(edge, scope, receive, send_on)

    async def _published(
        self, publish: Callable[..., Any], client: Client, subject: str, *told: Any, **named: Any
    ) -> Any:
        headers = named.get("headers") or (told[2] if len(told) > 2 else None)
        self._hear("subjects", f"{subject} {headers or ''}")
        return await publish(client, subject, *told, **named)

    async def _sent(
        self, send: Callable[..., Any], letter: EmailMessage, *told: Any, **named: Any
    ) -> Any:
        self._hear("letters", f"{letter['Subject']} {letter.get_content()}")
        return await send(letter, *told, **named)

    # When it looks.

    async def _stopped(
        self, stop: Callable[..., Any], host: Host, *told: Any, **named: Any
    ) -> None:
        await stop(host, *told, **named)
        await self.look()

    async def _prepared(
        self, prepare: Callable[..., Any], servers: Servers, service: str, *told: Any
    ) -> None:
        await self.look()
        await prepare(servers, service, *told)
        if service in COLUMNS:
            self._filled[service] = test_now()

    async def look(self) -> None:
        """Compare what came out since the last look with what the databases have now."""
        answers, said, calls = self._answers, self._said, self._calls
        self._answers, self._said, self._calls = [], set(), Counter()
        if not answers and not said:
            return
        here = {one.service for one in answers} | {
            s for s, test in self._filled.items() if test == test_now()
        }
        patients, told, rows = (
            set[UUID](),
            list[tuple[str, str | bytes]](),
            defaultdict[tuple[str, str], list](list),
        )
        for service in sorted(here & set(self._filled)):
            connection = await asyncpg.connect(self._servers.admin_url(service))
            try:
                patients |= await patients_of(connection)
                told += await told_of(connection, service)
                said |= {
                    Said(test_now(), kind, text)
                    for kind, text in await outputs_of(connection, service)
                }
                for row in await rows_of(connection, {one.request_id for one in answers}):
                    rows[row["method"], row["request_id"]].append(set(row["patients"]))
            finally:
                await connection.close()
        said |= {Said(test_now(), "metrics", label) for label in self._new_labels()}
        forms = sought(told)
        search(self._tally, forms, said)
        count(self._tally, with_patient_data(answers, patients, forms.keys()), rows, calls)

    def _new_labels(self) -> set[str]:
        found = {
            f"{sample.name} {' '.join(sample.labels.values())}"
            for metric in prometheus_client.REGISTRY.collect()
            for sample in metric.samples
            if "le" not in sample.labels
        }
        new, self._labels = found - self._labels, self._labels | found
        return new


async def patients_of(connection: asyncpg.Connection) -> set[UUID]:
    """Every patient that a database knows of."""
    columns = await connection.fetch(
        "SELECT c.relname AS table, a.attname AS column FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped "
        "AND (a.attname = 'patient_id' OR (c.relname, a.attname) = ('patients', 'id'))"
    )
    union = " UNION ".join(f'SELECT "{c["column"]}" FROM "{c["table"]}"' for c in columns)
    return {row[0] for row in await connection.fetch(union) if row[0]} if union else set()


async def told_of(connection: asyncpg.Connection, service: str) -> list[tuple[str, str | bytes]]:
    """By column, what it says of patients; each text once."""
    selects = []
    for name in COLUMNS[service]:
        table, column = name.split(".")
        bytes_of = column if column == "raw" else f"convert_to({column}::text, 'UTF8')"
        selects.append(
            f"SELECT '{service}.{name}', {bytes_of} FROM {table} WHERE {column} IS NOT NULL"
        )
    rows = await connection.fetch(" UNION ".join(selects))
    return [(name, data if name.endswith(".raw") else data.decode()) for name, data in rows]


async def outputs_of(connection: asyncpg.Connection, service: str) -> list[tuple[str, str]]:
    """What is kept for others to read: the ledger, letters, what was parked and why. Without payloads."""
    selects = [
        f"SELECT '{table}', (to_jsonb(t) - 'payload')::text FROM {table} t"
        for table in OUTPUTS[service]
    ]
    return [(row[0], row[1]) for row in await connection.fetch(" UNION ALL ".join(selects))]


async def rows_of(connection: asyncpg.Connection, requests: Iterable[str]) -> list[asyncpg.Record]:
    return await connection.fetch(
        "SELECT method, request_id, patients FROM audit WHERE outcome = 'OK' AND request_id = ANY ($1)",
        list(requests),
    )


def search(tally: Tally, sought: dict[str, str], said: Iterable[Said]) -> None:
    """Look for what was sought in what was said; of the same finding one is shown."""
    tally.values += len(sought)
    seen = set[tuple[str, str]]()
    for one in said:
        tally.read[one.kind] += 1
        for form in phrases(one.text) & sought.keys():
            if (form, one.kind) not in seen:
                seen.add((form, one.kind))
                tally.found.append(
                    f"{one.test}: {sought[form]} has {form!r}, and so have {one.kind}: {one.text[:300]}"
                )


def with_patient_data(
    answers: Iterable[Answer], patients: set[UUID], sought: Collection[str]
) -> Iterator[tuple[Answer, set[UUID]]]:
    """The answers that name a patient, with whom they name; and those that name nobody, but say what is said of patients."""
    for one in answers:
        shown = patients & ids_in(one.data)
        if one.method in _NAMES_NOBODY:
            yield one, set()
        elif shown or not sought.isdisjoint(phrases(one.data.decode(errors="replace"))):
            yield one, shown


def count(
    tally: Tally,
    answers: Iterable[tuple[Answer, set[UUID]]],
    rows: dict[tuple[str, str], list[set[UUID]]],
    calls: Counter[tuple[str, str]],
) -> None:
    """Find each answer its row, which names all patients of the answer; no row for two, and none that nobody asked for."""
    by_call = defaultdict[tuple[str, str], list[tuple[Answer, set[UUID]]]](list)
    for one, shown in answers:
        by_call[one.method, one.request_id].append((one, shown))
    for call, given in by_call.items():
        left = list(rows[call])
        for one, shown in sorted(given, key=lambda each: -len(each[1])):
            tally.answers += 1
            row = next((row for row in left if shown <= row), None)
            if row is None:
                tally.found.append(
                    f"{one.test}: no audit row for an answer of {one.method} about {len(shown)} patients"
                )
            else:
                left.remove(row)
                tally.rows += 1
        surplus = max(0, len(rows[call]) - calls[call])
        tally.rows += surplus
        if surplus:
            tally.found.append(f"{given[0][0].test}: {surplus} audit rows too many for {call[0]}")


class _Log(logging.Handler):
    """What a process would have logged, as it would have; at DEBUG, too. When it was is no matter."""

    def __init__(self, hear: Callable[[str, str], None]) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self._hear("logs", self.format(record).partition(",")[2])


@contextmanager
def _listening(logger: logging.Logger, log: logging.Handler) -> Iterator[None]:
    level = logger.level
    logger.addHandler(log)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(log)
        logger.setLevel(level)


@contextmanager
def _around(owner: Any, name: str, around: Callable[..., Any]) -> Iterator[None]:
    """Have every call of a method, or of a function of a module, go through `around(method, self, …)`."""
    method = getattr(owner, name)

    @functools.wraps(method)
    async def seen(self: Any, *told: Any, **named: Any) -> Any:
        return await around(method, self, *told, **named)

    setattr(owner, name, seen)
    try:
        yield
    finally:
        setattr(owner, name, method)
