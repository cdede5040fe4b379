"""From what other services tell to loops and tasks: in any order, twice, and of nobody else's patients."""

import random
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.analytics.v1.analytics_events_pb2 import RiskScored
from carehub.careplans.v1.careplans_events_pb2 import ReconciliationChanged
from carehub.careplans.v1.reconciliation_pb2 import Reconciliation
from carehub.messaging.v1.messaging_events_pb2 import ReplyReceived
from carehub.messaging.v1.reply_pb2 import Reply
from carehub.referrals.v1.referral_pb2 import Referral
from carehub.referrals.v1.referrals_events_pb2 import ReferralChanged
from carehub.scheduling.v1.appointment_pb2 import Appointment
from carehub.scheduling.v1.scheduling_events_pb2 import AppointmentChanged
from carehub.tasking.v1 import loop_pb2, task_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from tests.component.tasking.conftest import at

OPEN, DONE = task_pb2.Task.STATE_OPEN, task_pb2.Task.STATE_COMPLETED


class Story:
    """What scheduling, messaging, referrals, careplans and analytics tell of one patient."""

    def __init__(self, t, patient=None):
        self.t = t
        self.patient = patient or uuid4()
        self.missed, self.again, self.ride, self.reply = (uuid4() for _ in range(4))

    def appointment(self, state, version, *, id=None, start="2026-09-04 10:00", **fields):
        event = AppointmentChanged(version=version)
        told = event.appointment
        told.id, told.facility_id = str(id or self.missed), str(self.t.here)
        told.patient_id = str(self.patient)
        told.state, told.purpose = state, Appointment.PURPOSE_FOLLOW_UP
        told.start_time.CopyFrom(to_timestamp(at(start)))
        told.labels.append(access_pb2.LABEL_NORMAL)
        for name, value in fields.items():
            setattr(told, name, value)
        return event, told.id

    def missed_one(self, version=2):
        return self.appointment(Appointment.STATE_NO_SHOW, version)

    def again_one(self, state=Appointment.STATE_BOOKED, version=1):
        return self.appointment(
            state,
            version,
            id=self.again,
            start="2026-09-11 10:00",
            rebooked_from_id=str(self.missed),
        )

    def answer(self, meaning=Reply.MEANING_BARRIER, barrier=Reply.BARRIER_TRANSPORT):
        event = ReplyReceived(version=1)
        told = event.reply
        told.id, told.facility_id = str(self.reply), str(self.t.here)
        told.patient_id, told.appointment_id = str(self.patient), str(self.missed)
        told.meaning, told.barrier = meaning, barrier
        told.time.CopyFrom(to_timestamp(at("2026-09-04 15:00")))
        return event, told.id

    def ride_one(self, state=Referral.STATE_ACCEPTED, version=3):
        event = ReferralChanged(version=version)
        told = event.referral
        told.id, told.facility_id = str(self.ride), str(self.t.here)
        told.patient_id, told.appointment_id = str(self.patient), str(self.again)
        told.need, told.state = "transportation-insecurity", state
        told.send_time.CopyFrom(to_timestamp(at("2026-09-04 16:00")))
        told.answer_due_time.CopyFrom(to_timestamp(at("2026-09-05 16:00")))
        told.labels.append(access_pb2.LABEL_NORMAL)
        return event, told.id

    async def tell(self, *told):
        for event, key in told:
            await self.t.hub.publish(event, key=key, version=event.version)

    async def heard(self, consumer, count):
        await self.t.until_rows(
            "SELECT count(*) FROM inbox WHERE consumer = $1", count, f"tasking-{consumer}"
        )

    async def loop(self, protocol="missed-visit"):
        found = [each for each in await self.t.loops(self.patient) if each.protocol == protocol]
        return found[0] if found else None


def states(tasks):
    return {step: task.state for step, task in tasks.items()}


