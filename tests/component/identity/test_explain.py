"""Who may ask why somebody sees a patient, what they are told, and that asking is in the ledger."""

from uuid import UUID, uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.audit.v1 import audit_pb2
from carehub.identity.v1 import access_service_pb2 as rpc
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.wire import CallFailed
from tests.component.identity.test_access import Network

CONTRACT = rpc.DESCRIPTOR.services_by_name["AccessService"]


class Explaining(Network):
    """Pat is registered here and was treated there; Nina is a nurse there."""

    @classmethod
    async def ready(cls, identity):
        network = await cls.joined(identity)
        network.pat, network.visit = uuid4(), uuid4()
        await network.registered(network.pat, network.here)
        await network.treated(network.visit, network.pat, network.there)
        await network.until_told(
            network.pat, (network.here, "REGISTERED"), (network.there, "TREATED")
        )
        network.nina = await identity.create_staff("nina", ("nurse", str(network.there)))
        network.officer = identity.token("privacy_officer", network.here)
        network.admin = identity.token("facility_admin", network.here)
        return network

    async def call(self, method, request, token):
        kind = GetMessageClass(CONTRACT.methods_by_name[method].output_type)
        return await self.identity.hub.call(CONTRACT, method, request, kind, token=token)

    async def explain(self, token, **fields):
        about = {"patient_id": str(self.pat), "person_id": self.nina.id}
        request = rpc.ExplainAccessRequest(**(about | fields))
        return await self.call("ExplainAccess", request, token)

    async def explain_mine(self, token, **fields):
        request = rpc.ExplainMyAccessRequest(**({"patient_id": str(self.pat)} | fields))
        return await self.call("ExplainMyAccess", request, token)

    async def refused(self, asked):
        with pytest.raises(CallFailed) as failed:
            await asked
        return failed.value.code, failed.value.reason


def keys(explanation, labels=None):
    return {
        line.key
        for answer in explanation.answers
        if labels is None or list(answer.labels) == labels
        for line in answer.lines
    }


async def test_a_privacy_officer_hears_which_facts_decide_of_each_label(identity):
    async with identity() as i:
        network = await Explaining.ready(i)
        told = await network.explain(network.officer)
        assert told.headline.sentence == "They may see all of it."
        assert keys(told, [access_pb2.LABEL_NORMAL]) == {"allowed.TREATED", "by.agreement"}
        (treated,) = [line for line in told.answers[0].lines if line.key == "allowed.TREATED"]
        assert treated.fact_id == str(network.visit)
        part2 = [answer for answer in told.answers if access_pb2.LABEL_PART2 in answer.labels]
        assert [answer.is_allowed for answer in part2] == [False]
        assert "missed.LABEL" in keys(told, [access_pb2.LABEL_PART2])
        assert {label for answer in told.answers for label in answer.labels} == set(
            access_pb2.Label.values()
        ) - {0}
        assert told.source_facility_id == str(network.here)
        one = await network.explain(
            network.officer, data_class="DATA_CLASS_RESULTS", labels=["LABEL_HIV"], purpose="PURPOSE_PAYMENT"
        )  # fmt: skip
        assert [list(answer.data_classes) for answer in one.answers] == [[4]]
        assert keys(one) == {"missed.PURPOSE"}


async def test_an_administrator_hears_of_ordinary_rows_of_their_facility_only(identity):
    async with identity() as i:
        network = await Explaining.ready(i)
        told = await network.explain(network.admin)
        assert [list(answer.labels) for answer in told.answers] == [[access_pb2.LABEL_NORMAL]]
        assert keys(told) == {"allowed.TREATED", "by.agreement"}
        refused = ("PERMISSION_DENIED", "PRIVACY_OFFICER_NEEDED")
        for more in ({"labels": ["LABEL_PART2"]}, {"source_facility_id": str(network.there)}):
            assert await network.refused(network.explain(network.admin, **more)) == refused
        # A privacy officer elsewhere is nobody's privacy officer here.
        both = i.token("facility_admin", network.here)
        assert (await network.explain(both, labels=["LABEL_NORMAL"])).answers


async def test_who_does_not_know_the_patient_is_told_that_there_is_none(identity):
    async with identity() as i:
        network = await Explaining.ready(i)
        elsewhere = UUID((await i.create_facility()).id)
        nobody = ("NOT_FOUND", "PATIENT_NOT_FOUND")
        for role in ("privacy_officer", "facility_admin"):
            stranger = i.token(role, elsewhere)
            assert await network.refused(network.explain(stranger)) == nobody
            asked = network.explain(stranger, labels=["LABEL_HIV"])
            assert await network.refused(asked) == nobody
            assert (
                await network.refused(network.explain(network.officer, patient_id=str(uuid4())))
                == nobody
            )
        denied = await network.refused(network.explain(i.token("nurse", network.here)))
        assert denied == ("PERMISSION_DENIED", "PERMISSION_MISSING")


async def test_anybody_asks_about_themselves_and_is_not_told_of_whom_they_may_not_see(identity):
    async with identity() as i:
        network = await Explaining.ready(i)
        mine = i.token("nurse", network.there, subject=UUID(network.nina.id))
        told = await network.explain_mine(mine)
        assert (told.headline.key, keys(told)) == ("headline.ALL", {"allowed.OWN"})
        assert told.source_facility_id == str(network.there)
        told = await network.explain_mine(mine, source_facility_id=str(network.here))
        assert keys(told) == {"allowed.TREATED", "by.agreement"}
        elsewhere = str(uuid4())
        told = await network.explain_mine(mine, source_facility_id=elsewhere)
        assert (told.headline.key, keys(told)) == ("headline.NONE", {"ask"})
        # Runs the network and sees no patient; works where the patient is not known.
        far = UUID((await i.create_facility()).id)
        stranger = await i.create_staff("stan", ("nurse", str(far)))
        for who, role, place in (
            (i.admin_id, "network_admin", network.here),
            (UUID(stranger.id), "nurse", far),
        ):
            token = i.token(role, place, subject=who)
            nobody = ("NOT_FOUND", "PATIENT_NOT_FOUND")
            assert await network.refused(network.explain_mine(token)) == nobody
            unheard = network.explain_mine(token, patient_id=str(uuid4()))
            assert await network.refused(unheard) == nobody


async def test_asking_is_a_look_at_the_patient_that_the_ledger_names(identity):
    async with identity() as i:
        network = await Explaining.ready(i)
        await network.explain(network.officer)
        asked = audit_pb2.ListAuditRequest(patient_id=str(network.pat))
        entries = (await i.call("ListAudit", asked, network.officer)).entries
        assert [entry.method.rpartition("/")[2] for entry in entries] == ["ExplainAccess"]
        assert entries[0].action == "R"


async def test_names_are_told_of_those_who_are_known(identity):
    async with identity() as i:
        network = await Explaining.ready(i)
        request = rpc.NamePeopleRequest(person_ids=[network.nina.id, str(uuid4())])
        told = await network.call("NamePeople", request, network.nurse_here)
        assert dict(told.names) == {network.nina.id: "Nina"}
        request = rpc.NamePeopleRequest(person_ids=[str(uuid4()) for _ in range(501)])
        asked = network.call("NamePeople", request, network.nurse_here)
        assert await network.refused(asked) == ("INVALID_ARGUMENT", "TOO_MANY_PEOPLE")
