"""A loop is as sensitive as the visits that it was made of."""

from dataclasses import replace
from uuid import UUID

from services.registry.domain import labels as registry
from services.tasking.domain.labels import Label, inherit
from tests.unit.tasking.hospital import Stored
from tests.unit.tasking.record import at, planned, stay

SUD, HIV, PART2 = (Label.SUD,), (Label.HIV,), (Label.PART2,)
HOME = stay(discharged="2026-09-04 17:40")
SOON = at("2026-09-05 08:00")


def follow_up(**changes):
    facts = {"id": UUID(int=11), "visit_class": "OUTPATIENT"} | changes
    return stay("2026-09-08 09:00", "2026-09-08 10:00", **facts)


def test_it_inherits_as_registry_says():
    rows = [(Label.NORMAL,), SUD, HIV, (Label.HIV, Label.SUD), (Label.WITHHELD,), ()]
    for some in rows:
        for other in rows:
            expected = registry.inherit(frozenset(some), frozenset(other))
            assert set(inherit(some, other)) == expected, (some, other)
    assert inherit() == (Label.WITHHELD,)


def test_a_loop_and_its_tasks_are_as_sensitive_as_the_visit_that_opened_it():
    stored = Stored()
    stored.plan(replace(HOME, labels=SUD), now=SOON)
    assert stored.loop.labels == SUD
    assert {task.labels for task in stored.tasks.values()} == {SUD}


def test_they_become_what_the_visit_becomes_also_what_people_did_and_what_is_over():
    stored = Stored()
    stored.plan(HOME, now=SOON)
    assert stored.loop.labels == (Label.NORMAL,)
    stored.plan(replace(HOME, labels=PART2), now=SOON)
    assert {stored.loop.labels, *(t.labels for t in stored.tasks.values())} == {PART2}
    over = replace(HOME, state="CANCELLED", discharged_at=None, labels=PART2)
    stored.plan(over, now=SOON)
    stored.plan(replace(over, labels=HIV), now=SOON)
    assert not stored.loop.is_open
    assert {*stored.loop.labels} >= {*HIV}
    assert {task.labels for task in stored.tasks.values()} == {stored.loop.labels}


def test_what_another_visit_shows_is_as_sensitive_as_that_visit():
    plan = planned(HOME, follow_up(labels=HIV))
    assert any(step.shown_by for step in plan.steps)
    assert plan.labels == HIV
    unrelated = follow_up(labels=HIV, visit_class="INPATIENT", state="CANCELLED")
    assert planned(HOME, unrelated).labels == (Label.NORMAL,)
