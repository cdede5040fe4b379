"""Random times, zones, events and replies: what may never happen to a patient, whatever comes in which order."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from services.messaging.domain.contact import Channel, Consent, Contact, Means
from services.messaging.domain.hours import Hours, jitter
from services.messaging.domain.message import (
    Go,
    History,
    Message,
    MessageState,
    Never,
    Person,
    Wait,
    Withdrawal,
    decide,
)
from services.messaging.domain.plan import (
    Appointment,
    Transition,
    for_appointment,
    for_transition,
    reconcile,
)
from services.messaging.domain.reply import Meaning
from services.messaging.domain.template import templates

ZONES = (
    "America/New_York", "America/Chicago", "America/Phoenix", "America/Los_Angeles", "Pacific/Honolulu",
    "America/St_Johns", "Pacific/Kiritimati", "Australia/Lord_Howe",
)  # fmt: skip
ROOT, OTHER = UUID(int=1), UUID(int=2)
CHANGED = (MessageState.WITHDRAWN, Withdrawal.CHANGED)
MEANS = Means(channels=frozenset({Channel.SMS, Channel.VOICE, Channel.EMAIL}))


class World:
    """Two records, perhaps of one person, and everything that is told about them; the handlers, without a database."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        pick = self.random
        self.hours = Hours(zone=pick.choice(ZONES))
        # The nights on which clocks change are among the days.
        start = pick.choice([(2026, 3, 5), (2026, 10, 29), (2026, 6, 1)])
        self.now = datetime(*start, tzinfo=UTC) + timedelta(minutes=pick.randrange(1440))
        self.contacts = {
            id: Contact(
                patient_id=id, told_phone=phone, told_email=pick.choice(["", "a@b.example"]),
                consents={c: pick.choice(list(Consent)) for c in Channel}, preferred_channel=pick.choice(["", *Channel]),
                best_from=pick.randrange(12), best_until=pick.randrange(12, 25),
            )
            for id, phone in ((ROOT, "+12175550148"), (OTHER, "+12175550177"))
        }  # fmt: skip
        self.unknown = pick.random() < 0.5
        self.means = replace(MEANS, unknown_is_allowed=self.unknown)
        self.messages: dict[UUID, Message] = {}
        self.causes: dict[UUID, Appointment | Transition] = {}
        self.sent: list[tuple[Message, datetime, Contact]] = []
        self.told: set[tuple[object, ...]] = set()
        self.twice: list[Message] = []
        self.heard_at = dict.fromkeys(self.contacts, datetime.min.replace(tzinfo=UTC))

    def id(self):
        return uuid5(ROOT, str(self.random.random()))

    def patient(self, known=None):
        """Whose something is told to be: now and then somebody else's than before."""
        if known and self.random.random() < 0.8:
            return known
        return self.random.choice(list(self.contacts))

    def anchor(self, known=None):
        """When somebody left, as it is told: perhaps not at all, or by mistake in days to come."""
        if known and self.random.random() < 0.5:
            return known
        left = self.now - timedelta(hours=self.random.uniform(0, 90))
        planned = self.now + timedelta(hours=self.random.uniform(0, 240))
        return self.random.choice([left, left, planned, None])

    def appointment(self):
        known = [c for c in self.causes.values() if isinstance(c, Appointment)]
        states = ["BOOKED", "BOOKED", "NO_SHOW", "CANCELLED", "FULFILLED", "ARRIVED"]
        start = self.now + timedelta(hours=self.random.uniform(-30, 300))
        if known and self.random.random() < 0.6:
            one = self.random.choice(known)
            moved = start if self.random.random() < 0.3 else one.start_at
            self.tell(replace(
                one, version=one.version + 1, state=self.random.choice(states), start_at=moved,
                patient_id=self.patient(one.patient_id),
            ))  # fmt: skip
        else:
            self.tell(Appointment(
                id=self.id(), version=1, facility_id=ROOT, patient_id=self.patient(), state=self.random.choice(states),
                start_at=start, labels=("NORMAL",),
            ))  # fmt: skip

    def transition(self):
        state = self.random.choice(["OPEN", "OPEN", "CLOSED", "CANCELLED"])
        known = [c for c in self.causes.values() if isinstance(c, Transition)]
        if known and self.random.random() < 0.7:
            one = known[0]
            self.tell(replace(
                one, version=one.version + 1, state=state, anchor_at=self.anchor(one.anchor_at),
                patient_id=self.patient(one.patient_id),
            ))  # fmt: skip
        else:
            self.tell(Transition(
                id=self.id(), version=1, facility_id=ROOT, patient_id=self.patient(), state=state, anchor_at=self.anchor(),
                labels=("NORMAL",),
            ))  # fmt: skip

    def tell(self, cause):
        """Once, twice, or an older version after it: it makes no difference."""
        self.causes[cause.id] = cause
        for _ in range(self.random.choice([1, 1, 2])):
            self.plan(self.causes[cause.id])

    def wanted(self, cause):
        if isinstance(cause, Transition):
            return for_transition(cause, self.now)
        return for_appointment(cause, self.hours, self.now)

    def of_cause(self, cause):
        return [m for m in self.messages.values() if cause.id in (m.appointment_id, m.loop_id)]

    def plan(self, cause):
        stored, patient_id = self.of_cause(cause), cause.patient_id
        changes = reconcile(cause, self.wanted(cause), stored, patient_id, self.now)
        for message in (*changes.new, *changes.changed):
            self.messages[message.id] = message

    def merge(self):
        """Both were one person. What that changed elsewhere may be told before it is told itself."""
        if self.random.random() < 0.9 or OTHER not in self.contacts:
            return
        theirs = [c for c in self.causes.values() if c.patient_id == OTHER]
        for cause in self.random.sample(theirs, self.random.randint(0, len(theirs))):
            self.tell(replace(cause, version=cause.version + 1, patient_id=ROOT))
        del self.contacts[OTHER]
        for id, cause in self.causes.items():
            self.causes[id] = self._moved(cause)
        for id, message in self.messages.items():
            self.messages[id] = self._moved(message)
        self.told |= {(ROOT, *step) for _, *step in self.told}
        for cause in self.causes.values():
            self.plan(cause)

    def _moved(self, one):
        return replace(one, patient_id=ROOT) if one.patient_id == OTHER else one

    def reply(self):
        id = self.random.choice(list(self.contacts))
        meaning = self.random.choice([Meaning.CONFIRMED, Meaning.STOP, Meaning.START, Meaning.TEXT])
        if meaning is Meaning.STOP:
            self.contacts[id] = self.contacts[id].stopped()
        elif meaning is Meaning.START:
            is_theirs = self.random.random() < 0.5
            self.contacts[id] = self.contacts[id].started(is_theirs=is_theirs)
        self.heard_at[id] = self.now

    def change(self):
        id = self.random.choice(list(self.contacts))
        name = self.random.choice(["consents", "is_deceased", "told_email"])
        values = {"consents": {c: self.random.choice(list(Consent)) for c in Channel},
                  "is_deceased": self.random.random() < 0.2, "told_email": self.random.choice(["", "a@b.example"])}  # fmt: skip
        self.contacts[id] = replace(self.contacts[id], **{name: values[name]})
        if name == "consents":
            self.contacts[id] = replace(self.contacts[id], stops=())

    def history(self, message):
        theirs = [m for m in self.messages.values() if m.patient_id == message.patient_id]
        heard_at = self.heard_at[message.patient_id]
        unanswered = [m for m in theirs if m.is_question and m.sent_at and m.sent_at > heard_at]
        counted = [m.counted_on for m in theirs if m.counted_on and m.id != message.id]
        return History(counted=counted, unanswered=len(unanswered))

    def run_until(self, end):
        """Fire what is due, in order; sometimes late, as after a restart."""
        while due := sorted(
            (m for m in self.messages.values() if m.state is MessageState.PENDING and m.due_at <= end),
            key=lambda m: (m.due_at, m.id),
        ):  # fmt: skip
            message = due[0]
            late = timedelta(minutes=self.random.choice([0, 0, 0, 5, 400]))
            self.now = max(self.now, min(end, message.due_at + late), message.due_at)
            self.leave(message)
        self.now = max(self.now, end)

    def leave(self, message):
        template = templates()[message.template]
        contact = self.contacts[message.patient_id]
        person = Person(contact=contact, hours=self.hours, history=self.history(message))
        match decide(message, template, person, self.means, self.now):
            case Never(why):
                after = message.withdraw(why)
            case Wait(until):
                after = message.wait(until + jitter(message.id))
            case Go(way):
                written = message.written(way, "…", "en", self.now)
                counted_on = self.hours.day(self.now) if template.is_counted else None
                after = replace(written, counted_on=counted_on).sent(self.now)
                self.sent.append((after, self.now, contact))
                self.note(after)
        self.messages[message.id] = after

    def note(self, message):
        """Of a visit each notice of each time counts; of a discharge, the notice."""
        moment = message.until_at if message.appointment_id else None
        step = (
            message.patient_id,
            message.appointment_id or message.loop_id,
            message.template,
            moment,
        )
        if step in self.told:
            self.twice.append(message)
        self.told.add(step)

    def live(self):
        happenings = [
            self.appointment, self.appointment, self.transition, self.reply, self.change, self.merge,
        ]  # fmt: skip
        for _ in range(40):
            self.random.choice(happenings)()
            self.run_until(self.now + timedelta(hours=self.random.uniform(0, 20)))
        return self


