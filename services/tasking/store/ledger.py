"""Minutes and medical decisions in PostgreSQL. Minutes are added and read, never changed, except to whom they belong."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    cast,
    column,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import NotFound
from services.tasking.domain.claims import Decision, Departure
from services.tasking.domain.loop import Loop
from services.tasking.domain.time_ledger import TimeEntry
from services.tasking.store.loops import loops

metadata = MetaData()
entries = Table(
    "time_entries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("staff_id", Uuid),
    Column("role_class", Text),
    Column("program", Text),
    Column("start_at", DateTime(timezone=True)),
    Column("end_at", DateTime(timezone=True)),
    Column("activity", Text),
    Column("is_face_to_face", Boolean),
    Column("is_interactive", Boolean),
    Column("task_id", Uuid),
    Column("labels", ARRAY(Text)),
    Column("recorded_by_id", Uuid),
    Column("recorded_at", DateTime(timezone=True)),
    Column("revision", Integer),
    Column("replaces_id", Uuid),
    Column("reason", Text),
    Column("is_withdrawn", Boolean),
)
decisions = Table(
    "decisions",
    metadata,
    Column("loop_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("mdm", Text),
    Column("is_billed_elsewhere", Boolean),
    Column("is_global_period", Boolean),
    Column("staff_id", Uuid),
    Column("said_at", DateTime(timezone=True)),
    Column("labels", ARRAY(Text)),
)
_ids = param("ids", type_=ARRAY(Uuid))
_limit = param("limit", type_=Integer)
_staff = param("staff_id", type_=Uuid)
_patient = param("patient_id", type_=Uuid)
_before = tuple_(param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid))

ADD = sql(insert(entries).values(every_field(entries)).inline())
GET = sql(select(entries).where(entries.c.id == param("id", type_=Uuid)), row=TimeEntry)
REPLACING = sql(
    select(entries).where(entries.c.replaces_id == param("id", type_=Uuid)), row=TimeEntry
)
AROUND = sql(
    select(entries).where(
        entries.c.staff_id == _staff,
        entries.c.start_at < param("end_at", type_=DateTime(timezone=True)),
        entries.c.end_at > param("start_at", type_=DateTime(timezone=True)),
    ),
    row=TimeEntry,
)
# What replaces one of those may lie at another time.
REPLACED = sql(select(entries.c.replaces_id).where(entries.c.replaces_id == any_(_ids)))
_newest = (entries.c.start_at.desc(), entries.c.id.desc())
_earlier = tuple_(entries.c.start_at, entries.c.id) < _before
OF_PATIENT = sql(
    select(entries)
    .where(entries.c.patient_id == _patient, _earlier)
    .order_by(*_newest)
    .limit(_limit),
    row=TimeEntry,
)
OF_STAFF = sql(
    select(entries).where(entries.c.staff_id == _staff, _earlier).order_by(*_newest).limit(_limit),
    row=TimeEntry,
)
ALL_OF_PATIENT = sql(
    select(entries).where(entries.c.patient_id == _patient, entries.c.facility_id == any_(_ids)),
    row=TimeEntry,
)
MOVE = tuple(
    sql(
        update(table)
        .where(table.c.patient_id == param("retired_id"))
        .values(patient_id=param("survivor_id"))
    )
    for table in (entries, decisions)
)
LOCK = sql(
    select(
        func.pg_advisory_xact_lock(func.hashtextextended(cast(_staff, Text), literal_column("13")))
    )
)
_new = insert(decisions).values(every_field(decisions))
DECIDE = sql(
    _new.on_conflict_do_update(
        index_elements=["loop_id"],
        set_={c: _new.excluded[c.name] for c in fields_except(decisions, "loop_id")},
    )
)
DECISIONS = sql(select(decisions).where(decisions.c.loop_id == any_(_ids)), row=Decision)


@dataclass(frozen=True, slots=True)
class _Claim:
    patient_id: UUID
    left_at: datetime


_left = func.departures(_ids).table_valued(
    column("loop_id", Uuid), column("visit_class", Text), column("disposition", Text)
)
DEPARTURES = sql(select(_left.c.loop_id, _left.c.visit_class, _left.c.disposition), row=Departure)
_claims = func.claims_elsewhere(_ids, param("protocol", type_=Text)).table_valued(
    column("patient_id", Uuid), column("left_at", DateTime(timezone=True))
)
CLAIMS_ELSEWHERE = sql(select(_claims.c.patient_id, _claims.c.left_at), row=_Claim)
TRANSITIONS_OF = sql(
    select(loops)
    .where(
        loops.c.patient_id == any_(_ids),
        loops.c.facility_id == any_(param("places", type_=ARRAY(Uuid))),
        loops.c.protocol == param("protocol"),
        loops.c.anchor_at.is_not(None),
    )
    .order_by(loops.c.anchor_at, loops.c.id),
    row=Loop,
)
TRANSITIONS = sql(
    select(loops)
    .where(
        loops.c.facility_id == any_(_ids),
        loops.c.protocol == param("protocol"),
        loops.c.anchor_at.is_not(None),
        tuple_(loops.c.anchor_at, loops.c.id) < _before,
    )
    .order_by(loops.c.anchor_at.desc(), loops.c.id.desc())
    .limit(_limit),
    row=Loop,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """Where a page that begins with the newest goes on, and how many."""

    before_at: datetime
    before_id: UUID
    limit: int


class TimeStore:
    """Minutes that the caller may see: row-level security says which."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def lock(self, staff_id: UUID) -> None:
        """Be alone with what one person writes down, so that nothing overlaps."""
        await self._tx.fetch(LOCK, staff_id=staff_id)

    async def get(self, entry_id: UUID) -> TimeEntry:
        if found := await self._tx.one_or_none(GET, id=entry_id):
            return found
        raise NotFound("TIME_NOT_FOUND", "There is no such entry.")

    async def replacing(self, entry_id: UUID) -> TimeEntry | None:
        return await self._tx.one_or_none(REPLACING, id=entry_id)

    async def around(self, entry: TimeEntry) -> list[TimeEntry]:
        """What stands of the same person's at the same time."""
        found = await self._tx.fetch(AROUND, entry)
        replaced = set(await self._tx.fetch(REPLACED, ids=[each.id for each in found]))
        return [each for each in found if each.id not in replaced]

    async def add(self, entry: TimeEntry) -> None:
        await self._tx.run(ADD, entry)

    async def of_patient(self, patient_id: UUID, where: Newest) -> list[TimeEntry]:
        return await self._tx.fetch(OF_PATIENT, where, patient_id=patient_id)

    async def of_staff(self, staff_id: UUID, where: Newest) -> list[TimeEntry]:
        return await self._tx.fetch(OF_STAFF, where, staff_id=staff_id)

    async def all_of(self, patient_id: UUID, facility_ids: Iterable[UUID]) -> list[TimeEntry]:
        ids = sorted(set(facility_ids))
        return await self._tx.fetch(ALL_OF_PATIENT, patient_id=patient_id, ids=ids)

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        for statement in MOVE:
            await self._tx.run(statement, retired_id=retired_id, survivor_id=survivor_id)


