"""How interop is put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carehub.interop.v1 import interop_service_pb2

from libs.chassis import ids
from libs.chassis.config import read
from libs.chassis.guard import Servicer
from libs.mail.server import MailServer, MailSettings
from libs.process.app import App
from libs.telemetry.figures import Shown
from services.interop.clients import Mail
from services.interop.consumers import CONSUMERS, SILENT_NOW, feed_gauges, jobs
from services.interop.ingest import FEED_MESSAGES
from services.interop.mllp.connection import ACKNOWLEDGED
from services.interop.mllp.server import listener
from services.interop.mllp.settings import Settings
from services.interop.service import InteropService

_CONTRACT = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """INTEROP_…: where the links in letters about silent feeds lead."""

    public_url: str = "http://localhost:8080"


def build(env: Mapping[str, str]) -> App:
    settings = read(Settings, env, "INTEROP")
    links = read(Links, env, "INTEROP").public_url.rstrip("/")
    mail = Mail(MailServer("interop", read(MailSettings, env, "INTEROP")), links)
    return App(
        name="interop",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda runtime: (Servicer(_CONTRACT, InteropService(runtime.now, ids.new_id)),),
        consumers=CONSUMERS,
        jobs=jobs(mail),
        listeners=lambda: (listener(settings),),
        gauges=(feed_gauges,),
        figures=(
            Shown(metric=SILENT_NOW),
            Shown(metric=FEED_MESSAGES, by=("outcome",)),
            Shown(metric=ACKNOWLEDGED, within=1),
        ),
    )
