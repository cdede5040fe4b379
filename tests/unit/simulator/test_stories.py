"""What is done in the stories around the one that is watched, and how what is left to do is kept and tried again."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest

from libs.local.process import free_port
from libs.simulator.afterwards import MISSED, How, Outcome
from libs.simulator.stories.act import What, acts
from libs.simulator.stories.cohort import STORIES, Cohort, Pace, act_once, play_stories
from libs.simulator.stories.hub import Hub
from libs.simulator.stories.staff import Staff
from libs.simulator.stories.telling import message

NOW = datetime(2027, 2, 10, 15, 0, tzinfo=UTC)
# What the telling systems, and not people, do.
TOLD = {What.FIRST_KNOWN, What.ADMITTED, What.NOT_ADMITTED, What.SENT_HOME, What.SENT_HOME_EARLY, What.STAYED, What.MOVED,
        What.MERGED, What.DIED, What.BACK, What.BACK_LEFT, What.CLINIC_BOOKS}  # fmt: skip


@pytest.fixture(scope="module")
def cohort():
    return Cohort.begin(NOW)


def done(plan):
    return [act.what for act in acts(plan)]


def one(cohort, outcome):
    return next(plan for plan in cohort.stories.values() if plan.outcome is outcome)


def test_hundreds_of_stories_have_every_outcome_and_some_began_before(cohort):
    assert len(cohort.stories) == STORIES >= 200
    assert {plan.outcome for plan in cohort.stories.values()} == set(Outcome)
    begun = [plan for plan in cohort.stories.values() if plan.stay.admitted_at < NOW]
    assert STORIES / 10 < len(begun) < STORIES / 2


def test_acts_are_in_order_and_begin_with_the_stay(cohort):
    for plan in cohort.stories.values():
        found = acts(plan)
        assert found == sorted(found, key=lambda act: act.at)
        assert found[0].what in (What.ADMITTED, What.FIRST_KNOWN)
        assert all(act.at >= plan.stay.admitted_at - timedelta(minutes=1) for act in found)


@pytest.mark.parametrize(
    ("outcome", "what"),
    [
        (Outcome.NOT_ADMITTED, What.NOT_ADMITTED),
        (Outcome.TAKEN_BACK, What.STAYED),
        (Outcome.READMITTED, What.BACK_LEFT),
        (Outcome.DIED, What.DIED),
        (Outcome.MOVED_AWAY, What.MOVED),
        (Outcome.MERGED, What.MERGED),
        (Outcome.REFUSED_MESSAGES, What.REFUSE_MESSAGES),
        (Outcome.NO_RIDE, What.BOOK),
        (Outcome.SAID_STOP, What.ANSWER),
        (Outcome.REACHED, What.CALL),
    ],
)
def test_an_outcome_is_acted_out(cohort, outcome, what):
    assert what in done(one(cohort, outcome))


@pytest.mark.parametrize(
    "outcome", [Outcome.LEFT_ALONE, Outcome.DIED_INSIDE, Outcome.WENT_ON, Outcome.STILL_INSIDE]
)
def test_where_nobody_does_anything_only_systems_tell(cohort, outcome):
    assert set(done(one(cohort, outcome))) <= TOLD


def test_a_visit_with_a_slot_is_booked_and_another_is_simply_come_to(cohort):
    for plan in cohort.stories.values():
        if plan.follow_up:
            is_booked = What.BOOK in done(plan)
            assert is_booked is (plan.follow_up.how is How.SLOT)
            assert (What.COMES in done(plan)) is not is_booked
        if plan.outcome in MISSED:
            assert What.BOOK in done(plan)


def test_everything_that_systems_tell_is_a_message_of_one_person(cohort):
    for plan in cohort.stories.values():
        somebody = cohort.somebody(plan)
        for act in acts(plan):
            if act.what in TOLD:
                segments = message(act, plan, somebody).decode("ascii").split("\r")
                pid = next(segment for segment in segments if segment.startswith("PID|"))
                assert f"|{somebody.family}^{somebody.given}|" in pid


def test_nobody_of_a_cohort_or_of_another_has_the_number_or_telephone_of_somebody_else():
    cohorts = [Cohort.begin(NOW, number) for number in range(5)]
    people = [each.somebody(plan) for each in cohorts for plan in each.stories.values()]
    for what in ("mrn", "clinic_mrn", "phone"):
        assert len({getattr(person, what) for person in people}) == len(people), what


def test_the_next_start_goes_on_where_this_one_stopped(tmp_path):
    cohort = Cohort.begin(NOW, 3, 40)
    for _ in range(25):
        cohort.next(NOW)
    left = _listed(cohort)
    cohort.write(tmp_path / "stories.json")
    again = Cohort.read(tmp_path / "stories.json", 40)
    assert _listed(again) == left
    assert again.stories == cohort.stories


def _listed(cohort):
    """What waits, by when; two acts of one moment are in no order."""
    waiting = (
        (due.at.timestamp(), due.act.number, due.act.what, due.act.detail) for due in cohort.waiting
    )
    return sorted(waiting)


@pytest.mark.parametrize("kept", ["", "{}", "[]", '{"begun_at": "x", "number": 1, "waiting": []}'])
def test_what_cannot_be_read_is_begun_anew(tmp_path, kept):
    (tmp_path / "stories.json").write_text(kept)
    assert Cohort.read(tmp_path / "stories.json") is None


async def test_where_no_hub_is_it_is_tried_again_later_and_given_up_at_last():
    env = {"INTEROP_MLLP_HOST": "127.0.0.1", "INTEROP_MLLP_PORT": str(free_port()), "GATEWAY_ISSUER": "http://127.0.0.1:1"}  # fmt: skip
    cohort = Cohort.begin(NOW, size=1)
    hours, acted = count(2400), 0
    async with httpx.AsyncClient(base_url="http://127.0.0.1:1") as client:
        hub = Hub(env=env, client=client)
        while cohort.waiting:
            acted += await act_once(cohort, hub, lambda: NOW + timedelta(hours=next(hours)))
    assert acted == 31 * len(acts(cohort.stories[0]))


async def test_an_act_that_fails_ends_nothing_and_its_log_quotes_nobody(monkeypatch, caplog):
    """As an answer does that has another form than was expected."""
    cohort = Cohort.begin(NOW, size=3)
    all_acts = len(cohort.waiting)

    async def do(self, act):
        raise KeyError(self.one.family)

    monkeypatch.setattr(Staff, "do", do)
    hours, acted = count(2400), 0
    while cohort.waiting:
        acted += await act_once(cohort, None, lambda: NOW + timedelta(hours=next(hours)))
    assert acted == all_acts
    said = [line for line in caplog.messages if line.startswith("an act of a story failed: ")]
    assert len(said) == all_acts
    assert all("KeyError at test_stories.py" in line for line in said)
    families = {cohort.somebody(plan).family for plan in cohort.stories.values()}
    assert not any(family in caplog.text for family in families)


async def test_it_stops_when_it_is_told_and_keeps_what_is_left(tmp_path):
    stopping = asyncio.Event()
    stopping.set()
    env = {"GATEWAY_PUBLIC_URL": "http://127.0.0.1:1", "GATEWAY_ISSUER": "http://127.0.0.1:1"}
    await play_stories(Pace(env=env, memory=tmp_path / "kept", now=lambda: NOW), stopping)
    assert Cohort.read(tmp_path / "kept").waiting
