"""A loop that is over says what the record says now; and the way to the same record does not matter."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tasking.domain.loop import EvidenceKind, LoopState
from services.tasking.domain.plan import PatientFacts
from services.tasking.domain.task import TaskState
from tests.unit.tasking.hospital import Stored
from tests.unit.tasking.record import ALIVE, at, planned, stay
from tests.unit.tasking.test_reconcile import AGAIN, DEAD, HOME, NOW, done, tried


@pytest.fixture
def stored():
    stored = Stored()
    stored.plan(HOME, now=NOW)
    return stored


def test_a_loop_that_is_over_is_so_for_what_the_record_says_now(stored):
    stored.plan(stay(discharged="2026-09-04 17:40", disposition="03"), now=NOW)
    assert stored.loop.close_reason == "NOT_ELIGIBLE"
    later = NOW + timedelta(days=7)
    stored.plan(HOME, AGAIN, now=later)  # home after all, and back before anybody heard of that
    assert (stored.loop.state, stored.loop.close_reason) == (LoopState.CLOSED, "READMITTED")
    assert stored.loop.closed_at == AGAIN.admitted_at
    assert [each.source_id for each in stored.loop.evidence] == [AGAIN.id]
    sooner = stay("2026-09-08 10:00", id=UUID(int=31))
    stored.plan(HOME, AGAIN, sooner, now=later)
    assert stored.loop.closed_at == sooner.admitted_at
    assert [each.source_id for each in stored.loop.evidence] == [sooner.id]


def test_its_tasks_are_over_for_the_same(stored):
    stored.plan(stay(discharged="2026-09-04 17:40", disposition="03"), now=NOW)
    stored.plan(HOME, AGAIN, now=NOW + timedelta(days=7))
    assert {(task.close_reason, task.closed_at) for task in stored.tasks.values()} == {
        ("READMITTED", AGAIN.admitted_at)
    }


def test_a_visit_that_was_cancelled_shows_nothing_of_a_loop_that_is_over(stored):
    seen = {"id": UUID(int=20), "visit_class": "OUTPATIENT"}
    stored.plan(HOME, stay("2026-09-09 10:00", **seen), now=NOW)
    stored.plan(HOME, AGAIN, stay("2026-09-09 10:00", **seen), now=NOW)
    assert stored["visit"].shown_by.source_id == seen["id"]
    stored.plan(HOME, AGAIN, stay("2026-09-09 10:00", **seen, state="CANCELLED"), now=NOW)
    visit = stored["visit"]
    assert (visit.state, visit.close_reason, visit.shown_by) == (
        TaskState.CANCELLED,
        "READMITTED",
        None,
    )
    assert [each.source_id for each in stored.loop.evidence] == [AGAIN.id]


def test_a_visit_that_is_told_late_shows_its_step_of_a_loop_that_is_over(stored):
    stored.plan(HOME, AGAIN, now=NOW)
    seen = stay("2026-09-09 10:00", id=UUID(int=20), visit_class="OUTPATIENT")
    stored.plan(HOME, AGAIN, seen, now=NOW)
    assert (stored["visit"].state, stored["visit"].closed_at) == (
        TaskState.COMPLETED,
        seen.admitted_at,
    )
    assert [each.step for each in stored.loop.evidence] == ["visit", ""]
    again = stored.plan(HOME, AGAIN, seen, now=NOW + timedelta(days=1))
    assert (again.loop, again.tasks) == (None, ())


def test_attempts_that_were_made_in_time_stay_evidence_of_a_loop_that_ended_before_them(stored):
    for when in ("2026-09-05 09:00", "2026-09-05 15:00"):
        stored.tasks["contact"] = tried(stored["contact"], when)
    sooner = stay("2026-09-05 08:00", id=UUID(int=31))
    for _ in range(2):
        stored.plan(HOME, sooner, now=NOW)
        kinds = [(each.kind, each.at) for each in stored.loop.evidence]
        assert kinds[0] == (EvidenceKind.CONTACT_ATTEMPTS, at("2026-09-05 15:00"))
        assert stored.loop.closed_at == sooner.admitted_at


def test_an_end_without_a_moment_counts_from_when_it_was_first_heard_of(stored):
    unknown = PatientFacts(is_deceased=True, died_at=None, language="es")
    stored.plan(HOME, now=NOW, patient=unknown)
    again = stored.plan(HOME, now=NOW + timedelta(days=2), patient=unknown)
    assert (again.loop, again.tasks, stored.loop.closed_at) == (None, (), NOW)
    stored.plan(HOME, now=NOW + timedelta(days=3), patient=DEAD)
    assert stored.loop.closed_at == DEAD.died_at


def test_what_was_completed_stays_so_whatever_ends_it_later(stored):
    for step in list(stored.tasks):
        done(stored, step)
    stored.plan(HOME, now=NOW)
    after = stored.plan(HOME, AGAIN, now=NOW + timedelta(days=7), patient=DEAD)
    assert (after.loop, stored.loop.close_reason) == (None, "COMPLETED")


# Any way to the same record ends in the same loops, tasks and due times.

moments = st.integers(0, 20).map(lambda n: f"2026-09-{n + 1:02d} {n % 24:02d}:15")


@st.composite
def stays(draw, number):
    discharged = draw(st.none() | moments)
    return stay(
        draw(moments) if discharged is None else "2026-09-01 00:00",
        discharged,
        id=UUID(int=number),
        state=draw(st.sampled_from(["IN_PROGRESS", "FINISHED", "CANCELLED"])),
        visit_class=draw(st.sampled_from(["INPATIENT", "INPATIENT", "EMERGENCY", "OUTPATIENT"])),
        disposition=draw(st.sampled_from(["", "01", "03", "20"])) if discharged else "",
    )


@st.composite
def histories(draw):
    """Versions of three encounters and of the patient, delivered in any order, some of them twice."""
    versions = []
    for number in (10, 20, 30):
        told = draw(st.lists(stays(number), min_size=1, max_size=4))
        versions += [(number, version, each) for version, each in enumerate(told)]
    lives = draw(st.lists(st.sampled_from([ALIVE, DEAD]), min_size=1, max_size=3))
    versions += [(0, version, each) for version, each in enumerate(lives)]
    twice = draw(st.lists(st.sampled_from(versions), max_size=4))
    return draw(st.permutations(versions + twice))


class World:
    """What is projected, and the loops of each encounter."""

    def __init__(self):
        self.newest = {0: (-1, ALIVE)}
        self.loops = {}

    def tell(self, number, version, snapshot):
        if version > self.newest.get(number, (-1, None))[0]:
            self.newest[number] = (version, snapshot)
        self.plan()

    def plan(self):
        encounters = [told for number, (_, told) in self.newest.items() if number]
        for each in encounters:
            others = [other for other in encounters if other.id != each.id]
            stored = self.loops.setdefault(each.id, Stored())
            stored.plan(each, *others, now=NOW, patient=self.newest[0][1])

    @property
    def outcome(self):
        return {
            loop_of: (stored.loop.clock_at, stored.loop.accountable_id, tasks_of(stored))
            for loop_of, stored in self.loops.items()
            if stored.loop and stored.loop.is_open
        }

    def wanted_plan(self, loop_of):
        encounters = [told for number, (_, told) in self.newest.items() if number]
        (about,) = [each for each in encounters if each.id == loop_of]
        others = [each for each in encounters if each is not about]
        return planned(about, *others, patient=self.newest[0][1])

    def wanted_end(self, loop_of):
        plan = self.wanted_plan(loop_of)
        if plan is None:
            return LoopState.CANCELLED, "NOT_ELIGIBLE", NOW
        return LoopState(plan.state), plan.close_reason, plan.closed_at or NOW

    def wanted_done(self, loop_of):
        """Which of the tasks that there are the record shows done, and by what."""
        plan = self.wanted_plan(loop_of)
        shown = {step: by.source_id for step, by in plan.shown} if plan else {}
        return {step: by for step, by in shown.items() if step in self.loops[loop_of].tasks}

    @property
    def ends(self):
        """How each loop that is over ended."""
        return {
            loop_of: (stored.loop.state, stored.loop.close_reason, stored.loop.closed_at)
            for loop_of, stored in self.loops.items()
            if stored.loop and not stored.loop.is_open
        }


def tasks_of(stored):
    return {
        (task.step, task.due_at, task.start_at, task.next_escalation_at, task.accountable_id)
        for task in stored.tasks.values()
        if task.is_open
    }


@settings(max_examples=150, deadline=None)
@given(histories())
def test_any_order_of_snapshots_ends_in_the_same_loops_tasks_and_due_times(history):
    world, newest = World(), World()
    for told in history:
        world.tell(*told)
    newest.newest = dict(sorted(world.newest.items()))
    newest.plan()
    assert world.outcome == newest.outcome
    # Where there was a loop for a while, it is over for what ends it now.
    assert world.ends == {loop_of: world.wanted_end(loop_of) for loop_of in world.ends}
    for loop_of, (_, reason, _) in world.ends.items():
        tasks = world.loops[loop_of].tasks.values()
        done = {t.step: t.shown_by.source_id for t in tasks if t.state is TaskState.COMPLETED}
        if reason != "NOT_ELIGIBLE":
            assert done == world.wanted_done(loop_of)
