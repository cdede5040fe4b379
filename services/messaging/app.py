"""Puts messaging together from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carehub.messaging.v1 import messaging_service_pb2

from libs.chassis import config, ids
from libs.chassis.config import ConfigError
from libs.chassis.guard import Servicer
from libs.mail.server import MailServer, MailSettings
from libs.process.app import App
from libs.telemetry.figures import Shown
from services.messaging.clients import Mail
from services.messaging.consumers import CONSUMERS, jobs, timers
from services.messaging.consumers.waiting import WAITING, message_gauges
from services.messaging.domain.contact import Channel, Means
from services.messaging.events import NOTIFICATIONS, REMINDER_LATENESS
from services.messaging.service import MessagingService

CONTRACT = messaging_service_pb2.DESCRIPTOR.services_by_name["MessagingService"]
LOCAL, REFUSE, ALLOW = "local", "refuse", "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """MESSAGING_…: what patients are written to by, and whether those may be whom nobody asked.

    telephone: `local` for the telephones of a demo hub; empty: this hub sends no text messages. unknown_consent:
    `refuse` (nobody is written to who was not asked) or `allow` (giving the number for care counts as asked).
    """

    telephone: str = ""
    unknown_consent: str = REFUSE


def build(env: Mapping[str, str]) -> App:
    settings = config.read(Settings, env, prefix="MESSAGING")
    server = MailServer("messaging", config.read(MailSettings, env, prefix="MESSAGING"))
    means = means_of(settings, has_mail=server.is_there)
    return App(
        name="messaging",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda _runtime: (Servicer(CONTRACT, MessagingService(means, ids.new_id)),),
        consumers=CONSUMERS,
        timers=timers(means),
        jobs=jobs(means, Mail(server)),
        gauges=(message_gauges,),
        figures=(
            Shown(metric=WAITING, by=("state",)),
            Shown(metric=NOTIFICATIONS, by=("outcome", "channel")),
            Shown(metric=REMINDER_LATENESS, within=300),
        ),
    )


def means_of(settings: Settings, *, has_mail: bool) -> Means:
    """What this hub can send by. Raises ConfigError for a word that is none."""
    if settings.telephone not in ("", LOCAL):
        raise ConfigError(f"MESSAGING_TELEPHONE should be {LOCAL} or empty")
    if settings.unknown_consent not in (REFUSE, ALLOW):
        raise ConfigError(f"MESSAGING_UNKNOWN_CONSENT should be {REFUSE} or {ALLOW}")
    channels = {Channel.SMS, Channel.VOICE} if settings.telephone == LOCAL else set[Channel]()
    if has_mail:
        channels.add(Channel.EMAIL)
    return Means(channels=frozenset(channels), unknown_is_allowed=settings.unknown_consent == ALLOW)