def of_week(days: list[date], day: date) -> int:
    return sum(timedelta() <= day - each < timedelta(days=7) for each in days)


@pytest.mark.parametrize("part", range(8))
def test_what_may_never_happen_to_a_patient(part):
    total = 0
    for seed in range(part * 60, part * 60 + 60):
        world = World(seed).live()
        total += len(world.sent)
        assert max(Counter(m.id for m, _, _ in world.sent).values(), default=0) <= 1, seed
        for message, at, contact in world.sent:
            assert 8 <= world.hours.local(at).hour < 21, (seed, message.template, at)
            assert contact.allows(Channel(message.channel), world.means), (seed, message.template)
            assert not contact.is_deceased, seed
            assert at < message.until_at, seed
        assert world.twice == [], seed
        for id in (ROOT, OTHER):
            days = [
                world.hours.day(at)
                for m, at, _ in world.sent
                if m.patient_id == id and templates()[m.template].is_counted
            ]
            assert max(Counter(days).values(), default=0) <= 1, seed
            assert max((of_week(days, day) for day in days), default=0) <= 3, seed
    assert total > 60  # otherwise nothing was tested


def test_the_same_told_again_changes_nothing():
    for seed in range(40):
        world = World(seed).live()
        before = dict(world.messages)
        for cause in world.causes.values():
            world.plan(cause)
        world.run_until(world.now)
        known = {id: m for id, m in world.messages.items() if id in before}
        assert known == before, seed


