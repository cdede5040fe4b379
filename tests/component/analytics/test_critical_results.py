"""Critical results: how many were read back in time and how long it took, the same whatever the order, open to their patients."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID, uuid4

import pytest
from carehub.analytics.v1 import measure_pb2

from tests.component.analytics.conftest import NOW, PART2
from tests.component.analytics.test_measuring import CONTACT, CRITICAL, numbers, went_home

UNIT = measure_pb2.MeasureUnit
MET, MISSED, WAITS, OUT = (
    UNIT.STATUS_MET, UNIT.STATUS_NOT_MET, UNIT.STATUS_PENDING, UNIT.STATUS_EXCLUDED,
)  # fmt: skip
MAY, JUNE = datetime(2026, 5, 12, 3, tzinfo=UTC), datetime(2026, 6, 9, 15, tzinfo=UTC)
SPLIT = datetime(2026, 6, 1, 4, 30, tzinfo=UTC)  # still May where the hospitals are


def after(verified, minutes):
    return None if minutes is None else verified + timedelta(minutes=minutes)


def told(a, verified, minutes=None, **fields):
    """A critical result that somebody has read back so many minutes after it was verified, if anybody has."""
    fields.setdefault("patient", uuid4())
    if minutes is not None:
        fields |= {"state": "CLOSED", "reason": "READ_BACK", "ended": after(verified, minutes)}
    return a.alarm(uuid4(), uuid4(), verified, after(verified, minutes), **fields)


def minutes_of(measure):
    """Half took at most, nine in ten took at most; None where fewer were read back."""
    return tuple(
        getattr(measure.times, name).seconds / 60 if measure.times.HasField(name) else None
        for name in ("median", "ninetieth")
    )


async def test_the_share_and_the_times_are_those_computed_by_hand(analytics):
    async with analytics() as a:
        await a.tell(
            *(told(a, MAY, minutes) for minutes in (5, 12, 60, 90)),
            told(a, SPLIT, 20),
            told(a, JUNE),  # nobody, to this day
            told(a, JUNE, state="CANCELLED", reason="RESULT_WITHDRAWN", ended=after(JUNE, 8)),
            told(a, NOW - timedelta(minutes=30), 3),  # read back, and its hour is not over
            told(a, JUNE, 40, facility=a.there),
        )
        here = (await a.measures(facility_id=str(a.here)))[CRITICAL]
        months = {(m.month.year, m.month.month): numbers(m.rate) for m in here.months}
        assert months == {(2026, 5): (4, 5, 0, 0), (2026, 6): (0, 1, 0, 1), (2026, 9): (0, 0, 1, 0)}
        assert (numbers(here.rate), minutes_of(here)) == ((4, 6, 1, 1), (20, None))
        there = (await a.measures(a.token(a.there)))[CRITICAL]
        assert (numbers(there.rate), minutes_of(there)) == ((1, 1, 0, 0), (40, 40))
        a.hub.clock.set(NOW + timedelta(hours=1))
        both = (await a.measures())[CRITICAL]
        assert (numbers(both.rate), minutes_of(both)) == ((6, 8, 0, 1), (20, None))
        nobody = await a.measures(a.token(uuid4()))
        assert (numbers(nobody[CRITICAL].rate), minutes_of(nobody[CRITICAL])) == ((0, 0, 0, 0), (None, None))  # fmt: skip
        assert nobody[CRITICAL].HasField("times")
        assert not nobody[CONTACT].HasField("times")


async def test_the_number_opens_to_its_patients_with_the_time_of_each(analytics):
    async with analytics() as a:
        quick, late, never = told(a, JUNE, 7), told(a, JUNE, 61), told(a, JUNE)
        secret = told(a, JUNE, 9, labels=[PART2], facility=a.there)
        await a.tell(quick, late, never, secret)
        found = {u.subject_id: u for u in await a.units(CRITICAL, facility_id=str(a.here))}
        shown = {
            id: (u.patient_id, u.status, u.reason, u.took.seconds / 60 if u.HasField("took") else None)
            for id, u in found.items()
        }  # fmt: skip
        assert shown == {
            quick.loop.result_id: (quick.loop.patient_id, MET, "READ_BACK", 7),
            late.loop.result_id: (late.loop.patient_id, MISSED, "READ_BACK_LATE", 61),
            never.loop.result_id: (never.loop.patient_id, MISSED, "NOT_READ_BACK", None),
        }
        assert found[quick.loop.result_id].evidence_id == quick.loop.id
        # What is sensitive is seen where it was told, and at another facility not even counted.
        assert len(await a.units(CRITICAL, a.token(a.there))) == 1
        elsewhere = await a.measures(a.token(a.here))
        assert numbers(elsewhere[CRITICAL].rate) == (1, 3, 0, 0)


async def test_a_result_that_is_followed_anew_is_counted_anew(analytics):
    """Read back; then much worse and open again; then a repeat of another alarm after all."""
    async with analytics() as a:
        loop, result = uuid4(), uuid4()
        versions = [
            a.alarm(loop, result, JUNE),
            a.alarm(loop, result, JUNE, after(JUNE, 10), version=2, state="CLOSED", reason="READ_BACK"),
            a.alarm(loop, result, JUNE, after(JUNE, 10), version=3),
            a.alarm(loop, result, JUNE, after(JUNE, 10), version=4, state="CANCELLED", reason="NOT_ELIGIBLE"),
        ]  # fmt: skip
        for event, (status, reason) in zip(
            versions,
            [(MISSED, "NOT_READ_BACK"), (MET, "READ_BACK"), (MET, "READ_BACK"), (OUT, "NOT_ELIGIBLE")],
            strict=True,
        ):  # fmt: skip
            await a.tell(event)
            (unit,) = await a.units(CRITICAL)
            assert (unit.status, unit.reason) == (status, reason)
        await a.tell(versions[1])  # an old one, late
        assert [u.reason for u in await a.units(CRITICAL)] == ["NOT_ELIGIBLE"]


# Minutes until it was read back, or how and when it ended without; and whether it was told of a record that lives on as another.
STORIES = [
    (minutes, end, is_merged)
    for minutes, end in [
        *((each, None) for each in (0, 4, 11, 25, 59, 60, 61, 75, 400, None)),
        (None, ("RESULT_CORRECTED", 30)), (None, ("DECEASED", 59)), (None, ("RESULT_WITHDRAWN", 200)),
    ]
    for is_merged in (False, True)
]  # fmt: skip


def events_of(a, place, verified, story):
    minutes, end, is_merged = story
    patient, retired, loop, result = uuid4(), uuid4(), uuid4(), uuid4()
    here = {"facility": place, "patient": retired if is_merged else patient}
    events = [a.alarm(loop, result, verified, **here)]
    if minutes is not None:
        at = after(verified, minutes)
        ended = {"state": "CLOSED", "reason": "READ_BACK", "ended": at}
        events += [
            a.alarm(loop, result, verified, at, version=2, **here),
            a.alarm(loop, result, verified, at, version=3, **here, **ended),
        ]
    if end:
        ended = {"state": "CLOSED", "reason": end[0], "ended": after(verified, end[1])}
        events.append(a.alarm(loop, result, verified, version=2, **here, **ended))
    return patient, events + ([a.merge(retired, patient)] if is_merged else [])


def truth(stories):
    """Met, missed and left out, and how long half and nine in ten took: counted from the stories, nothing else."""
    is_out = [bool(end and end[1] <= 60) for _, end, _ in stories]
    counted = [minutes for (minutes, _, _), out in zip(stories, is_out, strict=True) if not out]
    ordered = sorted(10_000 if minutes is None else minutes for minutes in counted)
    met = sum(minutes is not None and minutes <= 60 for minutes in counted)
    nearest = [ordered[ceil(share * len(ordered)) - 1] for share in (0.5, 0.9)]
    took = tuple(None if each == 10_000 else each for each in nearest)
    return (met, len(counted), 0, sum(is_out)), took


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_shuffle_share_and_times_are_those_of_the_truth(analytics, seed):
    chance = random.Random(seed)
    async with analytics(with_clocks=False) as a:
        stories = {a.here: chance.sample(STORIES, 19), a.there: chance.sample(STORIES, 11)}
        whose, events = Counter(), []
        for place, some in stories.items():
            for story in some:
                verified = JUNE + timedelta(minutes=chance.randint(0, 80_000))
                patient, news = events_of(a, place, verified, story)
                whose[patient] += 1
                events += news
        events += chance.sample(events, len(events) // 3)
        # A discharge of somebody who has a critical result, too: both are kept in one transaction.
        events += went_home(a, JUNE, contact=3, patient=next(iter(whose)))
        events += [a.facility(a.here), a.facility(a.there)]
        chance.shuffle(events)
        await a.tell(*events)
        for place, some in stories.items():
            found = (await a.measures(facility_id=str(place)))[CRITICAL]
            assert (numbers(found.rate), minutes_of(found)) == truth(some)
        assert Counter(UUID(u.patient_id) for u in await a.units(CRITICAL)) == whose
        assert numbers((await a.measures())[CONTACT].rate) == (1, 1, 0, 0)
