"""What a service that holds data does with what identity pushes: whom it lets push, and that it is in force at once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.messaging.v1 import messaging_service_pb2
from carehub.registry.v1 import registry_service_pb2
from carehub.tasking.v1 import tasking_service_pb2
from sqlalchemy import select

from libs.chassis import audit as ledger
from libs.chassis.access import ended_bases, grants
from libs.chassis.caller import as_service
from libs.chassis.database import sql
from libs.chassis.services import ServiceSigner
from libs.chassis.tokens import CallerVerifier
from libs.chassis.wire import CallFailed
from libs.local.environment import SERVICES, service_key
from libs.process.holding import REFUSED, deactivate, refuse_deactivated
from libs.testing.hub import caller_token

CONTRACTS = {
    "registry": registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"],
    "tasking": tasking_service_pb2.DESCRIPTOR.services_by_name["TaskingService"],
    "messaging": messaging_service_pb2.DESCRIPTOR.services_by_name["MessagingService"],
}
APPLIED = sql(
    select(ledger.audit.c.outcome, ledger.audit.c.subject).where(
        ledger.audit.c.method.like("%ApplyAccess")
    )
)
GRANTEES = sql(select(grants.c.grantee_id))
ENDED = sql(select(ended_bases.c.basis_id))
PATIENT, HERE = uuid4(), uuid4()


def given(version, *grantees):
    return access_pb2.PatientAccess(
        patient_id=str(PATIENT),
        version=version,
        grants=[
            access_pb2.Grant(
                grantee_id=str(one),
                is_from_anywhere=True,
                purposes=[access_pb2.PURPOSE_TREATMENT],
                data_classes=[access_pb2.DATA_CLASS_VISITS],
                labels=[access_pb2.LABEL_NORMAL],
                reason="TREATED",
            )
            for one in grantees
        ],
    )


@pytest.fixture
async def holder(hub, servers):
    async with hub(*CONTRACTS) as running:
        yield Holder(running, servers.home / "service-keys")


class Holder:
    def __init__(self, hub, keys):
        self.hub, self.keys = hub, keys

    def token_of(self, service):
        return ServiceSigner(service, service_key(self.keys, service)).token()

    async def apply(self, token=None, service="registry", **told):
        return await self.hub.call(
            CONTRACTS[service],
            "ApplyAccess",
            access_pb2.ApplyAccessRequest(**told),
            access_pb2.ApplyAccessResponse,
            token=token or self.token_of("identity"),
        )

    async def rows(self, statement, service="registry"):
        async with self.hub.system(service) as tx:
            return await tx.fetch(statement)


@pytest.mark.parametrize("service", CONTRACTS)
async def test_what_identity_pushes_is_in_force_and_in_the_ledger_when_it_is_answered(
    holder, service
):
    basis = uuid4()
    await holder.apply(service=service, access=[given(2, HERE)], ended_basis_ids=[str(basis)])
    assert await holder.rows(GRANTEES, service) == [HERE]
    assert await holder.rows(ENDED, service) == [basis]
    assert await holder.rows(APPLIED, service) == ["OK"]
    await holder.apply(service=service, access=[given(1, uuid4())], ended_basis_ids=[str(basis)])
    assert await holder.rows(GRANTEES, service) == [HERE], "what is older came too late"
    await holder.apply(service=service, access=[given(3)])
    assert await holder.rows(GRANTEES, service) == []


@pytest.mark.parametrize("other", sorted(set(SERVICES) - {"identity"}))
async def test_no_other_service_may_push_and_its_attempt_is_in_the_ledger(holder, other):
    with pytest.raises(CallFailed) as caught:
        await holder.apply(holder.token_of(other), access=[given(1, HERE)])
    assert (caught.value.code, caught.value.reason) == ("PERMISSION_DENIED", "SERVICE_NOT_LISTED")
    assert await holder.rows(GRANTEES) == []
    async with holder.hub.system("registry") as tx:
        whole = sql(select(ledger.audit.c.subject).where(ledger.audit.c.outcome != "OK"))
        assert await tx.fetch(whole) == [as_service(other).subject]


@pytest.mark.parametrize("permissions", [[""], ["audit.read", "patients.write"]], ids=str)
async def test_no_person_may_push_whatever_they_hold(holder, permissions):
    with pytest.raises(CallFailed) as caught:
        await holder.apply(caller_token(permissions=permissions, facilities=[HERE]))
    assert caught.value.reason == "PERMISSION_MISSING"


async def test_a_service_reads_nothing_that_is_for_people(holder):
    with pytest.raises(CallFailed) as caught:
        await holder.hub.call(
            CONTRACTS["registry"],
            "SearchPatients",
            registry_service_pb2.SearchPatientsRequest(text="Okafor"),
            registry_service_pb2.SearchPatientsResponse,
            token=holder.token_of("identity"),
        )
    assert caught.value.reason == "SERVICE_NOT_LISTED"


async def test_a_deployment_lets_in_fewer_than_the_contracts_list(holder):
    for guard in holder.hub.host.guards:
        guard._let_in = frozenset({"interop"})
    with pytest.raises(CallFailed) as caught:
        await holder.apply(access=[given(1, HERE)])
    assert caught.value.reason == "SERVICE_NOT_LISTED"


@pytest.mark.parametrize(
    "told",
    [
        {"access": [access_pb2.PatientAccess(patient_id="somebody", version=1)]},
        {"ended_basis_ids": ["an agreement"]},
        {"deactivated_ids": ["somebody"]},
    ],
    ids=["patient", "basis", "person"],
)
async def test_what_cannot_be_read_is_refused_whole(holder, told):
    with pytest.raises(CallFailed) as caught:
        await holder.apply(**told)
    assert caught.value.code == "INVALID_ARGUMENT"


async def test_who_is_deactivated_is_refused_at_once_with_the_token_in_hand(holder):
    leaver = uuid4()
    token = caller_token(permissions=["patients.read"], facilities=[HERE], subject=leaver)

    async def search():
        return await holder.hub.call(
            CONTRACTS["registry"],
            "SearchPatients",
            registry_service_pb2.SearchPatientsRequest(text="Okafor"),
            registry_service_pb2.SearchPatientsResponse,
            token=token,
        )

    await search()
    await holder.apply(deactivated_ids=[str(leaver)])
    with pytest.raises(CallFailed) as caught:
        await search()
    assert (caught.value.code, caught.value.reason) == ("UNAUTHENTICATED", "CALLER_DEACTIVATED")


async def test_every_process_of_the_service_refuses_whom_one_was_told_of(holder):
    """The other process has a verifier of its own, and the same database."""
    leaver, left_long_ago = uuid4(), uuid4()
    database = holder.hub.host.runtimes["registry"].database
    holder.hub.clock.move(-REFUSED - timedelta(seconds=5))
    async with database.system() as tx:
        await deactivate(tx, [left_long_ago])
    holder.hub.clock.set(datetime.now(UTC))
    told: dict[UUID, float] = {}

    class Other(CallerVerifier):
        def refuse(self, people, until):
            told.update(dict.fromkeys(people, until))
            holder.hub.host.stopping.set()

    await holder.apply(deactivated_ids=[str(leaver)])
    await refuse_deactivated(database, Other(lambda: None), holder.hub.host.stopping)
    assert list(told) == [leaver]
