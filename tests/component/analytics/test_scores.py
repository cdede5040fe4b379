"""Scores of stays: the same whatever the order, told when they change and only then."""

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from carehub.analytics.v1 import risk_pb2

from tests.component.analytics.conftest import NORMAL, PART2

ADMITTED = datetime(2026, 5, 4, 15, tzinfo=UTC)
HOME = ADMITTED + timedelta(days=5)
DUE = HOME + timedelta(days=2)
RISK = risk_pb2.RiskScore


def lace(risks):
    (found,) = [risk for risk in risks if risk.instrument == "LACE"]
    return found


def points(risk):
    return {term.key: term.points for term in risk.terms if not term.is_missing}


def story(a, stay, emergency, loop=None, referral=None):
    """A stay of five nights after an emergency visit, told step by step; a loop, and a referral."""
    loop, referral = loop or uuid4(), referral or uuid4()
    early = ADMITTED - timedelta(days=40)
    return [
        a.visit(stay, ADMITTED),
        a.visit(stay, ADMITTED, version=2, codes=("I50.22",)),
        a.visit(stay, ADMITTED, HOME, version=3, codes=("I50.22", "F03.90")),
        a.visit(emergency, early, early + timedelta(hours=4), kind="EMERGENCY", facility=a.there),
        a.loop(loop, stay),
        a.loop(loop, stay, HOME, DUE, version=2),
        a.loop(loop, stay, HOME, DUE, version=3, contacted=DUE - timedelta(hours=3)),
        a.referral(referral, state="DRAFT"),
        a.referral(referral, HOME, HOME + timedelta(days=8), version=2),
    ]


async def test_a_score_has_the_terms_that_add_up_to_it(analytics):
    async with analytics() as a:
        stay = uuid4()
        await a.tell(*story(a, stay, uuid4()))
        risks = await a.risks()
        found = lace(risks)
        # Five nights 4, not planned 3, heart failure and dementia 5 at most, one emergency visit 1.
        assert points(found) == {
            "length_of_stay": 4, "acute_admission": 3, "comorbidity": 5, "emergency_visits": 1,
        }  # fmt: skip
        assert (found.score, found.band, found.is_partial) == (13, RISK.BAND_HIGH, False)
        assert list(found.labels) == [NORMAL]
        (other,) = [risk for risk in risks if risk.instrument == "HOSPITAL"]
        assert other.is_partial, "nobody tells results yet"
        assert {t.key for t in other.terms if t.is_missing} == {
            "hemoglobin", "oncology_service", "sodium", "procedure",
        }  # fmt: skip
        assert other.score == sum(term.points for term in other.terms)


async def test_any_order_and_twice_comes_to_the_same(analytics):
    named, places, outcomes = [uuid4() for _ in range(4)], [uuid4() for _ in range(3)], []
    for seed in range(3):
        async with analytics() as a:
            a.here, a.there, a.patient = places
            events = [a.facility(a.here), a.facility(a.there), *story(a, *named)]
            if seed:
                events += events
                random.Random(seed).shuffle(events)
            await a.tell(*events)
            outcomes.append(await a.computed())
    assert len(outcomes[0]) == 7, "two scores, five units"
    assert outcomes[0] == outcomes[1] == outcomes[2]


async def test_a_score_is_told_when_it_changes_and_only_then(analytics):
    async with analytics() as a:
        stay = uuid4()
        await a.tell(a.visit(stay, ADMITTED))
        told = [e for e in await a.told_risks(stay) if e.risk.instrument == "LACE"]
        assert [(e.version, e.risk.is_partial) for e in told] == [(1, True)]
        computed = (await a.rows("SELECT computed_at FROM risks WHERE instrument = 'LACE'"))[0][0]
        await a.tell(a.visit(stay, ADMITTED, version=2), a.visit(stay, ADMITTED, version=2))
        assert len(await a.told_risks(stay)) == 2, "one of each instrument: nothing changed"
        assert (await a.rows("SELECT computed_at FROM risks WHERE instrument = 'LACE'"))[0][0] == computed  # fmt: skip
        after = ADMITTED + timedelta(hours=1)
        await a.tell(a.visit(uuid4(), after, after, kind="OUTPATIENT"))
        assert len(await a.told_risks(stay)) == 2, "computed anew, and the same"
        await a.tell(a.visit(stay, ADMITTED, HOME, version=3, codes=("I50.22",)))
        await a.tell(a.visit(stay, ADMITTED, HOME, version=4, codes=("I50.22", "F03.90")))
        told = [e for e in await a.told_risks(stay) if e.risk.instrument == "LACE"]
        assert [e.version for e in told] == [1, 2, 3]
        # Four nights and more 4, not planned 3; heart failure 2, with dementia 5.
        assert [e.risk.score for e in told] == [3, 9, 12]


async def test_a_score_that_went_and_comes_again_goes_on_from_its_version(analytics):
    async with analytics() as a:
        stay = uuid4()
        await a.tell(a.visit(stay, ADMITTED))
        await a.tell(a.visit(stay, ADMITTED, HOME, version=2))
        await a.tell(a.visit(stay, ADMITTED, HOME, version=3, state="CANCELLED"))
        assert await a.risks() == []
        await a.tell(a.visit(stay, ADMITTED, HOME, version=4))
        told = [e for e in await a.told_risks(stay) if e.risk.instrument == "LACE"]
        assert [e.version for e in told] == [1, 2, 3]
        assert len(await a.risks()) == 2


