"""Minutes and what could be billed, through the guard."""

from datetime import timedelta
from uuid import uuid4

import pytest
from carehub.tasking.v1 import claim_pb2, task_pb2, tasking_events_pb2, time_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from tests.component.tasking.conftest import PERMISSIONS, at
from tests.component.tasking.test_told import reconciled

MAY = (*PERMISSIONS, "time.write", "billing.read", "decisions.write")
Level = claim_pb2.MedicalDecision
Attempt = task_pb2.ContactAttempt


def refused(reason):
    return pytest.raises(CallFailed, check=lambda error: error.reason == reason)


def minutes(t, patient, start="2026-09-04 17:00", end="2026-09-04 17:20", **fields):
    told = {"program": "tcm", "activity": "call"} | fields
    return time_pb2.TimeEntry(
        facility_id=str(told.pop("facility", t.here)),
        patient_id=str(patient),
        start_time=to_timestamp(at(start)),
        end_time=to_timestamp(at(end)),
        **told,
    )


async def record(t, entry, token=None):
    token = token or t.token(t.nurse, permissions=MAY)
    return await t.call("RecordTime", rpc.RecordTimeRequest(entry=entry), token)


async def correct(t, entry_id, reason="It was shorter.", token=None, **fields):
    request = rpc.CorrectTimeRequest(entry_id=entry_id, reason=reason, **fields)
    return await t.call("CorrectTime", request, token or t.token(t.nurse, permissions=MAY))


async def listed(t, patient=None, **fields):
    request = rpc.ListTimeRequest(patient_id=str(patient or ""), **fields)
    return await t.call("ListTime", request)


