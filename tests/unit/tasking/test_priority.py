"""Why this before that: terms that add up, and the same points for the same reason."""

from datetime import date, timedelta

import pytest

from services.tasking.domain.priority import ClockGroup, clock_group, priority_of
from tests.unit.tasking.hospital import NURSE, Stored, local_date
from tests.unit.tasking.record import at, stay


@pytest.fixture
def contact():
    stored = Stored()
    stored.plan(stay(discharged="2026-09-04 17:40"), now=at("2026-09-04 18:00"))
    return stored["contact"]


def terms(task, when):
    priority = priority_of(task, at(when), local_date(at(when)))
    assert priority.score == sum(term.points for term in priority.terms)
    assert list(priority.terms) == sorted(priority.terms, key=lambda t: (-t.points, t.label))
    return {term.label: term.points for term in priority.terms}


def test_each_reason_is_in_words_and_the_points_add_up(contact):
    assert terms(contact, "2026-09-09 09:00") == {
        "due today": 25,
        "no contact yet": 12,
        "its loop needs it": 6,
        "taken by nobody": 5,
    }


@pytest.mark.parametrize(
    ("when", "label", "points"),
    [
        ("2026-09-08 23:59", "due tomorrow", 10),
        ("2026-09-09 23:59", "due today", 25),
        ("2026-09-10 00:00", "late", 40),
        ("2026-09-11 00:00", "1 day late", 45),
        ("2026-09-13 12:00", "3 days late", 55),
        ("2026-10-30 12:00", "50 days late", 65),
    ],
)
def test_the_clock_counts_where_the_facility_is(contact, when, label, points):
    assert terms(contact, when)[label] == points


def test_what_cannot_begin_yet_waits(contact):
    stored = Stored()
    stored.plan(stay(discharged="2026-09-04 17:40"), now=at("2026-09-04 18:00"))
    assert terms(stored["close"], "2026-09-05 09:00")["not before its start"] == -20


def test_levels_claims_and_declines_show(contact):
    climbed, _ = contact.climb(at=contact.rungs[1].at)
    shown = terms(climbed.claim(by=NURSE), "2026-09-09 09:00")
    assert shown["escalated, level 2"] == 16
    assert "taken by nobody" not in shown
    declined = contact.decline(by=NURSE, reason="no", to=contact.owner)
    assert terms(declined, "2026-09-09 09:00")["was declined"] == 4


def test_groups_are_late_today_and_later(contact):
    def group(when):
        return clock_group(contact, at(when), local_date(at(when)))

    assert group("2026-09-08 12:00") is ClockGroup.LATER
    assert group("2026-09-09 12:00") is ClockGroup.TODAY
    assert group("2026-09-10 12:00") is ClockGroup.LATE


def test_a_closed_task_has_no_priority(contact):
    cancelled = contact.cancel(reason="X", at=contact.due_at)
    assert priority_of(cancelled, contact.due_at + timedelta(days=1), date(2026, 9, 11)).terms == ()
