"""What messages are about: appointments as scheduling told last, and loops of the transition as tasking did."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from services.messaging.domain.plan import Appointment, Transition

metadata = MetaData()
appointments = Table(
    "appointments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("state", Text),
    Column("start_at", DateTime(timezone=True)),
    Column("labels", ARRAY(Text)),
)
transitions = Table(
    "transitions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("state", Text),
    Column("anchor_at", DateTime(timezone=True)),
    Column("labels", ARRAY(Text)),
)
_ids = param("ids", type_=ARRAY(Uuid))


def _keep(table: Table) -> Statement[Any]:
    new = insert(table).values(every_field(table))
    return sql(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={c: new.excluded[c.name] for c in fields_except(table, "id")},
            where=table.c.version < new.excluded.version,
        )
    )


def _move(table: Table) -> Statement[Any]:
    return sql(
        update(table)
        .where(table.c.patient_id == param("retired_id"))
        .values(patient_id=param("survivor_id"))
    )


KEEP_APPOINTMENT, KEEP_TRANSITION = _keep(appointments), _keep(transitions)
MOVES = (_move(appointments), _move(transitions))
APPOINTMENTS = sql(select(appointments).where(appointments.c.id == any_(_ids)), row=Appointment)
TRANSITIONS = sql(select(transitions).where(transitions.c.id == any_(_ids)), row=Transition)
APPOINTMENTS_AT = sql(
    select(appointments).where(appointments.c.facility_id == any_(_ids)), row=Appointment
)
TRANSITIONS_AT = sql(
    select(transitions).where(transitions.c.facility_id == any_(_ids)), row=Transition
)
_patient = param("patient_id", type_=Uuid)
APPOINTMENTS_OF = sql(
    select(appointments).where(appointments.c.patient_id == _patient), row=Appointment
)
TRANSITIONS_OF = sql(
    select(transitions).where(transitions.c.patient_id == _patient), row=Transition
)


class CauseStore:
    """What others told, newest only."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep_appointments(self, told: Sequence[Appointment]) -> None:
        await self._tx.run_many(KEEP_APPOINTMENT, told)

    async def keep_transitions(self, told: Sequence[Transition]) -> None:
        await self._tx.run_many(KEEP_TRANSITION, told)

    async def appointments(self, ids: Iterable[UUID]) -> list[Appointment]:
        return await self._tx.fetch(APPOINTMENTS, ids=sorted(set(ids)))

    async def transitions(self, ids: Iterable[UUID]) -> list[Transition]:
        return await self._tx.fetch(TRANSITIONS, ids=sorted(set(ids)))

    async def at(self, facility_ids: Iterable[UUID]) -> list[Appointment | Transition]:
        """Everything at facilities of which nothing was known until now."""
        ids = sorted(set(facility_ids))
        if not ids:
            return []
        appointments_there = await self._tx.fetch(APPOINTMENTS_AT, ids=ids)
        return [*appointments_there, *await self._tx.fetch(TRANSITIONS_AT, ids=ids)]

    async def of_patient(self, patient_id: UUID) -> list[Appointment | Transition]:
        theirs = await self._tx.fetch(APPOINTMENTS_OF, patient_id=patient_id)
        return [*theirs, *await self._tx.fetch(TRANSITIONS_OF, patient_id=patient_id)]

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        for statement in MOVES:
            await self._tx.run(statement, retired_id=retired_id, survivor_id=survivor_id)
