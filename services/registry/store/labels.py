"""Visits that older value sets labeled, with the messages that they are labeled by."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Integer, Uuid, any_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.database import Transaction, param, sql
from services.registry.domain.encounter import Encounter
from services.registry.domain.patient import Patient
from services.registry.domain.visit import VisitMessage
from services.registry.store.patient import RECORDS
from services.registry.store.schema import encounters, patients, visit_messages

# Held until the transaction ends, in the order in which batches of reports hold them.
OUTDATED = sql(
    select(encounters)
    .where(
        encounters.c.label_version < param("newest", type_=Integer),
        encounters.c.id > param("after", type_=Uuid),
    )
    .order_by(encounters.c.id)
    .limit(param("limit", type_=Integer))
    .with_for_update(),
    row=Encounter,
)
MESSAGES = sql(
    select(visit_messages).where(
        visit_messages.c.stream_id == any_(param("streams", type_=ARRAY(Uuid)))
    ),
    row=VisitMessage,
)
OF_PATIENT = sql(
    select(encounters)
    .where(encounters.c.patient_id == param("patient_id", type_=Uuid))
    .order_by(encounters.c.id)
    .with_for_update(),
    row=Encounter,
)
PATIENTS = sql(RECORDS.where(patients.c.id == any_(param("ids", type_=ARRAY(Uuid)))), row=Patient)
SAVE = sql(
    update(encounters)
    .where(encounters.c.id == param("id"))
    .values(labels=param("labels"), label_version=param("label_version"), version=param("version"))
)


class LabelStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def outdated(self, newest: int, after: UUID, limit: int) -> list[Encounter]:
        """Visits labeled before `newest`, by id, from after one of them on."""
        return await self._tx.fetch(OUTDATED, newest=newest, after=after, limit=limit)

    async def messages_of(self, visits: Iterable[Encounter]) -> list[VisitMessage]:
        """All messages of the streams that the visits are made of."""
        return await self._tx.fetch(MESSAGES, streams=sorted({v.stream_id for v in visits}))

    async def births_of(self, patient_ids: Iterable[UUID]) -> dict[UUID, str]:
        """The days of birth of patients, as far as they are known."""
        found = await self._tx.fetch(PATIENTS, ids=sorted(set(patient_ids)))
        return {patient.id: patient.person.birth_on for patient in found}

    async def visits_of(self, patient_id: UUID) -> list[Encounter]:
        return await self._tx.fetch(OF_PATIENT, patient_id=patient_id)

    async def save(self, relabeled: Sequence[Encounter]) -> None:
        await self._tx.run_many(SAVE, relabeled)