class ClaimStore:
    """Transitions that ended in a discharge, and what physicians said of them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def transitions(
        self, protocol: str, facility_ids: Iterable[UUID], where: Newest
    ) -> list[Loop]:
        ids = sorted(set(facility_ids))
        return await self._tx.fetch(TRANSITIONS, where, protocol=protocol, ids=ids)

    async def decisions(self, loop_ids: Iterable[UUID]) -> dict[UUID, Decision]:
        found = await self._tx.fetch(DECISIONS, ids=sorted(set(loop_ids)))
        return {each.loop_id: each for each in found}

    async def transitions_of(
        self, protocol: str, patient_ids: Iterable[UUID], facility_ids: Iterable[UUID]
    ) -> list[Loop]:
        """All of these patients at these facilities, the earliest first."""
        ids, places = sorted(set(patient_ids)), sorted(set(facility_ids))
        return await self._tx.fetch(TRANSITIONS_OF, protocol=protocol, ids=ids, places=places)

    async def claimed_elsewhere(
        self, protocol: str, patient_ids: Iterable[UUID]
    ) -> dict[UUID, list[datetime]]:
        """The discharges of these patients that other facilities could bill; not which facilities."""
        ids = sorted(set(patient_ids))
        out: dict[UUID, list[datetime]] = {}
        for each in await self._tx.fetch(CLAIMS_ELSEWHERE, protocol=protocol, ids=ids):
            out.setdefault(each.patient_id, []).append(each.left_at)
        return out

    async def departures(self, loop_ids: Iterable[UUID]) -> dict[UUID, Departure]:
        """From where and where to, of the transitions of the caller's facilities."""
        found = await self._tx.fetch(DEPARTURES, ids=sorted(set(loop_ids)))
        return {each.loop_id: each for each in found}

    async def decide(self, decision: Decision) -> None:
        await self._tx.run(DECIDE, decision)
