"""Visits and results that older value sets labeled, with the messages that visits are labeled by."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Table, Uuid, any_, false, literal, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Statement, Transaction, param, sql
from services.registry.domain.encounter import Encounter
from services.registry.domain.minors import Labeled
from services.registry.domain.observation import Observation
from services.registry.domain.patient import Patient
from services.registry.domain.relabeling import Labeling
from services.registry.domain.told import VisitMessage
from services.registry.store.patient import RECORDS
from services.registry.store.schema import (
    encounters,
    labeling,
    observations,
    patients,
    visit_messages,
)

# So many rows are looked at in a statement: a table of any size is walked within the time that one may take.
LOOKED_AT_ONCE = 20_000
LAST = UUID(int=2**128 - 1)


def _outdated(table: Table, row: type[Labeled]) -> Statement[Labeled]:
    """Held until the transaction ends, in the order in which batches of reports hold them."""
    found = (
        select(table)
        .where(
            table.c.label_version < param("newest", type_=Integer),
            table.c.id > param("after", type_=Uuid),
            table.c.id <= param("until", type_=Uuid),
        )
        .order_by(table.c.id)
        .limit(param("limit", type_=Integer))
    )
    return sql(found.with_for_update(), row=row)


def _end(table: Table, rows: int = LOOKED_AT_ONCE) -> Statement[UUID]:
    """The last of the next rows. None: there are fewer."""
    ahead = select(table.c.id).where(table.c.id > param("after", type_=Uuid))
    return sql(ahead.order_by(table.c.id).offset(literal(rows - 1)).limit(literal(1)))


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
END = _end(encounters)
END_OF_RESULTS = _end(observations)
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
_said = insert(labeling).values(
    is_only=true(), version=param("version"), since=param("since"), is_settled=false()
)
SAY = sql(
    _said.on_conflict_do_update(
        index_elements=["is_only"],
        set_={c: _said.excluded[c] for c in ("version", "since", "is_settled")},
        where=labeling.c.version != _said.excluded.version,
    )
)
LABELING = sql(
    select(labeling.c.version, labeling.c.since, labeling.c.is_settled).where(labeling.c.is_only),
    row=Labeling,
)
SETTLE = sql(
    update(labeling)
    .where(labeling.c.version == param("version"), labeling.c.since == param("since"))
    .values(is_settled=true())
)


class LabelStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def labeling(self, version: int) -> Labeling:
        """Say that rows are labeled by this version, and read since when that is so. One row, however many there are to label."""
        await self._tx.run(SAY, version=version, since=self._tx.at)
        return await self._tx.one(LABELING)

    async def settle(self, labeling: Labeling) -> None:
        """No row is left that another version labeled; unless one has said meanwhile that it is there."""
        await self._tx.run(SETTLE, labeling)

    async def outdated(
        self, newest: int, after: UUID, limit: int
    ) -> tuple[list[Encounter], UUID | None]:
        """Visits labeled before `newest` among the next of all, by id; and the one to go on after, if there are more."""
        end = await self._tx.one_or_none(END, after=after)
        found = await self._tx.fetch(
            OUTDATED, newest=newest, after=after, until=end or LAST, limit=limit
        )
        return found, found[-1].id if len(found) == limit else end

    async def outdated_results(
        self, newest: int, after: UUID, limit: int
    ) -> tuple[list[Observation], UUID | None]:
        """The same of results."""
        end = await self._tx.one_or_none(END_OF_RESULTS, after=after)
        found = await self._tx.fetch(
            OUTDATED_RESULTS, newest=newest, after=after, until=end or LAST, limit=limit
        )
        return found, found[-1].id if len(found) == limit else end

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
