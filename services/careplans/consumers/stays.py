"""Keeps lists of medicines and reconciliations with the visit that they belong to."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from libs.chassis.database import Transaction
from services.careplans.domain.labels import WITHHELD
from services.careplans.domain.neighbor import Stay
from services.careplans.domain.reconciliation import MedicineList, Reconciliation
from services.careplans.events import save_reconciliations
from services.careplans.store import MedicineStore, NeighborStore

R = TypeVar("R", MedicineList, Reconciliation)


async def apply_stays(tx: Transaction, stays: Sequence[Stay]) -> None:
    """Give what belongs to these visits their patient and labels. A visit that nobody works on costs one look."""
    told = {each.encounter_id: each for each in stays}
    store = MedicineStore(tx)
    lists, found = await store.lists_about(told), await store.about(told)
    if not lists and not found:
        return
    rows: tuple[MedicineList | Reconciliation, ...] = (*lists, *found)
    patients = {each.patient_id for each in rows} | {each.patient_id for each in stays}
    await NeighborStore(tx).alone_with(patients)
    lists, found = await store.lists_about(told), await store.about(told)
    kept_lists = [(each, _with(each, told[each.encounter_id])) for each in lists]
    kept = [(each, _of_stay(each, told[each.encounter_id])) for each in found]
    rows = (*lists, *found)
    await store.note_stays([told[each.encounter_id] for each in rows if _is_newer(each, told)])
    await store.save_lists(
        [_next(after) for before, after in kept_lists if _differs(before, after)]
    )
    await save_reconciliations(
        tx, [_next(after) for before, after in kept if _says_more(before, after)]
    )


def _is_newer(row: MedicineList | Reconciliation, told: dict[UUID, Stay]) -> bool:
    return told[row.encounter_id].version > row.encounter_version


def _with(row: R, stay: Stay) -> R:
    """As the visit says now; what a loop says counts only until registry said something. Of a visit to somewhere else it was
    entered by mistake: then nobody else sees it.
    """
    if stay.version < row.encounter_version or (stay.version == row.encounter_version > 0):
        return row
    return replace(
        row,
        encounter_version=stay.version,
        patient_id=stay.patient_id,
        labels=stay.labels if row.facility_id == stay.facility_id else WITHHELD,
    )


def _of_stay(row: Reconciliation, stay: Stay) -> Reconciliation:
    after = _with(row, stay)
    if after is row or not stay.version:
        return after
    return replace(after.for_stay(is_taken_back=stay.is_taken_back), left_at=stay.left_at)


def _differs(before: R, after: R) -> bool:
    """Whether it is worth a version: that a visit was told of once more is not."""
    return replace(after, encounter_version=before.encounter_version) != before


def _says_more(before: Reconciliation, after: Reconciliation) -> bool:
    """The same; nor is that the visit has ended."""
    return _differs(before, replace(after, left_at=before.left_at))


def _next(row: R) -> R:
    return replace(row, version=row.version + 1)