async def test_an_admission_that_was_taken_back_counts_for_nothing_whichever_version_says_so(
    analytics,
):
    """Admitted, cancelled, announced again without an admission: an earlier stay is followed by none, and by no score."""
    named, places, outcomes = (uuid4(), uuid4()), [uuid4() for _ in range(3)], []
    for seen in [(), (3,), *permutations((1, 3)), *permutations((1, 2, 3))]:
        async with analytics() as a:
            a.here, a.there, a.patient = places
            (earlier, stay), again = named, HOME + timedelta(days=9)
            told = {
                1: a.visit(stay, again),
                2: a.visit(stay, again, version=2, state="CANCELLED"),
                3: a.visit(stay, None, version=3, state="PLANNED", kind="PREADMIT"),
            }
            await a.tell(a.facility(a.here), a.visit(earlier, ADMITTED, HOME))
            for version in seen:
                await a.tell(told[version])
            outcomes.append(await a.computed())
    assert len(outcomes[0]) == 3, "two scores and a unit of the earlier stay"
    assert all(each == outcomes[0] for each in outcomes)


@pytest.mark.parametrize("is_later_first", [True, False])
async def test_a_merge_moves_scores_and_units_whenever_it_comes(analytics, is_later_first):
    async with analytics() as a:
        stay, retired, last = uuid4(), uuid4(), uuid4()
        early = ADMITTED - timedelta(days=40)
        events = [
            a.visit(stay, ADMITTED, HOME, patient=retired),
            a.visit(uuid4(), early, early + timedelta(hours=2), kind="EMERGENCY", patient=last),
            a.loop(uuid4(), stay, HOME, DUE, patient=retired),
            a.referral(uuid4(), HOME, HOME + timedelta(days=3), patient=retired),
        ]
        await a.tell(*events[:3])
        assert points(lace(await a.risks(patient=retired)))["emergency_visits"] == 0
        merges = [a.merge(a.patient, last), a.merge(retired, a.patient)]
        for merge in merges if is_later_first else reversed(merges):
            await a.tell(merge)
        # What its neighbor told before it heard of the merges.
        await a.tell(events[3])
        for patient in (retired, a.patient, last):
            assert points(lace(await a.risks(patient=patient)))["emergency_visits"] == 1
        owners = await a.rows("SELECT patient_id FROM risks UNION SELECT patient_id FROM units")
        assert [row[0] for row in owners] == [last]
        assert len(await a.rows("SELECT id FROM units")) == 5
        told = [e for e in await a.told_risks(stay) if e.risk.instrument == "LACE"]
        assert [e.version for e in told] == list(range(1, len(told) + 1))
        assert told[-1].risk.patient_id == str(last)


async def test_what_a_program_elsewhere_told_changes_nothing(analytics):
    async with analytics() as a:
        stay = uuid4()
        await a.tell(*story(a, stay, uuid4()))
        before = await a.computed()
        start = ADMITTED - timedelta(days=60)
        elsewhere = {"facility": a.there, "labels": (PART2,), "codes": ("F11.20", "B20")}
        await a.tell(
            a.visit(uuid4(), start, start + timedelta(hours=3), kind="EMERGENCY", **elsewhere),
            a.visit(uuid4(), HOME + timedelta(days=3), HOME + timedelta(days=3), kind="OUTPATIENT", **elsewhere),
            a.visit(uuid4(), HOME + timedelta(days=9), HOME + timedelta(days=12), **elsewhere),
        )  # fmt: skip
        after = [row for row in await a.computed() if row["facility_id"] == a.here]
        assert after == before
        only_here = a.token(a.here)
        assert len(await a.risks(only_here)) == 2
        assert len(await a.risks(a.token(a.there))) == 2, "the program's own: of its own stay"


async def test_a_clock_that_arrives_late_is_waited_for(analytics):
    async with analytics(with_clocks=False) as a:
        stay = uuid4()
        await a.tell(*story(a, stay, uuid4()))
        assert await a.risks() == []
        await a.tell(a.facility(a.here))
        assert points(lace(await a.risks()))["emergency_visits"] == 0, "of elsewhere not yet"
        await a.tell(a.facility(a.there))
        assert points(lace(await a.risks()))["emergency_visits"] == 1
        # She went home on May 9 in Chicago, which was May 10 in Tokyo; and a version that is older changes nothing.
        await a.tell(a.facility(a.here, 3, "Asia/Tokyo"), a.facility(a.here, 2))
        days = {row[0].day for row in await a.rows("SELECT day FROM units WHERE measure LIKE 'follow%'")}  # fmt: skip
        assert days == {10}


async def test_nobody_sees_scores_of_elsewhere(analytics):
    async with analytics() as a:
        await a.tell(*story(a, uuid4(), uuid4()))
        assert await a.risks(a.token(a.there)) == []
        assert len(await a.risks(a.token(a.here))) == 2
