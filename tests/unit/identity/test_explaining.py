"""To whom which part of an explanation is told."""

from dataclasses import replace
from random import Random

import pytest

from services.identity.domain.access.boxes import may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.terms import DataClass, Label, Purpose
from services.identity.domain.explaining import (
    EACH_LABEL,
    ORDINARY,
    Asked,
    Person,
    answers,
    headline,
    ordinary,
    to_themselves,
)
from services.identity.domain.role import PERMISSIONS, Role
from tests.reference import chance
from tests.unit.identity.access_network import (
    AT,
    DOCTOR,
    HOSPITAL,
    NURSE,
    PLACES,
    VALLEY_CLINIC,
    deny,
    glass,
    patient,
    permit,
    question,
    registered,
    treated,
    world,
)
from tests.unit.identity.access_translation import an_id, ids, translated_once

EVERY_CLASS = tuple(DataClass)
CARE = PERMISSIONS[Role.NURSE]
SEES = (treated(),)


def at(facility=VALLEY_CLINIC, person=NURSE, permissions=CARE, **other):
    held = dict.fromkeys(permissions, frozenset({facility}))
    return Person(id=person, held=held, organization_of=PLACES, **other)


def asked(person=None, source=HOSPITAL, purpose=Purpose.TREATMENT):
    return Asked(person=person or at(), purpose=purpose, source_id=source, at=AT)


def told(facts, of=None, classes=EVERY_CLASS, labels=(ORDINARY,)):
    return answers(facts, of or asked(), classes, labels)


def keys(found):
    return [line.key for answer in found for line in answer.lines]


def to_an_administrator(facts, of=None):
    return told(ordinary(facts, frozenset()), of)


def test_sorts_of_data_for_which_the_same_holds_are_told_of_together():
    (demographics, others) = told(world(registrations=(registered(),)))
    assert demographics.data_classes == (DataClass.DEMOGRAPHICS,)
    assert (demographics.is_allowed, others.is_allowed) == (True, False)
    assert len(others.data_classes) == len(DataClass) - 1
    assert headline([demographics, others]).key == "headline.SOME"
    (everything,) = told(world(treatments=SEES))
    assert everything.data_classes == EVERY_CLASS
    assert headline([everything]).key == "headline.ALL"
    assert headline(told(world())).key == "headline.NONE"


def test_the_headline_is_about_ordinary_rows_where_labels_are_told_of_too():
    found = told(world(treatments=SEES), labels=EACH_LABEL)
    assert not all(answer.is_allowed for answer in found)
    assert headline(found).key == "headline.ALL"


def test_without_a_permission_it_is_the_role_that_decides():
    (nothing,) = told(world(treatments=SEES), asked(at(permissions=())))
    assert (nothing.is_allowed, nothing.lines[0].key) == (False, "role")


CLINICAL, MESSAGES, REFERRALS = DataClass.CLINICAL, DataClass.MESSAGES, DataClass.REFERRALS


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.NURSE, set()),
        (Role.SCHEDULER, {CLINICAL}),
        (Role.PRIVACY_OFFICER, {CLINICAL, MESSAGES, REFERRALS, DataClass.APPOINTMENTS}),
        (Role.ANALYST, set(DataClass)),
    ],
)
def test_what_the_services_do_not_show_to_a_role_is_refused_by_it(role, refused):
    found = told(world(treatments=SEES), asked(at(permissions=PERMISSIONS[role])))
    by_role = {key for one in found if keys([one]) == ["role"] for key in one.data_classes}
    assert by_role == refused
    assert all(one.is_allowed for one in found if keys([one]) != ["role"])


def test_who_has_left_sees_nothing_whatever_names_them():
    facts = world(treatments=SEES, consents=(permit(NURSE),))
    (answer,) = told(facts, asked(at(has_left=True)))
    assert (answer.is_allowed, answer.lines[0].key) == (False, "obstacle.PERSON_DEACTIVATED")


