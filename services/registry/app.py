"""How registry is put together."""

from collections.abc import Mapping
from pathlib import Path

from carehub.registry.v1 import registry_service_pb2

from libs.chassis import ids
from libs.chassis.guard import Servicer
from libs.process.app import App, Runtime
from services.registry.consumers import JOBS, TIMERS, consumers
from services.registry.domain.matching import ExactMatcher
from services.registry.service import RegistryService


def build(_env: Mapping[str, str]) -> App:
    return App(
        name="registry",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda runtime: (_servicer(runtime),),
        consumers=consumers(ExactMatcher(), ids.new_id),
        timers=TIMERS,
        jobs=JOBS,
    )


def _servicer(runtime: Runtime) -> Servicer:
    service = RegistryService(ExactMatcher(), now=runtime.now, new_id=ids.new_id)
    contract = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"]
    return Servicer(contract, service)