async def test_minutes_are_written_down_once_and_told(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        entry = await record(t, minutes(t, patient))
        assert (entry.staff_id, entry.role_class, entry.revision) == (
            str(t.nurse),
            "clinical_staff",
            1,
        )
        with refused("TIME_OVERLAPS"):
            await record(t, minutes(t, patient, "2026-09-04 17:19", "2026-09-04 17:30"))
        other = t.token(t.other, permissions=MAY)
        await record(t, minutes(t, patient, "2026-09-04 17:10", "2026-09-04 17:30"), other)
        found = await listed(t, patient)
        assert len(found.entries) == 2
        (total,) = found.totals
        assert (total.month, total.program, total.minutes) == ("2026-09", "tcm", 30)
        told = await t.told(tasking_events_pb2.TimeRecorded)
        assert next(each.entry.id for each in told) == entry.id
        assert [each.id for each in (await listed(t)).entries] == [entry.id]


async def test_minutes_of_chronic_care_say_what_they_are_enough_for(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        await record(t, minutes(t, patient, end="2026-09-04 17:15"))
        await record(t, minutes(t, patient, "2026-09-04 16:00", "2026-09-04 16:19", program="ccm"))
        codes = {each.program: list(each.codes) for each in (await listed(t, patient)).totals}
        assert codes == {"tcm": [], "ccm": []}
        await record(t, minutes(t, patient, "2026-09-04 16:19", "2026-09-04 16:40", program="ccm"))
        codes = {each.program: list(each.codes) for each in (await listed(t, patient)).totals}
        assert codes == {"tcm": [], "ccm": ["99490", "99439"]}


async def test_what_cannot_be_is_refused(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        for entry, reason in (
            (minutes(t, patient, end="2026-09-04 17:00"), "TIME_REVERSED"),
            (minutes(t, patient, end="2026-09-05 17:00"), "TIME_IN_FUTURE"),
            (minutes(t, patient, program="golf"), "PROGRAM_UNKNOWN"),
            (minutes(t, patient, activity="golf"), "ACTIVITY_UNKNOWN"),
            (minutes(t, patient, facility=uuid4()), "NOT_YOUR_FACILITY_TIME"),
            (minutes(t, uuid4()), "TIME_PATIENT_NOT_FOUND"),
            (minutes(t, patient, task_id=str(uuid4())), "TASK_NOT_FOUND"),
            (time_pb2.TimeEntry(facility_id=str(t.here), patient_id=str(patient)), "TIME_MISSING"),
        ):
            with refused(reason):
                await record(t, entry)
        assert not (await listed(t, patient)).entries


async def test_a_correction_stands_beside_what_it_replaces_and_only_once(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        first = await record(t, minutes(t, patient))
        with refused("TIME_NOT_YOURS"):
            await correct(t, first.id, token=t.token(t.other, permissions=MAY))
        with refused("TEXT_MISSING"):
            await correct(t, first.id, reason=" ", entry=minutes(t, patient))
        shorter = minutes(t, patient, end="2026-09-04 17:10")
        second = await correct(t, first.id, entry=shorter)
        assert (second.revision, second.replaces_id) == (2, first.id)
        with refused("TIME_REPLACED"):
            await correct(t, first.id, entry=shorter)
        found = await listed(t, patient)
        assert (len(found.entries), found.totals[0].minutes) == (2, 10)
        await record(t, minutes(t, patient, "2026-09-04 17:10", "2026-09-04 17:20"))
        await correct(t, second.id, entry=time_pb2.TimeEntry(is_withdrawn=True))
        assert (await listed(t, patient)).totals[0].minutes == 10


async def test_what_is_done_in_a_task_can_tell_its_minutes_in_the_same_breath(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        tasks = await t.tasks(patient)
        t.hub.clock.set(at("2026-09-08 10:00"))
        token = t.token(t.nurse, permissions=MAY)
        spent = time_pb2.TimeSpent(minutes=15)
        attempt = rpc.RecordContactAttemptRequest(
            task_id=tasks["contact"].id, result=Attempt.RESULT_REACHED, time_spent=spent
        )
        await t.call("RecordContactAttempt", attempt, token)
        done = rpc.CompleteTaskRequest(task_id=tasks["discharge_information"].id, time_spent=spent)
        with refused("TIME_OVERLAPS"):
            await t.call("CompleteTask", done, token)
        assert (await t.tasks(patient))["discharge_information"].state == task_pb2.Task.STATE_OPEN
        done.time_spent.minutes = 0
        with refused("TIME_AMBIGUOUS"):
            await t.call("CompleteTask", done, token)
        done.time_spent.start_time.CopyFrom(to_timestamp(at("2026-09-08 09:40")))
        done.time_spent.end_time.CopyFrom(to_timestamp(at("2026-09-08 09:45")))
        await t.call("CompleteTask", done, token)
        found = await listed(t, patient)
        assert {(each.activity, each.program) for each in found.entries} == {
            ("call", "tcm"),
            ("other", "tcm"),
        }
        assert found.totals[0].minutes == 20


async def test_minutes_go_with_the_patient_who_is_merged(tasking):
    async with tasking() as t:
        retired, survivor = await t.discharged(), uuid4()
        await record(t, minutes(t, retired))
        await t.patient(survivor)
        await t.merge(survivor, retired)
        await t.until_rows("SELECT count(*) FROM time_entries WHERE patient_id = $1", 1, survivor)


async def candidate(t, loop_id):
    token = t.token(t.nurse, permissions=MAY)
    request = rpc.GetClaimCandidateRequest(loop_id=loop_id)
    return await t.call("GetClaimCandidate", request, token)


async def test_a_transition_becomes_a_claim_with_its_packet(tasking):
    async with tasking() as t:
        patient, encounter = uuid4(), uuid4()
        await t.discharged(patient, encounter)
        (loop,) = await t.loops(patient)
        found = await candidate(t, loop.id)
        assert set(found.reasons) == {
            "contact_pending",
            "visit_pending",
            "medrec_pending",
            "mdm_unknown",
        }
        token = t.token(t.nurse, permissions=MAY)
        t.hub.clock.set(at("2026-09-08 10:00"))
        contact = (await t.tasks(patient))["contact"]
        attempt = rpc.RecordContactAttemptRequest(task_id=contact.id, result=Attempt.RESULT_REACHED)
        await t.call("RecordContactAttempt", attempt, token)
        event, key = reconciled(t, patient, encounter, asks=False)
        await t.hub.publish(event, key=key, version=2)
        visit = t.visit(uuid4(), patient, admitted="2026-09-10 10:00", **{"class": 2})
        await t.tell(visit)
        t.hub.clock.set(at("2026-09-11 10:00"))
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'visit' AND state = 'COMPLETED'", 1
        )
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'medication_reconciliation' AND state = 'COMPLETED'",
            1,
        )
        assert list((await candidate(t, loop.id)).reasons) == ["mdm_unknown"]
        for level, code in ((Level.LEVEL_LOW, ""), (Level.LEVEL_HIGH, "99496")):
            decide = rpc.RecordMedicalDecisionRequest(loop_id=loop.id, level=level)
            await t.call("RecordMedicalDecision", decide, token)
            assert (await candidate(t, loop.id)).code == code
        found = await candidate(t, loop.id)
        assert (found.service_date.month, found.service_date.day) == (9, 10)
        assert [each.kind for each in found.evidence] == [
            "RECONCILIATION",
            "TASK_OUTCOME",
            "ENCOUNTER",
        ]
        assert all(check.holds for check in found.trace)
        assert found.discharge_time == to_timestamp(at("2026-09-04 17:40"))
        assert found.decision.staff_id == str(t.nurse)
        told = await t.told(tasking_events_pb2.MedicalDecisionRecorded)
        assert [each.version for each in told] == [1, 2]


@pytest.mark.parametrize("way", ["attempted", "completed"])
@pytest.mark.parametrize(
    ("was", "became", "is_contact"),
    [("nurse", "coordinator", True), ("coordinator", "nurse", False)],
)
async def test_a_contact_counts_by_what_somebody_was_when_they_made_it(
    tasking, was, became, is_contact, way
):
    async with tasking() as t:
        await t.staff(t.nurse, "Rosa Quispe", was, version=2)
        await t.until_rows("SELECT count(*) FROM staff WHERE version = 2", 1)
        patient = await t.discharged()
        (loop,) = await t.loops(patient)
        t.hub.clock.set(at("2026-09-08 10:00"))
        contact, token = (await t.tasks(patient))["contact"], t.token(t.nurse, permissions=MAY)
        if way == "attempted":
            attempt = rpc.RecordContactAttemptRequest(
                task_id=contact.id, result=Attempt.RESULT_REACHED
            )
            await t.call("RecordContactAttempt", attempt, token)
        else:
            done = rpc.CompleteTaskRequest(task_id=contact.id, outcome="reached")
            await t.call("CompleteTask", done, token)
        await t.staff(t.nurse, "Rosa Quispe", became, version=3)
        await t.until_rows("SELECT count(*) FROM staff WHERE version = 3", 1)
        found = await candidate(t, loop.id)
        assert ("contact_pending" not in found.reasons) is is_contact


async def billable(t, patient, encounter, *, called, signed, seen, left=None):
    """Everything that a transition needs: a call, the medicines, a visit, and a physician's word. Its loop."""
    loop = next(e for e in await t.loops(patient) if e.encounter_id == str(encounter))
    token = t.token(t.nurse, permissions=MAY)
    t.hub.clock.set(at(called))
    tasks = await t.call("ListTasks", rpc.ListTasksRequest(patient_id=str(patient)), token)
    contact = next(e for e in tasks.tasks if (e.step, e.loop_id) == ("contact", loop.id))
    attempt = rpc.RecordContactAttemptRequest(task_id=contact.id, result=Attempt.RESULT_REACHED)
    await t.call("RecordContactAttempt", attempt, token)
    event, key = reconciled(t, patient, encounter, asks=False)
    event.reconciliation.sign_time.CopyFrom(to_timestamp(at(signed)))
    await t.hub.publish(event, key=key, version=2)
    await t.tell(t.visit(uuid4(), patient, admitted=seen, **{"class": 2}))
    await t.until_rows(
        "SELECT count(*) FROM tasks WHERE step IN ('visit', 'medication_reconciliation') "
        "AND state = 'COMPLETED' AND loop_id = $1",
        2,
        loop.id,
    )
    t.hub.clock.set(at(seen) + timedelta(hours=1))
    decide = rpc.RecordMedicalDecisionRequest(loop_id=loop.id, level=Level.LEVEL_HIGH)
    await t.call("RecordMedicalDecision", decide, token)
    return loop


async def test_of_two_discharges_within_thirty_days_only_one_is_proposed(tasking):
    async with tasking() as t:
        patient, first_stay, second_stay = uuid4(), uuid4(), uuid4()
        await t.discharged(patient, first_stay)
        first = await billable(
            t,
            patient,
            first_stay,
            called="2026-09-08 10:00",
            signed="2026-09-09 10:00",
            seen="2026-09-10 10:00",
        )
        again = t.visit(
            second_stay, patient, admitted="2026-09-12 08:00", discharged="2026-09-14 10:00"
        )
        await t.tell(again)
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'contact'", 2)
        second = await billable(
            t,
            patient,
            second_stay,
            called="2026-09-15 10:00",
            signed="2026-09-16 10:00",
            seen="2026-09-18 10:00",
        )
        assert (await candidate(t, first.id)).code == "99496"
        found = await candidate(t, second.id)
        assert (found.code, list(found.reasons)) == ("", ["period_overlaps"])
        listed = await t.call(
            "ListClaimCandidates",
            rpc.ListClaimCandidatesRequest(page_size=1),
            t.token(t.nurse, permissions=MAY),
        )
        assert [list(each.reasons) for each in listed.candidates] == [["period_overlaps"]]
        # At a facility that the caller does not see it is there all the same, unless it never leaves that.
        for table in ("loops", "tasks", "decisions"):
            key = "id" if table == "loops" else "loop_id"
            await t.rows(f"UPDATE {table} SET facility_id = $1 WHERE {key} = $2", uuid4(), first.id)
        found = await candidate(t, second.id)
        assert list(found.reasons) == ["period_overlaps"]
        assert first.id not in str(found)
        await t.rows("UPDATE loops SET labels = '{PART2}' WHERE id = $1", first.id)
        assert (await candidate(t, second.id)).code == "99496"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"discharge_disposition": "21"}, "not_eligible_destination"),
        ({"discharge_disposition": ""}, "destination_unknown"),
        ({"class": 0}, "source_unknown"),
    ],
)
async def test_only_home_from_a_stay_is_a_transition(tasking, fields, reason):
    async with tasking() as t:
        patient = await t.discharged(**fields)
        (loop,) = await t.loops(patient)
        assert reason in (await candidate(t, loop.id)).reasons


