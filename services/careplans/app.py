"""How careplans is put together."""

from collections.abc import Mapping
from pathlib import Path

from carehub.careplans.v1 import careplans_service_pb2, reconciliation_service_pb2

from libs.chassis import ids
from libs.chassis.guard import Servicer
from libs.process.app import App
from services.careplans.consumers import CONSUMERS
from services.careplans.service import CareplansService
from services.careplans.service.reconciliations import ReconciliationService

PLANS = careplans_service_pb2.DESCRIPTOR.services_by_name["CareplansService"]
RECONCILIATIONS = reconciliation_service_pb2.DESCRIPTOR.services_by_name["ReconciliationService"]


def build(_env: Mapping[str, str]) -> App:
    return App(
        name="careplans",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda _runtime: (
            Servicer(PLANS, CareplansService(ids.new_id)),
            Servicer(RECONCILIATIONS, ReconciliationService()),
        ),
        consumers=CONSUMERS,
    )
