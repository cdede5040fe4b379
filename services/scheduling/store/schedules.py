"""Schedules in PostgreSQL, and the times of them that are taken."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    delete,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import NotFound
from services.scheduling.domain.appointment import Appointment
from services.scheduling.domain.schedule import LONGEST, Schedule, Taken

metadata = MetaData()
schedules = Table(
    "schedules",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("practitioner", Text),
    Column("hours", JSONB),
    Column("slot_minutes", Integer),
    Column("start_on", Date),
    Column("end_on", Date),
    Column("purposes", ARRAY(Text)),
    Column("closed_on", ARRAY(Date)),
)
taken = Table(
    "taken",
    metadata,
    Column("appointment_id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("schedule_id", Uuid),
    Column("start_at", DateTime(timezone=True)),
    Column("end_at", DateTime(timezone=True)),
)
_ids = param("ids", type_=ARRAY(Uuid))
_facility = param("facility_id", type_=Uuid)
_instant = DateTime(timezone=True)

GET = sql(select(schedules).where(schedules.c.id == param("id", type_=Uuid)), row=Schedule)
HOLD = sql(
    select(schedules).where(schedules.c.id == param("id", type_=Uuid)).with_for_update(),
    row=Schedule,
)
ADD = sql(insert(schedules).values(every_field(schedules)))
SAVE = sql(
    update(schedules).where(schedules.c.id == param("id_")).values(fields_except(schedules, "id"))
)
PAGE = sql(
    select(schedules)
    .where(
        or_(_facility.is_(None), schedules.c.facility_id == _facility),
        tuple_(schedules.c.practitioner, schedules.c.id)
        > tuple_(param("after", type_=Text), param("after_id", type_=Uuid)),
    )
    .order_by(schedules.c.practitioner, schedules.c.id)
    .limit(param("limit", type_=Integer)),
    row=Schedule,
)
AT = sql(
    select(schedules)
    .where(schedules.c.facility_id == any_(_ids))
    .order_by(schedules.c.practitioner, schedules.c.id),
    row=Schedule,
)
TAKEN = sql(
    select(taken.c.schedule_id, taken.c.start_at, taken.c.end_at).where(
        taken.c.schedule_id == any_(_ids),
        taken.c.start_at > param("long_since", type_=_instant),
        taken.c.start_at < param("until", type_=_instant),
    ),
    row=Taken,
)
# The exclusion constraint decides who was first; whoever was not gets no row.
TAKE = sql(insert(taken).values(every_field(taken)).on_conflict_do_nothing())
GIVE_BACK = sql(delete(taken).where(taken.c.appointment_id == param("id", type_=Uuid)))
HELD = sql(select(taken.c.appointment_id).where(taken.c.appointment_id == param("id", type_=Uuid)))


class ScheduleStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, schedule_id: UUID) -> Schedule | None:
        return await self._tx.one_or_none(GET, id=schedule_id)

    async def get(self, schedule_id: UUID) -> Schedule:
        return _found(await self.find(schedule_id), schedule_id)

    async def hold(self, schedule_id: UUID) -> Schedule:
        """The schedule, unchanged by others until the transaction ends."""
        held = await self._tx.one_or_none(HOLD, id=schedule_id)
        return _found(held, schedule_id)

    async def add(self, schedule: Schedule) -> None:
        await self._tx.run(ADD, schedule)

    async def save(self, schedule: Schedule) -> None:
        await self._tx.run(SAVE, schedule, id_=schedule.id)

    async def page(
        self, facility_id: UUID | None, after: tuple[str, UUID], limit: int
    ) -> list[Schedule]:
        return await self._tx.fetch(
            PAGE, facility_id=facility_id, after=after[0], after_id=after[1], limit=limit
        )

    async def at(self, facility_ids: Iterable[UUID]) -> list[Schedule]:
        return await self._tx.fetch(AT, ids=sorted(facility_ids))

    async def taken(
        self, schedule_ids: Iterable[UUID], since: datetime, until: datetime
    ) -> list[Taken]:
        """The times of these schedules that nobody can have; of whom, it does not say."""
        long_since = since - timedelta(minutes=LONGEST)
        return await self._tx.fetch(
            TAKEN, ids=sorted(schedule_ids), long_since=long_since, until=until
        )

    async def take(self, appointment: Appointment) -> bool:
        """Hold the time of an appointment for it. False if somebody has it."""
        if await self._tx.one_or_none(HELD, id=appointment.id):
            return True
        return bool(await self._tx.run(TAKE, appointment, appointment_id=appointment.id))

    async def give_back(self, appointment: Appointment) -> None:
        await self._tx.run(GIVE_BACK, id=appointment.id)


def _found(schedule: Schedule | None, schedule_id: UUID) -> Schedule:
    if schedule is None:
        raise NotFound(
            "SCHEDULE_NOT_FOUND", "There is no such schedule.", schedule_id=str(schedule_id)
        )
    return schedule
