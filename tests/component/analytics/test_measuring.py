"""Measures: numbers that open to the patients behind them, and the same ones whatever the order."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from carehub.analytics.v1 import measure_pb2

from libs.chassis.wire import CallFailed
from libs.conveyor.timers import set_timer
from services.analytics.consumers import clocks
from tests.component.analytics.conftest import NOW, day

CHICAGO = ZoneInfo("America/Chicago")
CONTACT, WEEK, FORTNIGHT = "contact-2-business-days", "follow-up-7-days", "follow-up-14-days"
READMISSION, REFERRAL = "readmission-30-days", "referral-closed"
CRITICAL = "critical-result-60-minutes"
ALL = (CONTACT, WEEK, FORTNIGHT, READMISSION, REFERRAL, CRITICAL)
UNIT = measure_pb2.MeasureUnit
MET, MISSED, WAITS, OUT = (
    UNIT.STATUS_MET, UNIT.STATUS_NOT_MET, UNIT.STATUS_PENDING, UNIT.STATUS_EXCLUDED,
)  # fmt: skip


def numbers(rate):
    return rate.numerator, rate.denominator, rate.pending, rate.excluded


def by_month(measure):
    return {(m.month.year, m.month.month): numbers(m.rate) for m in measure.months}


def stay(a, home, nights=3, **fields):
    """A stay that ended then, its id first."""
    id = uuid4()
    return id, a.visit(id, home - timedelta(days=nights), home, **fields)


def went_home(a, home, *, contact=None, seen=None, **fields):
    """A stay, its loop with a contact so many hours later (due after 48), and a visit so many days later."""
    patient = fields.setdefault("patient", uuid4())
    id, visit = stay(a, home, **{k: v for k, v in fields.items() if k not in ("reason", "state")})
    contacted = {} if contact is None else {"contacted": home + timedelta(hours=contact)}
    told = [visit, a.loop(uuid4(), id, home, home + timedelta(hours=48), **contacted, **fields)]
    if seen is not None:
        at = home + timedelta(days=seen)
        where = {k: fields[k] for k in ("facility",) if k in fields}
        told.append(a.visit(uuid4(), at, at, kind="OUTPATIENT", patient=patient, **where))
    return told


async def test_numbers_by_facility_and_month_are_those_computed_by_hand(analytics):
    async with analytics() as a:
        may, june = datetime(2026, 5, 12, 15, tzinfo=UTC), datetime(2026, 6, 9, 15, tzinfo=UTC)
        await a.tell(
            *went_home(a, may, contact=20, seen=6),
            *went_home(a, may, contact=60, seen=10),  # late; the second week
            *went_home(a, may, reason="NOT_ELIGIBLE", state="CANCELLED"),
            *went_home(a, june, contact=48, seen=15),  # just in time; too late
            *went_home(a, june, facility=a.there, contact=1, seen=1),
            a.referral(uuid4(), may, may + timedelta(days=20)),
            a.referral(uuid4(), may, may + timedelta(days=20), state="REJECTED"),
        )
        here = await a.measures(facility_id=str(a.here))
        assert list(here) == list(ALL)
        assert by_month(here[CONTACT]) == {(2026, 5): (1, 2, 0, 1), (2026, 6): (1, 1, 0, 0)}
        assert by_month(here[WEEK]) == {(2026, 5): (1, 2, 0, 1), (2026, 6): (0, 1, 0, 0)}
        assert by_month(here[FORTNIGHT]) == {(2026, 5): (2, 2, 0, 1), (2026, 6): (0, 1, 0, 0)}
        assert by_month(here[READMISSION]) == {(2026, 5): (0, 3, 0, 0), (2026, 6): (0, 1, 0, 0)}
        assert by_month(here[REFERRAL]) == {(2026, 5): (1, 2, 0, 0)}
        rate = here[CONTACT].rate
        assert (numbers(rate), round(rate.value, 4)) == ((2, 3, 0, 1), 0.6667)
        # Wilson of 2 of 3.
        assert (round(rate.low, 4), round(rate.high, 4), rate.is_small) == (0.2077, 0.9385, True)
        both = await a.measures()
        assert by_month(both[CONTACT])[2026, 6] == (2, 2, 0, 0)
        there = await a.measures(a.token(a.there))
        assert by_month(there[CONTACT]) == {(2026, 6): (1, 1, 0, 0)}
        assert numbers((await a.measures(a.token(uuid4())))[CONTACT].rate) == (0, 0, 0, 0)
        assert not (await a.measures(a.token(uuid4())))[CONTACT].rate.HasField("value")
        only_june = await a.measures(
            facility_id=str(a.here),
            start_date=day(date(2026, 6, 1)),
            end_date=day(date(2026, 6, 30)),
        )
        assert numbers(only_june[CONTACT].rate) == (1, 1, 0, 0)


async def test_what_waits_is_missed_from_its_moment_on(analytics):
    async with analytics() as a:
        home = NOW - timedelta(days=1)
        await a.tell(*went_home(a, home), a.referral(uuid4(), home, state="REQUESTED"))
        due = home + timedelta(hours=48)
        # The end of the seventh, the fourteenth and the thirtieth day in Chicago, and of the ninetieth times 24 hours.
        midnight = datetime(2026, 8, 31, tzinfo=CHICAGO)
        ends = {
            CONTACT: due + timedelta(microseconds=1), WEEK: midnight + timedelta(days=8),
            FORTNIGHT: midnight + timedelta(days=15), READMISSION: midnight + timedelta(days=31),
            REFERRAL: home + timedelta(days=90, microseconds=1),
        }  # fmt: skip
        stored = await a.rows("SELECT measure, settles_at, status FROM units")
        assert {row["measure"]: row["settles_at"] for row in stored} == ends
        assert {row["status"] for row in stored} == {"PENDING"}
        for key, end in sorted(ends.items(), key=lambda each: each[1]):
            a.hub.clock.set(end - timedelta(seconds=30))
            assert numbers((await a.measures())[key].rate) == (0, 0, 1, 0), key
            assert [u.status for u in await a.units(key)] == [WAITS], key
            a.hub.clock.set(end)
            assert numbers((await a.measures())[key].rate) == (0, 1, 0, 0), key
            assert [u.status for u in await a.units(key)] == [MISSED], key


async def test_what_is_met_counts_no_sooner_than_what_is_missed(analytics):
    async with analytics() as a:
        home = NOW - timedelta(days=10)
        again = {"patient": uuid4()}
        _, first = stay(a, home, **again)
        _, second = stay(a, home + timedelta(days=8), **again)
        await a.tell(first, second, *went_home(a, home, contact=3))
        assert numbers((await a.measures())[CONTACT].rate) == (1, 1, 0, 0)
        assert numbers((await a.measures())[READMISSION].rate) == (0, 0, 3, 0)
        waits = await a.units(READMISSION, status=WAITS)
        assert sorted(u.reason for u in waits) == ["NOT_READMITTED", "NOT_READMITTED", "READMITTED"]
        a.hub.clock.set(NOW + timedelta(days=40))
        assert numbers((await a.measures())[READMISSION].rate) == (1, 3, 0, 0)


async def test_attempts_in_time_stay_counted_and_an_outcome_that_reached_nobody_does_not(analytics):
    async with analytics() as a:
        home = datetime(2026, 5, 12, 15, tzinfo=UTC)
        in_time, late = home + timedelta(hours=30), home + timedelta(hours=120)
        due = home + timedelta(hours=48)
        tried, declined, both = [stay(a, home, patient=uuid4()) for _ in range(3)]
        told = [
            (tried, {"tried": in_time}), (tried, {"tried": in_time, "contacted": late}),
            (declined, {"contacted": in_time, "outcome": "declined"}),
            (both, {"tried": in_time, "contacted": late, "outcome": "declined"}),
        ]  # fmt: skip
        await a.tell(*(visit for _, visit in (tried, declined, both)))
        await a.tell(
            *(
                a.loop(
                    id, id, home, due, version=version, patient=visit.encounter.patient_id, **shown
                )
                for version, ((id, visit), shown) in reversed(list(enumerate(told, 1)))
            )
        )
        found = {u.subject_id: (u.status, u.reason) for u in await a.units(CONTACT)}
        assert found == {
            str(tried[0]): (MET, "CONTACTED"),
            str(declined[0]): (MISSED, "NOT_CONTACTED"),
            str(both[0]): (MET, "CONTACTED"),
        }


async def test_every_number_opens_to_its_patients_page_by_page(analytics):
    async with analytics() as a:
        told, seen = [], []
        for number in range(9):
            home = datetime(2026, 5, 4, 15, tzinfo=UTC) + timedelta(days=number // 2)
            patient = uuid4()
            contact = 5 if number % 3 else None
            reason = {"reason": "NOT_ELIGIBLE", "state": "CANCELLED"} if number == 8 else {}
            told += went_home(a, home, contact=contact, patient=patient, **reason)
            seen.append(patient)
        await a.tell(*told)
        here = {"facility_id": str(a.here)}
        rate = (await a.measures(**here))[CONTACT].rate
        for size in (1, 2, 5, 50):
            units = await a.units(CONTACT, page_size=size, **here)
            assert len({unit.id for unit in units}) == len(units) == 9
            dates = [(u.date.year, u.date.month, u.date.day) for u in units]
            assert dates == sorted(dates, reverse=True)
        counted = Counter(unit.status for unit in units)
        assert (counted[MET], counted[MET] + counted[MISSED], counted[WAITS], counted[OUT]) == numbers(rate)  # fmt: skip
        assert numbers(rate) == (5, 8, 0, 1)
        assert {UUID(unit.patient_id) for unit in units} == set(seen)
        for status in (MET, MISSED, OUT):
            some = await a.units(CONTACT, page_size=2, status=status, **here)
            assert [u.id for u in some] == [u.id for u in units if u.status == status]
        assert {unit.reason for unit in units} == {"CONTACTED", "NOT_CONTACTED", "NOT_ELIGIBLE"}
        assert all(bool(u.evidence_id) == (u.status == MET) for u in units)


async def test_what_cannot_be_asked_is_refused_in_words(analytics):
    async with analytics() as a:
        for reason, method, fields in (
            ("MEASURE_NOT_FOUND", "ListMeasureUnits", {"measure": "nothing"}),
            ("SPAN_UNREADABLE", "ListMeasures", {"start_date": day(date(2026, 6, 2)), "end_date": day(date(2026, 6, 1))}),
            ("SPAN_UNREADABLE", "ListMeasures", {"start_date": day(date(2006, 6, 2))}),
            ("PAGE_TOKEN_INVALID", "ListMeasureUnits", {"measure": CONTACT, "page_token": "x"}),
        ):  # fmt: skip
            with pytest.raises(CallFailed) as caught:
                await a.call(method, **fields)
            assert caught.value.reason == reason


async def test_measures_have_pages_too(analytics):
    async with analytics() as a:
        found, page = [], ""
        for _ in range(3):
            answer = await a.call("ListMeasures", page_size=2, page_token=page)
            found += [measure.key for measure in answer.measures]
            page = answer.next_page_token
        assert (found, page) == (list(ALL), "")


async def test_who_counts_sees_numbers_and_no_patient(analytics):
    async with analytics() as a:
        await a.tell(*went_home(a, datetime(2026, 5, 4, 15, tzinfo=UTC), contact=1))
        analyst = a.token(a.here, permissions=["measures.read"])
        assert numbers((await a.measures(analyst))[CONTACT].rate) == (1, 1, 0, 0)
        for method, fields in (
            ("ListMeasureUnits", {"measure": CONTACT}),
            ("ListRisks", {"patient_id": str(uuid4())}),
        ):
            with pytest.raises(CallFailed) as caught:
                await a.call(method, analyst, **fields)
            assert caught.value.code == "PERMISSION_DENIED"


# What came of a discharge, in plain numbers: hours to the contact (due after 48), days to a visit, days to another stay and
# whether that was planned, days to the end of a referral.
STORIES = list(
    product((None, 20, 60), (None, 4, 11, 20), (None, (12, "E"), (12, "R"), (45, "E")), (None, 30, 100))
)  # fmt: skip


def truth(stories):
    """How many units of each measure came to what, by facility and month: counted from the stories, nothing else."""
    found = Counter()
    for place, home, (contact, seen, again, referred) in stories:
        month = (place, home.year, home.month)
        found[(CONTACT, *month, contact is not None and contact <= 48)] += 1
        found[(WEEK, *month, seen is not None and seen <= 7)] += 1
        found[(FORTNIGHT, *month, seen is not None and seen <= 14)] += 1
        found[(READMISSION, *month, again is not None and again[0] <= 30 and again[1] == "E")] += 1
        if again:
            left = home + timedelta(days=again[0] + 2)
            found[(READMISSION, place, left.year, left.month, False)] += 1
        if referred:
            found[(REFERRAL, *month, referred <= 90)] += 1
    return found


def events_of(a, place, home, told):
    """A story as neighbors tell it, older versions too; sometimes of a record that another lives on as."""
    contact, seen, again, referred = told
    patient, retired, id = uuid4(), uuid4(), uuid4()
    here = {"facility": place, "patient": retired}
    in_bed, loop, due = home - timedelta(days=2), uuid4(), home + timedelta(hours=48)
    events = [
        a.visit(id, in_bed, **here),
        a.visit(id, in_bed, home, version=2, **here),
        a.loop(loop, id, **here),
        a.loop(loop, id, home, due, version=2, **here),
        a.merge(retired, patient),
    ]
    if contact is not None:
        contacted = home + timedelta(hours=contact)
        events.append(a.loop(loop, id, home, due, version=3, contacted=contacted, **here))
    if seen is not None:
        at = home + timedelta(days=seen)
        events.append(a.visit(uuid4(), at, at, kind="OUTPATIENT", facility=place, patient=patient))
    if again:
        at, another = home + timedelta(days=again[0]), uuid4()
        elsewhere = {"facility": place, "patient": patient, "admission": again[1]}
        events.append(a.visit(another, at, **elsewhere))
        events.append(a.visit(another, at, at + timedelta(days=2), version=2, **elsewhere))
    if referred:
        ended = home + timedelta(days=referred)
        referral = uuid4()
        events.append(a.referral(referral, home, state="REQUESTED", **here))
        events.append(a.referral(referral, home, ended, version=2, **here))
    return events


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_shuffle_the_counts_are_those_of_the_truth(analytics, seed):
    chance = random.Random(seed)
    async with analytics(with_clocks=False) as a:
        stories = [
            (
                chance.choice([a.here, a.there]),
                datetime(2025, chance.randint(1, 12), chance.randint(1, 28), 16, tzinfo=UTC),
                chance.choice(STORIES),
            )
            for _ in range(30)
        ]
        events = [event for each in stories for event in events_of(a, *each)]
        events += chance.sample(events, len(events) // 3)
        events += [a.facility(a.here), a.facility(a.there)]
        chance.shuffle(events)
        await a.tell(*events)
        found = Counter()
        for place in (a.here, a.there):
            for key, measure in (await a.measures(facility_id=str(place))).items():
                for month in measure.months:
                    at = (key, place, month.month.year, month.month.month)
                    met, all_of_them, waiting, left_out = numbers(month.rate)
                    assert (waiting, left_out) == (0, 0)
                    found[(*at, True)] += met
                    found[(*at, False)] += all_of_them - met
        assert +found == +truth(stories)
        for key in ALL:
            listed = await a.units(key, page_size=7)
            assert len(listed) == sum(n for at, n in found.items() if at[0] == key)


async def test_a_definition_that_has_changed_is_counted_for_everybody_that_is_known(
    analytics, monkeypatch
):
    monkeypatch.setattr(clocks, "AT_ONCE", 2)
    async with analytics() as a:
        home = datetime(2026, 5, 12, 15, tzinfo=UTC)
        for disposition in ("50", "01", "50", "01", "50"):
            await a.tell(*went_home(a, home, contact=20, seen=6, disposition=disposition))
        right = "SELECT id, status, reason FROM units ORDER BY id"
        before = await a.rows(right)
        assert Counter(row["reason"] for row in before)["HOSPICE"] == 12
        async with a.hub.system("analytics") as tx:
            await tx._connection.execute("UPDATE units SET status = 'MET', reason = 'AS BEFORE'")
            await set_timer(tx, clocks.ANEW, str(UUID(int=0)), tx.at)

        async def is_counted():
            # After the last page there is one more look: nobody is left.
            left = await a.rows("SELECT * FROM timers WHERE kind = $1", clocks.ANEW)
            return not left and await a.rows(right) == before

        await a.hub.until(is_counted, what="everybody is counted anew")
