"""The loop of a critical result: whoever is responsible is told until somebody has read it back, and once."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.tasking.domain.loop import EvidenceKind, LoopState
from services.tasking.domain.plan import PatientFacts
from services.tasking.domain.reconcile import STEP_NOT_NEEDED
from services.tasking.domain.task import ReadBack, TaskState
from tests.unit.tasking.cases import Followed, planned, result
from tests.unit.tasking.hospital import DUTY, NURSE
from tests.unit.tasking.record import at

NOW = at("2026-09-16 02:12")
DEAD = PatientFacts(is_deceased=True, died_at=at("2026-09-16 02:30"), language="")
MINUTE = timedelta(minutes=1)


def minutes(count):
    return at("2026-09-16 02:10") + count * MINUTE


def read_back(minute=20):
    return ReadBack(told_name="Dr. A. Quill, hospitalist", at=minutes(minute))


def plan_of(topic, *others, **options):
    return planned(topic, topic, *others, protocol="critical-result", **options)


class Alarm(Followed):
    def hear(self, topic, *others, now=NOW, **options):
        self.topic = topic
        return self.follow(topic, topic, *others, now=now, protocol="critical-result", **options)

    def acknowledge(self, minute=20, now=None):
        self.complete("acknowledge", "read_back", NURSE, now or minutes(minute), read_back(minute))
        return self.hear(self.topic, now=now or minutes(minute))


def latest(*results):
    return reduce(lambda before, each: each.after(before), results, None)


def test_the_duty_team_has_it_at_once_and_the_ladder_climbs_every_quarter_of_an_hour():
    alarm = Alarm()
    alarm.hear(result())
    task = alarm["acknowledge"]
    assert (task.role, task.accountable_id, task.due_at) == ("physician", DUTY, minutes(60))
    assert [(r.at, r.notify, r.channels) for r in task.rungs] == [
        (minutes(0), "owner", ("screen",)),
        (minutes(15), "owner", ("screen", "email")),
        (minutes(30), "physician", ("screen", "email")),
        (minutes(45), "lead", ("screen", "email")),
        (minutes(60), "duty_team", ("screen", "email")),
    ]
    call = alarm["call_patient"]
    assert (call.start_at, call.due_at, call.is_required) == (minutes(60), minutes(120), False)
    assert alarm.loop.result_id == result().id
    assert alarm.loop.why.startswith("A critical result was verified on 2026-09-16")


@pytest.mark.parametrize("state", ["PRELIMINARY", "REGISTERED"])
def test_what_is_not_verified_or_not_critical_opens_nothing(state):
    assert plan_of(result(state)) is None
    assert plan_of(result(criticality="")) is None


def test_only_a_read_back_with_who_and_when_closes_it():
    alarm = Alarm()
    alarm.hear(result())
    for now, told, reason in (
        (minutes(20), None, "EVIDENCE_MISSING"),
        (minutes(20), read_back(-1), "READ_BACK_TIME_INVALID"),
        (minutes(20), read_back(22), "READ_BACK_TIME_INVALID"),
    ):
        with pytest.raises((FailedPrecondition, InvalidArgument)) as refused:
            alarm.complete("acknowledge", "read_back", NURSE, now, told)
        assert refused.value.reason == reason
    alarm.complete("call_patient", "done", NURSE, minutes(70))
    alarm.hear(result(), now=minutes(70))
    assert alarm.loop.is_open
    alarm.acknowledge(20, now=minutes(75))
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CLOSED, "READ_BACK")
    evidence = alarm.loop.evidence[-1]
    assert (evidence.kind, evidence.staff_id, evidence.at) == (
        EvidenceKind.TASK_OUTCOME,
        NURSE,
        minutes(20),
    )
    assert alarm["acknowledge"].read_back == read_back()


def test_an_outcome_that_asks_for_no_read_back_takes_none():
    alarm = Alarm()
    alarm.hear(result())
    with pytest.raises(InvalidArgument) as refused:
        alarm.complete("call_patient", "done", NURSE, minutes(70), read_back(20))
    assert refused.value.reason == "READ_BACK_NOT_ASKED"


@pytest.mark.parametrize("state", ["ENTERED_IN_ERROR", "CANCELLED"])
def test_one_that_was_taken_back_in_time_ends_with_that_reason(state):
    alarm, final = Alarm(), result()
    alarm.hear(final)
    alarm.hear(
        latest(final, result(state, verified="2026-09-16 02:25", version=2)), now=minutes(15)
    )
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CANCELLED, "RESULT_WITHDRAWN")
    assert alarm.loop.closed_at == minutes(15)
    assert {task.state for task in alarm.tasks.values()} == {TaskState.CANCELLED}


def test_one_that_was_corrected_in_time_to_what_is_not_critical_ends_with_that_reason():
    alarm, final = Alarm(), result()
    alarm.hear(final)
    corrected = result("CORRECTED", verified="2026-09-16 02:25", criticality="", version=2)
    alarm.hear(latest(final, corrected), now=minutes(15))
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CLOSED, "RESULT_CORRECTED")


@pytest.mark.parametrize(
    "after",
    [
        result("ENTERED_IN_ERROR", verified="2026-09-16 05:00", version=2),
        result("CORRECTED", verified="2026-09-16 05:00", criticality="", version=2),
    ],
)
def test_whoever_had_read_it_back_is_told_that_it_is_not_so(after):
    alarm, final = Alarm(), result()
    alarm.hear(final)
    alarm.acknowledge()
    assert not alarm.loop.is_open
    alarm.hear(latest(final, after), now=at("2026-09-16 05:01"))
    assert alarm.loop.is_open
    told = alarm["tell_correction"]
    assert (told.state, told.due_at) == (TaskState.OPEN, at("2026-09-16 06:00"))
    assert alarm["acknowledge"].state is TaskState.COMPLETED
    when = at("2026-09-16 05:10")
    alarm.complete("tell_correction", "read_back", NURSE, when, ReadBack(told_name="Q", at=when))
    alarm.hear(alarm.topic, now=when)
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CLOSED, "CORRECTION_TOLD")


HIGH, WORSE, LOW, HARMLESS = (
    {"quantity": 6.8},
    {"quantity": 7.48},
    {"quantity": 2.1, "criticality": "LOW"},
    {"criticality": ""},
)


def corrected(version, minute, **said):
    """A correction that was heard in the minute in which it was verified."""
    verified = f"2026-09-16 {2 + (10 + minute) // 60:02d}:{(10 + minute) % 60:02d}"
    return result("CORRECTED", verified=verified, version=version, **said)


def told_again(alarm, step, minute):
    """Somebody reads it back under a step that is open, and the plan is made anew."""
    assert alarm.loop.is_open
    assert step in alarm.open
    alarm.complete(step, "read_back", NURSE, minutes(minute), read_back(minute))
    alarm.hear(alarm.topic, now=minutes(minute))
    assert not alarm.loop.is_open
    return alarm.loop.close_reason


@pytest.mark.parametrize("said", [LOW, WORSE], ids=["the other direction", "a tenth worse"])
def test_one_that_is_critical_otherwise_after_its_read_back_is_told_again(said):
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge()
    now = latest(result(), corrected(2, 60, **said))
    alarm.hear(now, now=minutes(61))
    assert alarm["tell_change"].due_at == minutes(120)
    assert "critical otherwise" in alarm.loop.why
    # What was read back before stays written down, and does not count for this.
    assert alarm["acknowledge"].read_back == read_back()
    assert told_again(alarm, "tell_change", 70) == "CHANGE_TOLD"
    assert alarm.loop.evidence[-1].at == minutes(70)
    # The same once more is not told once more.
    alarm.hear(latest(now, corrected(3, 80, **said)), now=minutes(81))
    assert not alarm.loop.is_open


def test_a_change_that_nobody_told_for_an_hour_is_told_to_the_patient_and_still_to_the_clinician():
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge()
    now = latest(result(), corrected(2, 60, **LOW))
    alarm.hear(now, now=minutes(61))
    assert alarm.open == {"tell_change", "call_about_change"}
    call = alarm["call_about_change"]
    assert (call.role, call.start_at, call.due_at) == ("nurse", minutes(120), minutes(180))
    assert call.rungs[0].at == minutes(120)  # nobody hears of it before
    alarm.complete("call_about_change", "done", NURSE, minutes(130))
    alarm.hear(now, now=minutes(130))
    assert (alarm.loop.is_open, alarm.open) == (True, {"tell_change"})
    assert told_again(alarm, "tell_change", 140) == "CHANGE_TOLD"


def test_who_is_told_of_a_change_in_time_spares_the_patient_the_call():
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge()
    alarm.hear(latest(result(), corrected(2, 60, **LOW)), now=minutes(61))
    assert told_again(alarm, "tell_change", 70) == "CHANGE_TOLD"
    assert alarm["call_about_change"].state is TaskState.CANCELLED
    # Nobody is called about what is not critical any more: there is nothing to fear for them.
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge()
    alarm.hear(latest(result(), corrected(2, 60, **HARMLESS)), now=minutes(61))
    assert alarm.open == {"tell_correction"}


@pytest.mark.parametrize("said", [{"quantity": 7.47}, {"quantity": 6.3}, {"quantity": None}])
def test_one_that_is_hardly_worse_or_better_is_not_told_again(said):
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge()
    alarm.hear(latest(result(), corrected(2, 60, **said)), now=minutes(61))
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CLOSED, "READ_BACK")


def test_worse_counts_from_what_was_read_back_and_not_from_step_to_step():
    alarm, first = Alarm(), result()
    alarm.hear(first)
    alarm.acknowledge()
    second = latest(first, corrected(2, 60, quantity=7.2))
    alarm.hear(second, now=minutes(61))
    assert not alarm.loop.is_open
    alarm.hear(latest(second, corrected(3, 70, quantity=7.6)), now=minutes(71))
    assert alarm["tell_change"].due_at == minutes(130)


def test_one_that_is_critical_again_after_it_was_told_harmless_is_told_again_and_so_on():
    alarm, known = Alarm(), result()
    alarm.hear(known)
    alarm.acknowledge()
    steps = {True: ("tell_change", "CHANGE_TOLD"), False: ("tell_correction", "CORRECTION_TOLD")}
    for version, said in enumerate((HARMLESS, HIGH, HARMLESS, HIGH, LOW, HARMLESS), 2):
        known = latest(known, corrected(version, version * 20, **said))
        alarm.hear(known, now=minutes(version * 20 + 1))
        step, reason = steps[said is not HARMLESS]
        assert alarm[step].due_at == minutes(version * 20 + 60)
        assert told_again(alarm, step, version * 20 + 5) == reason


def test_harmless_and_critical_as_before_within_the_time_to_tell_it_is_nothing_new():
    alarm, first = Alarm(), result()
    alarm.hear(first)
    alarm.acknowledge()
    harmless = latest(first, corrected(2, 60, **HARMLESS))
    alarm.hear(harmless, now=minutes(61))
    assert "tell_correction" in alarm.open
    alarm.hear(latest(harmless, corrected(3, 65, **HIGH)), now=minutes(66))
    assert (alarm.loop.close_reason, alarm.open) == ("READ_BACK", set())


def test_what_was_read_back_before_a_change_was_heard_is_what_was_known_then():
    late = replace(corrected(2, 5, **LOW), told_at=minutes(30))
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge(20)
    alarm.hear(latest(result(), late), now=minutes(31))
    # Verified before the read-back, and heard after it.
    assert alarm["tell_change"].due_at == minutes(90)
    assert told_again(alarm, "tell_change", 40) == "CHANGE_TOLD"


def test_what_changes_before_anybody_has_read_it_back_is_the_same_alarm():
    alarm = Alarm()
    alarm.hear(result())
    alarm.hear(latest(result(), corrected(2, 10, **LOW)), now=minutes(11))
    assert alarm.open == {"acknowledge", "call_patient"}
    assert alarm["acknowledge"].due_at == minutes(60)
    alarm.acknowledge()
    assert alarm.loop.close_reason == "READ_BACK"


SAID = st.lists(st.sampled_from([HIGH, WORSE, LOW, HARMLESS]), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(SAID, st.randoms())
def test_in_whatever_order_versions_come_who_was_told_knows_what_was_known_then(said, chance):
    versions = [corrected(n, n, **each) for n, each in enumerate(said, 1)] * 2
    chance.shuffle(versions)
    known, stories = None, []
    for minute, each in enumerate(versions):
        known = replace(each, told_at=minutes(minute)).after(known)
        stories.append((minutes(minute), known.now))
    for told_at, then in stories:
        if known.gives_reason and then.criticality:
            is_news = known.now.is_news_after(then)
            assert (known.untold_since(told_at) is not None) is is_news


def test_an_ordinary_result_says_nothing_that_a_plan_looks_at():
    ordinary, critical = result(criticality=""), result()
    assert not ordinary.says_more_than(None)
    assert not latest(ordinary, result(criticality="", version=2)).says_more_than(ordinary)
    assert critical.says_more_than(None)
    assert latest(ordinary, result(version=2)).says_more_than(ordinary)
    assert latest(critical, result(criticality="", version=2)).says_more_than(critical)


def test_the_same_told_again_and_a_critical_correction_move_no_clock():
    alarm, final = Alarm(), result()
    alarm.hear(final)
    again = result("CORRECTED", 6.9, "2026-09-16 02:40", version=2)
    alarm.hear(latest(final, again), now=minutes(30))
    assert alarm["acknowledge"].due_at == minutes(60)
    assert alarm.loop.is_open


def test_death_closes_it():
    alarm = Alarm()
    alarm.hear(result())
    alarm.hear(result(), now=minutes(25), patient=DEAD)
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CLOSED, "DECEASED")


VERSIONS = (
    result("PRELIMINARY", verified="2026-09-16 02:00", version=1),
    result(version=2),
    result("CORRECTED", 5.0, "2026-09-16 02:20", "", version=3),
    result("CORRECTED", 7.1, "2026-09-16 02:30", version=4),
)


def test_versions_in_any_order_and_twice_end_the_same():
    expected = latest(*VERSIONS)
    assert (expected.critical_at, expected.quantity) == (minutes(0), 7.1)
    for order in permutations(VERSIONS):
        assert latest(*order, *order).critical_at == expected.critical_at
        assert latest(*order).verified_at == expected.verified_at


def test_steps_that_are_not_needed_any_more_say_so():
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge()
    alarm.hear(latest(result(), result("ENTERED_IN_ERROR", verified="2026-09-16 05:00", version=2)), now=at("2026-09-16 05:01"))  # fmt: skip
    assert alarm["call_patient"].close_reason in (STEP_NOT_NEEDED, "READ_BACK")
