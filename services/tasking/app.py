"""Puts tasking together from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carehub.tasking.v1 import tasking_service_pb2

from libs.chassis import config
from libs.chassis.guard import Servicer
from libs.chassis.ids import new_id
from libs.mail.server import MailServer, MailSettings
from libs.process.app import App
from libs.telemetry.figures import Shown
from services.tasking.clients import Mail
from services.tasking.consumers import CONSUMERS, TIMERS
from services.tasking.consumers.jobs import BROKEN, LOOPS, jobs, loop_gauges
from services.tasking.events import MESSAGE_TO_TASK
from services.tasking.service import TaskingService

CONTRACT = tasking_service_pb2.DESCRIPTOR.services_by_name["TaskingService"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """TASKING_…: where the links in letters about late tasks lead."""

    public_url: str = "http://localhost:8080"


def build(env: Mapping[str, str]) -> App:
    settings = config.read(Settings, env, prefix="TASKING")
    server = MailServer("tasking", config.read(MailSettings, env, prefix="TASKING"))
    mail = Mail(server, settings.public_url.rstrip("/"))
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