async def test_candidates_are_listed_for_the_facilities_of_the_caller(tasking):
    async with tasking() as t:
        patients = [await t.discharged() for _ in range(3)]
        token = t.token(t.nurse, permissions=MAY)
        first = await t.call(
            "ListClaimCandidates", rpc.ListClaimCandidatesRequest(page_size=2), token
        )
        more = rpc.ListClaimCandidatesRequest(page_size=2, page_token=first.next_page_token)
        rest = await t.call("ListClaimCandidates", more, token)
        assert rest.next_page_token == ""
        shown = [each.patient_id for each in (*first.candidates, *rest.candidates)]
        assert sorted(shown) == sorted(map(str, patients))
        stranger = t.token(uuid4(), uuid4(), permissions=MAY)
        nothing = await t.call("ListClaimCandidates", rpc.ListClaimCandidatesRequest(), stranger)
        assert not nothing.candidates
        (loop,) = await t.loops(patients[0])
        with refused("LOOP_NOT_FOUND"):
            await t.call(
                "GetClaimCandidate", rpc.GetClaimCandidateRequest(loop_id=loop.id), stranger
            )
        decide = rpc.RecordMedicalDecisionRequest(loop_id=loop.id)
        with refused("LEVEL_MISSING"):
            await t.call("RecordMedicalDecision", decide, token)
