"""Each measure against its edges, as the definitions have them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from libs.chassis.ids import new_id
from services.analytics.domain import measures
from services.analytics.domain.measures import CriticalResult, FollowedDischarge, SentReferral
from services.analytics.domain.rate import Rate, Status, Times, rate, times
from services.analytics.domain.stay import Visit, VisitClass

CHICAGO = ZoneInfo("America/Chicago")
PATIENT, HERE, THERE = new_id(), new_id(), new_id()
ZONES = {HERE: "America/Chicago", THERE: "America/Chicago"}
HOME = datetime(2026, 9, 4, 17, 40, tzinfo=CHICAGO)  # Friday before Labor Day
DUE = datetime(2026, 9, 9, 23, 59, 59, tzinfo=CHICAGO)
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def discharge(**more):
    told = {
        "loop_id": new_id(), "encounter_id": new_id(), "patient_id": PATIENT, "facility_id": HERE,
        "discharged_at": HOME, "contact_due_at": DUE, "contacted_at": None,
        "contact_evidence_id": None, "close_reason": "", "closed_at": None,
    }  # fmt: skip
    return FollowedDischarge(**{**told, **more})


def seen(at, kind=VisitClass.OUTPATIENT, nights=0, place=HERE, **more):
    return Visit(
        id=new_id(), patient_id=PATIENT, facility_id=place, visit_class=kind,
        admitted_at=at, discharged_at=None if nights is None else at + timedelta(days=nights), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "now", "status", "reason"),
    [
        ({"contacted_at": DUE}, LATER, Status.MET, "CONTACTED"),
        ({"contacted_at": DUE + timedelta(seconds=1)}, LATER, Status.NOT_MET, "LATE"),
        ({}, DUE, Status.PENDING, "NOT_CONTACTED"),
        ({}, DUE + timedelta(seconds=1), Status.NOT_MET, "NOT_CONTACTED"),
        ({"close_reason": "NOT_ELIGIBLE"}, LATER, Status.EXCLUDED, "NOT_ELIGIBLE"),
        ({"close_reason": "DECEASED", "closed_at": DUE}, LATER, Status.EXCLUDED, "DECEASED"),
        ({"close_reason": "DECEASED", "closed_at": DUE + timedelta(days=1)}, LATER, Status.NOT_MET, "NOT_CONTACTED"),
        ({"close_reason": "READMITTED", "closed_at": DUE, "contacted_at": HOME}, LATER, Status.MET, "CONTACTED"),
        # Told late: who was called was in hospital again.
        ({"close_reason": "READMITTED", "closed_at": HOME, "contacted_at": DUE}, LATER, Status.EXCLUDED, "READMITTED"),
    ],
)  # fmt: skip
def test_contact_counts_to_the_end_of_the_second_business_day(told, now, status, reason):
    (unit,) = measures.contacts([discharge(**told)], ZONES)
    assert (unit.status_at(now), unit.reason) == (status, reason)


@pytest.mark.parametrize(
    ("day", "hour", "week", "fortnight"),
    [
        (11, 23, Status.MET, Status.MET),  # the seventh day, to its end
        (12, 0, Status.NOT_MET, Status.MET),
        (18, 23, Status.NOT_MET, Status.MET),
        (19, 0, Status.NOT_MET, Status.NOT_MET),
    ],
)
def test_follow_up_counts_calendar_days_of_the_hospital(day, hour, week, fortnight):
    visit = seen(datetime(2026, 9, day, hour, 30, tzinfo=CHICAGO))
    for key, expected in ((measures.WEEK, week), (measures.FORTNIGHT, fortnight)):
        (unit,) = measures.follow_ups([discharge()], {PATIENT: [visit]}, ZONES, key)
        assert unit.status_at(LATER) is expected
        assert unit.evidence_id == (visit.id if expected is Status.MET else None)


def test_only_a_visit_after_the_discharge_follows_it_up():
    before, emergency = (
        seen(HOME - timedelta(hours=1)),
        seen(HOME + timedelta(days=1), VisitClass.EMERGENCY),
    )
    (unit,) = measures.follow_ups([discharge()], {PATIENT: [before, emergency]}, ZONES)
    assert unit.status_at(LATER) is Status.NOT_MET
    assert unit.status_at(HOME + timedelta(days=2)) is Status.PENDING


@pytest.mark.parametrize(
    ("reason", "gone", "visited", "status", "why"),
    [
        (
            "READMITTED",
            2,
            4,
            Status.EXCLUDED,
            "READMITTED",
        ),  # that visit follows up the second stay
        ("READMITTED", 4, 2, Status.MET, "SEEN"),
        ("DECEASED", 4, 2, Status.MET, "SEEN"),
        ("READMITTED", 9, 8, Status.NOT_MET, "NOT_SEEN"),
        ("COMPLETED", 2, 4, Status.MET, "SEEN"),
    ],
)
def test_a_visit_counts_up_to_what_ended_the_way_home(reason, gone, visited, status, why):
    ended = discharge(close_reason=reason, closed_at=HOME + timedelta(days=gone))
    visit = seen(HOME + timedelta(days=visited))
    (unit,) = measures.follow_ups([ended], {PATIENT: [visit]}, ZONES)
    assert (unit.status_at(LATER), unit.reason) == (status, why)


def stays(*told):
    """Stays as (admitted, discharged) days of January and February 2026, at noon."""
    first = datetime(2026, 1, 1, 12, tzinfo=CHICAGO)
    return [
        seen(
            first + timedelta(days=start), VisitClass.INPATIENT, nights, place, admission_type=kind
        )
        for start, nights, place, kind in told
    ]


@pytest.mark.parametrize(
    ("second", "status"),
    [
        # Left on January 1: January 31 is day 30, February 1 is not within.
        ((30, 2, HERE, "E"), Status.MET),
        ((31, 2, HERE, "E"), Status.NOT_MET),
        ((2, 2, THERE, "E"), Status.MET),
        ((1, 2, HERE, "E"), Status.MET),  # the next day at the same hospital is no transfer
        # Planned by HL7 table 0007: elective, for a birth, routine. The others are not.
        ((5, 2, HERE, "C"), Status.NOT_MET),
        ((5, 2, HERE, "L"), Status.NOT_MET),
        ((5, 2, HERE, "R"), Status.NOT_MET),
        ((5, 2, HERE, "A"), Status.MET),
        ((5, 2, HERE, "U"), Status.MET),
        ((5, 2, HERE, ""), Status.MET),
        # The digits of the uniform bill: 3 is elective.
        ((5, 2, HERE, "3"), Status.NOT_MET),
        ((5, 2, HERE, "1"), Status.MET),
        ((5, 2, HERE, "5"), Status.MET),
        ((5, 2, HERE, "9"), Status.MET),
    ],
)
def test_a_readmission_is_unplanned_and_within_thirty_days(second, status):
    first, after = stays((-3, 3, HERE, "E"), second)
    units = {unit.id: unit for unit in measures.readmissions([first, after], ZONES)}
    assert units[first.id].status_at(LATER) is status
    # Every discharge can be an index, but one after a birth.
    index = Status.EXCLUDED if second[3] == "L" else Status.NOT_MET
    assert units[after.id].status_at(LATER) is index


def test_a_transfer_is_one_stay_of_the_last_hospital():
    first, moved = stays((0, 3, HERE, "E"), (3, 4, THERE, "E"))
    (unit,) = measures.readmissions([first, moved], ZONES)
    assert (unit.id, unit.facility_id, unit.status_at(LATER)) == (moved.id, THERE, Status.NOT_MET)


@pytest.mark.parametrize(
    ("day", "hour", "minute", "status"), [(31, 23, 30, Status.MET), (32, 0, 0, Status.NOT_MET)]
)
def test_the_thirtieth_day_is_that_of_the_hospital_which_was_left(day, hour, minute, status):
    home = datetime(2026, 7, 1, 23, 30, tzinfo=CHICAGO)  # July 2 in UTC
    first = seen(home - timedelta(days=3), VisitClass.INPATIENT, 3, admission_type="E")
    back = datetime(2026, 7, 1, hour, minute, tzinfo=CHICAGO) + timedelta(days=day - 1)
    after = seen(back, VisitClass.INPATIENT, 2, THERE, admission_type="E")
    units = measures.readmissions([after, first], {HERE: "America/Chicago", THERE: "Asia/Tokyo"})
    (unit,) = [each for each in units if each.id == first.id]
    assert (unit.on, unit.status_at(LATER)) == (home.date(), status)


def test_neither_an_emergency_visit_nor_observation_is_a_readmission():
    (first,) = stays((-3, 3, HERE, "E"))
    back = first.discharged_at + timedelta(days=4)
    others = [seen(back, kind, 1) for kind in (VisitClass.EMERGENCY, VisitClass.OBSERVATION)]
    (unit,) = measures.readmissions([first, *others], ZONES)
    assert (unit.id, unit.status_at(LATER)) == (first.id, Status.NOT_MET)


def test_a_planned_stay_shields_from_what_comes_after_it():
    index, planned, unplanned = stays((0, 1, HERE, "E"), (6, 1, HERE, "R"), (21, 1, HERE, "E"))
    units = {u.id: u for u in measures.readmissions([unplanned, index, planned], ZONES)}
    assert (units[index.id].status_at(LATER), units[index.id].reason) == (Status.NOT_MET, "PLANNED")
    assert units[planned.id].status_at(LATER) is Status.MET


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"disposition": "07"}, "DIED_OR_LEFT"),
        ({"disposition": "50"}, "HOSPICE"),
        ({"disposition": "51"}, "HOSPICE"),
        ({"admission_type": "N"}, "BIRTH"),
        ({"admission_type": "4"}, "BIRTH"),
        ({"admission_type": "L"}, "BIRTH"),
        ({"diagnoses": ("Z38.00",)}, "BIRTH"),
        ({"diagnoses": ("O9A.2", "I50.9")}, "BIRTH"),
        ({"diagnoses": ("P07.3",)}, "BIRTH"),
        ({"diagnoses": ("F20.0",)}, "PSYCHIATRIC"),
        ({"diagnoses": ("f329",)}, "PSYCHIATRIC"),
        ({"disposition": "01", "admission_type": "1", "diagnoses": ("I50.9", "F32.9")}, ""),
        ({"diagnoses": ("F10.2",)}, ""),
        ({"diagnoses": ("F03.9",)}, ""),
        ({"diagnoses": ("N17.9",)}, ""),
        ({"admission_type": "9"}, ""),
        ({}, ""),
    ],
)
def test_births_hospice_and_mental_illness_are_no_stays_to_come_back_from(told, why):
    stay = seen(HOME - timedelta(days=3), VisitClass.INPATIENT, 3, **told)
    (unit,) = measures.readmissions([stay], ZONES)
    expected = (Status.EXCLUDED, why) if why else (Status.NOT_MET, "NOT_READMITTED")
    assert (unit.status_at(LATER), unit.reason) == expected


@pytest.mark.parametrize(
    ("told", "is_left_out"),
    [
        ({"disposition": "50"}, True),
        ({"disposition": "51"}, True),
        ({"disposition": "01"}, False),
        ({"diagnoses": ("F20.0",)}, False),
        ({"admission_type": "N"}, False),
    ],
)
def test_nobody_has_to_reach_or_see_who_went_to_hospice(told, is_left_out):
    stay = seen(HOME - timedelta(days=3), VisitClass.INPATIENT, 3, **told)
    one = discharge(contacted_at=DUE, encounter_id=stay.id, stay=stay)
    visits = {PATIENT: [seen(HOME + timedelta(days=2))]}
    units = measures.contacts([one], ZONES)
    for key in (measures.WEEK, measures.FORTNIGHT):
        units += measures.follow_ups([one], visits, ZONES, key)
    for unit in units:
        assert (unit.status is Status.EXCLUDED) is is_left_out
        assert (unit.reason == "HOSPICE") is is_left_out


def test_who_died_or_is_within_the_window_does_not_count_yet():
    (died,) = stays((0, 3, HERE, "E"))
    died = Visit(**{**{n: getattr(died, n) for n in Visit.__slots__}, "disposition": "20"})
    (unit,) = measures.readmissions([died], ZONES)
    assert unit.status is Status.EXCLUDED
    (fresh,) = stays((0, 3, HERE, "E"))
    (unit,) = measures.readmissions([fresh], ZONES)
    assert unit.status_at(fresh.discharged_at + timedelta(days=30)) is Status.PENDING
    assert unit.status_at(fresh.discharged_at + timedelta(days=31)) is Status.NOT_MET


@pytest.mark.parametrize(
    ("days", "completed", "status"),
    [(90, True, Status.MET), (91, True, Status.NOT_MET), (3, False, Status.NOT_MET), (None, False, Status.NOT_MET)],
)  # fmt: skip
def test_a_referral_is_closed_when_it_is_done_within_ninety_days(days, completed, status):
    sent = datetime(2026, 3, 1, tzinfo=UTC)
    ended = None if days is None else sent + timedelta(days=days)
    told = SentReferral(
        id=new_id(), patient_id=PATIENT, facility_id=HERE, sent_at=sent, ended_at=ended,
        is_completed=completed, state_reason="",
    )  # fmt: skip
    (unit,) = measures.referrals_closed([told], ZONES)
    assert unit.status_at(LATER) is status


VERIFIED = datetime(2026, 9, 4, 23, 40, tzinfo=CHICAGO)
MINUTE = timedelta(minutes=1)


def alarm(read_back=None, reason="", closed=None):
    """A critical result: so many minutes after it was verified it was read back, and its loop ended."""
    return CriticalResult(
        id=new_id(), patient_id=PATIENT, facility_id=HERE, verified_at=VERIFIED,
        read_back_at=None if read_back is None else VERIFIED + read_back * MINUTE,
        read_back_evidence_id=None if read_back is None else new_id(), close_reason=reason,
        closed_at=None if closed is None else VERIFIED + closed * MINUTE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        (alarm(0), Status.MET, "READ_BACK"),
        (alarm(60, "READ_BACK", 60), Status.MET, "READ_BACK"),
        (alarm(61, "READ_BACK", 61), Status.NOT_MET, "READ_BACK_LATE"),
        (alarm(), Status.NOT_MET, "NOT_READ_BACK"),
        # Nothing was left to tell before anybody had been told, and within the hour.
        (alarm(None, "RESULT_WITHDRAWN", 60), Status.EXCLUDED, "RESULT_WITHDRAWN"),
        (alarm(None, "RESULT_CORRECTED", 5), Status.EXCLUDED, "RESULT_CORRECTED"),
        (alarm(None, "DECEASED", 30), Status.EXCLUDED, "DECEASED"),
        # For an hour nobody knew what was thought to be so.
        (alarm(None, "RESULT_WITHDRAWN", 61), Status.NOT_MET, "NOT_READ_BACK"),
        (alarm(None, "DECEASED", 61), Status.NOT_MET, "NOT_READ_BACK"),
        # Read back, and corrected afterwards: whoever was told knows that, too.
        (alarm(10, "CORRECTION_TOLD", 50), Status.MET, "READ_BACK"),
        (alarm(10, "DECEASED", 20), Status.MET, "READ_BACK"),
        (alarm(90, "DECEASED", 95), Status.NOT_MET, "READ_BACK_LATE"),
        # A repeat of an alarm, as it turned out later.
        (alarm(None, "NOT_ELIGIBLE", 600), Status.EXCLUDED, "NOT_ELIGIBLE"),
        (alarm(10, "NOT_ELIGIBLE", 600), Status.EXCLUDED, "NOT_ELIGIBLE"),
    ],
)
def test_a_critical_result_is_read_back_within_the_hour(told, status, reason):
    (unit,) = measures.results_read_back([told], ZONES)
    assert (unit.status_at(LATER), unit.reason) == (status, reason)
    assert unit.on == VERIFIED.date()  # the day where the facility is, which in UTC is over
    in_time = Status.EXCLUDED if status is Status.EXCLUDED else Status.PENDING
    assert unit.status_at(VERIFIED + 60 * MINUTE) is in_time
    assert unit.status_at(VERIFIED + 60 * MINUTE + timedelta(microseconds=1)) is status
    is_timed = told.read_back_at is not None and status is not Status.EXCLUDED
    assert unit.took == (told.read_back_at - VERIFIED if is_timed else None)


@pytest.mark.parametrize(
    ("minutes", "median", "ninetieth"),
    [
        ((), None, None),
        ((12,), 12, 12),
        ((None,), None, None),
        ((5, 10), 5, 10),
        ((30, 10, 20), 20, 30),
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, 200), 5, 9),  # the nearest rank, no mean of two
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 6, 10),
        # Who does not call does not look quick: one of ten is not read back, then two, then more than half.
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, None), 5, 9),
        ((1, 2, 3, 4, 5, 6, 7, 8, None, None), 5, None),
        ((1, 2, None, None, None), None, None),
    ],
)
def test_half_and_nine_in_ten_of_all_that_count_took_at_most(minutes, median, ninetieth):
    waits, left_out = alarm(1), alarm(None, "DECEASED", 1)
    told = [alarm(each) for each in minutes]
    units = measures.results_read_back([*told, left_out], ZONES)
    (young,) = measures.results_read_back([waits], ZONES)
    young = replace(young, settles_at=LATER + MINUTE)
    found = times([*units, young], LATER)
    assert found == Times(
        median=None if median is None else median * MINUTE,
        ninetieth=None if ninetieth is None else ninetieth * MINUTE,
    )


def test_the_protocol_that_ships_allows_as_long_as_the_measure():
    text = Path("services/tasking/protocols/critical-result.yaml").read_text("utf-8")
    protocol = yaml.safe_load(text)
    (step,) = [each for each in protocol["steps"] if each["key"] == "acknowledge"]
    rule = measures.definitions()[measures.CRITICAL_RESULT]
    assert step["deadline"] == {"after": "verified", "hours": rule["minutes"] / 60}
    assert [each["key"] for each in step["outcomes"]] == rule["read_back_outcomes"]
    ends = {each["reason"] for kind in ("closes", "cancels") for each in protocol[kind]}
    assert set(rule["left_out"]) <= ends


def test_wilson_is_the_published_one_and_small_cells_are_not_published():
    low, high = Rate(numerator=12, denominator=120).range
    assert (round(low, 4), round(high, 4)) == (0.0581, 0.1667)
    assert not Rate(numerator=1, denominator=11).is_small
    assert Rate(numerator=1, denominator=10).is_small
    assert Rate(numerator=0, denominator=0).value is None


def test_what_is_met_counts_when_what_is_missed_does():
    units = measures.contacts([discharge(contacted_at=HOME), discharge()], ZONES)
    assert [unit.status_at(DUE) for unit in units] == [Status.PENDING, Status.PENDING]
    assert rate(units, DUE).denominator == 0
    assert rate(units, DUE + timedelta(seconds=1)) == Rate(numerator=1, denominator=2)


def test_a_rate_leaves_out_what_is_excluded_or_pending():
    units = measures.contacts(
        [discharge(contacted_at=HOME), discharge(), discharge(close_reason="NOT_ELIGIBLE")], ZONES
    )
    assert rate(units, LATER) == Rate(numerator=1, denominator=2)
    assert rate(measures.contacts([discharge()], ZONES), HOME).denominator == 0


def test_every_measure_says_what_it_is_and_where_it_comes_from():
    for key, told in measures.definitions().items():
        assert all(told[needed] for needed in ("title", "definition", "source")), key
