"""REST over the real services: patients see whose record is theirs, who has looked, and who opened it in an emergency."""

import time
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from libs.testing.hub import caller_token
from services.identity.app import bootstrap
from services.identity.domain.role import PERMISSIONS, Role
from services.identity.domain.token import OWN_READ
from services.identity.service import own_record
from tests.component.identity.conftest import Identity
from tests.component.spine.calling import gateway

THEIR_WORDS = "Found unconscious, no papers"
ALL = ("interop", "registry", "tasking")


class Town:
    """Mercy knows a patient, who has an account; Valley does not. Each has a nurse."""

    def __init__(self, hub, client):
        self.hub, self.client = hub, client
        self.person = uuid4()

    async def settle(self):
        identity = Identity(self.hub)
        someone = {"account": "root", "name": "Root", "email": ""}
        async with self.hub.system("identity") as tx:
            await bootstrap(tx, id=identity.admin_id, **someone)
        self.mercy = (await identity.create_facility(name="Mercy")).id
        self.valley = (await identity.create_facility(name="Valley")).id
        self.nurse = await identity.create_staff("nadia", ("nurse", self.mercy))
        self.rural = await identity.create_staff("joe", ("nurse", self.valley))
        self.officer = await identity.create_staff("ruth", ("privacy_officer", self.valley))
        made = await self.ask("POST", "/v1/patients", self.at_mercy, json=self.patient())
        self.id = made["id"]
        await self.link("patient-accounts", personId=str(self.person))

    async def link(self, what, **fields):
        """As soon as identity has heard of the patient; then until it is decided."""
        body = {"patientId": self.id, "facilityId": self.mercy} | fields
        body = {"proxy": body} if what == "proxies" else body

        async def linked():
            answer = await self.raw("POST", f"/v1/{what}", self.at_mercy, json=body)
            return answer.status_code == 200

        await self.hub.until(linked, what="the patient to be known")

    def patient(self):
        return {
            "facilityId": self.mercy,
            "identifiers": [{"assigner": "MERCY", "value": "M-1", "type": "MR"}],
            "names": [{"family": "Ejemplo", "given": ["Marisol"], "use": "L"}],
            "birthDate": {"year": 1948, "month": 3, "day": 12},
            "language": "es",
        }

    def staff(self, member, role, place, **claims):
        held = PERMISSIONS[Role(role)]
        told = {"permissions": held, "facilities": [UUID(place)], "roles": [role]}
        return caller_token(**told, subject=UUID(member.id), **claims)

    @property
    def at_mercy(self):
        return self.staff(self.nurse, "nurse", self.mercy)

    def in_emergency(self):
        sure = {"acr": "2", "auth_time": int(time.time()) - 60}
        acting = {"purpose": "EMERGENCY", "purposes": ["EMERGENCY", "TREATMENT"]}
        return self.staff(self.rural, "nurse", self.valley, **sure, **acting)

    def own(self, person=None, purpose="PATIENT_REQUEST"):
        told = {"roles": [], "permissions": [OWN_READ], "purpose": purpose}
        return caller_token(subject=person or self.person, **told)

    async def raw(self, method, path, token, **options):
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, path, headers=headers, **options)

    async def ask(self, method, path, token, **options):
        answer = await self.raw(method, path, token, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def mine(self, path="", token=""):
        at = f"/v1/me/patients/{self.id}{path}"
        return await self.ask("GET", at, token or self.own())

    async def refused(self, path, token, *, how=(404,)):
        answer = await self.raw("GET", path, token)
        return answer.status_code in how


@pytest.fixture
def town(hub, monkeypatch):
    # What identity has answered is in force: here also on a machine that takes long to tell registry.
    monkeypatch.setattr("services.identity.clients.holders.WITHIN_SECONDS", 20.0)

    @asynccontextmanager
    async def running():
        async with hub("identity", *ALL) as h, gateway(h.channels) as client:
            here = Town(h, client)
            await here.settle()
            yield here

    return running


async def test_the_patient_sees_who_has_looked_and_who_opened_the_glass(town):
    async with town() as t:
        await t.ask("GET", f"/v1/patients/{t.id}", t.at_mercy)
        asked = {"patientId": t.id, "facilityId": t.valley, "reasonText": THEIR_WORDS}
        asked |= {"reason": "REASON_UNABLE_TO_CONSENT"}
        opened = await t.ask("POST", "/v1/break-glass", t.in_emergency(), json=asked)
        await t.ask("GET", f"/v1/patients/{t.id}", t.in_emergency())

        listed = await t.ask("GET", "/v1/me/patients", t.own())
        assert listed["records"] == [
            {"patientId": t.id, "relation": "RELATION_SELF", "showsLooks": True}
        ]
        assert (await t.mine())["name"]["given"] == ["Marisol"]

        looks = await t.mine("/looks")
        assert looks["unanswered"] == []
        by_name = {look["personName"]: look for look in looks["looks"]}
        assert by_name["Nadia"]["places"] == ["Mercy"]
        assert by_name["Nadia"]["roles"] == ["nurse"]
        assert "RECORD_READ" in by_name["Nadia"]["kinds"]
        assert by_name["Joe"]["places"] == ["Valley"]
        assert "EMERGENCY" in by_name["Joe"]["purposes"]
        assert [look["isYou"] for look in looks["looks"] if not look["personName"]] == [True]
        assert set(by_name) == {"Nadia", "Joe", ""}, "no service"

        (one,) = (await t.mine("/emergencies"))["emergencies"]
        assert (one["personName"], one["facilityName"]) == ("Joe", "Valley")
        assert one["reason"] == "REASON_UNABLE_TO_CONSENT"
        assert one["finding"] == "FINDING_UNSPECIFIED"
        assert THEIR_WORDS not in str(one)
        review = {"finding": "FINDING_NOT_JUSTIFIED", "note": "Never came in"}
        officer = t.staff(t.officer, "privacy_officer", t.valley)
        await t.ask("POST", f"/v1/break-glass/{opened['id']}:review", officer, json=review)
        (one,) = (await t.mine("/emergencies"))["emergencies"]
        assert one["finding"] == "FINDING_NOT_JUSTIFIED"
        assert "Never came in" not in str(one)


async def test_nobody_else_sees_it_and_the_patient_sees_nothing_else(town):
    async with town() as t:
        stranger, paths = t.own(uuid4()), ("", "/looks", "/emergencies")
        assert (await t.ask("GET", "/v1/me/patients", stranger))["records"] == []
        for path in paths:
            at = f"/v1/me/patients/{t.id}{path}"
            assert await t.refused(at, stranger), path
            assert await t.refused(at, t.own(purpose="FAMILY_REQUEST")), path
            assert await t.refused(at, t.at_mercy, how=(403,)), path
            # Whatever a token says that it is for: registry and identity both decide by the grant.
            assert await t.refused(at, t.own(purpose="TREATMENT")), path
        for path in ("", "/accesses", "/encounters"):
            assert await t.refused(f"/v1/patients/{t.id}{path}", t.own(), how=(403,)), path
        assert await t.refused(f"/v1/break-glass?patientId={t.id}", t.own(), how=(403,))
        assert await t.refused(f"/v1/access:explainMine?patientId={t.id}", t.own())
        await t.ask("POST", f"/v1/patient-accounts/{t.id}:unlink", t.at_mercy, json={})
        assert (await t.ask("GET", "/v1/me/patients", t.own()))["records"] == []
        for path in paths:
            assert await t.refused(f"/v1/me/patients/{t.id}{path}", t.own()), path


async def test_who_acts_for_the_patient_sees_it_within_their_scope(town):
    async with town() as t:
        daughter, neighbor = uuid4(), uuid4()
        acting = {"kind": "KIND_ATTORNEY", "evidenceId": str(uuid4())}
        for person, classes in ((daughter, ["DEMOGRAPHICS", "VISITS"]), (neighbor, ["BILLING"])):
            scope = [f"DATA_CLASS_{word}" for word in classes]
            await t.link("proxies", personId=str(person), dataClasses=scope, **acting)
        await t.ask("GET", f"/v1/patients/{t.id}", t.at_mercy)
        token = t.own(daughter, "FAMILY_REQUEST")
        (record,) = (await t.ask("GET", "/v1/me/patients", token))["records"]
        assert (record["relation"], record["showsLooks"]) == ("RELATION_PROXY", True)
        looks = (await t.mine("/looks", token))["looks"]
        assert {look["personName"] for look in looks} == {"Nadia", ""}
        assert (await t.mine("/emergencies", token))["emergencies"] == []
        other = t.own(neighbor, "FAMILY_REQUEST")
        (record,) = (await t.ask("GET", "/v1/me/patients", other))["records"]
        assert not record["showsLooks"]
        for path in ("/looks", "/emergencies"):
            assert await t.refused(f"/v1/me/patients/{t.id}{path}", other), path


async def test_emergencies_that_are_not_listed_any_more_are_said_to_be_there(town, monkeypatch):
    monkeypatch.setattr(own_record, "MOST_EMERGENCIES", 1)
    async with town() as t:
        asked = {"patientId": t.id, "facilityId": t.valley, "reasonText": THEIR_WORDS}
        asked |= {"reason": "REASON_UNABLE_TO_CONSENT"}
        for has_more in (False, True):
            opened = await t.ask("POST", "/v1/break-glass", t.in_emergency(), json=asked)
            await t.ask("POST", f"/v1/break-glass/{opened['id']}:end", t.in_emergency(), json={})
            answer = await t.mine("/emergencies")
            assert len(answer["emergencies"]) == 1
            assert answer["hasMore"] == has_more
