"""Loops in PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.sql.expression import true

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import NotFound
from services.tasking.domain.loop import Loop

FIRST = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))  # before every row

metadata = MetaData()
loops = Table(
    "loops",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("protocol", Text),
    Column("protocol_version", Integer),
    Column("title", Text),
    Column("encounter_id", Uuid),
    Column("break_glass_id", Uuid),
    Column("appointment_id", Uuid),
    Column("referral_id", Uuid),
    Column("reply_id", Uuid),
    Column("question_id", Uuid),
    Column("result_id", Uuid),
    Column("state", Text),
    Column("team_id", Uuid),
    Column("staff_id", Uuid),
    Column("accountable_id", Uuid),
    Column("clock_at", DateTime(timezone=True)),
    Column("why", Text),
    Column("closes_when", ARRAY(Text)),
    Column("key_dates", JSONB),
    Column("evidence", JSONB),
    Column("close_reason", Text),
    Column("opened_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("anchor_at", DateTime(timezone=True)),
    Column("escalation_level", Integer),
    Column("labels", ARRAY(Text)),
)
_ids = param("ids", type_=ARRAY(Uuid))
_new = insert(loops).values(every_field(loops))
SAVE = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(loops, "id")},
        where=loops.c.version == _new.excluded.version - literal_column("1"),
    )
)
GET = sql(select(loops).where(loops.c.id == param("id", type_=Uuid)), row=Loop)
SOME = sql(select(loops).where(loops.c.id == any_(_ids)).order_by(loops.c.id), row=Loop)
PATIENTS_WITH = sql(
    select(loops.c.patient_id)
    .distinct()
    .where(loops.c.patient_id == any_(param("patient_ids", type_=ARRAY(Uuid))))
)
HELD_BY = sql(
    select(loops)
    .where(
        loops.c.state == literal_column("'OPEN'"),
        loops.c.accountable_id == any_(param("people", type_=ARRAY(Uuid))),
    )
    .order_by(loops.c.id),
    row=Loop,
)
PATIENTS_AT = sql(
    select(loops.c.patient_id)
    .distinct()
    .where(loops.c.state == literal_column("'OPEN'"), loops.c.facility_id == any_(_ids))
)

_soonest = func.coalesce(loops.c.clock_at, loops.c.opened_at)
_after = tuple_(_soonest, loops.c.id) > tuple_(
    param("after_at", type_=DateTime(timezone=True)), param("after_id", type_=Uuid)
)
_limit = param("limit", type_=Integer)


def _filtered(rows: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    facility = param("facility_id", type_=Uuid)
    return (
        rows.where(loops.c.state == any_(param("states", type_=ARRAY(Text))), _after)
        .where(or_(facility.is_(None), loops.c.facility_id == facility))
        .order_by(_soonest, loops.c.id)
        .limit(_limit)
    )


# One patient's are few; a facility's may be many, so the soonest of each come from its own index.
BY_PATIENT = sql(
    _filtered(select(loops).where(loops.c.patient_id == param("patient_id", type_=Uuid))), row=Loop
)
_driver = func.unnest(_ids).table_valued("id", name="driver").render_derived()
_top = _filtered(select(loops).where(loops.c.facility_id == _driver.c.id)).lateral("top")
BY_FACILITIES = sql(
    select(_top)
    .select_from(_driver.join(_top, true()))
    .order_by(func.coalesce(_top.c.clock_at, _top.c.opened_at), _top.c.id)
    .limit(_limit),
    row=Loop,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopFilter:
    """Which loops of a list, from where on, and how many."""

    states: tuple[str, ...]
    facility_id: UUID | None = None
    after_at: datetime = FIRST[0]
    after_id: UUID = FIRST[1]
    limit: int


class LoopStore:
    """Loops that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, loop_id: UUID) -> Loop:
        if loop := await self._tx.one_or_none(GET, id=loop_id):
            return loop
        raise NotFound("LOOP_NOT_FOUND", "There is no such loop.")

    async def some(self, ids: Iterable[UUID]) -> list[Loop]:
        return await self._tx.fetch(SOME, ids=sorted(set(ids)))

    async def patients_with(self, patient_ids: Iterable[UUID]) -> set[UUID]:
        """Those of these patients for whom there is any loop."""
        return set(await self._tx.fetch(PATIENTS_WITH, patient_ids=sorted(set(patient_ids))))

    async def held_by(self, staff_ids: Iterable[UUID]) -> list[Loop]:
        """The open loops that these people answer for."""
        return await self._tx.fetch(HELD_BY, people=sorted(set(staff_ids)))

    async def patients_at(self, facility_ids: Iterable[UUID]) -> list[UUID]:
        """The patients with an open loop at these facilities."""
        return await self._tx.fetch(PATIENTS_AT, ids=sorted(set(facility_ids)))

    async def save(self, changed: Sequence[Loop]) -> None:
        """Write new loops and next versions. Call it only while alone with their patients (RecordStore.lock_patients)."""
        await self._tx.run_many(SAVE, changed)

    async def of_patient(self, patient_id: UUID, where: LoopFilter) -> list[Loop]:
        return await self._tx.fetch(BY_PATIENT, where, patient_id=patient_id)

    async def at_facilities(self, facility_ids: Iterable[UUID], where: LoopFilter) -> list[Loop]:
        return await self._tx.fetch(BY_FACILITIES, where, ids=sorted(facility_ids))
