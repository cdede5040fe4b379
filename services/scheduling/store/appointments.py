"""Appointments in PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import NotFound
from services.scheduling.domain.appointment import Appointment, booked_again

_instant = DateTime(timezone=True)
appointments = Table(
    "appointments",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("schedule_id", Uuid),
    Column("state", Text),
    Column("purpose", Text),
    Column("start_at", _instant),
    Column("end_at", _instant),
    Column("practitioner", Text),
    Column("external_number", Text),
    Column("booked_by_id", Uuid),
    Column("booked_at", _instant),
    Column("rebooked_from_id", Uuid),
    Column("told_state", Text),
    Column("told_version", BigInteger),
    Column("done", Text),
    Column("done_at", _instant),
    Column("done_start_at", _instant),
    Column("done_reason", Text),
    Column("arrived_at", _instant),
    Column("arrived_start_at", _instant),
    Column("encounter_id", Uuid),
    Column("visit_labels", ARRAY(Text)),
    Column("death_id", Uuid),
    Column("own_labels", ARRAY(Text)),
    Column("labels", ARRAY(Text)),
)
FIRST = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
LAST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))

_c = appointments.c
_ids = param("ids", type_=ARRAY(Uuid))
_cursor = tuple_(param("at", type_=_instant), param("at_id", type_=Uuid))
_row = tuple_(_c.start_at, _c.id)
_limit = param("limit", type_=Integer)

GET = sql(select(appointments).where(_c.id == param("id", type_=Uuid)), row=Appointment)
HOLD = sql(
    select(appointments).where(_c.id == any_(_ids)).order_by(_c.id).with_for_update(),
    row=Appointment,
)
OF_PATIENT = sql(
    select(appointments)
    .where(_c.patient_id == param("patient_id", type_=Uuid), _row < _cursor)
    .order_by(_c.start_at.desc(), _c.id.desc())
    .limit(_limit),
    row=Appointment,
)
ON_DAY = sql(
    select(appointments)
    .where(
        _c.facility_id == param("facility_id", type_=Uuid),
        _c.start_at >= param("since", type_=_instant),
        _c.start_at < param("until", type_=_instant),
        _row > _cursor,
    )
    .order_by(_c.start_at, _c.id)
    .limit(_limit),
    row=Appointment,
)
HOLD_OF = sql(
    select(appointments).where(_c.patient_id == any_(_ids)).order_by(_c.id).with_for_update(),
    row=Appointment,
)
HOLD_TOUCHED = sql(
    select(appointments)
    .where(
        or_(
            _c.encounter_id == any_(_ids),
            _c.death_id == any_(_ids),
            _c.patient_id == any_(param("patients", type_=ARRAY(Uuid))),
        )
    )
    .order_by(_c.id)
    .with_for_update(),
    row=Appointment,
)
AHEAD_AT = sql(
    select(_c.id).where(_c.facility_id == any_(_ids), _c.start_at >= param("since", type_=_instant))
)
PATIENTS_OF = sql(select(_c.patient_id).distinct().where(_c.id == any_(_ids)))
# In the place of another one, none is added where there is one: the index says so, also of what the caller may not see.
ADD = sql(
    insert(appointments)
    .values(every_field(appointments))
    .on_conflict_do_nothing(
        index_elements=["rebooked_from_id"], index_where=_c.rebooked_from_id.is_not(None)
    )
)
# An update by its own statement: what only a grant shows is not there to be changed.
SAVE = sql(
    appointments.update()
    .where(_c.id == param("id_", type_=Uuid), _c.version == param("before", type_=BigInteger))
    .values(fields_except(appointments, "id"))
)


class AppointmentStore:
    """Appointments that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, appointment_id: UUID) -> Appointment | None:
        return await self._tx.one_or_none(GET, id=appointment_id)

    async def get(self, appointment_id: UUID) -> Appointment:
        if found := await self.find(appointment_id):
            return found
        raise NotFound(
            "APPOINTMENT_NOT_FOUND",
            "There is no such appointment.",
            appointment_id=str(appointment_id),
        )

    async def hold(self, ids: Iterable[UUID]) -> list[Appointment]:
        """These, unchanged by others until the transaction ends."""
        return await self._tx.fetch(HOLD, ids=sorted(ids))

    async def hold_of(self, patient_ids: Iterable[UUID]) -> list[Appointment]:
        return await self._tx.fetch(HOLD_OF, ids=sorted(patient_ids))

    async def hold_touched(
        self, visit_ids: Iterable[UUID], patient_ids: Iterable[UUID]
    ) -> list[Appointment]:
        """Those that rest on these visits, and those of these patients."""
        return await self._tx.fetch(
            HOLD_TOUCHED, ids=sorted(visit_ids), patients=sorted(patient_ids)
        )

    async def of_patient(
        self, patient_id: UUID, before: tuple[datetime, UUID], limit: int
    ) -> list[Appointment]:
        """A patient's, the latest first, from before one of them on."""
        return await self._tx.fetch(
            OF_PATIENT, patient_id=patient_id, at=before[0], at_id=before[1], limit=limit
        )

    async def on_day(
        self,
        facility_id: UUID,
        day: tuple[datetime, datetime],
        after: tuple[datetime, UUID],
        limit: int,
    ) -> list[Appointment]:
        """A facility's of one day, the earliest first."""
        return await self._tx.fetch(
            ON_DAY,
            facility_id=facility_id,
            since=day[0],
            until=day[1],
            at=after[0],
            at_id=after[1],
            limit=limit,
        )

    async def ahead_at(self, facility_ids: Iterable[UUID], since: datetime) -> list[UUID]:
        return await self._tx.fetch(AHEAD_AT, ids=sorted(facility_ids), since=since)

    async def patients_of(self, ids: Sequence[UUID]) -> list[UUID]:
        return await self._tx.fetch(PATIENTS_OF, ids=sorted(ids))

    async def add(self, appointment: Appointment) -> None:
        """Add a new one. If somebody else added it meanwhile this fails, and is tried again.

        FAILED_PRECONDITION if another one has been booked in the place that it would have.
        """
        if not await self._tx.run(ADD, appointment):
            raise booked_again()

    async def save(self, before: Appointment, after: Appointment) -> None:
        """Write the next version of one that is held."""
        if not await self._tx.run(SAVE, after, id_=after.id, before=before.version):
            raise RuntimeError("an appointment was saved that is not held")
