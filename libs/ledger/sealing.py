"""The seal of the audit ledger: a chain of digests, made outside of requests by one sealer per database.

A row's place in the chain is when the sealer found it, not when it was written. So it looks for what is not in the chain,
never for what is newer than the last: a slow transaction that commits late is found all the same.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from prometheus_client import Counter, Gauge
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Uuid,
    func,
    insert,
    select,
    tuple_,
)

from libs.chassis import audit
from libs.chassis.database import Database, Session, Transaction, param, sql
from libs.chassis.faults import rest
from libs.conveyor.crashpoints import crashpoint
from libs.conveyor.leading import Seat, take_turns
from libs.conveyor.streams import BROKER_REFUSES, Conveyor
from libs.ledger import heads

log = logging.getLogger(__name__)

FORM = 1
BATCH = 1000
SEAL_EVERY = 1.0
HEAD_EVERY = 10.0
# Nearly every transaction commits within seconds of its time. None may take longer than LATE: what turns up later
# than that is not sealed, and `carehub audit verify` says so.
RECENT = timedelta(seconds=5)
LATE = timedelta(minutes=5)
LATE_EVERY = 30.0
PARTITIONS_EVERY = 3600.0
MONTHS_AHEAD = 3
EVER = datetime(1970, 1, 1, tzinfo=UTC)
_LOWEST = UUID(int=0)
_LEADER = 7303016

SEALED = Counter("carehub_audit_sealed", "Rows of the audit ledger sealed.", ["service"])
LAG = Gauge(
    "carehub_audit_sealing_seconds", "For how long the ledger was not seen sealed.", ["service"]
)

audit_chain = Table(
    "audit_chain",
    MetaData(),
    Column("sequence", BigInteger, primary_key=True),
    Column("audit_id", Uuid),
    Column("at", DateTime(timezone=True)),
    Column("form", SmallInteger),
    Column("digest", LargeBinary),
    Column("chained", LargeBinary),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the ledger, as it is sealed. It is read by the thousand, with arrays as the driver gives them."""

    id: UUID
    at: datetime
    subject: UUID | None
    method: str
    resource: str
    patients: Any
    outcome: str
    reason: str
    purpose: str
    facilities: Any
    request_id: str
    roles: Any
    address: str

    def canonical(self) -> bytes:
        """Form 1: a JSON array of every column in this order. A column that is added makes another form."""
        return orjson.dumps([
            str(self.id),
            self.at.isoformat(timespec="microseconds"),  # the driver gives UTC
            str(self.subject) if self.subject else None,
            self.method,
            self.resource,
            [str(one) for one in self.patients],
            self.outcome,
            self.reason,
            self.purpose,
            [str(one) for one in self.facilities],
            self.request_id,
            self.roles,
            self.address,
        ])  # fmt: skip

    def digest(self) -> bytes:
        return hashlib.sha256(self.canonical()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The end of a chain."""

    sequence: int
    at: datetime
    chained: bytes


def beginning(service: str) -> bytes:
    """What a service's first row is chained to."""
    return hashlib.sha256(b"carehub audit chain of " + service.encode()).digest()


def chain(previous: bytes, sequence: int, audit_id: UUID, digest: bytes) -> bytes:
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + audit_id.bytes + digest).digest()


