"""Agreements through the guard: who writes them down, whom they let see what, and that ending one closes."""

from datetime import UTC, timedelta
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import agreement_service_pb2 as rpc
from carehub.identity.v1.agreement_pb2 import Agreement
from carehub.identity.v1.identity_events_pb2 import AgreementChanged, BasisEnded
from google.protobuf.field_mask_pb2 import FieldMask

from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token
from services.identity.domain.fact import NETWORK_AGREEMENT_ID
from services.identity.domain.role import PERMISSIONS, Role
from tests.component.identity.recording import LONG_AGO, Records, classes, instant, purposes
from tests.component.identity.test_consents import not_found, refused


class Agreements:
    """`admin` answers for the network; `officer` for the facility `here` alone."""

    def __init__(self, records):
        self.records = records
        role = Role.NETWORK_ADMIN
        self.admin = caller_token(
            roles=[role], permissions=PERMISSIONS[role], everywhere=sorted(PERMISSIONS[role])
        )
        self.officer = records.privacy

    async def call(self, method, request, token=None):
        return await self.records.call("AgreementService", method, request, token or self.admin)

    async def parties(self):
        """The organizations of `here`, `there` and `partner`."""
        places = [self.records.here, self.records.there, self.records.partner]
        async with self.records.identity.hub.system("identity") as tx:
            rows = await tx._connection.fetch("SELECT id, organization_id FROM facilities")
        of = {row["id"]: str(row["organization_id"]) for row in rows}
        return [of[place] for place in places]

    def said(self, *parties, **fields):
        said = {
            "title": "Shared care",
            "party_ids": parties,
            "purposes": purposes("TREATMENT"),
            "data_classes": classes("VISITS", "RESULTS"),
        }
        return Agreement(**(said | fields))

    async def create(self, agreement, token=None):
        request = rpc.CreateAgreementRequest(agreement=agreement)
        return await self.call("CreateAgreement", request, token)

    async def change(self, agreement, *mask, token=None):
        request = rpc.ChangeAgreementRequest(
            agreement=agreement, update_mask=FieldMask(paths=list(mask))
        )
        return await self.call("ChangeAgreement", request, token)

    async def end(self, agreement_id, token=None, etag=""):
        request = rpc.EndAgreementRequest(agreement_id=str(agreement_id), etag=etag)
        return await self.call("EndAgreement", request, token)

    async def get(self, agreement_id, token=None):
        request = rpc.GetAgreementRequest(agreement_id=str(agreement_id))
        return await self.call("GetAgreement", request, token)

    async def until(self, sees, *, what):
        """Everybody is decided anew by and by."""

        async def settled():
            return await self.records.there_sees_here() is sees

        await self.records.identity.hub.until(settled, what=what)


