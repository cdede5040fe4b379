"""What waits is the newest patient's and has the newest times; what left stays as it left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.messaging.domain.contact import Channel, Contact, Means, Way
from services.messaging.domain.hours import MOST_JITTER, Hours
from services.messaging.domain.message import Go, MessageState, Person, Withdrawal, decide
from services.messaging.domain.plan import (
    MERGE_IS_TOLD,
    Appointment,
    Transition,
    for_appointment,
    for_transition,
    reconcile,
)
from services.messaging.domain.template import templates

AT = datetime(2026, 9, 7, 15, tzinfo=UTC)
HOURS = Hours(zone="America/Chicago")
WAY = Way(channel=Channel.SMS, address="+12175550148")
P, Q, R = (UUID(int=n) for n in (3, 4, 5))
VISIT = Appointment(
    id=UUID(int=1), version=1, facility_id=UUID(int=2), patient_id=P, state="BOOKED", start_at=AT + timedelta(days=7),
    labels=("NORMAL",),
)  # fmt: skip
LOOP = Transition(
    id=UUID(int=1), version=1, facility_id=UUID(int=2), patient_id=P, state="OPEN", anchor_at=AT, labels=("NORMAL",)
)  # fmt: skip
STEPS = {"appointment-booked", "appointment-3-days", "appointment-1-day"}


class Told:
    """The messages of one cause, as it is told again and again."""

    def __init__(self):
        self.messages = {}

    def tell(self, cause, at=AT):
        is_visit = isinstance(cause, Appointment)
        wanted = for_appointment(cause, HOURS, at) if is_visit else for_transition(cause, at)
        stored = list(self.messages.values())
        changes = reconcile(cause, wanted, stored, cause.patient_id, at)
        for message in (*changes.new, *changes.changed):
            self.messages[message.id] = message
        return changes

    def tell_of(self, *patients, cause=VISIT, at=AT):
        for version, patient in enumerate(patients, 1):
            changes = self.tell(replace(cause, version=version, patient_id=patient), at)
        return changes

    def merge(self, retired, survivor):
        for id, message in self.messages.items():
            if message.patient_id == retired:
                self.messages[id] = replace(message, patient_id=survivor)

    def become(self, step, change):
        [message] = [m for m in self.messages.values() if m.template == step and m.is_waiting]
        self.messages[message.id] = change(message)
        return self.messages[message.id]

    def send(self, step, at=AT):
        return self.become(step, lambda m: written(m).sent(at))

    def waiting(self):
        """Who waits for what."""
        return sorted((m.patient_id, m.template) for m in self.messages.values() if m.is_waiting)

    def one(self):
        [message] = self.messages.values()
        return message


def written(message):
    return message.written(WAY, "Prairie Clinic: your visit …", "en", AT)


def of(patient, *steps):
    return sorted((patient, step) for step in steps or STEPS)


def test_what_waits_is_of_the_patient_whom_the_visit_turns_out_to_be_of():
    told, only = Told(), Told()
    told.tell_of(P, Q)
    only.tell(replace(VISIT, version=2, patient_id=Q))
    assert told.waiting() == only.waiting() == of(Q)
    withdrawn = [m for m in told.messages.values() if m.patient_id == P]
    assert {m.reason for m in withdrawn} == {Withdrawal.CHANGED}
    due = {(m.template, m.due_at, m.until_at) for m in told.messages.values() if m.is_waiting}
    assert due == {(m.template, m.due_at, m.until_at) for m in only.messages.values()}


def test_what_is_written_for_another_patient_is_written_anew_for_this_one():
    told = Told()
    told.tell(VISIT)
    before = told.become("appointment-booked", written)
    told.tell_of(P, Q)
    assert told.waiting() == of(Q)
    assert told.messages[before.id].state is MessageState.WITHDRAWN
    [anew] = [
        m for m in told.messages.values() if (Q, before.template) == (m.patient_id, m.template)
    ]
    assert (anew.address, anew.text) == ("", "")
    # It may have been leaving; and a merge may say that both are one person.
    assert anew.due_at >= AT + MERGE_IS_TOLD


def test_what_left_for_another_patient_stays_theirs_and_this_one_is_told_too():
    told = Told()
    told.tell(VISIT)
    sent = told.send("appointment-booked")
    told.tell_of(P, Q)
    assert told.messages[sent.id] == sent
    assert told.waiting() == of(Q)
    confirmed = told.send("appointment-booked")
    assert confirmed.patient_id == Q
    told.tell_of(Q, P, Q)
    assert told.waiting() == of(Q, "appointment-1-day", "appointment-3-days")
    told.tell_of(P)
    assert told.waiting() == of(P, "appointment-1-day", "appointment-3-days")


@pytest.mark.parametrize("patients", [(P, Q), (P, Q, P), (P, Q, R), (P, Q, R, Q), (P, Q, P, Q)])
@pytest.mark.parametrize("is_sent", [True, False])
def test_the_same_told_again_makes_nothing_more(patients, is_sent):
    told = Told()
    told.tell_of(patients[0])
    if is_sent:
        told.send("appointment-booked")
    told.tell_of(*patients)
    again = replace(VISIT, version=9, patient_id=patients[-1])
    changes = told.tell(again, AT + timedelta(minutes=3))
    assert (changes.new, changes.changed) == ((), ())
    left = {"appointment-booked"} if is_sent and patients[-1] == P else set()
    assert told.waiting() == of(patients[-1], *STEPS - left)


@pytest.mark.parametrize("why", [Withdrawal.NO_CONSENT, Withdrawal.DECEASED, Withdrawal.NO_ADDRESS])
def test_what_another_patient_could_not_be_told_is_decided_anew_for_this_one(why):
    told = Told()
    told.tell(VISIT)
    told.become("appointment-booked", lambda m: m.withdraw(why))
    told.tell_of(P, Q)
    assert told.waiting() == of(Q)


def test_what_was_put_off_for_another_patient_is_not_too_late_to_begin_for_this_one():
    told, later = Told(), AT + timedelta(days=4, hours=2)
    told.tell(VISIT)
    told.send("appointment-booked")
    told.become("appointment-3-days", lambda m: m.wait(later + timedelta(days=1)))
    told.tell_of(P, Q, at=later)
    assert (Q, "appointment-3-days") in told.waiting()
    told.tell_of(Q, P, at=later)
    assert told.waiting() == of(P, "appointment-1-day", "appointment-3-days")


def test_a_merge_tells_nothing_again_whichever_was_heard_first():
    merged_first = Told()
    merged_first.tell(VISIT)
    merged_first.send("appointment-booked")
    merged_first.merge(P, Q)
    merged_first.tell_of(Q)
    merged_last = Told()
    merged_last.tell(VISIT)
    merged_last.send("appointment-booked")
    merged_last.tell_of(Q)
    [new] = [m for m in merged_last.messages.values() if m.is_waiting and "booked" in m.template]
    assert new.due_at >= AT + MERGE_IS_TOLD
    merged_last.merge(P, Q)
    merged_last.tell_of(Q)
    expected = of(Q, "appointment-1-day", "appointment-3-days")
    assert merged_first.waiting() == merged_last.waiting() == expected


def test_what_two_records_were_to_be_told_is_told_once_after_their_merge():
    told = Told()
    told.tell_of(P, Q)
    sent = told.send("appointment-booked")
    told.merge(P, Q)
    changes = told.tell_of(Q)
    assert (changes.new, changes.changed) == ((), ())
    told.merge(Q, R)
    changes = told.tell_of(R)
    assert (changes.new, changes.changed) == ((), ())
    assert told.messages[sent.id].state is MessageState.SENT


def discharged(anchor_at, version=2, **fields):
    return replace(LOOP, version=version, anchor_at=anchor_at, **fields)


def goes(message, at):
    contact = Contact(patient_id=P, told_phone=WAY.address, consents={"sms": "ALLOWED"})
    means = Means(channels=frozenset({Channel.SMS}))
    person = Person(contact=contact, hours=HOURS)
    return isinstance(decide(message, templates()[message.template], person, means, at), Go)


def test_who_goes_home_days_after_it_was_told_by_mistake_is_told_what_happens_next():
    told, home = Told(), AT + timedelta(days=4, hours=12)
    told.tell(LOOP)
    told.become("discharge-next", lambda m: m.wait(AT + timedelta(hours=17)))
    told.tell(discharged(None), AT + timedelta(hours=1))
    assert told.one().reason == Withdrawal.CHANGED
    now = home + timedelta(hours=12)
    told.tell(discharged(home, 3), now)
    only = Told()
    only.tell(discharged(home, 3), now)
    message, expected = told.one(), only.one()
    assert (message.due_at, message.until_at) == (expected.due_at, expected.until_at)
    assert goes(message, now + MOST_JITTER)


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.parametrize("days", [10, 1, -1])
def test_what_waits_has_the_times_of_the_corrected_discharge(days, is_written):
    told, only = Told(), Told()
    told.tell(discharged(AT + timedelta(days=days), 1))
    if is_written:
        told.become("discharge-next", written)
    told.tell(discharged(AT))
    only.tell(discharged(AT))
    message = told.one()
    assert replace(message, version=1) == only.one()
    assert goes(message, AT + MOST_JITTER)
    again = told.tell(discharged(AT, 3), AT + timedelta(minutes=3))
    assert (again.new, again.changed) == ((), ())


def test_what_was_too_late_for_the_wrong_time_is_not_for_the_right_one():
    told, now = Told(), AT + timedelta(days=4)
    told.tell(LOOP)
    told.become("discharge-next", lambda m: m.withdraw(Withdrawal.TOO_LATE))
    told.tell(LOOP, AT + timedelta(days=1))
    assert told.waiting() == []
    told.tell(discharged(now), now)
    assert goes(told.one(), now + MOST_JITTER)


def test_what_left_keeps_its_times_whatever_time_the_discharge_turns_out_to_have():
    told = Told()
    told.tell(LOOP)
    sent = told.send("discharge-next")
    changes = told.tell(discharged(AT + timedelta(hours=5)))
    assert (changes.new, changes.changed) == ((), ())
    assert told.one() == sent


def test_an_error_of_the_way_counts_no_more_for_another_time():
    told = Told()
    told.tell(LOOP)
    told.become("discharge-next", lambda m: replace(written(m), tries=7))
    told.tell(discharged(AT + timedelta(hours=1)))
    assert (told.one().tries, told.one().next_try_at) == (0, None)


def test_what_was_put_off_stays_put_off_while_its_cause_has_the_same_time():
    told, morning = Told(), AT + timedelta(hours=17)
    told.tell(LOOP)
    told.become("discharge-next", lambda m: m.wait(morning))
    told.tell(replace(LOOP, version=2), AT + timedelta(hours=1))
    assert told.one().due_at == morning
