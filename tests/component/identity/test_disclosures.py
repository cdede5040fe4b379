"""What may leave: asked by a service, answered from the truth, kept for the accounting, and shown to privacy officers."""

from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import access_service_pb2 as rpc

from libs.chassis.wire import CallFailed
from tests.component.identity.test_explain import Explaining

TREATMENT, NORMAL = access_pb2.PURPOSE_TREATMENT, access_pb2.LABEL_NORMAL


class Leaving(Explaining):
    """interop would like to send what here wrote of Pat to there."""

    def item(self, **fields):
        told = {
            "patient_id": str(self.pat),
            "source_facility_id": str(self.here),
            "data_class": "DATA_CLASS_CLINICAL",
            "labels": [NORMAL],
        }
        return rpc.DisclosureItem(**(told | fields))

    async def check(self, *items, token=None, **fields):
        told = {"id": str(uuid4()), "recipient_id": str(self.there), "purpose": TREATMENT}
        request = rpc.CheckDisclosureRequest(items=items, **(told | fields))
        token = self.vouched if token is None else token
        return await self.call("CheckDisclosure", request, token)

    async def listed(self, token, **fields):
        request = rpc.ListDisclosuresRequest(**({"patient_id": str(self.pat)} | fields))
        return await self.call("ListDisclosures", request, token)

    @classmethod
    async def ready(cls, identity):
        network = await super().ready(identity)
        network.vouched = identity.hub.host.runtimes["referrals"].caller_token()
        return network


@pytest.fixture
def leaving(hub):
    from contextlib import asynccontextmanager

    from tests.component.identity.conftest import Identity

    @asynccontextmanager
    async def running():
        async with hub("identity", "referrals") as h:
            yield await Leaving.ready(Identity(h))

    return running


async def test_what_may_leave_leaves_and_is_in_the_accounting_of_who_wrote_it(leaving):
    async with leaving() as network:
        part2 = network.item(labels=["LABEL_PART2"])
        of_nobody = network.item(patient_id=str(uuid4()))
        answer = await network.check(network.item(), part2, of_nobody)
        assert [one.index for one in answer.released] == [0]
        (one,) = (await network.listed(network.officer)).disclosures
        assert (one.recipient_id, one.recipient_kind) == (str(network.there), "FACILITY")
        assert (one.service, one.is_part2, one.is_accountable) == ("referrals", False, False)
        assert list(one.source_facility_ids) == [str(network.here)]
        # What was written elsewhere is the business of that place.
        elsewhere = network.identity.token("privacy_officer", network.there)
        assert list((await network.listed(elsewhere)).disclosures) == []
        assert list((await network.listed(network.officer, is_part2=True)).disclosures) == []
        assert list((await network.listed(network.officer, is_accountable=True)).disclosures) == []


async def test_the_same_id_is_counted_once_and_lets_nothing_else_out(leaving):
    async with leaving() as network:
        id = str(uuid4())
        for _ in range(2):
            answer = await network.check(network.item(), id=id)
            assert len(answer.released) == 1
        assert len((await network.listed(network.officer)).disclosures) == 1
        other = network.item(data_class="DATA_CLASS_RESULTS")
        refused = await network.refused(network.check(network.item(), other, id=id))
        assert refused == ("FAILED_PRECONDITION", "DISCLOSURE_CHANGED")


async def test_only_the_services_of_the_contract_may_ask(leaving):
    async with leaving() as network:
        runtimes = network.identity.hub.host.runtimes
        for token in (network.officer, network.admin, runtimes["identity"].caller_token()):
            with pytest.raises(CallFailed, check=lambda e: e.code == "PERMISSION_DENIED"):
                await network.check(network.item(), token=token)
        assert list((await network.listed(network.officer)).disclosures) == []
        denied = await network.refused(network.listed(network.nurse_here))
        assert denied == ("PERMISSION_DENIED", "PERMISSION_MISSING")


async def test_pages_of_what_has_left(leaving):
    async with leaving() as network:
        for _ in range(5):
            await network.check(network.item())
        found, token = [], ""
        while True:
            page = await network.listed(network.officer, page_size=2, page_token=token)
            found += [one.id for one in page.disclosures]
            token = page.next_page_token
            if not token:
                break
        assert len(set(found)) == len(found) == 5


async def test_what_has_left_is_never_changed(leaving):
    async with leaving() as network:
        await network.check(network.item())
        for statement in ("UPDATE disclosures SET is_part2 = true", "DELETE FROM disclosures"):
            with pytest.raises(Exception, match="permission denied"):
                async with network.identity.hub.system("identity") as tx:
                    await tx._connection.execute(statement)


async def test_a_permission_that_the_sender_holds_releases_to_whom_it_names_and_no_further(leaving):
    async with leaving() as network:
        partner, agreed = str(uuid4()), str(uuid4())
        held = rpc.DisclosureAuthorization(
            id=agreed, patient_id=str(network.pat), form="FORM_VERBAL", labels=[NORMAL],
            data_classes=["DATA_CLASS_DEMOGRAPHICS"],
        )  # fmt: skip
        held.give_time.FromJsonString("2026-01-01T00:00:00Z")
        who = network.item(data_class="DATA_CLASS_DEMOGRAPHICS")
        nothing = await network.check(who, recipient_id=partner)
        assert list(nothing.released) == []
        asked = {"recipient_id": partner, "authorizations": [held]}
        answer = await network.check(who, network.item(), **asked)
        (one,) = answer.released
        assert (one.index, list(one.consent_ids)) == (0, [agreed])
        (kept,) = (await network.listed(network.officer)).disclosures
        assert (kept.recipient_id, list(kept.consent_ids)) == (partner, [agreed])
        # The sender says whose organization they are. What that one may see gives them nothing; what it may not, they may not.
        above = str(network.there)
        of_member = asked | {"recipient_organization_id": above}
        clinical = network.item()
        assert list((await network.check(clinical, **of_member)).released) == []
        held.ClearField("form")
        refused = await network.refused(network.check(who, **asked | {"authorizations": [held]}))
        assert refused == ("INVALID_ARGUMENT", "AUTHORIZATION_WITHOUT_FORM")
