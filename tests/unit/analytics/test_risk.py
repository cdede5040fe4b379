"""LACE, HOSPITAL and Charlson against the published examples."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.chassis.ids import new_id
from services.analytics.domain.comorbidity import charlson_index
from services.analytics.domain.instrument import INSTRUMENTS, read_instrument
from services.analytics.domain.risk import Band, Findings, hospital, lace
from services.analytics.domain.stay import Stay, Visit, VisitClass

PATIENT, PLACE = new_id(), new_id()
ADMITTED = datetime(2026, 9, 1, 15, tzinfo=UTC)


def visit(admitted=ADMITTED, nights=None, kind=VisitClass.INPATIENT, **more):
    ended = None if nights is None else admitted + timedelta(days=nights)
    return Visit(
        id=new_id(), patient_id=PATIENT, facility_id=PLACE, visit_class=kind,
        admitted_at=admitted, discharged_at=ended, **more,
    )  # fmt: skip


def stay(nights, *, urgent, codes, emergencies=0, admissions=0):
    before = [
        visit(ADMITTED - timedelta(days=30 + n), 0, VisitClass.EMERGENCY)
        for n in range(emergencies)
    ]
    before += [visit(ADMITTED - timedelta(days=200 + 10 * n), 2) for n in range(admissions)]
    index = visit(nights=nights, admission_type="E" if urgent else "R", diagnoses=codes)
    return Stay.of(index, before, "America/Chicago")


# domain: cliot's two published examples, then boundaries computed by hand from the table of 2010.
@pytest.mark.parametrize(
    ("nights", "urgent", "codes", "emergencies", "terms"),
    [
        (5, True, ("I50.22", "F03.90"), 2, (4, 3, 5, 2)),
        (2, False, ("Z00.00",), 0, (2, 0, 0, 0)),
        (14, True, ("I50.9", "E11.9"), 4, (7, 3, 3, 4)),
        (0, False, ("I21.4",), 0, (0, 0, 1, 0)),
        (7, True, ("F03.90", "I73.9"), 6, (5, 3, 5, 4)),
        (13, True, ("Z00.00",), 0, (5, 3, 0, 0)),
        (6, True, ("Z00.00",), 0, (4, 3, 0, 0)),
        (1, True, ("N18.30",), 0, (1, 3, 2, 0)),
        (1, True, ("N18.6", "K70.30"), 0, (1, 3, 5, 0)),
    ],
)
def test_lace_is_the_published_one(nights, urgent, codes, emergencies, terms):
    score = lace(stay(nights, urgent=urgent, codes=codes, emergencies=emergencies))
    assert tuple(term.points for term in score.terms) == terms
    assert score.score == sum(terms)
    assert not score.is_partial


@pytest.mark.parametrize(
    ("score_of", "band"), [(4, Band.LOW), (5, Band.MODERATE), (9, Band.MODERATE), (10, Band.HIGH)]
)
def test_lace_has_three_bands(score_of, band):
    nights = {4: 4, 5: 7, 9: 4, 10: 7}[score_of]
    codes = ("Z00.00",) if score_of < 9 else ("F03.90", "I73.9")
    score = lace(stay(nights, urgent=False, codes=codes))
    assert (score.score, score.band) == (score_of, band)


def test_what_is_not_known_makes_a_score_partial_and_is_no_zero():
    index = visit()
    score = lace(Stay.of(index, (), "America/Chicago"))
    assert {term.key for term in score.terms if term.is_missing} == {
        "length_of_stay", "acute_admission", "comorbidity",
    }  # fmt: skip
    assert score.is_partial


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("A", 3), ("E", 3), ("U", 3), ("C", 0), ("L", 0), ("N", 0), ("R", 0), ("", None),
        ("1", 3), ("2", 3), ("5", 3), ("3", 0), ("4", 0), ("9", None),
    ],
)  # fmt: skip
def test_a_kind_of_admission_that_the_table_does_not_have_is_not_known(kind, points):
    score = lace(Stay.of(visit(nights=3, admission_type=kind), (), "UTC"))
    (term,) = [each for each in score.terms if each.key == "acute_admission"]
    assert (term.points, term.is_missing) == (points, points is None)


def test_nights_are_those_of_the_hospitals_calendar():
    late = datetime(2026, 9, 2, 4, 30, tzinfo=UTC)  # 23:30 on September 1 in Chicago
    index = Visit(
        id=new_id(), patient_id=PATIENT, facility_id=PLACE, visit_class=VisitClass.INPATIENT,
        admitted_at=late, discharged_at=late + timedelta(hours=1),
    )  # fmt: skip
    assert Stay.of(index, (), "America/Chicago").nights == 1
    assert Stay.of(index, (), "UTC").nights == 0


def test_the_emergency_visit_that_led_to_the_stay_does_not_count():
    led_here = visit(ADMITTED - timedelta(hours=5), 0, VisitClass.EMERGENCY)
    another = visit(ADMITTED - timedelta(days=40), 0, VisitClass.EMERGENCY)
    too_old = visit(ADMITTED - timedelta(days=200), 0, VisitClass.EMERGENCY)
    after = visit(ADMITTED + timedelta(days=1), 0, VisitClass.EMERGENCY)
    index = visit(nights=3)
    assert Stay.of(index, (led_here, another, too_old, after), "UTC").emergency_visits == 1


@pytest.mark.parametrize(
    ("began", "ended", "counted"),
    [
        ({"hours": 5}, None, 0),
        ({"hours": 24}, None, 0),
        ({"hours": 25}, None, 1),
        ({"days": 40}, None, 1),  # its A03 got lost: that does not make it the one that led here
        ({"hours": 30}, {"hours": 24}, 0),
        ({"hours": 30}, {"hours": 25}, 1),
        ({"hours": 5}, {"hours": -2}, 0),  # its end was told after the admission
    ],
)
def test_an_emergency_visit_leads_to_a_stay_that_begins_within_a_day(began, ended, counted):
    emergency = Visit(
        id=new_id(), patient_id=PATIENT, facility_id=PLACE, visit_class=VisitClass.EMERGENCY,
        admitted_at=ADMITTED - timedelta(**began),
        discharged_at=ended and ADMITTED - timedelta(**ended),
    )  # fmt: skip
    assert Stay.of(visit(nights=3), (emergency,), "UTC").emergency_visits == counted


def test_emergency_visits_without_an_end_all_count():
    months = [visit(ADMITTED - timedelta(days=30 * n), None, VisitClass.EMERGENCY) for n in (1, 2, 3, 4)]  # fmt: skip
    assert Stay.of(visit(nights=3), months, "UTC").emergency_visits == 4


# domain: the four published vectors.
@pytest.mark.parametrize(
    ("variant", "findings", "told", "score", "band"),
    [
        ("2016", Findings(hemoglobin=11.9, sodium=134, from_oncology=True, had_procedure=True), (True, 5, 6), 13, Band.HIGH),
        ("2016", Findings(hemoglobin=12.0, sodium=135, from_oncology=False, had_procedure=False), (False, 4, 1), 0, Band.LOW),
        ("2016", Findings(hemoglobin=10, sodium=138, from_oncology=False, had_procedure=False), (True, 5, 2), 6, Band.MODERATE),
        ("2016", Findings(hemoglobin=10, sodium=138, from_oncology=False, had_procedure=False), (True, 5, 1), 4, Band.LOW),
        ("2013", Findings(hemoglobin=10, sodium=138, from_oncology=False, had_procedure=False), (True, 5, 1), 6, Band.MODERATE),
    ],
)  # fmt: skip
def test_hospital_is_the_published_one(variant, findings, told, score, band):
    urgent, nights, admissions = told
    index = stay(nights, urgent=urgent, codes=(), admissions=admissions)
    found = hospital(index, findings, variant)
    assert (found.score, found.band, found.is_partial) == (score, band, False)


def test_hospital_says_which_items_nobody_told():
    found = hospital(stay(6, urgent=True, codes=()), Findings())
    assert [term.key for term in found.terms if term.is_missing] == [
        "hemoglobin", "oncology_service", "sodium", "procedure",
    ]  # fmt: skip
    assert (found.score, found.is_partial) == (3, True)


# domain: computed with an independent implementation.
@pytest.mark.parametrize(
    ("codes", "weighs_1987", "weighs_2011"),
    [
        ("I21.4 I50.22 E11.9", 3, 2),
        ("E11.9 E11.22 N18.4", 4, 2),
        ("C50.911 C79.51", 6, 6),
        ("K70.30 K76.6 B18.2", 3, 4),
        ("I10 E66.9 F32.9", 0, 0),
        ("J44.9 I48.91 E87.1 D64.9", 1, 1),
        ("B20 F11.20 D69.6", 6, 4),
        ("G30.9 F02.80 N39.0 W19.XXXA R29.6", 1, 2),
        ("I69.354 G81.94 N18.6 Z99.2", 5, 3),
        ("I13.0 I50.9 N18.30", 3, 3),
        ("I11.0 I10", 1, 2),
        ("F05 N17.9 L89.152 I95.9 R55", 0, 0),
        ("C34.90 E46 D50.0 F20.9", 2, 2),
        ("E78.5", 0, 0),
        ("I42.6 F10.20 K70.9", 2, 4),
    ],
)
def test_charlson_is_the_published_one(codes, weighs_1987, weighs_2011):
    assert charlson_index(codes.split()) == weighs_1987
    assert charlson_index(codes.split(), updated=True) == weighs_2011


def test_every_instrument_says_where_it_comes_from():
    names = sorted(path.stem for path in INSTRUMENTS.glob("*.yaml"))
    assert {"charlson-2005", "hospital-2013", "hospital-2016", "lace-2010"} <= set(names)
    for name in names:
        assert read_instrument(name)["source"]
