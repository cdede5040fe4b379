"""The region's life: the same for a seed, in order, by day and night, and never ahead of the clock on the wall."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from libs.simulator.clock import Clock, Spell
from libs.simulator.event import Trigger
from libs.simulator.noise import QUIET, Fate, Feeds
from libs.simulator.people import Region
from libs.simulator.truth import Truth
from libs.simulator.visits import Life

START = datetime(2026, 10, 26, 5, tzinfo=UTC)
REGION = Region.build(3, 1200)


def messages(count=1500, *, region=REGION, clock=None, noise=None, start=START):
    return list(
        islice(Feeds(Life(region, start, clock=clock), region.seed, noise).messages(), count)
    )


def test_a_seed_is_a_stream_of_the_same_bytes():
    again = Region.build(3, 1200)
    assert messages() == messages(region=again) or [m.raw for m in messages()] == [
        m.raw for m in messages(region=again)
    ]
    assert [m.raw for m in messages(50)] != [
        m.raw for m in messages(50, region=Region.build(4, 1200))
    ]


def test_messages_are_sent_in_order_and_after_what_they_tell_of():
    stream = messages()
    assert all(a.sent_at <= b.sent_at for a, b in pairwise(stream))
    assert all(m.event.at <= m.event.recorded_at <= m.sent_at for m in stream if m.event)


def test_the_steps_of_a_visit_have_moments_of_their_own():
    moments = Counter(
        (e.visit.number, e.at, e.recorded_at)
        for e in islice(Life(REGION, START).events(), 3000)
        if e.visit
    )
    assert moments.most_common(1)[0][1] == 1


def test_clinics_sleep_at_night_and_emergency_departments_do_not():
    begun = Counter()
    for event in islice(Life(REGION, START).events(), 6000):
        if event.trigger is Trigger.REGISTERED:
            local = event.at.astimezone(event.site.zone)
            begun[event.site.key, "night" if local.hour < 6 else "day"] += 1
    assert begun["VALLEY", "night"] < 0.1 * begun["VALLEY", "day"]
    assert begun["MERCY", "night"] > 20


def test_some_come_back_within_thirty_days_and_some_stays_end_elsewhere():
    truth = Truth()
    for message in messages(6000, noise=QUIET):
        truth.note(message)
    ends = Counter(each.end for each in truth.expected_transitions())
    discharged = sum(each.discharge_at is not None for each in truth.expected_transitions())
    assert 0.08 < ends["READMITTED"] / discharged < 0.35
    assert 0.1 < ends["NOT_ELIGIBLE"] / discharged < 0.3
    assert ends["DECEASED"]
    assert ends["ADMISSION_CANCELLED"]
    assert ends[""]


def test_a_feed_without_noise_tells_everything_once():
    assert {m.fate for m in messages(noise=QUIET)} <= {Fate.TAKEN, Fate.IGNORED}
    stream = messages(noise=QUIET)
    assert len({m.control_id for m in stream}) == len(stream)


def test_noise_is_as_frequent_as_it_is_said_to_be():
    fates = Counter(m.fate for m in messages(8000))
    assert 0.02 < fates[Fate.REPEATED] / 8000 < 0.05
    assert 0 < fates[Fate.QUARANTINED] + fates[Fate.REFUSED] < 0.01 * 8000


def test_a_feed_falls_silent_and_comes_back_with_everything():
    bursts = Counter((m.site.key, m.sent_at) for m in messages(4000))
    (_, back_at), held = bursts.most_common(1)[0]
    assert held > 5
    assert sum(1 for m in messages(4000, noise=QUIET) if m.sent_at == back_at) <= 1


def test_life_goes_faster_than_the_clock_on_the_wall_but_never_ahead_of_it():
    now = START + timedelta(days=2)
    stream = messages(clock=Clock([Spell(since=now, speed=20)]), noise=QUIET)
    plain = messages(noise=QUIET)
    before = [m.raw for m in stream if m.sent_at < now]
    assert before == [m.raw for m in plain[: len(before)]]
    for fast, slow in zip(stream[len(before) :], plain[len(before) :], strict=True):
        assert abs((fast.sent_at - now) - (slow.sent_at - now) / 20) < timedelta(seconds=2)
        visit = fast.event.visit
        if visit and visit.discharge_at:
            assert visit.admit_at < visit.discharge_at <= fast.sent_at


def test_a_later_spell_leaves_what_was_told_before_it_alone():
    now, stopped = START + timedelta(days=2), START + timedelta(days=2, hours=3)
    first = [Spell(since=now, speed=20)]
    later = [
        *first,
        Spell(since=stopped, speed=1),
        Spell(since=stopped + timedelta(hours=9), speed=20),
    ]
    before = {
        m.control_id: m.raw
        for m in messages(clock=Clock(first), noise=QUIET)
        if m.sent_at <= stopped
    }
    after = {
        m.control_id: m.raw
        for m in messages(clock=Clock(later), noise=QUIET)
        if m.sent_at <= stopped
    }
    assert len(before) > 300
    assert before == after


def test_the_region_does_not_die_out():
    region = Region.build("few", 30, ["MERCY"])
    life = Life(region, START, intensity=3)
    died = {e.person.id for e in islice(life.events(), 20000) if e.person.is_deceased}
    assert len(died) > 30
