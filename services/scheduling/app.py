"""Puts scheduling together."""

from collections.abc import Mapping
from pathlib import Path

from carehub.scheduling.v1 import scheduling_service_pb2

from libs.chassis import ids
from libs.chassis.guard import Servicer
from libs.process.app import App
from services.scheduling.consumers import CONSUMERS, TIMERS
from services.scheduling.service import SchedulingService

CONTRACT = scheduling_service_pb2.DESCRIPTOR.services_by_name["SchedulingService"]


def build(_env: Mapping[str, str]) -> App:
    return App(
        name="scheduling",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda _runtime: (Servicer(CONTRACT, SchedulingService(ids.new_id)),),
        consumers=CONSUMERS,
        timers=TIMERS,
    )
