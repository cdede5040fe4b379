"""The guard around real methods: permission, transaction, idempotency, audit and errors, in process and on the wire."""

import asyncio
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import identity_service_pb2 as identity
from carehub.identity.v1 import organization_pb2
from sqlalchemy import select

from libs.chassis import audit as ledger
from libs.chassis.access import DenialRow, PatientAccess, project_access
from libs.chassis.channels import Channels
from libs.chassis.contracts import ContractError
from libs.chassis.database import sql
from libs.chassis.guard import Guard, Servicer
from libs.chassis.server import serve
from libs.chassis.wire import CallFailed
from libs.local.process import free_port
from libs.testing.hub import caller_token

SERVICE = identity.DESCRIPTOR.services_by_name["IdentityService"]
METHODS = SERVICE.methods_by_name
AUDIT = sql(
    select(ledger.audit.c.outcome)
    .where(ledger.audit.c.method.like("%Organization%"))
    .order_by(ledger.audit.c.at)
)


def _new(name: str = "Mercy") -> identity.CreateOrganizationRequest:
    kind = organization_pb2.Organization.KIND_PROVIDER
    return identity.CreateOrganizationRequest(
        organization=organization_pb2.Organization(name=name, kind=kind)
    )


@pytest.fixture(params=["in process", "over the wire"])
async def called(request, hub):
    """The same service, reached both ways; code cannot tell the difference."""
    async with hub("identity") as running:
        if request.param == "in process":
            yield running, running.channels
            return
        stopping = asyncio.Event()
        address = f"127.0.0.1:{free_port()}"
        server = await serve(running.host.guards, address, stopping)
        channels = Channels({"identity": address})
        yield running, channels
        await channels.close()
        stopping.set()
        await server


WRITER = {"permissions": ["organizations.write", "organizations.read"], "roles": ["network_admin"]}


async def test_a_change_is_made_audited_and_announced(called):
    running, channels = called
    made = await channels.call(
        METHODS["CreateOrganization"], _new(), caller_token=caller_token(**WRITER)
    )
    listed = await channels.call(
        METHODS["ListOrganizations"],
        identity.ListOrganizationsRequest(),
        caller_token=caller_token(**WRITER),
    )
    assert [o.id for o in listed.organizations] == [made.id]
    async with running.system("identity") as tx:
        assert await tx.fetch(AUDIT) == ["OK", "OK"]


async def test_without_a_caller_nothing_is_answered(called):
    _, channels = called
    with pytest.raises(CallFailed) as caught:
        await channels.call(METHODS["ListOrganizations"], identity.ListOrganizationsRequest())
    assert (caught.value.code, caught.value.reason) == ("UNAUTHENTICATED", "CALLER_MISSING")


async def test_without_the_permission_it_is_refused_and_the_refusal_is_audited(called):
    running, channels = called
    with pytest.raises(CallFailed) as caught:
        await channels.call(METHODS["CreateOrganization"], _new(), caller_token=caller_token())
    assert (caught.value.code, caught.value.reason) == ("PERMISSION_DENIED", "PERMISSION_MISSING")
    async with running.system("identity") as tx:
        assert await tx.fetch(AUDIT) == ["PERMISSION_DENIED"]


async def test_the_same_idempotency_key_gives_the_same_answer(called):
    _, channels = called
    token = caller_token(**WRITER, subject=uuid4())
    headers = {"idempotency-key": "k1"}
    calls = [
        channels.call(METHODS["CreateOrganization"], _new(), caller_token=token, metadata=headers)
        for _ in range(5)
    ]
    assert len({answer.id for answer in await asyncio.gather(*calls)}) == 1
    with pytest.raises(CallFailed) as caught:
        await channels.call(
            METHODS["CreateOrganization"], _new("Other"), caller_token=token, metadata=headers
        )
    assert caught.value.reason == "IDEMPOTENCY_KEY_REUSED"


