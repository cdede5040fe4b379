"""What analytics tells: a score and the event that tells of it commit together."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from carehub.analytics.v1 import analytics_events_pb2 as told

from libs.chassis.database import Transaction
from libs.conveyor import outbox
from services.analytics.convert.shown import risk_to_proto
from services.analytics.domain.record import Risk
from services.analytics.store import ComputedStore


async def save_risks(tx: Transaction, changed: Sequence[Risk], gone: Iterable[UUID]) -> None:
    """Save what is scored anew, and tell of each. What stands on nothing any more is gone without a word."""
    await ComputedStore(tx).save_risks(changed, gone)
    for risk in changed:
        event = told.RiskScored(risk=risk_to_proto(risk), version=risk.version)
        await outbox.add(tx, event, key=risk.id, version=risk.version, facility_id=risk.facility_id)
