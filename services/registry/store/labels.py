"""Visits and results that older value sets labeled, with the messages that visits are labeled by."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Table, Uuid, any_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.database import Statement, Transaction, param, sql
from services.registry.domain.encounter import Encounter
from services.registry.domain.minors import Labeled
from services.registry.domain.observation import Observation
from services.registry.domain.patient import Patient
from services.registry.domain.visit import VisitMessage
from services.registry.store.patient import RECORDS
from services.registry.store.schema import encounters, observations, patients, visit_messages


def _outdated(table: Table, row: type[Labeled]) -> Statement[Labeled]:
    """Held until the transaction ends, in the order in which batches of reports hold them."""
    found = (
        select(table)
        .where(
            table.c.label_version < param("newest", type_=Integer),
            table.c.id > param("after", type_=Uuid),
        )
        .order_by(table.c.id)
        .limit(param("limit", type_=Integer))
    )
    return sql(found.with_for_update(), row=row)


def _of_patient(table: Table, row: type[Labeled]) -> Statement[Labeled]:
    mine = select(table).where(table.c.patient_id == param("patient_id", type_=Uuid))
    return sql(mine.order_by(table.c.id).with_for_update(), row=row)


def _save(table: Table) -> Statement[Any]:
    return sql(
        update(table)
        .where(table.c.id == param("id"))
        .values(
            labels=param("labels"), label_version=param("label_version"), version=param("version")
        )
    )


OUTDATED = _outdated(encounters, Encounter)
OUTDATED_RESULTS = _outdated(observations, Observation)
MESSAGES = sql(
    select(visit_messages).where(
        visit_messages.c.stream_id == any_(param("streams", type_=ARRAY(Uuid)))
    ),
    row=VisitMessage,
)
OF_PATIENT = _of_patient(encounters, Encounter)
RESULTS_OF_PATIENT = _of_patient(observations, Observation)
PATIENTS = sql(RECORDS.where(patients.c.id == any_(param("ids", type_=ARRAY(Uuid)))), row=Patient)
SAVE = _save(encounters)
SAVE_RESULT = _save(observations)


class LabelStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def outdated(self, newest: int, after: UUID, limit: int) -> list[Encounter]:
        """Visits labeled before `newest`, by id, from after one of them on."""
        return await self._tx.fetch(OUTDATED, newest=newest, after=after, limit=limit)

    async def outdated_results(self, newest: int, after: UUID, limit: int) -> list[Observation]:
        """The same of results."""
        return await self._tx.fetch(OUTDATED_RESULTS, newest=newest, after=after, limit=limit)

    async def messages_of(self, visits: Iterable[Encounter]) -> list[VisitMessage]:
        """All messages of the streams that the visits are made of."""
        return await self._tx.fetch(MESSAGES, streams=sorted({v.stream_id for v in visits}))

    async def births_of(self, patient_ids: Iterable[UUID]) -> dict[UUID, str]:
        """The days of birth of patients, as far as they are known."""
        found = await self._tx.fetch(PATIENTS, ids=sorted(set(patient_ids)))
        return {patient.id: patient.person.birth_on for patient in found}

    async def visits_of(self, patient_id: UUID) -> list[Encounter]:
        return await self._tx.fetch(OF_PATIENT, patient_id=patient_id)

    async def results_of(self, patient_id: UUID) -> list[Observation]:
        return await self._tx.fetch(RESULTS_OF_PATIENT, patient_id=patient_id)

    async def save(self, relabeled: Sequence[Encounter]) -> None:
        await self._tx.run_many(SAVE, relabeled)

    async def save_results(self, relabeled: Sequence[Observation]) -> None:
        await self._tx.run_many(SAVE_RESULT, relabeled)
