"""Puts referrals together from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carehub.referrals.v1 import partner_service_pb2, referrals_service_pb2

from libs.chassis import config, ids
from libs.chassis.guard import Servicer
from libs.mail.server import MailServer, MailSettings
from libs.process.app import App, Runtime
from services.referrals.clients import Identity, Mail
from services.referrals.consumers import CONSUMERS, TIMERS
from services.referrals.consumers.jobs import jobs
from services.referrals.service import ReferralsService
from services.referrals.service.partner import PartnerService

REFERRALS = referrals_service_pb2.DESCRIPTOR.services_by_name["ReferralsService"]
PARTNER = partner_service_pb2.DESCRIPTOR.services_by_name["PartnerService"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """REFERRALS_…: where links to the partner's page lead."""

    public_url: str = "http://localhost:8080"


def build(env: Mapping[str, str]) -> App:
    settings = config.read(Settings, env, prefix="REFERRALS")
    page = f"{settings.public_url.rstrip('/')}/p/"
    server = MailServer("referrals", config.read(MailSettings, env, prefix="REFERRALS"))
    return App(
        name="referrals",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda runtime: _servicers(runtime, page),
        consumers=CONSUMERS,
        timers=TIMERS,
        jobs=jobs(Mail(server), page),
    )


def _servicers(runtime: Runtime, page: str) -> tuple[Servicer, ...]:
    identity = Identity(runtime.channels, runtime.caller_token, ids.new_id)
    referrals = ReferralsService(
        identity=identity,
        page=page,
        new_id=ids.new_id,
    )
    partner = PartnerService(identity=identity, system=runtime.database.system, new_id=ids.new_id)
    return (Servicer(REFERRALS, referrals), Servicer(PARTNER, partner))
