"""What patients, and those who act for them, may know of who has looked."""

import pytest

from services.identity.domain.access.facts import ProxyKind
from services.identity.domain.access.terms import ALL_CLASSES, DataClass
from services.identity.domain.own import Relation, own_view
from tests.unit.identity.access_network import (
    AT,
    HOSPITAL,
    MOTHER,
    NURSE,
    PAT,
    PROGRAM,
    deny,
    hold,
    member,
    patient,
    proxy,
    world,
)

KNOWN_TO_A_PROGRAM = {"programs": frozenset({PROGRAM})}


def view(person=PAT, **facts):
    return own_view(world(**facts), person, AT)


def test_the_patient_knows_of_everybody_also_of_people_of_a_program():
    own = view(**KNOWN_TO_A_PROGRAM)
    assert own.relation is Relation.SELF
    assert own.shows_looks
    assert own.shows(HOSPITAL)
    assert own.shows(PROGRAM)


@pytest.mark.parametrize(
    ("age", "kind", "shows"),
    [
        (9, ProxyKind.PARENT, True),
        (40, ProxyKind.ATTORNEY, True),
        (40, ProxyKind.CAREGIVER, False),
        (9, ProxyKind.CAREGIVER, False),
        (14, ProxyKind.PARENT, False),
        (14, ProxyKind.GUARDIAN, False),
        (None, ProxyKind.GUARDIAN, False),
    ],
)
def test_who_acts_for_them_knows_it_where_no_visit_is_kept_from_them(age, kind, shows):
    own = view(MOTHER, patient=patient(age), proxies=(proxy(kind),), **KNOWN_TO_A_PROGRAM)
    assert own.relation is Relation.PROXY
    assert own.shows_looks is shows
    assert own.shows(HOSPITAL) is shows
    assert not own.shows(PROGRAM), "that a program knows the patient is a record of the program"


def test_a_scope_without_visits_has_no_looks():
    narrow = proxy(ProxyKind.ATTORNEY, classes=ALL_CLASSES - {DataClass.VISITS})
    assert not view(MOTHER, proxies=(narrow,)).shows_looks


def test_what_is_held_back_or_refused_in_person_is_not_told_by_who_looked():
    assert not view(holds=(hold(DataClass.VISITS),)).shows_looks
    assert view(holds=(hold(DataClass.RESULTS),)).shows_looks
    attorney = {"proxies": (proxy(ProxyKind.ATTORNEY),), "consents": (deny(MOTHER),)}
    assert not view(MOTHER, **attorney).shows_looks


def test_a_record_is_nobody_elses():
    assert view(NURSE, memberships=(member(NURSE),)) is None
    assert view(MOTHER, proxies=(proxy(is_barred=True),)) is None
    assert view(patient=patient(is_retired=True)) is None
    assert view(patient=patient(9)) is None, "a child's parents ask"


def test_ones_own_record_comes_before_that_of_somebody_one_acts_for():
    assert view(proxies=(proxy(ProxyKind.ATTORNEY, person=PAT),)).relation is Relation.SELF