def test_what_waits_is_the_newest_patients_and_has_the_newest_times():
    waiting = 0
    for seed in range(240):
        world = World(seed).live()
        for cause in world.causes.values():
            until = {each.template: each.until_at for each in world.wanted(cause)}
            for message in filter(lambda each: each.is_waiting, world.of_cause(cause)):
                waiting += 1
                assert message.patient_id == cause.patient_id, (seed, message.template)
                assert message.until_at == until[message.template], (seed, message.template)
    assert waiting > 240


def test_whoever_a_cause_is_of_has_each_message_that_is_worth_beginning():
    wanted = 0
    for seed in range(240):
        world = World(seed).live()
        for cause in world.causes.values():
            theirs = [m for m in world.of_cause(cause) if m.patient_id == cause.patient_id]
            for each in world.wanted(cause):
                found = {
                    (m.state, m.reason)
                    for m in theirs
                    if m.template == each.template and is_for(m, each)
                }
                is_worth_it = world.now <= each.begins_until
                wanted += is_worth_it
                assert not is_worth_it or found - {CHANGED}, (seed, each.template)
    assert wanted > 240


def is_for(message, wanted):
    is_told_of_loop = message.loop_id and message.state is MessageState.SENT
    return is_told_of_loop or message.until_at == wanted.until_at


def test_jitter_is_ten_minutes_at_most_and_always_the_same():
    ids = [uuid5(ROOT, str(n)) for n in range(500)]
    assert all(timedelta() <= jitter(one) < timedelta(minutes=10) for one in ids)
    assert [jitter(one) for one in ids] == [jitter(one) for one in ids]
    assert len({jitter(one) for one in ids}) > 200


def test_three_questions_without_an_answer_stop_the_rest():
    contact = Contact(patient_id=ROOT, told_phone="+12175550148", consents={"sms": "ALLOWED"})
    at = datetime(2026, 9, 7, 17, tzinfo=UTC)
    message = Message(
        id=ROOT, facility_id=ROOT, patient_id=ROOT, template="appointment-1-day", due_at=at, until_at=at + timedelta(days=1),
        created_at=at, labels=("NORMAL",),
    )  # fmt: skip
    for unanswered, goes in ((2, True), (3, False)):
        person = Person(
            contact=contact,
            hours=Hours(zone="America/Chicago"),
            history=History(unanswered=unanswered),
        )
        decided = decide(message, templates()[message.template], person, MEANS, at)
        assert isinstance(decided, Go) is goes


def test_the_confirmation_of_stop_is_all_that_is_sent_after_it():
    refused = Contact(patient_id=ROOT, told_phone="+12175550148").stopped()
    at = datetime(2026, 9, 7, 4, tzinfo=UTC)  # at night: they have just written
    for key, template in templates().items():
        message = Message(
            id=ROOT, facility_id=ROOT, patient_id=ROOT, template=key, due_at=at, until_at=at + timedelta(minutes=5),
            created_at=at, labels=("NORMAL",),
        )  # fmt: skip
        person = Person(contact=refused, hours=Hours(zone="America/Chicago"))
        decided = decide(message, template, person, MEANS, at)
        assert isinstance(decided, Go) is (key == "reply-stop"), key
