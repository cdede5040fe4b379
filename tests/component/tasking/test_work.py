"""What people do on the worklist, and what they may not."""

import asyncio
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.tasking.v1 import loop_pb2, task_pb2, tasking_events_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from tests.component.tasking.conftest import at


async def refused(coroutine, code, reason):
    with pytest.raises(CallFailed) as error:
        await coroutine
    text = str(error.value)
    assert (error.value.code, error.value.reason) == (code, reason), text


async def contact_of(t, patient=None):
    return (await t.tasks(patient or await t.discharged()))["contact"]


async def test_claim_assign_decline_and_comment(tasking):
    async with tasking() as t:
        contact = await contact_of(t)
        taken = await t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id))
        assert taken.owner.staff_id == str(t.nurse)
        assert taken.owner.display_name == "N Nurse"
        as_other = t.token(t.other)
        again = t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id), as_other)
        await refused(again, "FAILED_PRECONDITION", "TASK_TAKEN")
        declined = await t.call(
            "DeclineTask", rpc.DeclineTaskRequest(task_id=contact.id, reason="Away tomorrow")
        )
        assert declined.owner.staff_id == str(t.lead)
        assert declined.decline_reason == "Away tomorrow"
        given = await t.call(
            "AssignTask", rpc.AssignTaskRequest(task_id=contact.id, team_id=str(t.duty_team))
        )
        assert given.owner.display_name == "Duty · lead E Duty"
        assert given.due_time == contact.due_time
        noted = await t.call(
            "CommentOnTask", rpc.CommentOnTaskRequest(task_id=contact.id, text=" Calls after 5 ")
        )
        assert noted.comments[-1].text == "Calls after 5"
        changed = [
            e for e in await t.told(tasking_events_pb2.TaskChanged) if e.task.id == contact.id
        ]
        assert [each.version for each in changed] == [1, 2, 3, 4, 5]


async def test_a_stale_etag_is_refused_and_a_stranger_cannot_be_given_anything(tasking):
    async with tasking() as t:
        contact = await contact_of(t)
        await t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id, etag=contact.etag))
        stale = rpc.CompleteTaskRequest(task_id=contact.id, outcome="reached", etag=contact.etag)
        await refused(t.call("CompleteTask", stale), "ABORTED", "STALE_ETAG")
        stranger = rpc.AssignTaskRequest(task_id=contact.id, staff_id=str(uuid4()))
        await refused(t.call("AssignTask", stranger), "INVALID_ARGUMENT", "ASSIGNEE_NOT_HERE")
        both = rpc.AssignTaskRequest(task_id=contact.id)
        await refused(t.call("AssignTask", both), "INVALID_ARGUMENT", "OWNER_AMBIGUOUS")
        claim = t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id), t.token(uuid4()))
        await refused(claim, "FAILED_PRECONDITION", "STAFF_NOT_HERE")