async def test_a_replayed_answer_is_audited_like_the_first_and_forgotten_when_sight_is_lost(hub):
    from carehub.registry.v1 import patient_pb2
    from carehub.registry.v1 import registry_service_pb2 as registry

    create = registry.DESCRIPTOR.services_by_name["RegistryService"].methods_by_name[
        "CreatePatient"
    ]
    here, subject = uuid4(), uuid4()
    patient = patient_pb2.Patient(
        facility_id=str(here), names=[patient_pb2.PersonName(family="Replay", given=["Ida"])]
    )
    request = registry.CreatePatientRequest(patient=patient)

    def token(*facilities):
        return caller_token(permissions=["patients.write"], facilities=facilities, subject=subject)

    async with hub("registry") as running:
        options = {"metadata": {"idempotency-key": "once"}}
        first = await running.channels.call(create, request, caller_token=token(here), **options)
        again = await running.channels.call(create, request, caller_token=token(here), **options)
        assert first == again
        shown = sql(
            select(ledger.audit.c.patients).where(ledger.audit.c.method.like("%CreatePatient"))
        )
        async with running.system("registry") as tx:
            assert await tx.fetch(shown) == [[UUID(first.id)], [UUID(first.id)]]
        with pytest.raises(CallFailed) as caught:
            await running.channels.call(create, request, caller_token=token(uuid4()), **options)
        assert caught.value.reason == "ANSWER_GONE"
        refusal = DenialRow(
            patient_id=UUID(first.id),
            number=0,
            grantee_id=subject,
            sources=None,
            purposes=("TREATMENT",),
            classes=("DEMOGRAPHICS",),
            labels=("NORMAL",),
            expires_at=None,
            weight=3,
        )
        async with running.system("registry") as tx:
            told = PatientAccess(patient_id=UUID(first.id), version=1, denials=(refusal,))
            await project_access(tx, [told])
        with pytest.raises(CallFailed) as caught:
            await running.channels.call(create, request, caller_token=token(here), **options)
        assert caught.value.reason == "ANSWER_GONE"


async def test_a_domain_error_arrives_with_its_reason_and_its_field(called):
    _, channels = called
    bad = identity.CreateOrganizationRequest()
    with pytest.raises(CallFailed) as caught:
        await channels.call(METHODS["CreateOrganization"], bad, caller_token=caller_token(**WRITER))
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.reason


async def test_a_token_of_another_key_is_refused(called):
    from joserfc.jwk import OKPKey

    _, channels = called
    stranger = OKPKey.generate_key("Ed25519", {"kid": "test"}, private=True)
    with pytest.raises(CallFailed) as caught:
        await channels.call(
            METHODS["ListOrganizations"],
            identity.ListOrganizationsRequest(),
            caller_token=caller_token(**WRITER, key=stranger),
        )
    assert caught.value.reason == "CALLER_TOKEN_INVALID"


async def test_an_unexpected_error_tells_nothing(called, monkeypatch):
    running, channels = called
    guard = running.host.guards[0]

    async def broken(request: object, call: object) -> object:
        raise RuntimeError("Ada Vector was here")

    monkeypatch.setitem(
        guard._answers, "/carehub.identity.v1.IdentityService/ListOrganizations", broken
    )
    with pytest.raises(CallFailed) as caught:
        await channels.call(
            METHODS["ListOrganizations"],
            identity.ListOrganizationsRequest(),
            caller_token=caller_token(**WRITER),
        )
    assert caught.value.code == "INTERNAL"
    assert "Ada" not in str(caught.value.details)


async def test_a_service_that_lacks_a_method_does_not_start(hub):
    async with hub("identity") as running:
        with pytest.raises(ContractError, match="no async method"):
            Guard(
                Servicer(SERVICE, object()),
                running.host.runtimes["identity"].database,
                running.host._verifier,
            )


async def test_a_call_inside_a_transaction_is_refused(hub):
    async with hub("identity") as running, running.system("identity"):
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await running.channels.call(METHODS["GetCallerKeys"], identity.GetCallerKeysRequest())