async def test_a_missed_visit_is_asked_about_and_its_answer_opens_what_helps(tasking):
    async with tasking() as t:
        story = Story(t)
        await story.tell(story.missed_one())
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'ask_why'", 1)
        loop = await story.loop()
        assert (loop.appointment_id, loop.encounter_id) == (str(story.missed), "")
        assert loop.HasField("clock_time")
        await story.tell(story.answer())
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'arrange_ride'", 1)
        tasks = await t.tasks(story.patient)
        assert (tasks["ask_why"].state, tasks["ask_why"].outcome) == (DONE, "transport")
        await story.tell(story.again_one(), story.ride_one())
        await t.until_rows("SELECT count(*) FROM tasks WHERE state = 'COMPLETED'", 3)
        await story.tell(story.again_one(Appointment.STATE_FULFILLED, 4))
        await t.until_rows("SELECT count(*) FROM loops WHERE close_reason = 'ATTENDED'", 1)
        loop = await story.loop()
        assert loop.state == loop_pb2.Loop.STATE_CLOSED
        assert {each.kind for each in loop.evidence} == {"REPLY", "APPOINTMENT", "REFERRAL"}
        assert loop.evidence[-1].source_id == str(story.again)
        await t.promise_is_kept()


async def test_what_somebody_heard_by_telephone_opens_the_next_step(tasking):
    async with tasking() as t:
        story = Story(t)
        await story.tell(story.missed_one())
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'ask_why'", 1)
        task = (await t.tasks(story.patient))["ask_why"]
        await t.call("CompleteTask", rpc.CompleteTaskRequest(task_id=task.id, outcome="transport"))
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'arrange_ride'", 1)
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'second_attempt' AND state = 'OPEN'", 0
        )
        book = (await t.tasks(story.patient))["book_again"]
        await t.call("CompleteTask", rpc.CompleteTaskRequest(task_id=book.id, outcome="declined"))
        await t.until_rows("SELECT count(*) FROM loops WHERE close_reason = 'DECLINED'", 1)
        (evidence,) = [
            e for e in (await story.loop()).evidence if e.source_id == book.id and not e.step
        ]
        assert evidence.staff_id == str(t.nurse)
        await t.promise_is_kept()


async def test_in_any_order_and_twice_it_ends_the_same(tasking):
    async with tasking() as t:
        for seed in range(4):
            story = Story(t)
            told = [
                story.appointment(Appointment.STATE_BOOKED, 1),
                story.missed_one(),
                story.answer(),
                story.again_one(),
                story.ride_one(Referral.STATE_REQUESTED, 2),
                story.ride_one(),
            ] * 2
            random.Random(seed).shuffle(told)
            await story.tell(*told)
            await story.heard("appointments", 6 * (seed + 1))
            await story.heard("replies", 2 * (seed + 1))
            await story.heard("referrals", 4 * (seed + 1))
            tasks = {
                step: state
                for step, state in states(await t.tasks(story.patient)).items()
                if state in (OPEN, DONE)
            }
            followed = {"see_that_they_come": OPEN, "see_that_help_came": OPEN}
            assert tasks == {"ask_why": DONE, "arrange_ride": DONE, "book_again": DONE} | followed
        await t.promise_is_kept()


async def test_a_late_arrival_cancels_it_also_when_it_is_told_first(tasking):
    async with tasking() as t:
        first, late = Story(t), Story(t)
        kept = first.appointment(Appointment.STATE_FULFILLED, 3)
        await first.tell(kept, first.missed_one())
        await first.heard("appointments", 2)
        assert await t.loops(first.patient) == []
        await late.tell(late.missed_one())
        await t.until_rows("SELECT count(*) FROM loops", 1)
        await late.tell(late.appointment(Appointment.STATE_FULFILLED, 3))
        await t.until_rows("SELECT count(*) FROM loops WHERE close_reason = 'KEPT'", 1)
        await t.promise_is_kept()


