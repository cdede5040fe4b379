"""Breaking the glass: what it takes, what it shows to whom and until when, and its review."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import break_glass_service_pb2 as rpc
from carehub.identity.v1 import care_team_service_pb2
from carehub.identity.v1 import identity_events_pb2 as events
from carehub.identity.v1.break_glass_pb2 import BreakGlass, BreakGlassReview
from carehub.identity.v1.care_team_pb2 import CareTeamMember
from carehub.registry.v1.patient_pb2 import Patient
from carehub.registry.v1.registry_events_pb2 import PatientChanged
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token
from services.identity.domain.role import PERMISSIONS, Role
from services.identity.service import break_glass as service

CONTRACT = rpc.DESCRIPTOR.services_by_name["BreakGlassService"]
JUSTIFIED = BreakGlassReview.FINDING_JUSTIFIED
NOT_JUSTIFIED = BreakGlassReview.FINDING_NOT_JUSTIFIED


class Emergency:
    """Two facilities, a nurse and a privacy officer of the one, and a patient whom only the other knows."""

    @classmethod
    async def at(cls, identity):
        self = cls()
        self.identity = identity
        self.here = (await identity.create_facility()).id
        self.there = (await identity.create_facility()).id
        self.nurse = (await identity.create_staff("nurse", ("nurse", self.here))).id
        self.other = (await identity.create_staff("other", ("nurse", self.here))).id
        self.officer = (await identity.create_staff("officer", ("privacy_officer", self.here))).id
        self.officer_there = (
            await identity.create_staff("guard", ("privacy_officer", self.there))
        ).id
        self.patient = await self.known(self.there)
        await identity.hub.until(self.is_quiet, what="nothing left to decide")
        return self

    async def is_quiet(self):
        async with self.identity.hub.system("identity") as tx:
            return await tx._connection.fetchval("SELECT NOT EXISTS (SELECT FROM timers)")

    async def known(self, *facilities):
        patient = uuid4()
        message = Patient(id=str(patient), facility_ids=facilities, state=Patient.STATE_ACTIVE)
        await self.identity.hub.publish(PatientChanged(patient=message, version=1), key=patient)

        async def is_there():
            async with self.identity.hub.system("identity") as tx:
                return await tx._connection.fetchval(
                    "SELECT 1 FROM access_facts WHERE id = $1", patient
                )

        await self.identity.hub.until(is_there, what="the patient")
        return str(patient)

    def token(self, role, person, *places, acr="2", minutes=1, **claims):
        since = self.identity.hub.clock() - timedelta(minutes=minutes)
        return caller_token(
            roles=[role],
            permissions=PERMISSIONS[Role(role)],
            facilities=[UUID(place) for place in places or (self.here,)],
            subject=UUID(person),
            acr=acr,
            auth_time=int(since.timestamp()),
            **claims,
        )

    async def call(self, method, token, headers=None, **fields):
        described = CONTRACT.methods_by_name[method]
        request = GetMessageClass(described.input_type)(**fields)
        answer = GetMessageClass(described.output_type)
        return await self.identity.hub.call(
            CONTRACT, method, request, answer, token=token, headers=headers
        )

    async def break_it(self, token=None, headers=None, **fields):
        asked = {
            "patient_id": self.patient,
            "facility_id": self.here,
            "reason": BreakGlass.REASON_UNABLE_TO_CONSENT,
            "reason_text": "Found unconscious, no papers",
        }
        token = token or self.token("nurse", self.nurse)
        return await self.call("BreakGlass", token, headers, **(asked | fields))

    async def review(self, glass, finding=JUSTIFIED, token=None, note="Was in the unit"):
        token = token or self.token("privacy_officer", self.officer)
        return await self.call(
            "ReviewBreakGlass", token, break_glass_id=glass.id, finding=finding, note=note
        )

    async def grants(self, patient=None):
        """The newest that was told of the patient: what each grantee may see in an emergency."""
        told = await self.identity.told(events.AccessChanged)
        of = [e.access for _, _, e in told if e.access.patient_id == (patient or self.patient)]
        return list(of[-1].grants) if of else []

    async def told(self):
        return [e for _, _, e in await self.identity.told(events.BreakGlassChanged)]


def refused(code, reason):
    return pytest.raises(CallFailed, check=lambda e: (e.code, e.reason) == (code, reason))


async def test_it_shows_the_patient_to_that_person_alone_for_an_hour(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        glass = await e.break_it()
        (grant,) = await e.grants()
        assert (grant.grantee_id, grant.reason) == (e.nurse, "BREAK_GLASS")
        assert [int(p) for p in grant.purposes] == [2]  # EMERGENCY and nothing else
        assert 3 not in grant.labels  # never PART2
        assert len(grant.data_classes) == 7
        assert grant.expire_time == glass.expire_time
        assert glass.expire_time.seconds - glass.open_time.seconds == 3600
        assert glass.effect_time.seconds >= glass.open_time.seconds
        assert glass.state == BreakGlass.STATE_OPEN


async def test_after_a_merge_it_is_for_the_record_that_lives_on_until_it_ends(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        survivor = await e.known(e.there)
        glass = await e.break_it()
        merged = Patient(id=e.patient, state=Patient.STATE_MERGED, merged_into_id=survivor)
        event = PatientChanged(patient=merged, version=2)
        await i.hub.publish(event, key=UUID(e.patient), version=2)

        async def followed():
            return [(g.grantee_id, g.expire_time) for g in await e.grants(survivor)]

        granted = await i.hub.until(followed, what="the grant for who lives on")
        assert granted == [(e.nurse, glass.expire_time)]
        assert not await e.grants()
        await e.call("EndBreakGlass", e.token("nurse", e.nurse), break_glass_id=glass.id)
        assert not await e.grants(survivor)


@pytest.mark.parametrize(("role", "is_part2"), [("nurse", True), ("nurse", False)])
async def test_part_2_records_only_in_an_emergency_that_says_so(identity, role, is_part2):
    async with identity() as i:
        e = await Emergency.at(i)
        await e.break_it(is_part2_emergency=is_part2)
        (grant,) = await e.grants()
        assert (3 in grant.labels) is is_part2
        assert grant.reason == ("PART2_EMERGENCY" if is_part2 else "BREAK_GLASS")


async def test_who_is_not_medical_there_gets_no_part_2_records(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        worker = (await i.create_staff("worker", ("social_worker", e.here))).id
        token = caller_token(
            roles=["social_worker"],
            permissions=["glass.break"],
            facilities=[UUID(e.here)],
            subject=UUID(worker),
            acr="2",
            auth_time=int(i.hub.clock().timestamp()),
        )
        glass = await e.break_it(token, is_part2_emergency=True)
        (grant,) = await e.grants()
        assert not glass.is_medical
        assert (grant.reason, 3 in grant.labels) == ("BREAK_GLASS", False)


async def test_what_it_takes(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        needed = refused("PERMISSION_DENIED", "CONFIRMATION_NEEDED")
        with needed:
            await e.break_it(e.token("nurse", e.nurse, acr="1"))
        with needed:
            await e.break_it(e.token("nurse", e.nurse, minutes=6))
        with needed:
            await e.break_it(caller_token(permissions=["glass.break"], facilities=[UUID(e.here)]))
        with refused("PERMISSION_DENIED", "PERMISSION_MISSING"):
            await e.break_it(e.token("coordinator", e.nurse))
        with refused("PERMISSION_DENIED", "GLASS_NOT_YOURS_THERE"):
            await e.break_it(facility_id=e.there)
        with refused("NOT_FOUND", "PATIENT_UNKNOWN"):
            await e.break_it(patient_id=str(uuid4()))
        with refused("INVALID_ARGUMENT", "WORDS_MISSING"):
            await e.break_it(reason_text="urgent")
        with refused("INVALID_ARGUMENT", "REASON_MISSING"):
            await e.break_it(reason=0)
        assert await e.told() == []
        assert await e.grants() == []


async def test_asked_again_it_is_the_same_one_and_asked_at_once_too(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        wish = {"request_id": str(uuid4())}
        found = await asyncio.gather(*(e.break_it() for _ in range(3)), e.break_it(**wish))
        assert len({glass.id for glass in found}) == 1
        other = await e.known(e.there)
        first = await e.break_it(patient_id=other, **wish | {"request_id": str(uuid4())})
        ended = await e.call("EndBreakGlass", e.token("nurse", e.nurse), break_glass_id=first.id)
        again = await e.break_it(patient_id=other, request_id=first.id)
        assert (again.id, again.state) == (first.id, BreakGlass.STATE_ENDED)
        assert ended.etag == again.etag


async def test_a_retried_create_is_done_once(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        token, key = e.token("nurse", e.nurse), {"idempotency-key": "one"}
        first = await e.break_it(token, headers=key)
        assert (await e.break_it(token, headers=key)).id == first.id
        assert len(await e.told()) == 1


async def test_ended_by_hand_it_shows_nothing(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        glass = await e.break_it()
        with refused("NOT_FOUND", "BREAK_GLASS_NOT_FOUND"):
            await e.call("EndBreakGlass", e.token("nurse", e.other), break_glass_id=glass.id)
        ended = await e.call("EndBreakGlass", e.token("nurse", e.nurse), break_glass_id=glass.id)
        assert ended.state == BreakGlass.STATE_ENDED
        assert ended.HasField("effect_time")
        assert await e.grants() == []


async def test_it_expires_by_itself(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        glass = await e.break_it()
        assert len(await e.grants()) == 1
        i.hub.clock.move(timedelta(minutes=60, seconds=1))

        async def over():
            return await e.grants() == []

        await i.hub.until(over, what="the end of the hour")
        seen = await e.call("GetBreakGlass", e.token("nurse", e.nurse), break_glass_id=glass.id)
        assert (seen.state, seen.HasField("end_time")) == (BreakGlass.STATE_ENDED, False)


async def test_after_a_crash_between_the_commit_and_the_decision_the_timer_decides(
    identity, monkeypatch
):
    async with identity() as i:
        e = await Emergency.at(i)

        async def crash(_self, _patients):
            raise ConnectionResetError

        monkeypatch.setattr(service.Decider, "at_once", crash)
        assert not (await e.break_it()).HasField("effect_time")

        async def decided():
            return await e.grants()

        (grant,) = await i.hub.until(decided, what="the timer's decision")
        assert grant.grantee_id == e.nurse


async def test_it_is_reviewed_by_who_answers_for_the_facility_or_the_patient(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        glass = await e.break_it()
        with refused("PERMISSION_DENIED", "PERMISSION_MISSING"):
            await e.review(glass, token=e.token("nurse", e.other))
        own = e.token("privacy_officer", e.nurse)
        with refused("PERMISSION_DENIED", "OWN_REVIEW"):
            await e.review(glass, token=own)
        elsewhere = (await i.create_facility()).id
        with refused("NOT_FOUND", "BREAK_GLASS_NOT_FOUND"):
            await e.review(glass, token=e.token("privacy_officer", e.officer, elsewhere))
        reviewed = await e.review(glass, token=e.token("privacy_officer", e.officer_there, e.there))
        assert reviewed.review.finding == JUSTIFIED
        assert reviewed.review.reviewer_id == e.officer_there
        assert reviewed.state == BreakGlass.STATE_OPEN
        with refused("FAILED_PRECONDITION", "REVIEWED_ALREADY"):
            await e.review(glass, NOT_JUSTIFIED)


async def test_a_review_that_finds_it_wrong_ends_it(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        glass = await e.break_it()
        reviewed = await e.review(glass, NOT_JUSTIFIED)
        assert reviewed.state == BreakGlass.STATE_ENDED
        assert await e.grants() == []


async def test_an_overdue_review_keeps_from_opening_another(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        glass = await e.break_it()
        i.hub.clock.move(timedelta(days=6))
        other = await e.known(e.there)
        with refused("FAILED_PRECONDITION", "REVIEW_OVERDUE"):
            await e.break_it(patient_id=other)
        await e.break_it(e.token("nurse", e.other), patient_id=other)
        await e.review(glass)
        assert (await e.break_it(patient_id=other)).uses_in_30_days == 2


async def test_the_words_are_for_its_person_and_privacy_officers_and_in_no_event(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        words = "Found unconscious, no papers"
        glass = await e.break_it()
        await e.review(glass, note="Was in the unit")
        for change in await e.told():
            assert not {"reason_text"} & {f.name for f, _ in change.break_glass.ListFields()}
            assert change.break_glass.review.note == ""
            assert change.break_glass.reason == BreakGlass.REASON_UNABLE_TO_CONSENT
        mine = await e.call("ListBreakGlass", e.token("nurse", e.nurse))
        assert [one.reason_text for one in mine.break_glasses] == [words]
        colleague = e.token("nurse", e.other)
        assert not (await e.call("ListBreakGlass", colleague)).break_glasses
        with refused("NOT_FOUND", "BREAK_GLASS_NOT_FOUND"):
            await e.call("GetBreakGlass", colleague, break_glass_id=glass.id)
        for officer, place in ((e.officer, e.here), (e.officer_there, e.there)):
            seen = await e.call(
                "GetBreakGlass",
                e.token("privacy_officer", officer, place),
                break_glass_id=glass.id,
            )
            assert seen.reason_text == words


async def test_lists_by_patient_by_state_and_by_what_waits(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        patients = [await e.known(e.there) for _ in range(3)]
        opened = [await e.break_it(patient_id=patient) for patient in patients]
        await e.call("EndBreakGlass", e.token("nurse", e.nurse), break_glass_id=opened[0].id)
        await e.review(opened[1])
        officer = e.token("privacy_officer", e.officer)

        async def listed(token=officer, **fields):
            answer = await e.call("ListBreakGlass", token, **fields)
            return [
                opened.index(next(o for o in opened if o.id == g.id)) for g in answer.break_glasses
            ]

        assert await listed() == [2, 1, 0]
        assert await listed(patient_id=patients[1]) == [1]
        assert await listed(state=BreakGlass.STATE_OPEN) == [2, 1]
        assert await listed(state=BreakGlass.STATE_ENDED) == [0]
        assert await listed(is_unreviewed=True) == [2, 0]
        assert await listed(is_mine=True) == []
        assert await listed(e.token("nurse", e.nurse), is_mine=True) == [2, 1, 0]
        first = await e.call("ListBreakGlass", officer, page_size=2)
        rest = await e.call(
            "ListBreakGlass", officer, page_size=2, page_token=first.next_page_token
        )
        assert [g.id for g in (*first.break_glasses, *rest.break_glasses)] == [
            one.id for one in reversed(opened)
        ]
        assert rest.next_page_token == ""


async def test_the_ledger_names_the_patient(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        glass = await e.break_it()
        async with i.hub.system("identity") as tx:
            rows = await tx._connection.fetch(
                "SELECT method, subject, patients FROM audit WHERE $1 = ANY (patients)",
                UUID(e.patient),
            )
        assert [(r["method"].rpartition("/")[2], str(r["subject"])) for r in rows] == [
            ("BreakGlass", glass.person_id)
        ]


async def test_an_hour_is_not_made_longer_by_what_is_recorded_in_it(identity):
    async with identity() as i:
        e = await Emergency.at(i)
        await e.break_it()
        token = e.token("nurse", e.nurse, purpose="EMERGENCY", purposes=["EMERGENCY", "TREATMENT"])
        member = CareTeamMember(patient_id=e.patient, facility_id=e.here, member_id=e.nurse)
        request = care_team_service_pb2.JoinCareTeamRequest(member=member)
        contract = care_team_service_pb2.DESCRIPTOR.services_by_name["CareTeamService"]
        with refused("NOT_FOUND", "PATIENT_NOT_KNOWN"):
            await i.hub.call(contract, "JoinCareTeam", request, CareTeamMember, token=token)
        assert [grant.reason for grant in await e.grants()] == ["BREAK_GLASS"]