async def test_attempts_count_as_the_rule_says_and_reaching_completes(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        contact = await contact_of(t, patient)

        async def attempt(when, result, **fields):
            t.hub.clock.set(at(when))
            request = rpc.RecordContactAttemptRequest(task_id=contact.id, result=result, **fields)
            return await t.call("RecordContactAttempt", request)

        kinds = task_pb2.ContactAttempt
        await attempt("2026-09-05 10:00", kinds.RESULT_LEFT_MESSAGE)
        task = await attempt("2026-09-05 11:00", kinds.RESULT_NO_ANSWER)
        assert [each.is_counted for each in task.attempts] == [True, False]
        assert task.next_escalation_time.seconds
        task = await attempt("2026-09-05 12:01", kinds.RESULT_NO_ANSWER)
        assert task.attempts[-1].is_counted
        assert task.state == task_pb2.Task.STATE_OPEN
        assert not task.HasField("next_escalation_time")
        (loop,) = await t.loops(patient)
        assert [each.kind for each in loop.evidence] == ["CONTACT_ATTEMPTS"]
        task = await attempt("2026-09-06 12:00", kinds.RESULT_REACHED, channel="video")
        assert (task.state, task.outcome) == (task_pb2.Task.STATE_COMPLETED, "reached")
        (loop,) = await t.loops(patient)
        assert [each.kind for each in loop.evidence] == ["CONTACT_ATTEMPTS", "TASK_OUTCOME"]
        await t.promise_is_kept()


async def test_not_reached_ends_the_contact_on_the_last_of_the_thirty_days_if_somebody_tried(
    tasking,
):
    async with tasking() as t:
        contact = await contact_of(t)
        for when in ("2026-09-05 10:00", "2026-09-21 10:00"):
            t.hub.clock.set(at(when))
            request = rpc.RecordContactAttemptRequest(task_id=contact.id, result=2)
            await t.call("RecordContactAttempt", request)
        unable = rpc.CompleteTaskRequest(task_id=contact.id, outcome="unable")
        await refused(t.call("CompleteTask", unable), "FAILED_PRECONDITION", "EVIDENCE_MISSING")
        t.hub.clock.set(at("2026-10-03 09:00"))
        done = await t.call("CompleteTask", unable)
        assert (done.state, done.outcome) == (task_pb2.Task.STATE_COMPLETED, "unable")


async def test_completing_everything_required_closes_the_loop_with_its_evidence(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        outcomes = {"contact": "reached"}
        for step, task in (await t.tasks(patient)).items():
            request = rpc.CompleteTaskRequest(
                task_id=task.id, outcome=outcomes.get(step, ""), note="Done it"
            )
            await t.call("CompleteTask", request)
        (loop,) = await t.loops(patient)
        assert (loop.state, loop.close_reason) == (loop_pb2.Loop.STATE_CLOSED, "COMPLETED")
        assert not loop.HasField("clock_time")
        assert len(loop.evidence) == 6
        assert {each.staff_id for each in loop.evidence} == {str(t.nurse)}
        told = await t.told(tasking_events_pb2.LoopChanged)
        assert told[-1].loop.state == loop_pb2.Loop.STATE_CLOSED
        assert await t.rows("SELECT * FROM timers WHERE kind = 'escalate'") == []
        # The record coming again changes nothing.
        await t.patient(patient, version=2)
        await t.until_rows("SELECT max(version) FROM patients", 2)
        assert len(await t.told(tasking_events_pb2.LoopChanged)) == len(told)


async def test_bad_requests_say_what_is_wrong(tasking):
    async with tasking() as t:
        contact = await contact_of(t)
        for method, request, code, reason in (
            ("CompleteTask", rpc.CompleteTaskRequest(task_id=contact.id), "INVALID_ARGUMENT", "OUTCOME_UNKNOWN"),
            (
                "CompleteTask",
                rpc.CompleteTaskRequest(task_id=contact.id, outcome="attempts_met"),
                "FAILED_PRECONDITION",
                "EVIDENCE_MISSING",
            ),
            ("GetTask", rpc.GetTaskRequest(task_id="x"), "INVALID_ARGUMENT", "ID_INVALID"),
            ("GetTask", rpc.GetTaskRequest(task_id=str(uuid4())), "NOT_FOUND", "TASK_NOT_FOUND"),
            ("GetLoop", rpc.GetLoopRequest(loop_id=str(uuid4())), "NOT_FOUND", "LOOP_NOT_FOUND"),
            ("DeclineTask", rpc.DeclineTaskRequest(task_id=contact.id), "INVALID_ARGUMENT", "TEXT_MISSING"),
            (
                "CommentOnTask",
                rpc.CommentOnTaskRequest(task_id=contact.id, text="x" * 2001),
                "INVALID_ARGUMENT",
                "TEXT_TOO_LONG",
            ),
            (
                "RecordContactAttempt",
                rpc.RecordContactAttemptRequest(task_id=contact.id),
                "INVALID_ARGUMENT",
                "RESULT_MISSING",
            ),
            (
                "RecordContactAttempt",
                rpc.RecordContactAttemptRequest(task_id=contact.id, result=2, channel="pigeon"),
                "INVALID_ARGUMENT",
                "CHANNEL_UNKNOWN",
            ),
            (
                "RecordContactAttempt",
                rpc.RecordContactAttemptRequest(
                    task_id=contact.id, result=2, time=to_timestamp(at("2027-01-01 00:00"))
                ),
                "INVALID_ARGUMENT",
                "ATTEMPT_IN_FUTURE",
            ),
            (
                "RecordContactAttempt",
                rpc.RecordContactAttemptRequest(
                    task_id=contact.id, result=1, time=to_timestamp(at("2020-01-01 00:00"))
                ),
                "INVALID_ARGUMENT",
                "ATTEMPT_BEFORE_START",
            ),
            (
                "CompleteTask",
                rpc.CompleteTaskRequest(task_id=contact.id, outcome="unable"),
                "FAILED_PRECONDITION",
                "EVIDENCE_MISSING",
            ),
        ):  # fmt: skip
            await refused(t.call(method, request), code, reason)


async def test_strangers_find_nothing_and_a_grant_shows_but_does_not_let_change(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        contact = await contact_of(t, patient)
        clinic = uuid4()
        stranger = t.token(uuid4(), clinic)
        get = rpc.GetTaskRequest(task_id=contact.id)
        await refused(t.call("GetTask", get, stranger), "NOT_FOUND", "TASK_NOT_FOUND")
        claim = rpc.ClaimTaskRequest(task_id=contact.id)
        await refused(t.call("ClaimTask", claim, stranger), "NOT_FOUND", "TASK_NOT_FOUND")
        assert await t.tasks(patient, stranger) == {}
        assert await t.loops(patient, stranger) == []
        reader = t.token(uuid4(), permissions=["tasks.read"])
        await refused(t.call("ClaimTask", claim, reader), "PERMISSION_DENIED", "PERMISSION_MISSING")
        grant = access_pb2.Grant(
            grantee_id=str(clinic),
            is_from_anywhere=True,
            purposes=[access_pb2.PURPOSE_TREATMENT],
            data_classes=[access_pb2.DATA_CLASS_DEMOGRAPHICS, access_pb2.DATA_CLASS_COORDINATION],
            labels=[access_pb2.LABEL_NORMAL],
            reason="TREATED",
        )
        access = access_pb2.PatientAccess(patient_id=str(patient), version=1, grants=[grant])
        changed = identity_events_pb2.AccessChanged(access=access, version=1)
        await t.hub.publish(changed, key=patient)
        await t.until_rows("SELECT count(*) FROM grants", 1)
        await refused(t.call("GetTask", get, stranger), "NOT_FOUND", "TASK_NOT_FOUND")
        beat = identity_events_pb2.AccessBeat(version=1)
        beat.beat_time.GetCurrentTime()
        await t.hub.publish(beat, key="identity")
        await t.until_rows("SELECT count(*) FROM access_heartbeat", 1)
        shown = await t.call("GetTask", get, stranger)
        assert shown.patient_name == "Marisol Ejemplo"
        assert len(await t.loops(patient, stranger)) == 1
        await refused(
            t.call("ClaimTask", claim, stranger), "PERMISSION_DENIED", "NOT_YOUR_FACILITY"
        )


async def test_what_is_shown_is_audited_by_patient(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        contact = await contact_of(t, patient)
        await t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id))
        rows = await t.rows("SELECT method, patients, resource FROM audit ORDER BY at")
        assert all(list(row["patients"]) == [patient] for row in rows)
        assert rows[-1]["resource"] == contact.id


async def test_of_two_who_claim_at_once_one_has_it(tasking):
    async with tasking() as t:
        contact = await contact_of(t)
        claim = rpc.ClaimTaskRequest(task_id=contact.id)
        answers = await asyncio.gather(
            *(t.call("ClaimTask", claim, t.token(who)) for who in (t.nurse, t.other, t.lead)),
            return_exceptions=True,
        )
        failed = [each for each in answers if isinstance(each, CallFailed)]
        assert [each.reason for each in failed] == ["TASK_TAKEN"] * 2


async def test_people_and_the_record_change_a_task_at_once_and_nothing_is_lost(tasking):
    async with tasking() as t:
        patient, encounter = uuid4(), uuid4()
        await t.discharged(patient, encounter)
        contact = await contact_of(t, patient)

        async def record():
            for version in range(2, 22):
                day = 1 + version % 4
                await t.tell(
                    t.visit(encounter, patient, version, discharged=f"2026-09-0{day} 12:00")
                )

        async def people():
            for number in range(20):
                request = rpc.CommentOnTaskRequest(task_id=contact.id, text=f"Remark {number}")
                await t.call("CommentOnTask", request)

        await asyncio.gather(record(), people())
        await t.until_rows("SELECT max(version) FROM encounters", 21)
        task = await contact_of(t, patient)
        assert [each.text for each in task.comments] == [f"Remark {n}" for n in range(20)]
        assert task.due_date.day == 4
        told = [e for e in await t.told(tasking_events_pb2.TaskChanged) if e.task.id == contact.id]
        assert sorted(e.version for e in told) == list(range(1, len(told) + 1))
        assert told[-1].task.etag == task.etag
        await t.promise_is_kept()
