"""The clock of a demo hub: forward only, the same for everybody at once, and nobody's but a demo's."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from libs.chassis import ids
from libs.local.clock import VARIABLE, ClockNotMoved, ahead_of, clock_file, follow, move, to_step
from libs.local.up import UpSettings


@pytest.fixture
def clock(tmp_path):
    return {VARIABLE: str(clock_file(tmp_path)), "CAREHUB_PARENT_PID": str(os.getppid())}


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch):
    monkeypatch.setattr(ids, "_ahead", timedelta)


def test_who_follows_it_is_moved_at_once_and_the_machine_is_not(clock):
    follow(clock)
    assert abs(ids.now() - datetime.now(UTC)) < timedelta(seconds=30)
    assert move(clock, timedelta(days=2)) == timedelta(days=2)
    assert move(clock, timedelta(hours=3)) == timedelta(days=2, hours=3)
    ahead = ids.now() - datetime.now(UTC)
    assert abs(ahead - timedelta(days=2, hours=3)) < timedelta(seconds=30)
    assert abs(ids.to_machine(ids.now()) - datetime.now(UTC)) < timedelta(seconds=30)
    assert ids.from_machine(ids.to_machine(moment := ids.now())) == moment


def test_it_is_kept_from_one_start_to_the_next(clock, tmp_path):
    move(clock, timedelta(days=9))
    assert ahead_of(clock_file(tmp_path))() == timedelta(days=9)


def test_it_never_goes_back_nor_out_of_sight(clock):
    with pytest.raises(ClockNotMoved, match="only goes forward"):
        move(clock, timedelta(seconds=-1))
    with pytest.raises(ClockNotMoved, match="1098 days"):
        move(clock, timedelta(days=1099))
    assert move(clock, timedelta()) == timedelta()


def test_a_hub_that_is_no_demo_has_no_clock_to_move(tmp_path):
    with pytest.raises(ClockNotMoved, match="only the clock of a demo"):
        move({}, timedelta(days=1))
    assert UpSettings(home=tmp_path).is_demo
    assert not UpSettings(home=tmp_path, empty=True).is_demo
    assert not UpSettings(home=tmp_path, database_url="postgresql://elsewhere").is_demo
    assert not UpSettings(home=tmp_path, nats_url="nats://elsewhere").is_demo


def test_nobody_follows_it_but_a_child_of_up(clock):
    follow({})
    with pytest.raises(ClockNotMoved, match="no demo"):
        follow(
            {**clock, "CAREHUB_PARENT_PID": "1"}
            if os.getppid() != 1
            else {VARIABLE: clock[VARIABLE]}
        )
    with pytest.raises(ClockNotMoved, match="no demo"):
        follow({VARIABLE: clock[VARIABLE]})
    assert abs(ids.now() - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("2d", timedelta(days=2)),
        ("90m", timedelta(minutes=90)),
        ("1d12h", timedelta(hours=36)),
        ("0s", timedelta()),
    ],
)
def test_how_far(text, step):
    assert to_step(text) == step


@pytest.mark.parametrize("text", ["", "2", "d", "-2d", "2w", "2d ", "2d-1h"])
def test_what_is_no_time_to_move_by_is_said(text):
    with pytest.raises(ClockNotMoved, match="no time to move by"):
        to_step(text)
