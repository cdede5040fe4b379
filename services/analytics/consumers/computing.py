"""Computes patients anew: the scores of their stays, and what they are in each measure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from libs.chassis.database import Transaction
from services.analytics.domain.record import History, MeasuredUnit, Risk, risks_of, units_of
from services.analytics.events import save_risks
from services.analytics.store import ComputedStore, RecordStore


async def compute_anew(tx: Transaction, patient_ids: Iterable[UUID]) -> None:
    """Make scores and units what the record asks for. Call it while alone with these patients.

    What lies at a facility whose clock is not known yet waits for it.
    """
    ids = set(patient_ids)
    if not ids:
        return
    store = RecordStore(tx)
    histories = await store.histories(ids)
    zones = await store.zones({p for each in histories.values() for p in each.facility_ids})
    known = [_with_clocks(each, zones) for each in histories.values()]
    await _keep_risks(tx, ids, [r for each in known for r in risks_of(each, zones, tx.at)])
    await _keep_units(tx, ids, [unit for each in known for unit in units_of(each, zones)])


def _with_clocks(history: History, zones: Mapping[UUID, str]) -> History:
    return History(
        visits=[each for each in history.visits if each.facility_id in zones],
        discharges=[each for each in history.discharges if each.facility_id in zones],
        referrals=[each for each in history.referrals if each.facility_id in zones],
        critical_results=[r for r in history.critical_results if r.facility_id in zones],
    )


async def _keep_risks(tx: Transaction, patient_ids: set[UUID], found: list[Risk]) -> None:
    store = ComputedStore(tx)
    before = await store.risks_of(patient_ids)
    new = {risk.id for risk in found} - before.keys()
    last = await store.last_versions(new) if new else {}
    last |= {id: known.version for id, known in before.items()}
    changed = [
        replace(risk, version=last.get(risk.id, 0) + 1)
        for risk in found
        if risk.id in new or not risk.is_as(before[risk.id])
    ]
    gone = before.keys() - {risk.id for risk in found}
    if changed or gone:
        await save_risks(tx, changed, gone)


async def _keep_units(tx: Transaction, patient_ids: set[UUID], found: list[MeasuredUnit]) -> None:
    before = await ComputedStore(tx).units_of(patient_ids)
    changed = [unit for unit in found if before.get(unit.id) != unit]
    gone = before.keys() - {unit.id for unit in found}
    if changed or gone:
        await ComputedStore(tx).save_units(changed, gone)