async def test_a_score_that_arrives_late_or_early_makes_the_plan_anew(tasking):
    async with tasking() as t:
        for is_early in (False, True):
            patient, encounter = uuid4(), uuid4()
            event = RiskScored(version=1)
            event.risk.id, event.risk.facility_id = str(uuid4()), str(t.here)
            event.risk.patient_id, event.risk.encounter_id = str(patient), str(encounter)
            event.risk.instrument, event.risk.score = "LACE", 10
            event.risk.labels.append(access_pb2.LABEL_NORMAL)
            if is_early:
                await t.hub.publish(event, key=event.risk.id, version=1)
                await t.until_rows("SELECT count(*) FROM risks WHERE patient_id = $1", 1, patient)
            await t.discharged(patient, encounter)
            if not is_early:
                assert "home_visit" not in await t.tasks(patient)
                await t.hub.publish(event, key=event.risk.id, version=1)
            await t.until_rows(
                "SELECT count(*) FROM tasks WHERE step = 'home_visit' AND patient_id = $1",
                1,
                patient,
            )
            assert (await t.tasks(patient))["visit"].due_date.day == 11


def reconciled(t, patient, encounter, version=2, *, answered=False, asks=True):
    event = ReconciliationChanged(version=version)
    told = event.reconciliation
    told.id, told.facility_id = str(encounter), str(t.here)
    told.patient_id, told.encounter_id = str(patient), str(encounter)
    told.state, told.signed_by_id = Reconciliation.STATE_SIGNED, str(t.nurse)
    told.sign_time.CopyFrom(to_timestamp(at("2026-09-05 11:00")))
    told.labels.append(access_pb2.LABEL_NORMAL)
    if asks:
        line = told.lines.add(id=str(encounter)[:-4] + "0001", ask_role="physician")
        line.decision = Reconciliation.DECISION_ASK
        line.ask_due_time.CopyFrom(to_timestamp(at("2026-09-08 17:00")))
        if answered:
            line.answer_time.CopyFrom(to_timestamp(at("2026-09-07 09:00")))
    return event, told.id


async def test_a_signed_reconciliation_is_evidence_and_what_it_asks_is_somebodys_task(tasking):
    async with tasking() as t:
        story, encounter = Story(t), uuid4()
        await t.discharged(story.patient, encounter)
        await story.tell(reconciled(t, story.patient, encounter))
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'ask_physician'", 1)
        tasks = await t.tasks(story.patient)
        assert tasks["medication_reconciliation"].state == DONE
        transition = await story.loop("discharge-transition")
        (evidence,) = [e for e in transition.evidence if e.kind == "RECONCILIATION"]
        assert (evidence.source_id, evidence.staff_id) == (str(encounter), str(t.nurse))
        await story.tell(reconciled(t, story.patient, encounter, 3, answered=True))
        await t.until_rows("SELECT count(*) FROM loops WHERE close_reason = 'ANSWERED'", 1)
        await t.promise_is_kept()


async def test_a_partner_that_does_not_answer_is_asked_and_help_closes_it(tasking):
    async with tasking() as t:
        story = Story(t)
        await story.tell(story.ride_one(Referral.STATE_REQUESTED, 2))
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'ask_for_answer'", 1)
        task = (await t.tasks(story.patient))["ask_for_answer"]
        assert task.start_time == to_timestamp(at("2026-09-05 16:00"))
        await story.tell(story.ride_one(Referral.STATE_COMPLETED, 5))
        await t.until_rows("SELECT count(*) FROM loops WHERE close_reason = 'HELPED'", 1)
        await t.promise_is_kept()


async def test_a_need_whose_next_service_is_only_a_draft_has_an_owner_and_a_clock(tasking):
    async with tasking() as t:
        story = Story(t)
        await story.tell(story.ride_one(Referral.STATE_REQUESTED, 2))
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'ask_for_answer'", 1)
        gave_way, following = story.ride_one(Referral.STATE_CANCELLED, 3), story.ride_one()
        gave_way[0].referral.state_reason = "ASKED_NEXT"
        gave_way[0].referral.end_time.CopyFrom(to_timestamp(at("2026-09-04 18:00")))
        draft, next_id = following[0], str(uuid4())
        draft.referral.id, draft.referral.follows_id = next_id, str(story.ride)
        draft.referral.state, draft.version = Referral.STATE_DRAFT, 1
        draft.referral.ClearField("send_time")
        await story.tell(gave_way, (draft, next_id))
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'ask_next' AND state = 'OPEN'", 1
        )
        await story.heard("referrals", 3)
        loop = await story.loop("referral-follow-up")
        assert (loop.state, loop.HasField("clock_time")) == (loop_pb2.Loop.STATE_OPEN, True)
        sent, _ = story.ride_one(Referral.STATE_REQUESTED, 2)
        sent.referral.id, sent.referral.follows_id = next_id, str(story.ride)
        await story.tell((sent, next_id))
        await t.until_rows("SELECT count(*) FROM loops WHERE close_reason = 'NEXT_ASKED'", 1)
        await t.promise_is_kept()


