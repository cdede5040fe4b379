"""The patient, those who act for them, a child that grows up, and who breaks the glass."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import EXCEPTIONS, ProxyKind
from services.identity.domain.access.policy import policy_at
from services.identity.domain.access.terms import ALL_CLASSES, DataClass, Label, Purpose, Reason
from services.identity.domain.access.window import birthday
from tests.unit.identity.access_network import (
    AT,
    DAY,
    DOCTOR,
    EVERYTHING_BUT_KEPT_APART,
    HOSPITAL,
    MOTHER,
    NURSE,
    OTHER,
    PAT,
    PROGRAM,
    VALLEY_CLINIC,
    agreement,
    deny,
    glass,
    hold,
    member,
    mother,
    patient,
    permit,
    proxy,
    sees,
    themselves,
    treated,
    valley,
    world,
)

MOMENT = timedelta(seconds=1)
HIDDEN_FROM_PARENTS = policy_at("US", AT).hidden_from_parents
RESULTS = DataClass.RESULTS


# The patient.


@pytest.mark.parametrize("label", sorted(EVERYTHING_BUT_KEPT_APART))
def test_the_patient_sees_the_whole_record_at_once(label):
    for data_class in DataClass:
        assert sees(world(), **themselves(labels=[label], data_class=data_class))
    for purpose in set(Purpose) - {Purpose.PATIENT_REQUEST}:
        assert not sees(world(), person_id=PAT, labels=[label], purpose=purpose)


def test_nothing_that_is_refused_to_others_is_refused_to_the_patient():
    facts = world(consents=(deny(), deny(PAT, id=162), deny(HOSPITAL, id=163)))
    assert sees(facts, **themselves())


@pytest.mark.parametrize(
    ("age", "may"), [(5, False), (11, False), (12, True), (50, True), (None, True)]
)
def test_a_child_does_not_look_by_itself(age, may):
    assert sees(world(patient=patient(age)), **themselves()) is may


@pytest.mark.parametrize("exception", sorted(EXCEPTIONS))
def test_something_is_held_back_from_the_patient_only_by_a_documented_exception(exception):
    facts = world(holds=(hold(exception=exception),))
    assert not sees(facts, **themselves(data_class=RESULTS))
    assert sees(facts, **themselves())
    assert sees(facts, **themselves(data_class=RESULTS, at=AT + DAY))


@pytest.mark.parametrize(
    "flaw", [{"exception": "INCONVENIENT"}, {"until_at": None}, {"until_at": AT}]
)
def test_a_hold_without_exception_or_end_holds_nothing(flaw):
    assert sees(world(holds=(hold(**flaw),)), **themselves(data_class=RESULTS))


def test_a_hold_does_not_begin_before_its_day():
    facts = world(holds=(hold(from_at=AT + MOMENT, until_at=AT + DAY),))
    assert sees(facts, **themselves(data_class=RESULTS))
    assert not sees(facts, **themselves(data_class=RESULTS, at=AT + MOMENT))


def test_a_hold_holds_for_the_family_and_not_for_those_who_treat():
    facts = world(holds=(hold(),), proxies=(proxy(ProxyKind.ATTORNEY),), treatments=(treated(),))
    assert not sees(facts, **mother(data_class=RESULTS))
    assert sees(facts, **valley(data_class=RESULTS))
    at_home = {"person_id": PAT, "facility_ids": [HOSPITAL], "data_class": RESULTS}
    assert sees(facts, **at_home)


# Proxies.


def test_a_proxy_sees_within_scope_and_days():
    messages = frozenset({DataClass.MESSAGES, DataClass.APPOINTMENTS})
    facts = world(proxies=(proxy(ProxyKind.ATTORNEY, classes=messages, until_at=AT + DAY),))
    assert sees(facts, **mother(data_class=DataClass.MESSAGES))
    assert not sees(facts, **mother())
    assert not sees(facts, **mother(data_class=DataClass.MESSAGES, at=AT + DAY))
    assert not sees(facts, **mother(data_class=DataClass.MESSAGES, purpose=Purpose.TREATMENT))
    assert not sees(facts, **mother(data_class=DataClass.MESSAGES, person_id=OTHER))
    begun = world(proxies=(proxy(ProxyKind.ATTORNEY, from_at=AT + MOMENT),))
    assert not sees(begun, **mother())


@pytest.mark.parametrize("kind", ProxyKind)
def test_nobody_acts_for_a_patient_without_evidence(kind):
    facts = world(patient=patient(5), proxies=(proxy(kind, evidence_id=None),))
    assert not sees(facts, **mother())


@pytest.mark.parametrize("kind", [ProxyKind.GUARDIAN, ProxyKind.ATTORNEY])
def test_who_stands_for_an_adult_sees_what_is_sensitive(kind):
    facts = world(proxies=(proxy(kind),))
    assert sees(facts, **mother(labels=[Label.HIV, Label.SUD]))
    assert sees(facts, **mother(data_class=DataClass.MESSAGES))
    assert not sees(facts, **mother(labels=[Label.PART2]))
    assert not sees(facts, **mother(labels=[Label.MINOR_CONFIDENTIAL]))


def test_part_2_records_are_shown_to_a_proxy_by_consent():
    released = permit(
        MOTHER, labels=frozenset({Label.PART2}), purposes=frozenset({Purpose.FAMILY_REQUEST})
    )
    facts = world(consents=(released,))
    assert sees(facts, **mother(labels=[Label.PART2], source_id=PROGRAM))


def test_a_caregiver_sees_only_what_is_ordinary():
    facts = world(proxies=(proxy(ProxyKind.CAREGIVER),))
    assert sees(facts, **mother())
    assert not sees(facts, **mother(labels=[Label.GENETIC]))
    assert not sees(facts, **mother(labels=[Label.HIV]))


def test_abuse_bars_a_proxy_whatever_the_days_and_papers_say():
    barred = proxy(ProxyKind.PARENT, is_barred=True)
    named = permit(MOTHER, purposes=frozenset({Purpose.FAMILY_REQUEST, Purpose.TREATMENT}))
    facts = world(patient=patient(5), proxies=(barred,), consents=(named,))
    assert not sees(facts, **mother())
    assert not sees(facts, person_id=MOTHER, facility_ids=[HOSPITAL])
    over = proxy(ProxyKind.PARENT, is_barred=True, until_at=AT - DAY)
    assert not sees(world(proxies=(over,)), person_id=MOTHER, facility_ids=[HOSPITAL])


def test_a_patient_may_refuse_a_proxy():
    facts = world(proxies=(proxy(ProxyKind.ATTORNEY),), consents=(deny(MOTHER),))
    assert not sees(facts, **mother())


# A child grows up.


def family(age, kind=ProxyKind.PARENT, **other):
    """A family in which the child reached `age` this day, a month ago, or whatever `born_on` says."""
    return world(patient=patient(age), proxies=(proxy(kind, from_at=AT - 365 * 5 * DAY),), **other)


@pytest.mark.parametrize("kind", [ProxyKind.PARENT, ProxyKind.GUARDIAN, ProxyKind.ATTORNEY])
def test_a_childs_parent_sees_all_but_what_the_child_consented_to_alone(kind):
    for label in EVERYTHING_BUT_KEPT_APART - {Label.PART2, Label.MINOR_CONFIDENTIAL}:
        assert sees(family(11, kind), **mother(labels=[label])), label
    assert not sees(family(11, kind), **mother(labels=[Label.MINOR_CONFIDENTIAL]))
    assert sees(family(11, kind), **mother(data_class=DataClass.MESSAGES))


@pytest.mark.parametrize("kind", [ProxyKind.PARENT, ProxyKind.GUARDIAN, ProxyKind.ATTORNEY])
@pytest.mark.parametrize("age", [12, 17])
def test_a_teenagers_parent_sees_nothing_sensitive(kind, age):
    facts = family(age, kind)
    for label in HIDDEN_FROM_PARENTS:
        assert not sees(facts, **mother(labels=[label])), label
    assert sees(facts, **mother())
    assert sees(facts, **mother(labels=[Label.GENETIC]))
    assert not sees(facts, **mother(data_class=DataClass.MESSAGES))
    assert not sees(family(age, ProxyKind.CAREGIVER), **mother(data_class=DataClass.MESSAGES))


@pytest.mark.parametrize("kind", ProxyKind)
def test_at_18_whoever_acted_for_the_child_stops(kind):
    assert not sees(family(18, kind), **mother())
    since = world(patient=patient(18), proxies=(proxy(kind, from_at=AT - DAY),))
    assert sees(since, **mother()) is (kind is not ProxyKind.PARENT)


def test_birthdays_count_from_midnight_utc():
    facts = world(
        patient=patient(born_on=date(2014, 11, 23)),
        proxies=(proxy(from_at=AT - 365 * 5 * DAY),),
    )
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    sensitive = mother(labels=[Label.HIV])
    assert sees(facts, **sensitive, at=midnight - MOMENT)
    assert not sees(facts, **sensitive, at=midnight)
    assert decide(facts, AT).changes_at == midnight
    parents = [g.expires_at for g in decide(facts, AT).grants if g.reason is Reason.PROXY]
    assert parents == [midnight]
    grown = datetime(2032, 11, 23, tzinfo=UTC)
    assert sees(facts, **mother(), at=grown - MOMENT)
    assert not sees(facts, **mother(), at=grown)


def test_who_was_born_on_a_leap_day_has_a_birthday_every_year():
    assert birthday(date(2008, 2, 29), 18) == datetime(2026, 3, 1, tzinfo=UTC)
    assert birthday(date(2008, 2, 29), 12) == datetime(2020, 2, 29, tzinfo=UTC)


def test_of_unknown_age_is_guarded_like_a_teenager():
    assert not sees(family(None), **mother())
    guardian = family(None, ProxyKind.GUARDIAN)
    assert sees(guardian, **mother())
    assert not sees(guardian, **mother(labels=[Label.HIV]))
    assert not sees(guardian, **mother(data_class=DataClass.MESSAGES))


# Who consents for whom.


def consented(age, given_by, labels, **other):
    told = {"labels": frozenset(labels), "given_by": given_by}
    return family(age, consents=(permit(NURSE, **(told | other)),))


def nurse(label):
    return {"person_id": NURSE, "labels": [label]}


@pytest.mark.parametrize("given_by", [None, PAT])
def test_a_teenager_releases_what_is_theirs_alone(given_by):
    both = {Label.STD, Label.NORMAL}
    assert sees(consented(15, given_by, both), **nurse(Label.STD))
    assert not sees(consented(15, given_by, both), **nurse(Label.NORMAL))
    assert not sees(consented(11, given_by, both), **nurse(Label.STD))
    assert sees(consented(18, given_by, both), **nurse(Label.NORMAL))
    assert sees(consented(None, given_by, both), **nurse(Label.NORMAL))


def test_what_a_teenager_released_they_released_as_a_teenager():
    young = {"given_at": AT - 60 * DAY, "from_at": AT - 60 * DAY}  # a month before turning 18
    both = {Label.STD, Label.NORMAL}
    assert sees(consented(18, PAT, both, **young), **nurse(Label.STD))
    assert not sees(consented(18, PAT, both, **young), **nurse(Label.NORMAL))


def test_a_parent_consents_for_a_child_and_not_to_what_a_teenager_decides():
    both = {Label.HIV, Label.NORMAL, Label.MINOR_CONFIDENTIAL}
    assert sees(consented(8, MOTHER, both), **nurse(Label.HIV))
    assert not sees(consented(8, MOTHER, both), **nurse(Label.MINOR_CONFIDENTIAL))
    assert sees(consented(15, MOTHER, both), **nurse(Label.NORMAL))
    assert not sees(consented(15, MOTHER, both), **nurse(Label.HIV))


def test_a_parents_consent_fades_as_the_child_grows():
    long_ago = {"given_at": AT - 365 * DAY, "from_at": AT - 365 * DAY}
    both = {Label.HIV, Label.NORMAL}
    assert not sees(consented(12, MOTHER, both, **long_ago), **nurse(Label.HIV))
    assert sees(consented(12, MOTHER, both, **long_ago), **nurse(Label.NORMAL))
    assert not sees(consented(18, MOTHER, both, **long_ago), **nurse(Label.NORMAL))
    (of_child,) = (
        g for g in decide(consented(11, MOTHER, both), AT).grants if g.grantee_id == NURSE
    )
    assert of_child.expires_at == datetime(2027, 10, 22, tzinfo=UTC)
    (of_teen,) = (
        g for g in decide(consented(15, MOTHER, both), AT).grants if g.grantee_id == NURSE
    )
    assert of_teen.expires_at == datetime(2029, 10, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "flaw", "may"),
    [
        (ProxyKind.ATTORNEY, {}, True),
        (ProxyKind.GUARDIAN, {}, True),
        (ProxyKind.CAREGIVER, {}, False),
        (ProxyKind.PARENT, {}, False),
        (ProxyKind.ATTORNEY, {"evidence_id": None}, False),
        (ProxyKind.ATTORNEY, {"is_barred": True}, False),
        (ProxyKind.ATTORNEY, {"until_at": AT - 2 * DAY}, False),
        (ProxyKind.ATTORNEY, {"until_at": AT - DAY + MOMENT}, True),
        (ProxyKind.ATTORNEY, {"from_at": AT}, False),
        (ProxyKind.ATTORNEY, {"person": OTHER}, False),
    ],
)
def test_for_an_adult_consents_who_could_act_for_them_then(kind, flaw, may):
    consents = (permit(NURSE, given_by=MOTHER, labels=frozenset(Label) - {Label.COUNSELING_NOTES}),)
    facts = world(proxies=(proxy(kind, **flaw),), consents=consents)
    for label in (Label.NORMAL, Label.HIV, Label.PART2):
        assert sees(facts, **nurse(label)) is may


def test_whom_any_record_bars_releases_nothing():
    consents = (permit(NURSE, given_by=MOTHER),)
    acting, barred = proxy(ProxyKind.ATTORNEY), proxy(ProxyKind.GUARDIAN, id=999, is_barred=True)
    assert sees(world(proxies=(acting,), consents=consents), **nurse(Label.NORMAL))
    assert not sees(world(proxies=(acting, barred), consents=consents), **nurse(Label.NORMAL))


def test_nobody_gives_away_more_than_they_act_for():
    visits, results = frozenset({DataClass.VISITS}), frozenset({DataClass.RESULTS})
    records = (
        proxy(ProxyKind.ATTORNEY, classes=visits),
        proxy(ProxyKind.GUARDIAN, id=998, classes=results),
        proxy(ProxyKind.CAREGIVER, id=999),
    )
    for consents in ((permit(NURSE, given_by=MOTHER),), (permit(given_by=MOTHER),)):
        facts = world(
            proxies=records,
            consents=consents,
            memberships=(member(),),
            agreements=(agreement(needs_consent=True),),
        )
        for data_class in DataClass:
            asked = nurse(Label.NORMAL) | {"data_class": data_class}
            assert sees(facts, **asked) is (data_class in visits | results)


def test_nobody_else_consents():
    assert not sees(world(consents=(permit(NURSE, given_by=NURSE),)), **nurse(Label.NORMAL))


def test_for_a_patient_of_unknown_age_nobody_releases_what_a_teenager_decides():
    facts = family(
        None,
        ProxyKind.GUARDIAN,
        consents=(permit(NURSE, given_by=MOTHER, labels=frozenset({Label.HIV, Label.NORMAL})),),
    )
    assert sees(facts, **nurse(Label.NORMAL))
    assert not sees(facts, **nurse(Label.HIV))


# Break-glass.

EMERGENCY = {"person_id": DOCTOR, "purpose": Purpose.EMERGENCY}


def test_breaking_the_glass_shows_one_patient_to_one_person_for_an_hour():
    facts = world(emergencies=(glass(opened_at=AT, reauthenticated_at=AT),), agreements=())
    assert sees(facts, **EMERGENCY)
    assert sees(facts, **EMERGENCY, labels=[Label.HIV, Label.SUD])
    assert sees(facts, **EMERGENCY, source_id=VALLEY_CLINIC)
    assert sees(facts, **EMERGENCY, at=AT + timedelta(minutes=60) - MOMENT)
    assert not sees(facts, **EMERGENCY, at=AT + timedelta(minutes=60))
    assert not sees(facts, **EMERGENCY, at=AT - MOMENT)
    assert not sees(facts, **EMERGENCY | {"person_id": NURSE})
    assert not sees(facts, **EMERGENCY | {"purpose": Purpose.TREATMENT})
    (grant,) = (g for g in decide(facts, AT).grants if g.grantee_id == DOCTOR)
    assert (grant.reason, grant.expires_at) == (Reason.BREAK_GLASS, AT + timedelta(minutes=60))


def test_the_glass_is_closed_when_it_is_no_longer_needed():
    facts = world(emergencies=(glass(ended_at=AT),))
    assert not sees(facts, **EMERGENCY)
    assert sees(facts, **EMERGENCY, at=AT - MOMENT)


def test_nobodys_life_hangs_on_messages_and_bills():
    facts = world(emergencies=(glass(),))
    seen = {c for c in DataClass if sees(facts, **EMERGENCY, data_class=c)}
    assert seen == ALL_CLASSES - {DataClass.MESSAGES, DataClass.BILLING}


@pytest.mark.parametrize(
    "flaw",
    [
        {"reason": ""},
        {"reason": "  \n"},
        {"reauthenticated_at": AT - timedelta(minutes=16)},
        {"reauthenticated_at": AT - timedelta(minutes=9)},
    ],
)
def test_the_glass_needs_a_reason_and_a_fresh_sign_in(flaw):
    assert not sees(world(emergencies=(glass(**flaw),)), **EMERGENCY)
    just = glass(reauthenticated_at=AT - timedelta(minutes=15))
    assert sees(world(emergencies=(just,)), **EMERGENCY)


def test_a_part_2_emergency_is_one_of_its_own_and_for_medical_people():
    part2 = {"labels": [Label.PART2, Label.SUD], "source_id": PROGRAM}
    assert not sees(world(emergencies=(glass(),)), **EMERGENCY, **part2)
    assert not sees(world(emergencies=(glass(is_medical=True),)), **EMERGENCY, **part2)
    lay = world(emergencies=(glass(is_part2_emergency=True),))
    assert not sees(lay, **EMERGENCY, **part2)
    assert sees(lay, **EMERGENCY)
    real = world(emergencies=(glass(is_part2_emergency=True, is_medical=True),))
    assert sees(real, **EMERGENCY, **part2)
    assert {g.reason for g in decide(real, AT).grants} == {Reason.SELF, Reason.PART2_EMERGENCY}


def test_an_emergency_outweighs_what_was_refused_to_places():
    facts = world(emergencies=(glass(),), consents=(deny(), deny(VALLEY_CLINIC, id=162)))
    assert sees(facts, **EMERGENCY, facility_ids=[VALLEY_CLINIC])