def test_somebody_who_is_not_of_the_staff_is_told_of_by_what_names_them():
    outsider = Person(id=DOCTOR, held=None)
    (answer,) = told(world(consents=(permit(DOCTOR),)), asked(outsider))
    assert (answer.is_allowed, answer.lines[0].key) == (True, "allowed.CONSENT")


SENSITIVE_FACTS = {
    "a consent for Part 2 records": {"consents": (permit(labels=frozenset({Label.PART2})),)},
    "one that names them": {"consents": (permit(NURSE, labels=frozenset({Label.PART2})),)},
    "one that was only spoken": {
        "consents": (permit(NURSE, labels=frozenset({Label.PART2}), evidence_id=None),)
    },
    "counseling notes not apart": {
        "consents": (permit(labels=frozenset({Label.COUNSELING_NOTES, Label.HIV})),)
    },
    "a refusal about HIV": {"consents": (deny(labels=frozenset({Label.HIV})),)},
    "a refusal about HIV to them": {
        "consents": (deny(VALLEY_CLINIC, labels=frozenset({Label.HIV})),)
    },
}


@pytest.mark.parametrize("name", SENSITIVE_FACTS)
@pytest.mark.parametrize("relation", [{}, {"registrations": (registered(),)}, {"treatments": SEES}])
def test_an_administrator_is_told_the_same_whether_or_not_there_is_something_sensitive(
    name, relation
):
    with_it, without = world(**relation, **SENSITIVE_FACTS[name]), world(**relation)
    assert to_an_administrator(with_it) == to_an_administrator(without)


def test_an_administrator_hears_of_an_emergency_and_not_of_which_records_it_opened():
    medical = glass(is_part2_emergency=True, is_medical=True)
    of = asked(at(person=DOCTOR), purpose=Purpose.EMERGENCY)
    found = to_an_administrator(world(emergencies=(medical,)), of)
    assert "allowed.BREAK_GLASS" in keys(found)
    assert not any("Part 2" in line.sentence for answer in found for line in answer.lines)


def test_of_a_consent_that_has_an_older_version_only_the_newest_counts():
    older = permit(NURSE, version=1)
    newer = replace(older, version=2, labels=frozenset({Label.PART2}))
    assert not to_an_administrator(world(consents=(older, newer)))[0].is_allowed


def test_ordinary_rows_are_decided_the_same_from_the_ordinary_facts():
    """Otherwise an administrator would be told something else than what happens."""
    compared = 0
    for number in range(600):
        rng = Random(f"explaining/{number}")
        random_world = chance.world(rng)
        facts = translated_once(random_world)
        for _ in range(8):
            q = chance.question(rng, random_world)
            one = question(
                person_id=an_id(q.person), team_ids=ids(q.teams), facility_ids=ids(q.facilities),
                organization_ids=ids(q.organizations), purpose=Purpose(q.purpose), source_id=an_id(q.source),
                data_class=DataClass(q.data_class), at=q.at,
            )  # fmt: skip
            in_full = may(decide(facts, q.at), one)
            assert may(decide(ordinary(facts, frozenset()), q.at), one) == in_full, (number, q)
            compared += in_full
    assert compared > 300


def test_somebody_hears_why_they_see_and_not_why_they_do_not():
    refused = told(world(treatments=SEES, consents=(deny(classes=frozenset({DataClass.VISITS})),)))
    assert "stopped.DENIED" in keys(refused)
    assert set(keys(to_themselves(refused))) == {"allowed.TREATED", "by.agreement", "ask"}
    unrelated = to_themselves(told(world(registrations=(registered(),))))
    assert [one.lines for one in unrelated if not one.is_allowed] == [
        one.lines for one in to_themselves(refused) if not one.is_allowed
    ]


def test_a_retired_record_is_explained_as_one():
    retired = world(patient=patient(is_retired=True), treatments=SEES)
    (answer,) = told(retired, asked(at(HOSPITAL, permissions=CARE), source=VALLEY_CLINIC))
    assert "obstacle.PATIENT_RETIRED" in [line.key for line in answer.lines]
