"""Puts tasking together from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carehub.tasking.v1 import tasking_service_pb2

from libs.chassis import config
from libs.chassis.guard import Servicer
from libs.chassis.ids import new_id
from libs.process.app import App
from libs.telemetry.figures import Shown
from services.tasking.clients import MailServer
from services.tasking.consumers import CONSUMERS, TIMERS
from services.tasking.consumers.jobs import BROKEN, LOOPS, jobs, loop_gauges
from services.tasking.events import MESSAGE_TO_TASK
from services.tasking.service import TaskingService

CONTRACT = tasking_service_pb2.DESCRIPTOR.services_by_name["TaskingService"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """TASKING_…: the mail server of escalations (none: they stay on the screen), and where links lead."""

    smtp_host: str = ""
    smtp_port: int = 25
    smtp_starttls: bool = False
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = "carehub@localhost"
    public_url: str = "http://localhost:8080"


def build(env: Mapping[str, str]) -> App:
    settings = config.read(Settings, env, prefix="TASKING")
    mail = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        is_starttls=settings.smtp_starttls,
        user=settings.smtp_user,
        password=settings.smtp_password,
        sender=settings.mail_from,
        web_url=settings.public_url.rstrip("/"),
    )
    return App(
        name="tasking",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda _runtime: (Servicer(CONTRACT, TaskingService(new_id=new_id)),),
        consumers=CONSUMERS,
        timers=TIMERS,
        jobs=jobs(mail),
        gauges=(loop_gauges,),
        figures=(
            Shown(metric=LOOPS, by=("state",)),
            Shown(metric=BROKEN),
            Shown(metric=MESSAGE_TO_TASK, within=1),
        ),
    )