_a, _c = audit.audit.c, audit_chain.c
_after_at = param("after_at", type_=DateTime(timezone=True))
# A look-up per row: as a join it could become one with the whole chain.
_place = select(_c.sequence).where(_c.audit_id == _a.id).limit(1).scalar_subquery()
UNSEALED = sql(
    select(audit.audit)
    .where(
        _a.at >= _after_at,  # says again what follows, so that months are left out
        tuple_(_a.at, _a.id) > tuple_(_after_at, param("after_id", type_=Uuid)),
        _place.is_(None),
    )
    .order_by(_a.at, _a.id)
    .limit(BATCH),
    row=Row,
)
LAST = sql(select(_c.sequence, _c.at, _c.chained).order_by(_c.sequence.desc()).limit(1), row=Link)
# When sealing ended. Not of the last row alone, which may be of a clock that was wrong.
_latest = select(_c.at).order_by(_c.sequence.desc()).limit(100).subquery()
_SINCE = sql(
    select(func.max(_latest.c.at)).where(
        _latest.c.at <= param("now", type_=DateTime(timezone=True))
    )
)
_new = (
    func.unnest(
        param("sequences", type_=ARRAY(BigInteger)),
        param("ids", type_=ARRAY(Uuid)),
        param("ats", type_=ARRAY(DateTime(timezone=True))),
        param("digests", type_=ARRAY(LargeBinary)),
        param("links", type_=ARRAY(LargeBinary)),
    )
    .table_valued("sequence", "audit_id", "at", "digest", "chained")
    .render_derived(name="new")
)
_SEAL = sql(
    insert(audit_chain).from_select(
        ["sequence", "audit_id", "at", "form", "digest", "chained"],
        select(
            _new.c.sequence,
            _new.c.audit_id,
            _new.c.at,
            param("form", type_=SmallInteger),
            _new.c.digest,
            _new.c.chained,
        ),
    )
)
_PARTITION = sql(select(func.audit_partition(param("month", type_=Date))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """How heads are signed, and where they are kept beside the database. Without a key there is a chain, and no heads."""

    signer: heads.Signer | None = None
    folder: Path | None = None
    conveyor: Conveyor | None = None


async def run_sealer(
    service: str,
    database: Database,
    seal: Callable[[], Seal],
    stopping: asyncio.Event,
    now: Callable[[], datetime],
) -> None:
    """Seal the ledger of one database for as long as the process works; wait while another process does so.

    `seal` is asked whenever this one begins to lead: whose key cannot be read lets another lead, and is late with the rest.
    """
    SEALED.labels(service)  # there from the start: no rate of a count that is not there yet
    lateness = Lateness(service)

    async def lead(connection: Session) -> None:
        await Sealer(service, connection, seal(), now, lateness).lead(stopping)

    def follow() -> None:
        """Another process seals by now, and says how late it is."""
        lateness.note(0.0)

    seat = Seat(service, _LEADER, "the sealer begins again")
    await take_turns(seat, database, lead, stopping, follow=follow)


class Lateness:
    """How late the sealing is, worked out when somebody asks: whoever hangs, wherever that is, says nothing any more."""

    def __init__(self, service: str) -> None:
        self.note(0.0)
        LAG.labels(service).set_function(lambda: time.monotonic() - self._since)

    def note(self, lag: float) -> None:
        """All that is older than so many seconds is sealed now."""
        self._since = time.monotonic() - max(0.0, lag)


class Sealer:
    """The one that seals. All it does is on the connection that holds the lock: who has lost it can do nothing more."""

    def __init__(
        self,
        service: str,
        connection: Session,
        seal: Seal,
        now: Callable[[], datetime],
        lateness: Lateness | None = None,
    ) -> None:
        self._service = service
        self._connection = connection
        self._seal = seal
        self._now = now
        self._lateness = lateness or Lateness(service)
        self._end = Link(sequence=0, at=EVER, chained=beginning(service))
        self._told = 0
        self._looked_at = now()
        self._sign_at = self._late_at = self._partitions_at = 0.0
        self._room_after = date.min

    async def lead(self, stopping: asyncio.Event) -> None:
        """Seal until the end."""
        await self.begin()
        while not stopping.is_set():
            await self._make_partitions()
            await self._seal_what_is_new()
            if time.monotonic() >= self._sign_at:
                await self.tell()
            await rest(stopping, SEAL_EVERY)
        await self._seal_what_is_new()
        await self.tell()

    async def begin(self) -> None:
        """Find the end of the chain, and seal what was written while nobody did."""
        tx = self._statements()
        self._end = await tx.one_or_none(LAST) or self._end
        self._told = await tx.one_or_none(heads.NEWEST, service=self._service) or 0
        since = await tx.one(_SINCE, now=self._now())
        await self.seal(max(EVER + LATE, since) - LATE if since else EVER)

    async def seal(self, since: datetime) -> int:
        """Put into the chain what is not in it, from `since` on. How many rows that were."""
        after_at, after_id, count = since, _LOWEST, 0
        while True:
            tx = self._statements()
            rows = await tx.fetch(UNSEALED, after_at=after_at, after_id=after_id)
            self._lateness.note((tx.at - rows[0].at).total_seconds() if rows else 0.0)
            if rows:
                # A second row with the same id is nobody's but a forger's: it is not sealed, nor does it stop the seal.
                await self._append(list({row.id: row for row in reversed(rows)}.values())[::-1])
                count += len(rows)
                after_at, after_id = rows[-1].at, rows[-1].id
            if len(rows) < BATCH:
                return count

    async def _append(self, rows: Sequence[Row]) -> None:
        chained, sequence = self._end.chained, self._end.sequence
        digests, links = [], []
        for row in rows:
            sequence += 1
            digests.append(row.digest())
            chained = chain(chained, sequence, row.id, digests[-1])
            links.append(chained)
        async with self._connection.transaction():
            await self._statements().run(
                _SEAL,
                sequences=list(range(self._end.sequence + 1, sequence + 1)),
                ids=[row.id for row in rows],
                ats=[row.at for row in rows],
                form=FORM,
                digests=digests,
                links=links,
            )
            crashpoint("sealer.before_commit")
        crashpoint("sealer.after_commit")
        self._end = Link(sequence=sequence, at=max(self._end.at, rows[-1].at), chained=chained)
        SEALED.labels(self._service).inc(len(rows))

    async def _seal_what_is_new(self) -> None:
        reach, present, now = RECENT, time.monotonic(), self._now()
        if present >= self._late_at:
            self._late_at, reach = present + LATE_EVERY, LATE
        # From where it looked last, in case that this process, or its clock, stood still.
        await self.seal(min(now, self._looked_at) - reach)
        self._looked_at = now

    async def tell(self) -> None:
        """Sign how far the chain has come, if it has, and have that kept in three places; in the database last, so that
        after a crash it is told again.
        """
        signer, end = self._seal.signer, self._end
        if signer is None or end.sequence == self._told:
            return
        crashpoint("sealer.before_head")
        head = signer.sign(self._service, end.sequence, end.chained, self._now())
        if self._seal.folder:
            await asyncio.to_thread(heads.append, self._seal.folder, head)
        if self._seal.conveyor and self._seal.conveyor.is_connected:
            try:
                await heads.publish(self._seal.conveyor, head)
            except BROKER_REFUSES as error:
                reason = type(error).__name__
                log.warning(
                    "a head was not told", extra={"service": self._service, "reason": reason}
                )
        await self._statements().run(heads.KEEP, head)
        crashpoint("sealer.after_head")
        self._told, self._sign_at = end.sequence, time.monotonic() + HEAD_EVERY

    async def _make_partitions(self) -> None:
        """Make room for the months to come, long before they come."""
        month = self._now().date().replace(day=1)
        if time.monotonic() < self._partitions_at and month == self._room_after:
            return
        self._partitions_at, self._room_after = time.monotonic() + PARTITIONS_EVERY, month
        for _ in range(MONTHS_AHEAD):
            month = (month + timedelta(days=32)).replace(day=1)
            if not await self._statements().one(_PARTITION, month=month):
                log.error("no partition for a month", extra={"service": self._service})

    def _statements(self) -> Transaction:
        """Outside of a transaction each statement is one."""
        return Transaction(self._connection, self._now())
