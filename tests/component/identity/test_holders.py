"""What identity tells those who hold data: at once, in order to who asks, and again to who did not confirm."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import holder_service_pb2 as rpc
from carehub.identity.v1 import identity_events_pb2 as events
from carehub.identity.v1 import identity_service_pb2
from carehub.registry.v1 import registry_service_pb2 as registry
from sqlalchemy import column, select, table

from libs.chassis.access import GrantRow, PatientAccess, ended_bases, grants
from libs.chassis.channels import Channels
from libs.chassis.database import sql
from libs.chassis.services import ServiceSigner
from libs.chassis.wire import CallFailed
from libs.local.environment import service_key
from libs.process.holding import deactivated
from libs.testing.hub import caller_token
from services.identity.clients.holders import Holders, holders
from services.identity.deciding import LEASE, MOOT, PATIENCE, decider_of
from services.identity.domain.push import PushKind
from services.identity.store.access import AccessStore
from services.identity.store.push import PushStore
from services.identity.store.schema import hold_access

CONTRACT = rpc.DESCRIPTOR.services_by_name["HolderService"]
_pushes = table("pushes", column("holder"), column("id"))
WAITING = sql(select(_pushes.c.holder).order_by(_pushes.c.holder))
GRANTEES = sql(select(grants.c.grantee_id))
ENDED = sql(select(ended_bases.c.basis_id))
LEFT = sql(select(deactivated.c.person_id))
VERSIONS = sql(select(column("version")).select_from(table("access_versions")))
PLACE = uuid4()
HOLDERS = sorted(holders())


def access(patient_id, version=1, basis_id=None):
    return PatientAccess(
        patient_id=patient_id,
        version=version,
        grants=(
            GrantRow(
                patient_id=patient_id, number=0, grantee_id=PLACE, names=(PLACE,), sources=None,
                purposes=("TREATMENT",), classes=("VISITS",), labels=("NORMAL",), expires_at=None,
                standing=0, reason="TREATED", basis_id=basis_id, consent_id=None,
            ),
        ),
    )  # fmt: skip


class Held:
    """Identity, some holders, and what was decided about patients, written as the decider writes it."""

    def __init__(self, hub):
        self.hub = hub
        self.runtime = hub.host.runtimes["identity"]
        self.decider = decider_of(self.runtime)

    def token(self, service="registry"):
        keys = self.hub.servers.home / "service-keys"
        return ServiceSigner(service, service_key(keys, service)).token()

    async def decided(self, *about):
        async with self.hub.system("identity") as tx:
            await hold_access(tx)
            await AccessStore(tx).save(about)

    async def list(self, token=None, **asked):
        request = rpc.ListAccessRequest(**asked)
        return await self.hub.call(
            CONTRACT, "ListAccess", request, rpc.ListAccessResponse, token=token or self.token()
        )

    async def listed(self, **asked):
        return [UUID(one.patient_id) for one in (await self.list(**asked)).access]

    async def rows(self, service, statement):
        async with self.hub.system(service) as tx:
            return await tx.fetch(statement)


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A machine that others use, too, may take longer than whoever takes something away would wait."""
    monkeypatch.setattr("services.identity.clients.holders.WITHIN_SECONDS", 20.0)


@pytest.fixture
async def alone(hub):
    """No holder has an address."""
    async with hub("identity") as running:
        yield Held(running)


@pytest.fixture
async def held(hub):
    async with hub("identity", *HOLDERS) as running:
        yield Held(running)


def test_who_holds_data_is_read_from_the_contracts():
    assert set(holders()) == {
        "analytics",
        "careplans",
        "messaging",
        "referrals",
        "registry",
        "scheduling",
        "tasking",
    }
    assert Holders(Channels(), str).names == set(HOLDERS)


# Whoever asks.


async def test_what_was_decided_is_listed_in_order_each_patient_once_and_as_it_is_now(alone):
    first, second, third = (uuid4() for _ in range(3))
    await alone.decided(access(first))
    await alone.decided(access(second))
    await alone.decided(access(third))
    position = (await alone.list()).position
    await alone.decided(access(first, 2))
    answer = await alone.list()
    assert [UUID(one.patient_id) for one in answer.access] == [second, third, first]
    assert answer.access[2].version == 2
    assert await alone.listed(after_position=position) == [first]
    assert await alone.listed(after_position=answer.position) == []
    assert (await alone.list(after_position=answer.position)).position == answer.position


async def test_pages_bring_all_of_it(alone):
    patients = [uuid4() for _ in range(5)]
    for patient in patients:
        await alone.decided(access(patient))
    found, token = [], ""
    while True:
        page = await alone.list(page_size=2, page_token=token)
        found += [UUID(one.patient_id) for one in page.access]
        token = page.next_page_token
        if not token:
            break
    assert found == patients


async def test_a_page_is_as_fresh_as_it_says(alone):
    before = datetime.now(UTC) - timedelta(seconds=1)
    answer = await alone.list()
    assert before < answer.beat_time.ToDatetime(UTC) <= datetime.now(UTC) + timedelta(seconds=1)


async def test_nobody_else_is_told(alone):
    for token, reason in (
        (alone.token("interop"), "SERVICE_NOT_LISTED"),
        (caller_token(permissions=["audit.read"]), "PERMISSION_MISSING"),
    ):
        with pytest.raises(CallFailed) as caught:
            await alone.list(token)
        assert caught.value.reason == reason


