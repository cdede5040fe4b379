"""How identity is put together, and how its first administrator comes to be."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx
from carehub.identity.v1 import (
    access_service_pb2,
    agreement_service_pb2,
    break_glass_service_pb2,
    care_team_service_pb2,
    consent_service_pb2,
    hold_service_pb2,
    holder_service_pb2,
    identity_service_pb2,
    own_record_service_pb2,
    proxy_service_pb2,
)

from libs.chassis import ids
from libs.chassis.config import read
from libs.chassis.database import Transaction
from libs.chassis.guard import Servicer
from libs.process.app import App, Runtime
from services.identity import events
from services.identity.clients.provider import AccessTokens, IssuerKeys
from services.identity.consumers import CONSUMERS, JOBS, TIMERS
from services.identity.convert.token import new_keys
from services.identity.deciding import decider_of
from services.identity.domain.fact import network_agreement
from services.identity.domain.role import Role
from services.identity.domain.staff import RoleAssignment, StaffMember
from services.identity.keys import SigningKeys
from services.identity.service.access import AccessService
from services.identity.service.agreements import AgreementService
from services.identity.service.break_glass import BreakGlassService
from services.identity.service.care_team import CareTeamService
from services.identity.service.consents import ConsentService
from services.identity.service.directory import IdentityService
from services.identity.service.holders import HolderService
from services.identity.service.holds import HoldService
from services.identity.service.own_record import OwnRecordService
from services.identity.service.proxies import ProxyService
from services.identity.store.access import AccessStore
from services.identity.store.schema import hold_directory
from services.identity.store.staff import StaffStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """IDENTITY_ISSUER is the `iss` of access tokens; IDENTITY_JWKS_URI is asked of it where it is not set."""

    issuer: str
    signing_keys: Path
    create_keys: bool = False
    jwks_uri: str = ""


def build(env: Mapping[str, str]) -> App:
    settings = read(Settings, env, "IDENTITY")
    return App(
        name="identity",
        migrations=Path(__file__).parent / "migrations",
        servicers=lambda runtime: (
            _directory(settings, runtime),
            _holders(runtime),
            _access(runtime),
            _own_records(runtime),
            *_recording(runtime),
        ),
        consumers=CONSUMERS,
        timers=TIMERS,
        jobs=JOBS,
    )


def _directory(settings: Settings, runtime: Runtime) -> Servicer:
    if settings.create_keys:
        _create_keys(settings.signing_keys)
    keys = IssuerKeys(httpx.AsyncClient(), settings.issuer, settings.jwks_uri)

    def by_machine() -> datetime:
        """Tokens are signed and checked by others too, and by the clocks of their machines."""
        return ids.to_machine(runtime.now())

    service = IdentityService(
        access_tokens=AccessTokens(settings.issuer, keys, by_machine),
        keys=SigningKeys(settings.signing_keys),
        reader=runtime.database.system,
        now=by_machine,
        new_id=ids.new_id,
        decider=decider_of(runtime),
    )
    contract = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"]
    return Servicer(contract, service)


def _holders(runtime: Runtime) -> Servicer:
    contract = holder_service_pb2.DESCRIPTOR.services_by_name["HolderService"]
    return Servicer(contract, HolderService(reader=runtime.database.system))


def _access(runtime: Runtime) -> Servicer:
    contract = access_service_pb2.DESCRIPTOR.services_by_name["AccessService"]
    return Servicer(contract, AccessService(system=runtime.database.system))


def _own_records(runtime: Runtime) -> Servicer:
    contract = own_record_service_pb2.DESCRIPTOR.services_by_name["OwnRecordService"]
    return Servicer(contract, OwnRecordService(system=runtime.database.system))


def _recording(runtime: Runtime) -> tuple[Servicer, ...]:
    """The contracts for what people record about who may see a patient."""
    decider = decider_of(runtime)
    contracts = (
        (consent_service_pb2, "ConsentService", ConsentService),
        (agreement_service_pb2, "AgreementService", AgreementService),
        (proxy_service_pb2, "ProxyService", ProxyService),
        (care_team_service_pb2, "CareTeamService", CareTeamService),
        (hold_service_pb2, "HoldService", HoldService),
        (break_glass_service_pb2, "BreakGlassService", BreakGlassService),
    )
    return tuple(
        Servicer(
            module.DESCRIPTOR.services_by_name[name], service(decider=decider, new_id=ids.new_id)
        )
        for module, name, service in contracts
    )


def _create_keys(path: Path) -> None:
    """Write new keys, for the owner's eyes only, unless there are some. Of two processes that do, one wins."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:  # mode 0600
        draft.write(new_keys())
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return


async def bootstrap(tx: Transaction, *, id: UUID, account: str, name: str, email: str) -> None:
    """Add what no RPC can add: the terms that all members of the network share by, and the first network admin.

    What is there already stays as it is: an agreement that has ended does not begin again.
    """
    if await AccessStore(tx).agree(network_agreement(tx.at)):
        await events.decide_everybody_anew(tx)
    await hold_directory(tx)
    store = StaffStore(tx)
    if await store.find(id):
        return
    admin = StaffMember(
        id=id,
        account=account,
        display_name=name,
        email=email,
        roles=(RoleAssignment(role=Role.NETWORK_ADMIN),),
    )
    admin.check()
    await store.check_account_free(admin)
    await store.add(admin)
    await events.staff_changed(tx, admin)
