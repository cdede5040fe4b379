"""What careplans tells: a change and the event that tells of it commit together."""

from collections.abc import Sequence

from carehub.careplans.v1 import careplans_events_pb2 as told

from libs.chassis.database import Transaction
from libs.conveyor import outbox
from services.careplans.convert.medicine import told_to_others
from services.careplans.convert.plan import plan_to_proto
from services.careplans.convert.preferences import preferences_to_proto
from services.careplans.domain.plan import CarePlan
from services.careplans.domain.preferences import Preferences
from services.careplans.domain.reconciliation import Reconciliation
from services.careplans.store import MedicineStore, PlanStore, PreferenceStore


async def save_plans(tx: Transaction, changed: Sequence[CarePlan]) -> None:
    """Save new plans and next versions, and tell of each."""
    await PlanStore(tx).save(changed)
    for plan in changed:
        event = told.CarePlanChanged(care_plan=plan_to_proto(plan), version=plan.version)
        await outbox.add(tx, event, key=plan.id, version=plan.version, facility_id=plan.facility_id)


async def save_reconciliations(tx: Transaction, changed: Sequence[Reconciliation]) -> None:
    """Save new reconciliations and next versions, and tell of each without a word that names a medicine."""
    await MedicineStore(tx).save(changed)
    for each in changed:
        event = told.ReconciliationChanged(
            reconciliation=told_to_others(each), version=each.version
        )
        await outbox.add(tx, event, key=each.id, version=each.version, facility_id=each.facility_id)


async def save_preferences(tx: Transaction, changed: Sequence[Preferences]) -> None:
    """Save what was written down, and tell of it."""
    await PreferenceStore(tx).save(changed)
    for each in changed:
        event = told.PreferencesChanged(
            preferences=preferences_to_proto(each), version=each.version
        )
        await outbox.add(tx, event, key=each.id, version=each.version, facility_id=each.facility_id)
