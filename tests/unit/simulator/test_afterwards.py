"""What happens after a discharge: the same from the same seed, every outcome, and nothing that cannot be."""

from collections import Counter
from datetime import date, timedelta

import pytest

from libs.simulator.afterwards import HOSPITAL, MISSED, Outcome, Result, afterwards

START = date(2027, 2, 8)


@pytest.fixture(scope="module")
def many():
    return afterwards(7, 1000, START, 20)


def test_the_same_seed_is_the_same_world_and_another_is_another():
    assert afterwards(7, 40, START, 3) == afterwards(7, 40, START, 3)
    assert afterwards(8, 40, START, 3) != afterwards(7, 40, START, 3)


def test_few_discharges_have_every_outcome_once():
    few = afterwards(1, len(Outcome), START, 3)
    assert Counter(each.outcome for each in few) == Counter(Outcome)


def test_nobody_is_called_or_seen_after_they_are_gone_or_before_they_left(many):
    for one in many:
        left, gone_at = one.stay.discharged_at, one.gone_at
        moments = [call.at for call in one.calls]
        moments += [one.follow_up.at] if one.follow_up else []
        assert not moments or left
        assert all(left < at for at in moments)
        assert all(at < gone_at for at in moments if gone_at)


def test_calls_and_visits_are_at_hours_at_which_people_work(many):
    for one in many:
        assert all(10 <= call.at.astimezone(HOSPITAL).hour < 19 for call in one.calls)
        assert one.follow_up is None or one.follow_up.at.weekday() < 5


def test_both_sides_of_thirty_days_are_drawn(many):
    days = Counter(
        (one.again.admitted_at.date() - one.stay.discharged_at.date()).days
        for one in many
        if one.again
    )
    assert days[1]
    assert days[30]
    assert days[31]
    assert not days[0]


def test_whoever_misses_a_visit_has_one_and_whoever_is_never_reached_is_tried(many):
    for one in many:
        if one.outcome in MISSED:
            assert not one.follow_up.comes
        if one.outcome is Outcome.NEVER_REACHED:
            assert len(one.calls) == 3
            assert Result.REACHED not in {call.result for call in one.calls}
        if one.outcome is Outcome.TAKEN_BACK:
            assert one.taken_back_at < one.stay.discharged_at
            assert one.stay.discharged_at - one.taken_back_at < timedelta(days=2)
