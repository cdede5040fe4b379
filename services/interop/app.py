"""How interop is put together."""

from collections.abc import Mapping
from pathlib import Path

from carehub.interop.v1 import interop_service_pb2

from libs.chassis import ids
from libs.chassis.app import App
from libs.chassis.config import read
from libs.chassis.guard import Servicer
from services.interop.consumers import CONSUMERS, JOBS
from services.interop.mllp.server import listener
from services.interop.mllp.settings import Settings
from services.interop.service import InteropService

_CONTRACT = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]


def build(env: Mapping[str, str]) -> App:
    settings = read(Settings, env, "INTEROP")
    settings.tls()  # a wrong certificate is found now, not when the first sender knocks
    return App(
        name="interop",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda runtime: (Servicer(_CONTRACT, InteropService(runtime.now, ids.new_id)),),
        consumers=CONSUMERS,
        jobs=(*JOBS, listener(settings)),
    )
