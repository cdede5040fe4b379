"""By when a partner has to have answered."""

from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from libs.calendars.calendar import calendar_for
from services.referrals.domain.answering import (
    LEADS,
    RULES,
    AnswerRule,
    Priority,
    answer_due,
    rule_for,
)
from services.referrals.domain.facility import Facility

CHICAGO = calendar_for("America/Chicago", "us-federal")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Chicago"))


@pytest.mark.parametrize(
    ("priority", "sent", "due"),
    [
        (Priority.ROUTINE, "2026-09-08 09:00", "2026-09-09 09:00"),
        (Priority.ROUTINE, "2026-09-04 17:40", "2026-09-08 17:40"),  # over Labor Day
        (Priority.ROUTINE, "2026-09-05 12:00", "2026-09-08 12:00"),  # a Saturday
        (Priority.ROUTINE, "2026-03-06 08:00", "2026-03-09 08:00"),  # over the change of the clock
        (Priority.URGENT, "2026-09-04 17:40", "2026-09-04 21:40"),
        (Priority.EMERGENT, "2026-09-05 23:30", "2026-09-06 00:30"),
    ],
)
def test_the_rule_counts_in_the_facilitys_days(priority, sent, due):
    assert answer_due(priority, CHICAGO, at(sent)).at == at(due)


def test_a_service_that_promised_sooner_is_held_to_it_and_a_promise_slows_nothing_urgent():
    sent = at("2026-09-04 17:40")
    assert answer_due(Priority.ROUTINE, CHICAGO, sent, promised_hours=4).at == sent + timedelta(
        hours=4
    )
    assert answer_due(Priority.EMERGENT, CHICAGO, sent, promised_hours=24).at == sent + timedelta(
        hours=1
    )


@pytest.mark.parametrize(
    ("needed", "due"),
    [
        ("2026-09-10 12:00", "2026-09-09 09:00"),  # the usual time
        ("2026-09-09 10:00", "2026-09-09 08:00"),  # two hours before
        ("2026-09-08 13:00", "2026-09-08 11:00"),
        ("2026-09-08 12:00", "2026-09-08 10:30"),  # half of what is left
        ("2026-09-08 10:00", "2026-09-08 09:30"),
    ],
)
def test_while_there_is_time_to_ask_another_before_it_is_needed(needed, due):
    sent = at("2026-09-08 09:00")
    assert answer_due(Priority.ROUTINE, CHICAGO, sent, needed_at=at(needed)).at == at(due)


def test_what_was_needed_before_changes_nothing():
    sent = at("2026-09-08 09:00")
    assert answer_due(Priority.ROUTINE, CHICAGO, sent, needed_at=at("2026-09-01 09:00")).at > sent


def test_every_rule_has_its_day_and_its_source_and_the_newest_in_effect_counts():
    assert {rule.priority for rule in RULES} == set(Priority)
    assert all(rule.source and bool(rule.hours) != bool(rule.business_days) for rule in RULES)
    newer = AnswerRule(priority=Priority.URGENT, effective_on=date(2027, 1, 1), hours=2, source="x")
    rules = (*RULES, newer)
    assert all(lead.source and lead.hours for lead in LEADS)
    assert rule_for(Priority.URGENT, date(2026, 12, 31), rules).hours == 4
    assert rule_for(Priority.URGENT, date(2027, 1, 1), rules) is newer
    assert rule_for(Priority.URGENT, date(2020, 1, 1), rules).hours == 4


def test_a_place_that_is_not_known_counts_in_utc_without_holidays():
    nowhere = Facility(
        id=uuid4(), time_zone="Nowhere/At_All", holiday_calendar="none of ours"
    ).calendar
    assert nowhere.time_zone == "UTC"
    assert nowhere.is_business_day(date(2026, 12, 25))
