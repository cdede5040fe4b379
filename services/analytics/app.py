"""How analytics is put together."""

from collections.abc import Mapping
from pathlib import Path

from carehub.analytics.v1 import analytics_service_pb2

from libs.chassis.guard import Servicer
from libs.process.app import App
from services.analytics.consumers import CONSUMERS, TIMERS
from services.analytics.service import AnalyticsService

CONTRACT = analytics_service_pb2.DESCRIPTOR.services_by_name["AnalyticsService"]


def build(_env: Mapping[str, str]) -> App:
    return App(
        name="analytics",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda _runtime: (Servicer(CONTRACT, AnalyticsService()),),
        consumers=CONSUMERS,
        timers=TIMERS,
    )