async def test_the_terms_of_the_network_are_shown_and_ending_them_closes(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        terms = await a.get(NETWORK_AGREEMENT_ID, a.officer)
        assert (terms.title, list(terms.party_ids)) == ("Terms of the network", [])
        assert terms.state == Agreement.STATE_IN_FORCE
        assert await r.there_sees_here()
        with refused("NETWORK_ROLE_NEEDED"):
            await a.end(NETWORK_AGREEMENT_ID, a.officer)
        ended = await a.end(NETWORK_AGREEMENT_ID, etag=terms.etag)
        assert ended.state == Agreement.STATE_ENDED
        assert ended.effect_time.ToDatetime(tzinfo=UTC) >= r.now()
        await a.until(False, what="nothing is shared")
        assert (await a.end(NETWORK_AGREEMENT_ID)).etag == ended.etag
        told = await r.identity.told(AgreementChanged)
        assert [version for _, version, _ in told] == [2]


async def test_an_agreement_of_two_opens_what_it_names_and_either_may_end_it(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        await a.end(NETWORK_AGREEMENT_ID)
        await a.until(False, what="nothing is shared")
        here, there, partner = await a.parties()
        made = await a.create(a.said(here, there))
        await a.until(True, what="the two share")
        assert not await r.there_sees_here(data_class="BILLING")
        with refused("NETWORK_ROLE_NEEDED"):
            await a.end((await a.create(a.said(partner, there))).id, a.officer)
        ended = await a.end(made.id, a.officer)
        assert ended.state == Agreement.STATE_ENDED
        await a.until(False, what="the two no longer share")
        with refused("AGREEMENT_ENDED"):
            await a.change(Agreement(id=made.id, title="Again"))


async def test_a_change_is_decided_anew_and_a_late_one_refused(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        await a.end(NETWORK_AGREEMENT_ID)
        here, there, partner = await a.parties()
        made = await a.create(a.said(there, partner))
        await a.until(False, what="the two do not share")
        changed = await a.change(Agreement(id=made.id, etag=made.etag, party_ids=[here, there]))
        assert list(changed.party_ids) == sorted([here, there])
        assert changed.title == "Shared care"
        await a.until(True, what="the two share")
        with refused("STALE_ETAG"):
            await a.change(Agreement(id=made.id, etag=made.etag, title="Late"))
        needs = await a.change(Agreement(id=made.id, needs_consent=True))
        assert needs.needs_consent
        await a.until(False, what="only of those who opt in")
        await r.give(r.permit())
        assert await r.there_sees_here()


async def test_a_list_is_about_its_patients_and_shown_to_nobody(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        await a.end(NETWORK_AGREEMENT_ID)
        await a.until(False, what="nothing is shared")
        here, there, _ = await a.parties()
        listed = [str(r.patient), str(uuid4())]
        made = await a.create(a.said(here, there, is_for_listed_patients=True, patient_ids=listed))
        assert (made.patient_count, list(made.patient_ids)) == (2, [])
        await a.until(True, what="the patient is on the list")
        renamed = await a.change(Agreement(id=made.id, title="Pilot"))
        assert (renamed.patient_count, renamed.is_for_listed_patients) == (2, True)
        await a.change(Agreement(id=made.id, patient_ids=[str(uuid4())]))
        await a.until(False, what="the patient is no longer on the list")
        everybody = await a.change(
            Agreement(id=made.id, is_for_listed_patients=False), "is_for_listed_patients"
        )
        assert everybody.patient_count == 0
        await a.until(True, what="it is about everybody")
        assert all(
            not e.agreement.patient_ids for _, _, e in await r.identity.told(AgreementChanged)
        )


async def test_only_who_answers_for_the_network_writes_and_only_those_who_may_read(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        parties = (await a.parties())[:2]
        with refused("NETWORK_ROLE_NEEDED"):
            await a.create(a.said(*parties), a.officer)
        with refused("NETWORK_ROLE_NEEDED"):
            await a.change(Agreement(id=str(NETWORK_AGREEMENT_ID), title="Ours"), token=a.officer)
        for call in (a.get(NETWORK_AGREEMENT_ID, r.nurse), a.end(NETWORK_AGREEMENT_ID, r.nurse)):
            with pytest.raises(CallFailed, check=lambda e: e.code == "PERMISSION_DENIED"):
                await call
        with not_found():
            await a.get(uuid4())
        facility_admin = r.identity.token("facility_admin", r.here)
        page = await a.call("ListAgreements", rpc.ListAgreementsRequest(), facility_admin)
        assert [one.id for one in page.agreements] == [str(NETWORK_AGREEMENT_ID)]


async def test_pages_are_by_title(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        parties = (await a.parties())[:2]
        for title in ("b", "a", "a"):
            await a.create(a.said(*parties, title=title))
        titles, token = [], ""
        while True:
            request = rpc.ListAgreementsRequest(page_size=1, page_token=token)
            page = await a.call("ListAgreements", request)
            titles += [one.title for one in page.agreements]
            if not (token := page.next_page_token):
                break
        assert titles == ["Terms of the network", "a", "a", "b"]


async def test_creating_twice_creates_once(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        parties = (await a.parties())[:2]
        id = str(uuid4())
        first = await a.create(a.said(*parties, id=id))
        r.identity.hub.clock.move(timedelta(seconds=5))
        assert await a.create(a.said(*parties, id=id)) == first
        with refused("ALREADY_EXISTS"):
            await a.create(a.said(*parties, id=id, needs_consent=True))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": " "}, "NAME_MISSING"),
        ({"purposes": purposes("PAYMENT")}, "AGREEMENT_PURPOSES"),
        ({"purposes": []}, "AGREEMENT_PURPOSES"),
        ({"data_classes": []}, "AGREEMENT_CLASSES"),
        ({"end_time": instant(LONG_AGO)}, "AGREEMENT_NEVER_HOLDS"),
        ({"party_ids": [str(UUID(int=7)), str(UUID(int=8))]}, "PARTY_UNKNOWN"),
        ({"party_ids": [str(UUID(int=7))] * 2}, "PARTIES_MISSING"),
        ({"patient_ids": [str(UUID(int=7))] * 10_001}, "TOO_MANY_LISTED"),
    ],
)
async def test_what_says_nothing_is_refused(identity, fields, reason):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        with refused(reason):
            await a.create(a.said(*(await a.parties())[:2], **fields))


async def test_an_end_that_could_not_be_told_at_once_is_told_soon(identity):
    async with Records.kept(identity) as r:
        a = Agreements(r)
        database = r.identity.hub.host.runtimes["identity"].database
        async with database.session() as busy:
            await busy.execute("SET idle_in_transaction_session_timeout = 0")
            await busy.execute("BEGIN; LOCK TABLE ended_bases IN EXCLUSIVE MODE")
            ended = await a.end(NETWORK_AGREEMENT_ID)
        assert ended.state == Agreement.STATE_ENDED
        assert not ended.HasField("effect_time"), "nobody knows yet from when on"

        async def told():
            ended = [key for key, _, _ in await r.identity.told(BasisEnded)]
            return str(NETWORK_AGREEMENT_ID) in ended

        await r.identity.hub.until(told, what="the end is told by its timer")
