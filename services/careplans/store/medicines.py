"""Lists of medicines and their reconciliations in PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Integer,
    Table,
    Uuid,
    any_,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import NotFound
from services.careplans.domain.neighbor import Stay
from services.careplans.domain.reconciliation import MedicineList, Reconciliation
from services.careplans.store.schema import instant, medicine_lists, reconciliations

_ids = param("ids", type_=ARRAY(Uuid))
_patients = param("patients", type_=ARRAY(Uuid))


def _save(table: Table) -> Statement[None]:
    new = insert(table).values(every_field(table))
    return sql(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={c: new.excluded[c.name] for c in fields_except(table, "id")},
            where=table.c.version == new.excluded.version - literal_column("1"),
        )
    )


SAVE_LIST, SAVE = _save(medicine_lists), _save(reconciliations)
GET = sql(
    select(reconciliations).where(reconciliations.c.id == param("id", type_=Uuid)),
    row=Reconciliation,
)
LISTS_ABOUT = sql(
    select(medicine_lists)
    .where(medicine_lists.c.encounter_id == any_(_ids))
    .order_by(medicine_lists.c.encounter_id, medicine_lists.c.side.desc()),
    row=MedicineList,
)
ABOUT = sql(
    select(reconciliations)
    .where(reconciliations.c.encounter_id == any_(_ids))
    .order_by(reconciliations.c.id),
    row=Reconciliation,
)
LISTS_OF = sql(
    select(medicine_lists)
    .where(medicine_lists.c.patient_id == any_(_patients))
    .order_by(medicine_lists.c.id),
    row=MedicineList,
)
OF = sql(
    select(reconciliations)
    .where(reconciliations.c.patient_id == any_(_patients))
    .order_by(reconciliations.c.id),
    row=Reconciliation,
)


def _note(table: Table, *known: str) -> Statement[None]:
    version = param("version", type_=BigInteger)
    return sql(
        update(table)
        .where(
            table.c.encounter_id == param("encounter_id", type_=Uuid),
            table.c.encounter_version < version,
        )
        .values(encounter_version=version, **{name: param(name) for name in known})
    )


NOTE_LISTS, NOTE = _note(medicine_lists), _note(reconciliations, "left_at")
PAGE = sql(
    select(reconciliations)
    .where(
        reconciliations.c.patient_id == param("patient_id", type_=Uuid),
        tuple_(reconciliations.c.opened_at, reconciliations.c.id)
        < tuple_(param("before_at", type_=instant), param("before_id", type_=Uuid)),
    )
    .order_by(reconciliations.c.opened_at.desc(), reconciliations.c.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Reconciliation,
)


class MedicineStore:
    """What the caller may see: row-level security says what, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, reconciliation_id: UUID) -> Reconciliation:
        if found := await self._tx.one_or_none(GET, id=reconciliation_id):
            return found
        raise NotFound("RECONCILIATION_NOT_FOUND", "There is no such reconciliation.")

    async def lists_about(self, encounter_ids: Iterable[UUID]) -> list[MedicineList]:
        """The lists of these stays; of each the one before first."""
        return await self._tx.fetch(LISTS_ABOUT, ids=sorted(set(encounter_ids)))

    async def about(self, encounter_ids: Iterable[UUID]) -> list[Reconciliation]:
        return await self._tx.fetch(ABOUT, ids=sorted(set(encounter_ids)))

    async def lists_of(self, patient_ids: Iterable[UUID]) -> list[MedicineList]:
        return await self._tx.fetch(LISTS_OF, patients=sorted(set(patient_ids)))

    async def of(self, patient_ids: Iterable[UUID]) -> list[Reconciliation]:
        return await self._tx.fetch(OF, patients=sorted(set(patient_ids)))

    async def page(
        self, patient_id: UUID, before: tuple[datetime, UUID], limit: int
    ) -> list[Reconciliation]:
        """A patient's, the newest first."""
        at, id = before
        return await self._tx.fetch(
            PAGE, patient_id=patient_id, before_at=at, before_id=id, limit=limit
        )

    async def note_stays(self, stays: Sequence[Stay]) -> None:
        """Remember how new what is known of these visits is, and when they ended; that alone is no new version of a row."""
        for statement in (NOTE_LISTS, NOTE):
            await self._tx.run_many(statement, stays)

    async def save_lists(self, changed: Sequence[MedicineList]) -> None:
        """Call it only while alone with their patients (NeighborStore.alone_with)."""
        await self._tx.run_many(SAVE_LIST, changed)

    async def save(self, changed: Sequence[Reconciliation]) -> None:
        """Call it only while alone with their patients (NeighborStore.alone_with)."""
        await self._tx.run_many(SAVE, changed)
