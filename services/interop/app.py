"""How interop is put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carehub.interop.v1 import interop_service_pb2

from libs.chassis import ids
from libs.chassis.config import read
from libs.chassis.guard import Servicer
from libs.process.app import App
from libs.telemetry.figures import Shown
from services.interop.clients import MailServer
from services.interop.consumers import CONSUMERS, SILENT_NOW, feed_gauges, jobs
from services.interop.ingest import FEED_MESSAGES
from services.interop.mllp.connection import ACKNOWLEDGED
from services.interop.mllp.server import listener
from services.interop.mllp.settings import Settings
from services.interop.service import InteropService

_CONTRACT = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """INTEROP_…: the mail server for letters about silent feeds (none: they stay on the screen), and where links lead."""

    smtp_host: str = ""
    smtp_port: int = 25
    smtp_starttls: bool = False
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = "carehub@localhost"
    public_url: str = "http://localhost:8080"


def build(env: Mapping[str, str]) -> App:
    settings = read(Settings, env, "INTEROP")
    letters = read(Letters, env, "INTEROP")
    mail = MailServer(
        host=letters.smtp_host,
        port=letters.smtp_port,
        is_starttls=letters.smtp_starttls,
        user=letters.smtp_user,
        password=letters.smtp_password,
        sender=letters.mail_from,
        web_url=letters.public_url.rstrip("/"),
    )
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
