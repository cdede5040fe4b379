"""Which critical result is an alarm that was raised already: raised once within a day, unless it is much worse."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tasking.domain.plan import PlanState
from services.tasking.domain.result import is_repeat
from tests.unit.tasking.cases import planned, result


def plan_of(topic, *others):
    return planned(topic, topic, *others, protocol="critical-result")


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
    gone = result("ENTERED_IN_ERROR", verified="2026-09-16 03:30", version=2).after(result())
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