# Whoever is told.


async def test_a_basis_that_ends_ends_everywhere_with_the_answer(held):
    basis, before = uuid4(), datetime.now(UTC)
    effect = await held.decider.end_basis(basis)
    assert before < effect <= datetime.now(UTC)
    for service in ("identity", *HOLDERS):
        assert await held.rows(service, ENDED) == [basis]
    assert basis in map(UUID, (await held.list()).ended_basis_ids)


async def test_a_basis_that_ends_is_told_to_who_comes_later(held):
    basis = uuid4()
    event = events.BasisEnded(basis_id=str(basis), version=1)
    event.end_time.GetCurrentTime()
    await held.hub.publish(event, key=basis)
    for service in HOLDERS:

        async def ended(service=service):
            return basis in await held.rows(service, ENDED)

        await held.hub.until(ended, what=service)


async def test_what_rests_on_a_basis_that_has_ended_is_visible_to_nobody(alone):
    patient, basis = uuid4(), uuid4()
    await alone.decided(access(patient, basis_id=basis))
    token = caller_token(permissions=["patients.read"], facilities=[PLACE])

    async def visible():
        answer = await alone.hub.call(
            identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"],
            "FilterVisible",
            identity_service_pb2.FilterVisibleRequest(patient_ids=[str(patient)]),
            identity_service_pb2.FilterVisibleResponse,
            token=token,
        )
        return list(answer.patient_ids)

    assert await visible() == [str(patient)]
    await alone.decider.end_basis(basis)
    assert await visible() == []


async def test_who_asks_about_what_the_timer_decided_a_moment_before_tells_it_all_the_same(held):
    """Without a fact about them nobody may see them: the timer has decided that, and tells nobody by itself."""
    patient = uuid4()
    await held.decided(access(patient))
    await held.decider.at_once([patient])
    nothing = PatientAccess(patient_id=patient, version=3)
    await held.decided(replace(access(patient), version=3), nothing)
    await held.decided(replace(nothing, version=4))
    assert await held.decider.at_once([patient]) <= datetime.now(UTC)
    for service in HOLDERS:
        assert await held.rows(service, VERSIONS) == [4]


async def test_while_no_holder_answers_it_holds_by_the_lease_at_the_latest_and_is_kept(alone):
    patient = uuid4()
    await alone.decided(access(patient))
    asked = datetime.now(UTC)
    effect = await alone.decider.at_once([patient])
    assert asked + LEASE < effect <= datetime.now(UTC) + LEASE
    assert await alone.rows("identity", WAITING) == HOLDERS
    await alone.decider.push_again()
    assert await alone.rows("identity", WAITING) == HOLDERS
    alone.hub.clock.move(MOOT + PATIENCE)
    await alone.decider.push_again()
    assert await alone.rows("identity", WAITING) == [], "by its lease nothing is shown for long"


async def test_what_a_crash_left_is_told_by_the_job(held):
    patient, basis, person = uuid4(), uuid4(), uuid4()
    await held.decided(access(patient))
    held.hub.clock.move(-PATIENCE)
    async with held.hub.system("identity") as tx:
        for kind, id in zip(PushKind, (patient, basis, person), strict=True):
            await PushStore(tx).leave(kind, [id], holders())
    held.hub.clock.move(PATIENCE)

    async def told():
        return await held.rows("identity", WAITING) == []

    await held.hub.until(told, what="the pushes")
    for service in HOLDERS:
        assert await held.rows(service, GRANTEES) == [PLACE]
        assert await held.rows(service, ENDED) == [basis]
        assert await held.rows(service, LEFT) == [person]


async def test_a_confirmation_settles_what_was_left_before_and_nothing_newer(alone):
    patient = uuid4()
    async with alone.hub.system("identity") as tx:
        await PushStore(tx).leave(PushKind.ACCESS, [patient], ["registry"])
        first = tx.at
    async with alone.hub.system("identity") as tx:
        await PushStore(tx).leave(PushKind.ACCESS, [patient], ["registry"])
        await PushStore(tx).confirm(PushKind.ACCESS, [patient], ["registry"], first)
    assert await alone.rows("identity", WAITING) == ["registry"]


async def test_a_holder_without_a_key_to_believe_identity_by_is_not_counted_as_told(held):
    impostor = replace(
        held.decider, holders=Holders(held.runtime.channels, lambda: held.token("interop"))
    )
    asked = datetime.now(UTC)
    assert await impostor.end_basis(uuid4()) > asked + LEASE


async def test_who_leaves_is_answered_nowhere_with_the_token_in_hand(identity):
    async with identity(*HOLDERS) as running:
        place = (await running.create_facility()).id
        member = await running.create_staff("rose", ("nurse", place))
        token = running.token("nurse", place, subject=UUID(member.id))

        async def search():
            return await running.hub.call(
                registry.DESCRIPTOR.services_by_name["RegistryService"],
                "SearchPatients",
                registry.SearchPatientsRequest(text="Okafor"),
                registry.SearchPatientsResponse,
                token=token,
            )

        await search()
        await running.deactivate(member.id, reason="left")
        with pytest.raises(CallFailed) as caught:
            await search()
        assert (caught.value.code, caught.value.reason) == ("UNAUTHENTICATED", "CALLER_DEACTIVATED")
        for service in ("identity", *HOLDERS):
            async with running.hub.system(service) as tx:
                assert await tx.fetch(LEFT) == [UUID(member.id)]
