"""Transitional care: the code, or every reason why there is none. The vectors are those of CMS and CPT."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from services.tasking.domain.billing import billing_rules
from services.tasking.domain.claims import Judgment, Mdm, Reason, Shown, Transition, tcm_candidate
from tests.unit.tasking.record import CHICAGO, at, planned, stay

RULES = billing_rules()
LOOP = UUID(int=1)
LATER = at("2026-12-31 12:00")


def shown(when, number, kind="TASK_OUTCOME"):
    return Shown(at=at(when), source_id=UUID(int=number), kind=kind)


HOME = Transition(
    loop_id=LOOP,
    discharged_at=at("2026-09-01 14:00"),
    left_from="INPATIENT",
    left_to="01",
    contact_due_at=at("2026-09-03 23:59:59"),
    contact=shown("2026-09-03 16:00", 2),
    visit=shown("2026-09-08 10:00", 3, "ENCOUNTER"),
    reconciled=shown("2026-09-08 09:00", 4, "RECONCILIATION"),
    judgment=Judgment(mdm=Mdm.HIGH),
)


def candidate(now=LATER, **changes):
    return tcm_candidate(replace(HOME, **changes), RULES, CHICAGO, now=now)


def visited(day):
    return shown(f"2026-09-{1 + day:02d} 10:00", 3)


@pytest.mark.parametrize(
    ("mdm", "day", "code"),
    [
        (Mdm.HIGH, 1, "99496"), (Mdm.HIGH, 7, "99496"), (Mdm.HIGH, 8, "99495"), (Mdm.HIGH, 14, "99495"),
        (Mdm.MODERATE, 1, "99495"), (Mdm.MODERATE, 7, "99495"), (Mdm.MODERATE, 14, "99495"),
    ],
)  # fmt: skip
def test_the_code_follows_from_the_day_of_the_visit_and_how_hard_it_was(mdm, day, code):
    visit = visited(day)
    found = candidate(visit=visit, reconciled=visit, judgment=Judgment(mdm=mdm))
    assert (found.code, found.reasons) == (code, ())
    assert found.service_on == date(2026, 9, 1 + day)
    assert all(check.holds for check in found.trace)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"left_from": "EMERGENCY"}, Reason.NOT_ELIGIBLE_SOURCE),
        ({"left_from": "OUTPATIENT"}, Reason.NOT_ELIGIBLE_SOURCE),
        ({"left_from": "UNSPECIFIED"}, Reason.SOURCE_UNKNOWN),
        ({"left_from": ""}, Reason.SOURCE_UNKNOWN),
        ({"left_to": "03"}, Reason.NOT_ELIGIBLE_DESTINATION),
        ({"left_to": "21"}, Reason.NOT_ELIGIBLE_DESTINATION),
        ({"left_to": "30"}, Reason.NOT_ELIGIBLE_DESTINATION),
        ({"left_to": ""}, Reason.DESTINATION_UNKNOWN),
        ({"contact": None}, Reason.CONTACT_MISSED),
        ({"contact": shown("2026-09-04 09:00", 2)}, Reason.CONTACT_MISSED),
        ({"contact": None, "attempts": (shown("2026-09-02 09:00", 5),)}, Reason.FEWER_THAN_2_ATTEMPTS),
        ({"contact": None, "attempts": (shown("2026-09-02 09:00", 5), shown("2026-09-04 09:00", 6))},
         Reason.FEWER_THAN_2_ATTEMPTS),
        ({"visit": visited(15)}, Reason.VISIT_AFTER_DAY_14),
        ({"visit": None}, Reason.NO_VISIT),
        ({"reconciled": shown("2026-09-09 00:01", 4)}, Reason.MEDREC_LATE),
        ({"reconciled": None}, Reason.MEDREC_LATE),
        ({"reconciled": shown("2026-08-31 23:00", 4)}, Reason.MEDREC_LATE),
        ({"judgment": Judgment(mdm=Mdm.LOW)}, Reason.MDM_LOW),
        ({"judgment": Judgment()}, Reason.MDM_UNKNOWN),
        ({"is_deceased": True, "died_at": at("2026-09-30 23:00")}, Reason.DECEASED),
        ({"is_deceased": True}, Reason.DECEASED),
        ({"readmitted_at": at("2026-09-05 10:00")}, Reason.READMITTED),
        ({"claimed_at": (at("2026-08-03 00:30"),)}, Reason.PERIOD_OVERLAPS),
        ({"claimed_at": (at("2026-08-25 10:00"),)}, Reason.PERIOD_OVERLAPS),
        ({"judgment": Judgment(mdm=Mdm.HIGH, is_billed_elsewhere=True)}, Reason.OTHER_PROVIDER_BILLED),
        ({"judgment": Judgment(mdm=Mdm.HIGH, is_global_period=True)}, Reason.GLOBAL_PERIOD),
    ],
)  # fmt: skip
def test_each_reason_why_not(changes, reason):
    found = candidate(**changes)
    assert found.code == ""
    assert found.reasons == (reason,)
    assert [check.holds for check in found.trace].count(False) == 1


@pytest.mark.parametrize(
    ("left_from", "left_to"),
    [("OBSERVATION", "01"), ("PARTIAL", "01"), ("INPATIENT", "06"), ("INPATIENT", "86")],
)
def test_home_from_a_stay_counts(left_from, left_to):
    assert candidate(left_from=left_from, left_to=left_to).code == "99496"


def test_two_separate_attempts_in_time_count_as_the_contact():
    tries = (shown("2026-09-02 09:00", 5), shown("2026-09-03 09:00", 6))
    found = candidate(contact=None, attempts=tries)
    assert (found.code, found.reasons) == ("99496", ())
    late = candidate(contact=shown("2026-09-10 09:00", 2), attempts=tries)
    assert late.code == "99496"


@pytest.mark.parametrize(
    "changes",
    [
        {
            "is_deceased": True,
            "died_at": at("2026-10-01 00:30"),
        },  # the day after the last of the thirty
        {"readmitted_at": at("2026-09-09 10:00")},  # after the visit: this discharge stays the one
        {"reconciled": shown("2026-09-08 23:00", 4)},
        {"reconciled": shown("2026-09-01 15:00", 4)},
        {"claimed_at": (at("2026-08-02 23:30"),)},  # the thirtieth day was the day before
    ],
)
def test_what_comes_after_does_not_take_it_away(changes):
    assert candidate(**changes).code == "99496"


def test_what_can_still_come_is_pending_and_all_reasons_are_said_at_once():
    found = candidate(
        at("2026-09-02 08:00"), contact=None, visit=None, reconciled=None, judgment=Judgment()
    )
    assert found.reasons == (
        Reason.CONTACT_PENDING, Reason.VISIT_PENDING, Reason.MEDREC_PENDING, Reason.MDM_UNKNOWN,
    )  # fmt: skip
    assert candidate(discharged_at=None).reasons == (Reason.NOT_DISCHARGED,)


def test_the_rule_is_that_of_the_day_of_the_discharge():
    before = candidate(discharged_at=at("2012-12-31 14:00"))
    assert before.reasons == (Reason.NO_RULE,)
    found = candidate()
    assert (found.rules_version, found.effective_from, found.effective_to) == (
        "2026-2", date(2013, 1, 1), None,
    )  # fmt: skip


def test_the_packet_names_what_shows_it_in_order():
    assert [each.source_id.int for each in candidate().evidence] == [2, 4, 3]
    assert {check.source_id for check in candidate().trace} >= {
        UUID(int=2),
        UUID(int=3),
        UUID(int=4),
    }


@pytest.mark.parametrize(
    ("left", "contact", "seven", "fourteen", "end"),
    [
        ("2026-09-01", "2026-09-03", "2026-09-08", "2026-09-15", "2026-09-30"),
        ("2026-05-22", "2026-05-27", "2026-05-29", "2026-06-05", "2026-06-20"),
        ("2026-03-07", "2026-03-10", "2026-03-14", "2026-03-21", "2026-04-05"),
        ("2026-07-02", "2026-07-07", "2026-07-09", "2026-07-16", "2026-07-31"),
        ("2026-11-25", "2026-11-30", "2026-12-02", "2026-12-09", "2026-12-24"),
        ("2026-12-24", "2026-12-29", "2026-12-31", "2027-01-07", "2027-01-22"),
        ("2026-02-13", "2026-02-18", "2026-02-20", "2026-02-27", "2026-03-14"),
    ],
)
def test_the_vectors_of_the_calendar(left, contact, seven, fourteen, end):
    plan = planned(stay(None, f"{left} 17:40"))
    dates = {each.key: f"{each.on}" for each in plan.key_dates}
    assert dates == {
        "contact_due": contact, "visit_7_due": seven, "visit_14_due": fourteen, "period_end": end,
    }  # fmt: skip
    base = replace(
        HOME,
        discharged_at=at(f"{left} 17:40"),
        contact_due_at=next(each.at for each in plan.key_dates if each.key == "contact_due"),
        contact=shown(f"{contact} 23:00", 2),
    )
    for day, code in ((seven, "99496"), (fourteen, "99495")):
        on = at(f"{day} 23:30")
        for visit, expected in (
            (on, code),
            (on + timedelta(days=1), "99495" if day == seven else ""),
        ):
            seen = replace(HOME.visit, at=visit)
            found = tcm_candidate(
                replace(base, visit=seen, reconciled=seen),
                RULES,
                CHICAGO,
                now=LATER + timedelta(99),
            )
            assert found.code == expected
