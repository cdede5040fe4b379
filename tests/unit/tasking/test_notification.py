"""Who is told of an escalation, once, and that the letter says nothing about the patient."""

from datetime import timedelta

import pytest

from services.tasking.clients import write
from services.tasking.domain.notification import (
    LONGEST_PAUSE,
    Letter,
    escalations,
    pause_after,
    review,
)
from tests.unit.tasking.hospital import ADMIN, DUTY, EVERYBODY, LEAD, LOOP, Stored
from tests.unit.tasking.record import FACILITY, at, stay

NOW = at("2026-09-09 18:00")


@pytest.fixture
def contact():
    stored = Stored()
    stored.plan(stay(discharged="2026-09-04 17:40"), now=at("2026-09-04 18:00"))
    return stored["contact"]


def test_each_level_tells_whom_the_ladder_names(contact):
    after, reached = contact.climb(at=contact.rungs[-1].at)
    told = escalations(after, reached, EVERYBODY, NOW)
    assert [(each.level, each.staff_id) for each in told] == [(1, LEAD), (2, ADMIN), (3, DUTY)]
    assert all(each.is_email and each.next_try_at == NOW for each in told)


def test_the_same_level_told_again_is_the_same_notification(contact):
    after, reached = contact.climb(at=contact.rungs[0].at)
    first = escalations(after, reached, EVERYBODY, NOW)
    again = escalations(after, reached, EVERYBODY, NOW + timedelta(hours=1))
    assert [each.id for each in first] == [each.id for each in again]


def test_a_letter_has_role_due_time_facility_and_a_link_and_nothing_else(contact):
    letter = Letter(
        id=LOOP,
        loop_id=contact.loop_id,
        task_id=contact.id,
        level=2,
        role="community_health_worker",
        due_at=contact.due_at,
        facility_name="Mercy",
        time_zone="America/Chicago",
        email="lead@example.org",
        is_moot=False,
        tries=1,
    )
    mail = write(letter, "carehub@example.org", "https://hub.example.org")
    assert mail["Subject"] == "CareHub: a task is late"
    assert mail["Message-ID"] == f"<{LOOP}@carehub>"
    assert mail.get_content().splitlines() == [
        "A task needs somebody. It has reached level 2 of its escalation.",
        "",
        "Role: community health worker",
        "Due: Wed 9 Sep 2026 23:59 (America/Chicago)",
        "Facility: Mercy",
        f"https://hub.example.org/tasks/{contact.id}",
    ]


def test_a_review_names_the_loop():
    told = review(LOOP, FACILITY, DUTY, NOW, NOW)
    assert (told.task_id, told.level, told.staff_id) == (None, 0, DUTY)


def test_tries_come_less_and_less_often():
    pauses = [pause_after(tries) for tries in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=15)
    assert pauses[-1] == LONGEST_PAUSE
