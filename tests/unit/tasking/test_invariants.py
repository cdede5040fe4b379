"""The promise, under random events, outcomes, clocks, people who leave, and crashes.

No open loop is ever without an active owner and a live clock, and none closes without evidence.
"""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from libs.chassis.errors import DomainError
from services.tasking.domain.loop import LoopState, settle
from services.tasking.domain.notification import escalations
from services.tasking.domain.owner import Owner
from services.tasking.domain.plan import PatientFacts
from services.tasking.domain.reconcile import changes_between
from services.tasking.domain.task import AttemptResult, ContactAttempt, TaskState
from tests.unit.tasking.hospital import (
    ADMIN,
    DUTY,
    LEAD,
    NETWORK,
    NURSE,
    NURSE_TEAM,
    ON_DUTY,
    OTHER,
    Stored,
    directory,
    local_date,
)
from tests.unit.tasking.record import ALIVE, FACILITY, at, stay

START = at("2026-09-01 09:00")
STAFF = st.sampled_from([LEAD, NURSE, OTHER, DUTY, ADMIN, NETWORK])
DEAD = PatientFacts(is_deceased=True, died_at=at("2026-09-20 10:00"), language="")


class Hospital(RuleBasedStateMachine):
    """One patient with up to three visits; everything that can happen to their loops."""

    def __init__(self):
        super().__init__()
        self.now = START
        self.gone = set()
        self.teams = (NURSE_TEAM, ON_DUTY)
        self.life = ALIVE
        self.visits = {}
        self.loops = {}
        self.told = set()

    @property
    def people(self):
        return directory(without=self.gone, teams=self.teams)

    @initialize()
    def admit(self):
        self.visits[10] = stay()
        self.plan()

    def plan(self):
        for number, visit in self.visits.items():
            others = [other for n, other in self.visits.items() if n != number]
            stored = self.loops.setdefault(number, Stored())
            stored.plan(visit, *others, now=self.now, people=self.people, patient=self.life)

    def put_back(self, stored, after):
        """What an RPC, a handover or a timer does with a changed task."""
        before = list(stored.tasks.values())
        wanted = [after if task.id == after.id else task for task in before]
        loop, tasks = settle(stored.loop, wanted, self.people, self.now)
        stored.apply(changes_between(stored.loop, before, loop, tasks))

    @rule(
        number=st.sampled_from([10, 20, 30]),
        state=st.sampled_from(["IN_PROGRESS", "FINISHED", "FINISHED", "CANCELLED"]),
        kind=st.sampled_from(["INPATIENT", "INPATIENT", "OUTPATIENT", "EMERGENCY"]),
        day=st.integers(0, 25),
        disposition=st.sampled_from(["01", "01", "03", "20"]),
        is_lost=st.booleans(),
    )
    def registry_tells(self, number, state, kind, day, disposition, is_lost):
        admitted = f"2026-09-{1 + (number - 10) // 2:02d} 08:00"
        left = f"2026-09-{min(30, (number - 10) // 2 + 1 + day):02d} 17:40"
        is_home = state == "FINISHED"
        self.visits[number] = stay(
            admitted,
            left if is_home else None,
            id=UUID(int=number),
            state=state,
            visit_class=kind,
            disposition=disposition if is_home else "",
        )
        if not is_lost:  # a crash: the transaction was rolled back, and the event comes again later
            self.plan()

    @rule()
    def the_event_comes_again(self):
        self.plan()

    @rule(is_dead=st.booleans())
    def life_and_death(self, is_dead):
        self.life = DEAD if is_dead else ALIVE
        self.plan()

    @rule(who=STAFF)
    @precondition(lambda self: len(self.gone) < 5)
    def somebody_leaves(self, who):
        if len(self.gone | {who}) < 6:
            self.gone.add(who)
            self.repair()

    @rule(who=STAFF)
    def somebody_comes_back(self, who):
        self.gone.discard(who)
        self.repair()

    @rule(teams=st.sampled_from([(), (ON_DUTY,), (NURSE_TEAM,), (NURSE_TEAM, ON_DUTY)]))
    def teams_change(self, teams):
        self.teams = teams
        self.repair()

    def repair(self):
        people = self.people
        for stored in self.loops.values():
            if stored.loop is None:
                continue
            before = list(stored.tasks.values())
            after = [self.handed_over(task, people) if task.is_open else task for task in before]
            loop, tasks = settle(stored.loop, after, people, self.now)
            stored.apply(changes_between(stored.loop, before, loop, tasks))

    def handed_over(self, task, people):
        to = people.kept_or_handed_over(task.owner, FACILITY, task.role)
        return task.hand_over(to, at=self.now, was_taken=False)

    @rule(
        number=st.sampled_from([10, 10, 20, 30]),
        pick=st.integers(0, 9),
        who=STAFF,
        deed=st.sampled_from(["claim", "decline", "assign", "try_", "reach", "complete"]),
    )
    def somebody_does_something(self, number, pick, who, deed):
        stored = self.loops.get(number)
        if stored is None or not stored.tasks or not self.people.works_at(who, FACILITY):
            return
        steps = sorted(stored.open) or sorted(stored.tasks)
        try:
            self.put_back(stored, getattr(self, deed)(stored[steps[pick % len(steps)]], who))
        except DomainError:
            return

    @rule(number=st.sampled_from([10, 10, 20, 30]), who=STAFF)
    def somebody_does_everything(self, number, who):
        stored = self.loops.get(number)
        if stored is None or not self.people.works_at(who, FACILITY):
            return
        for step in sorted(stored.open):
            with suppress(DomainError):  # the loop may have closed meanwhile, or the step not begun
                self.put_back(stored, self.complete(stored[step], who))

    def claim(self, task, who):
        return task.claim(by=who)

    def decline(self, task, who):
        to = self.people.after_decline(task.owner, FACILITY, task.role, who)
        return task.decline(by=who, reason="cannot", to=to)

    def assign(self, task, who):
        owner = Owner(team_id=task.team_id, staff_id=who, accountable_id=who, is_chosen=True)
        return task.assign(owner)

    def attempt(self, task, who, result):
        made = ContactAttempt(at=self.now, channel="phone", result=result, staff_id=who)
        return task.record_attempt(made, local_date, now=self.now)

    def try_(self, task, who):
        return self.attempt(task, who, AttemptResult.LEFT_MESSAGE)

    def reach(self, task, who):
        return self.attempt(task, who, AttemptResult.REACHED)

    def complete(self, task, who):
        outcome = next(each.key for each in task.outcomes if each.completes)
        return task.complete(by=who, outcome=outcome, note="", at=self.now, local_date=local_date)

    @rule(hours=st.sampled_from([1, 7, 25, 100, 400]))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        for stored in self.loops.values():
            for task in list(stored.tasks.values()):
                after, reached = task.climb(at=self.now)
                if not reached:
                    continue
                told = escalations(after, reached, self.people, self.now)
                assert {each.level for each in told} == {rung.level for rung in reached}
                assert all(self.people.is_active(each.staff_id) for each in told)
                assert not self.told & {each.id for each in told}
                self.told |= {each.id for each in told}
                self.put_back(stored, after)

    @invariant()
    def an_open_loop_has_an_active_owner_and_a_live_clock(self):
        for loop in self.stored_loops(LoopState.OPEN):
            assert self.people.is_active(loop.accountable_id)
            assert loop.clock_at is not None
            open_tasks = [t for t in self.tasks_of(loop) if t.is_open]
            if open_tasks:
                waiting = [task for task in open_tasks if not task.is_satisfied] or open_tasks
                assert loop.clock_at == min(task.clock_at for task in waiting)

    @invariant()
    def none_closes_without_evidence(self):
        for loop in self.stored_loops(LoopState.CLOSED):
            assert loop.evidence
            assert loop.close_reason
            assert loop.closed_at is not None
        for loop in self.stored_loops(LoopState.CANCELLED):
            assert loop.evidence

    @invariant()
    def a_contact_that_stands_was_made_after_the_discharge_that_counts(self):
        for stored in self.loops.values():
            contact = stored.tasks.get("contact")
            if contact and contact.is_satisfied and stored.loop.is_open and stored.loop.anchor_at:
                assert (contact.closed_at or contact.attempts_met_at) >= stored.loop.anchor_at

    @invariant()
    def an_open_task_has_an_active_owner_an_open_loop_and_its_next_level_ahead(self):
        for stored in self.loops.values():
            for task in stored.tasks.values():
                if task.is_open:
                    assert self.people.is_active(task.accountable_id)
                    assert stored.loop.is_open
                    rung = task.next_rung
                    if rung:
                        assert task.next_escalation_at == rung.at
                    else:
                        assert task.is_satisfied == (task.next_escalation_at is None)
                else:
                    assert task.closed_at is not None
                    assert task.next_escalation_at is None
                if task.state is TaskState.COMPLETED:
                    assert task.outcome or task.shown_by

    def stored_loops(self, state):
        return [s.loop for s in self.loops.values() if s.loop and s.loop.state is state]

    def tasks_of(self, loop):
        return next(s for s in self.loops.values() if s.loop is loop).tasks.values()


Hospital.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestThePromise = Hospital.TestCase
