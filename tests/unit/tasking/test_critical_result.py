"""The loop of a critical result: whoever is responsible is told until somebody has read it back, and once."""

from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.tasking.domain.loop import EvidenceKind, LoopState
from services.tasking.domain.plan import PatientFacts, PlanState
from services.tasking.domain.reconcile import STEP_NOT_NEEDED
from services.tasking.domain.task import ReadBack, TaskState
from services.tasking.domain.told import is_repeat
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


def heard(*results):
    """What is known after these versions, in this order."""
    known = None
    for each in results:
        known = each.after(known)
    return known


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
    alarm.hear(heard(final, result(state, verified="2026-09-16 02:25", version=2)), now=minutes(15))
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CANCELLED, "RESULT_WITHDRAWN")
    assert alarm.loop.closed_at == minutes(15)
    assert {task.state for task in alarm.tasks.values()} == {TaskState.CANCELLED}


def test_one_that_was_corrected_in_time_to_what_is_not_critical_ends_with_that_reason():
    alarm, final = Alarm(), result()
    alarm.hear(final)
    corrected = result("CORRECTED", verified="2026-09-16 02:25", criticality="", version=2)
    alarm.hear(heard(final, corrected), now=minutes(15))
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
    alarm.hear(heard(final, after), now=at("2026-09-16 05:01"))
    assert alarm.loop.is_open
    told = alarm["tell_correction"]
    assert (told.state, told.due_at) == (TaskState.OPEN, at("2026-09-16 06:00"))
    assert alarm["acknowledge"].state is TaskState.COMPLETED
    when = at("2026-09-16 05:10")
    alarm.complete("tell_correction", "read_back", NURSE, when, ReadBack(told_name="Q", at=when))
    alarm.hear(alarm.topic, now=when)
    assert (alarm.loop.state, alarm.loop.close_reason) == (LoopState.CLOSED, "CORRECTION_TOLD")


def test_the_same_told_again_and_a_critical_correction_move_no_clock():
    alarm, final = Alarm(), result()
    alarm.hear(final)
    again = result("CORRECTED", 6.9, "2026-09-16 02:40", version=2)
    alarm.hear(heard(final, again), now=minutes(30))
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
    expected = heard(*VERSIONS)
    assert (expected.critical_at, expected.quantity) == (minutes(0), 7.1)
    for order in permutations(VERSIONS):
        assert heard(*order, *order).critical_at == expected.critical_at
        assert heard(*order).verified_at == expected.verified_at


SECOND, THIRD = UUID(int=81), UUID(int=82)


@pytest.mark.parametrize(
    ("later", "is_again"),
    [
        (result(quantity=6.9, verified="2026-09-16 08:00", id=SECOND), True),
        (result(quantity=7.47, verified="2026-09-16 08:00", id=SECOND), True),
        (result(quantity=7.48, verified="2026-09-16 08:00", id=SECOND), False),
        (result(quantity=6.9, verified="2026-09-17 02:10", id=SECOND), False),
        (result(quantity=2.1, criticality="LOW", verified="2026-09-16 08:00", id=SECOND), False),
        (result(analyte="sodium", verified="2026-09-16 08:00", id=SECOND), False),
        (result(quantity=None, verified="2026-09-16 08:00", id=SECOND), True),
        (result(facility_id=UUID(int=2), verified="2026-09-16 08:00", id=SECOND), False),
    ],
)
def test_the_same_alarm_within_a_day_is_raised_once_unless_it_is_much_worse(later, is_again):
    assert is_repeat(later, [result()]) is is_again
    assert is_repeat(result(), [later]) is False
    plan = plan_of(later, result())
    assert (plan is None) is is_again


def test_a_low_one_is_worse_when_it_is_lower():
    first = result(quantity=2.5, criticality="LOW")
    worse = result(quantity=2.2, criticality="LOW", verified="2026-09-16 05:00", id=SECOND)
    same = result(quantity=2.4, criticality="LOW", verified="2026-09-16 05:00", id=SECOND)
    assert is_repeat(worse, [first]) is False
    assert is_repeat(same, [first]) is True


def test_repeats_count_from_the_alarm_and_not_from_each_other():
    again = result(verified="2026-09-16 20:00", id=SECOND)
    next_day = result(verified="2026-09-17 06:00", id=THIRD)
    assert is_repeat(again, [result(), next_day]) is True
    assert is_repeat(next_day, [result(), again]) is False


def test_when_the_first_is_taken_back_the_next_is_the_alarm():
    again = result(verified="2026-09-16 03:00", id=SECOND)
    gone = heard(result(), result("ENTERED_IN_ERROR", verified="2026-09-16 03:30", version=2))
    assert plan_of(again, result()) is None
    assert plan_of(again, gone).state is PlanState.OPEN


ALARMS = st.lists(
    st.builds(
        lambda number, hour, quantity, kind: result(
            quantity=quantity, criticality=kind, id=UUID(int=80 + number), verified=f"2026-09-{16 + hour // 24} {hour % 24:02d}:10"
        ),
        st.integers(0, 5), st.integers(0, 60), st.sampled_from([6.5, 6.8, 7.6, 8.5]), st.sampled_from(["HIGH", "HIGH", "LOW"]),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(ALARMS, st.randoms())
def test_whatever_comes_each_run_of_alarms_is_raised_in_any_order_alike(results, chance):
    shuffled = results[:]
    chance.shuffle(shuffled)
    raised = {each.id for each in results if not is_repeat(each, results)}
    assert raised == {each.id for each in results if not is_repeat(each, shuffled)}
    # Nobody waits for ever: each that is not raised has one before it that was, within a day.
    for each in results:
        if each.id not in raised:
            assert any(
                one.id in raised
                and one.criticality == each.criticality
                and timedelta() <= each.critical_at - one.critical_at < timedelta(hours=24)
                for one in results
            )


def test_steps_that_are_not_needed_any_more_say_so():
    alarm = Alarm()
    alarm.hear(result())
    alarm.acknowledge()
    alarm.hear(heard(result(), result("ENTERED_IN_ERROR", verified="2026-09-16 05:00", version=2)), now=at("2026-09-16 05:01"))  # fmt: skip
    assert alarm["call_patient"].close_reason in (STEP_NOT_NEEDED, "READ_BACK")
