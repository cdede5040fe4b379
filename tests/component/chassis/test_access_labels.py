"""The policies of rows with labels: each kind of row by itself, and some thousand random ones against the decider."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from libs.chassis.access import keep_beat, project_access
from libs.chassis.caller import Capacity
from libs.chassis.database import Mode
from services.identity.convert.access import to_rows
from services.identity.domain.access.boxes import Access, Denial, Grant, Question, may
from services.identity.domain.access.terms import (
    DataClass,
    Label,
    Purpose,
    Reason,
    Standing,
    Weight,
)
from tests.component.chassis.test_access import HERE, THERE, site

__all__ = ["site"]
LABELED = {
    ("analytics", "risks"): DataClass.COORDINATION,
    ("analytics", "units"): DataClass.COORDINATION,
    ("careplans", "care_plans"): DataClass.COORDINATION,
    ("careplans", "loops"): DataClass.COORDINATION,
    ("careplans", "medicine_lists"): DataClass.CLINICAL,
    ("careplans", "reconciliations"): DataClass.CLINICAL,
    ("registry", "encounters"): DataClass.VISITS,
    ("tasking", "loops"): DataClass.COORDINATION,
    ("tasking", "tasks"): DataClass.COORDINATION,
    ("messaging", "messages"): DataClass.MESSAGES,
    ("messaging", "replies"): DataClass.MESSAGES,
    ("messaging", "telephone"): DataClass.MESSAGES,
    ("messaging", "threads"): DataClass.MESSAGES,
}
EACH = pytest.mark.parametrize(("service", "table"), LABELED)
PLACES = [HERE, THERE, *(uuid4() for _ in range(3))]
PEOPLE, TEAMS, ORGANIZATIONS = ([uuid4() for _ in range(3)] for _ in range(3))
MINGLED = [label for label in Label if label not in (Label.NORMAL, Label.WITHHELD)]


async def labels_seen(site, *facilities):
    async with site.database.person(PEOPLE[0], facilities, Mode.READ, 5, treating()) as tx:
        rows = await tx._connection.fetch(f"SELECT labels FROM {site.table}")
    return {label for row in rows for label in row["labels"]}


@EACH
async def test_who_treats_sees_what_is_free_and_ones_own_facility_all_but_notes(site):
    await site.rows([(uuid4(), site.patient, THERE, (label,)) for label in Label])
    await site.know(site.registered(HERE, THERE), site.treated(HERE))
    assert await labels_seen(site, HERE) == {*Label} - {"PART2", "COUNSELING_NOTES", "WITHHELD"}
    assert await labels_seen(site, THERE) == {*Label} - {"COUNSELING_NOTES"}


@pytest.mark.parametrize(
    ("service", "table"), [("registry", "program_patients"), ("tasking", "program_patients")]
)
async def test_whom_a_program_knows_is_seen_by_nobody_who_treats_them_elsewhere(site):
    await site.row(THERE)
    await site.know(site.registered(HERE, THERE), site.treated(HERE))
    assert await labels_seen(site, HERE) == set()
    assert await labels_seen(site, THERE) == {"PART2"}


@EACH
async def test_a_row_is_seen_only_where_each_of_its_labels_is(site):
    await site.row(THERE, ("HIV", "PART2"))
    await site.know(site.registered(HERE, THERE), site.treated(HERE))
    assert not await site.sees()


@EACH
@pytest.mark.parametrize("labels", [(), ("NORMAL", "HIV"), ("WITHHELD", "PART2"), ("SECRET",)])
async def test_the_database_keeps_no_row_that_does_not_say_what_it_is(site, labels):
    with pytest.raises(asyncpg.CheckViolationError):
        await site.row(HERE, labels)


@EACH
async def test_what_the_version_before_writes_never_leaves_its_facility(site):
    await site.row(HERE, None)
    assert await labels_seen(site, HERE) == {"WITHHELD"}


def treating():
    return Capacity(purposes=frozenset({"TREATMENT"}))


def some(dice, members, most=3):
    return frozenset(dice.sample(list(members), dice.randint(1, most)))


def box(dice, data_class):
    ends = dice.choice((None, None, timedelta(hours=-1), timedelta(hours=1)))
    return {
        "sources": dice.choice((None, some(dice, PLACES))),
        "purposes": some(dice, Purpose, 4)
        | ({Purpose.TREATMENT} if dice.random() < 0.5 else set()),
        "classes": some(dice, DataClass) | ({data_class} if dice.random() < 0.8 else set()),
        "labels": some(dice, Label, 9),
        "expires_at": datetime.now(UTC) + ends if ends else None,
        "fact_id": uuid4(),
    }


def grant(dice, data_class):
    grantee = dice.choice(PEOPLE + TEAMS + PLACES + ORGANIZATIONS)
    return Grant(
        grantee_id=grantee,
        names=frozenset({grantee}) | some(dice, PLACES + ORGANIZATIONS, 2),
        standing=dice.choice(list(Standing)),
        reason=Reason.TREATED,
        **box(dice, data_class),
    )


def denial(dice, data_class):
    return Denial(
        grantee_id=dice.choice([None, *PEOPLE, *TEAMS, *PLACES, *ORGANIZATIONS]),
        weight=dice.choice(list(Weight)),
        reason=Reason.DENIED,
        **box(dice, data_class),
    )


def access(dice, data_class):
    return Access(
        grants=tuple(grant(dice, data_class) for _ in range(dice.randint(0, 5))),
        denials=tuple(denial(dice, data_class) for _ in range(dice.choice((0, 0, 1, 2)))),
    )


def row_labels(dice):
    if dice.random() < 0.35:
        return frozenset({dice.choice((Label.NORMAL, Label.NORMAL, Label.WITHHELD))})
    return some(dice, MINGLED, 2)


def caller(dice):
    return {
        "person_id": dice.choice(PEOPLE),
        "team_ids": frozenset(dice.sample(TEAMS, dice.randint(0, 2))),
        "facility_ids": some(dice, PLACES, 2),
        "organization_ids": some(dice, ORGANIZATIONS, 1),
        "purpose": dice.choice([Purpose.TREATMENT] * 6 + list(Purpose)),
    }


async def seen_by(site, who, question):
    capacity = Capacity(
        teams=who["team_ids"],
        organizations=who["organization_ids"],
        purposes=frozenset(p.value for p in question.purposes),
    )
    async with site.database.person(
        who["person_id"], who["facility_ids"], Mode.READ, 20, capacity
    ) as tx:
        return {row["id"] for row in await tx._connection.fetch(f"SELECT id FROM {site.table}")}


@EACH
async def test_the_policy_says_of_every_row_what_the_decider_says(site, service, table):
    dice, data_class, now = random.Random(20261128), LABELED[service, table], datetime.now(UTC)
    patients = {uuid4(): access(dice, data_class) for _ in range(40)}
    cells = {
        uuid4(): (patient, dice.choice(PLACES), row_labels(dice))
        for patient in patients
        for _ in range(6)
    }
    await site.rows([(id, *cell) for id, cell in cells.items()])
    async with site.database.system() as tx:
        await project_access(tx, [to_rows(p, 1, decided) for p, decided in patients.items()])
    answers = {True: 0, False: 0}
    for who in (caller(dice) for _ in range(25)):
        async with site.database.system() as tx:  # identity goes on beating, however long it takes
            await keep_beat(tx, datetime.now(UTC))
        seen = None
        for id, (patient, place, labels) in cells.items():
            question = Question(
                source_id=place, labels=labels, data_class=data_class, at=now, **who
            )
            seen = await seen_by(site, who, question) if seen is None else seen
            expected = may(patients[patient], question)
            assert (id in seen) is expected, (who, question, patients[patient])
            answers[expected] += 1
    assert sum(answers.values()) == 6000
    assert min(answers.values()) > 900, answers