@pytest.mark.parametrize(
    ("meaning", "step"), [("MEANING_CRISIS", "act_at_once"), ("MEANING_TEXT", "read_answer")]
)
async def test_an_answer_that_needs_somebody_reaches_somebody(tasking, meaning, step):
    async with tasking() as t:
        story = Story(t)
        t.hub.clock.set(at("2026-09-04 15:00"))
        await story.tell(story.answer(Reply.Meaning.Value(meaning), Reply.BARRIER_UNSPECIFIED))
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = $1", 1, step)
        if step == "act_at_once":
            await t.until_rows("SELECT count(*) FROM notifications WHERE staff_id = $1", 1, t.duty)
        task = (await t.tasks(story.patient))[step]
        await t.call("CompleteTask", rpc.CompleteTaskRequest(task_id=task.id))
        loop = await story.loop("reply-follow-up")
        assert (loop.state, loop.close_reason) == (loop_pb2.Loop.STATE_CLOSED, "COMPLETED")
        assert list(loop.labels) == [access_pb2.LABEL_WITHHELD]
        await t.promise_is_kept()


@pytest.mark.parametrize("in_one_batch", [False, True])
async def test_a_missed_visit_that_its_clinic_cancels_afterwards_stays_somebodys_task(
    tasking, in_one_batch
):
    async with tasking(people=not in_one_batch) as t:
        story = Story(t)
        await story.tell(story.missed_one(2))
        if not in_one_batch:
            await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'ask_why'", 1)
        await story.tell(story.appointment(Appointment.STATE_CANCELLED, 3))
        await story.heard("appointments", 2)
        if in_one_batch:
            await t.people()
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'ask_why' AND state = 'OPEN'", 1
        )
        assert (await story.loop()).state == loop_pb2.Loop.STATE_OPEN
        moved = story.appointment(Appointment.STATE_BOOKED, 4, start="2026-09-11 10:00")
        await story.tell(moved)
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'book_again' AND state = 'COMPLETED'", 1
        )
        await story.tell(
            story.appointment(Appointment.STATE_FULFILLED, 5, start="2026-09-11 10:00")
        )
        await t.until_rows("SELECT count(*) FROM loops WHERE close_reason = 'ATTENDED'", 1)
        await t.promise_is_kept()


async def test_what_is_told_of_a_patient_without_a_loop_is_kept_and_plans_nothing(tasking):
    async with tasking() as t:
        story = Story(t)
        await story.tell(story.appointment(Appointment.STATE_BOOKED, 1))
        await t.until_rows("SELECT count(*) FROM appointments WHERE waits_for = ''", 1)
        assert await t.loops(story.patient) == []


async def test_it_goes_with_the_patient_who_is_merged_and_waits_for_its_facility(tasking):
    async with tasking(people=False) as t:
        story, survivor = Story(t), uuid4()
        await story.tell(story.missed_one())
        await t.until_rows("SELECT count(*) FROM appointments WHERE waits_for <> ''", 1)
        await t.people()
        await t.until_rows("SELECT count(*) FROM loops", 1)
        await t.patient(story.patient)
        await t.patient(survivor)
        await t.merge(survivor, story.patient)
        await t.until_rows("SELECT count(*) FROM loops WHERE patient_id = $1", 1, survivor)
        await story.tell(story.answer())
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'arrange_ride' AND patient_id = $1",
            1,
            survivor,
        )
        await t.promise_is_kept()
