"""Who may see what by a relationship, an agreement and a label: each case that the decider answers for."""

from datetime import UTC, datetime, timedelta

import pytest

from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import ProxyKind
from services.identity.domain.access.terms import DataClass, Label, Purpose
from tests.unit.identity.access_network import (
    AT,
    CLINIC,
    DAY,
    DOCTOR,
    HARBOR,
    HOSPITAL,
    MERCY,
    MOTHER,
    NURSE,
    OTHER,
    PANTRY,
    PANTRY_DOOR,
    PAT,
    PATIENT,
    PROGRAM,
    TEAM,
    VALLEY,
    VALLEY_CLINIC,
    agreement,
    deny,
    glass,
    member,
    network,
    patient,
    permit,
    proxy,
    referred,
    registered,
    sees,
    treated,
    valley,
    world,
)

SENSITIVE = [
    Label.SUD,
    Label.MENTAL_HEALTH,
    Label.HIV,
    Label.STD,
    Label.REPRODUCTIVE,
    Label.VIOLENCE,
    Label.GENETIC,
    Label.MINOR_CONFIDENTIAL,
]


# Relationships.


def test_without_a_fact_nobody_sees_anything():
    assert not sees(world(), **valley())
    assert decide(world(patient=patient(person_id=None)), AT).grants == ()


def test_ones_own_facilitys_rows_are_seen_without_any_fact():
    assert sees(world(), person_id=NURSE, facility_ids=[HOSPITAL])
    assert sees(world(), facility_ids=[HOSPITAL], labels=[Label.PART2])
    assert sees(world(), facility_ids=[HOSPITAL], labels=[Label.WITHHELD])
    assert not sees(world(), facility_ids=[CLINIC])


def test_what_a_patient_or_their_family_asks_is_never_answered_as_staff():
    assert not sees(world(), facility_ids=[HOSPITAL], purpose=Purpose.FAMILY_REQUEST)
    assert not sees(world(), facility_ids=[HOSPITAL], purpose=Purpose.PATIENT_REQUEST)


def test_a_row_without_labels_is_seen_by_nobody():
    assert not sees(world(treatments=(treated(),)), facility_ids=[HOSPITAL], labels=[])


def test_where_somebody_is_treated_their_record_is_seen():
    facts = world(treatments=(treated(),))
    assert sees(facts, **valley())
    assert sees(facts, **valley(purpose=Purpose.CARE_COORDINATION))
    assert sees(facts, **valley(purpose=Purpose.EMERGENCY))
    assert not sees(facts, facility_ids=[PROGRAM])


@pytest.mark.parametrize(
    "purpose",
    [Purpose.PAYMENT, Purpose.OPERATIONS, Purpose.RESEARCH, Purpose.PUBLIC_HEALTH, Purpose.LEGAL],
)
def test_treatment_is_no_excuse_for_other_purposes(purpose):
    facts = world(treatments=(treated(),), consents=(permit(purposes=frozenset(Purpose)),))
    assert not sees(facts, **valley(purpose=purpose))


def test_a_treatment_relationship_ends_a_year_after_the_visit():
    facts = world(treatments=(treated(began_at=AT - 400 * DAY, ended_at=AT - 365 * DAY),))
    assert not sees(facts, **valley())
    assert sees(facts, **valley(at=AT - timedelta(seconds=1)))


def test_a_planned_visit_opens_the_record_two_weeks_before():
    facts = world(treatments=(treated(began_at=AT + 14 * DAY),))
    assert sees(facts, **valley())
    assert not sees(facts, **valley(at=AT - timedelta(seconds=1)))


def test_of_many_visits_the_longest_counts():
    over = treated(began_at=AT - 500 * DAY, ended_at=AT - 400 * DAY, id=1001)
    newer = treated(began_at=AT - 90 * DAY, ended_at=AT - 80 * DAY, id=1002)
    older = treated(began_at=AT - 200 * DAY, ended_at=AT - 190 * DAY, id=1003)
    for visits in ((over, newer, older), (older, newer, over), (newer, older)):
        (grant,) = (g for g in decide(world(treatments=visits), AT).grants if g.basis_id)
        assert grant.fact_id == newer.id
    going_on = decide(world(treatments=(newer, treated(id=1004))), AT).grants
    assert [g.expires_at for g in going_on if g.basis_id] == [None]


def test_where_somebody_is_only_registered_it_is_seen_who_they_are():
    facts = world(registrations=(registered(),))
    assert sees(facts, **valley(data_class=DataClass.DEMOGRAPHICS))
    assert not sees(facts, **valley())
    assert not sees(facts, **valley(data_class=DataClass.DEMOGRAPHICS, labels=[Label.SUD]))
    ended = world(registrations=(registered(until_at=AT),))
    assert not sees(ended, **valley(data_class=DataClass.DEMOGRAPHICS))


def test_a_registration_is_not_widened_by_a_consent():
    facts = world(
        registrations=(registered(),),
        consents=(permit(labels=frozenset({Label.NORMAL, Label.PART2})),),
    )
    asked = valley(data_class=DataClass.DEMOGRAPHICS, source_id=PROGRAM, labels=[Label.PART2])
    assert not sees(facts, **asked)


def test_the_care_team_sees_while_it_is_one():
    facts = world(memberships=(member(until_at=AT + DAY),))
    assert sees(facts, person_id=NURSE)
    assert not sees(facts, person_id=OTHER)
    assert not sees(facts, person_id=NURSE, at=AT + DAY)
    assert not sees(facts, person_id=NURSE, at=AT - DAY - timedelta(seconds=1))


def test_a_team_on_the_care_team_is_all_of_its_members():
    facts = world(memberships=(member(grantee=TEAM),))
    assert sees(facts, person_id=OTHER, team_ids=[TEAM])
    assert not sees(facts, person_id=OTHER)


def test_who_has_left_the_network_is_on_no_care_team():
    facts = world(
        network=network(deactivated=frozenset({NURSE})),
        memberships=(member(), member(grantee=DOCTOR, id=122)),
        consents=(permit(NURSE),),
        emergencies=(glass(person=NURSE),),
    )
    assert not sees(facts, person_id=NURSE)
    assert not sees(facts, person_id=NURSE, purpose=Purpose.EMERGENCY)
    assert sees(facts, person_id=DOCTOR)


def test_a_partner_sees_what_a_referral_needs_from_who_sent_it():
    facts = world(referrals=(referred(),))
    assert sees(facts, **valley(data_class=DataClass.DEMOGRAPHICS))
    assert sees(facts, **valley(data_class=DataClass.REFERRALS))
    assert not sees(facts, **valley())
    assert not sees(facts, **valley(data_class=DataClass.REFERRALS, source_id=CLINIC))
    assert not sees(facts, **valley(data_class=DataClass.REFERRALS, labels=[Label.SUD]))
    narrow = world(referrals=(referred(classes=frozenset({DataClass.REFERRALS})),))
    assert not sees(narrow, **valley(data_class=DataClass.DEMOGRAPHICS))


def test_a_referral_to_an_organization_reaches_its_people_and_ends():
    facts = world(referrals=(referred(to=VALLEY, ended_at=AT + DAY),))
    asked = {"data_class": DataClass.REFERRALS, "organization_ids": [VALLEY]}
    assert sees(facts, **asked)
    assert not sees(facts, **asked, at=AT + DAY)
    assert not sees(facts, data_class=DataClass.REFERRALS, organization_ids=[HARBOR])


def test_a_community_organization_without_agreement_needs_the_patients_authorization():
    with_pantry = agreement(MERCY, PANTRY)
    facts = world(referrals=(referred(to=PANTRY_DOOR),), agreements=(with_pantry,))
    asked = {"data_class": DataClass.REFERRALS, "facility_ids": [PANTRY_DOOR]}
    assert not sees(facts, **asked)
    authorized = world(consents=(permit(PANTRY_DOOR),), agreements=())
    assert sees(authorized, **asked)
    bound = world(
        referrals=(referred(to=PANTRY_DOOR),),
        agreements=(with_pantry,),
        network=network(covered=frozenset({MERCY, PANTRY})),
    )
    assert sees(bound, **asked)


def test_a_retired_record_is_seen_by_nobody_but_who_wrote_it():
    facts = world(
        patient=patient(is_retired=True),
        treatments=(treated(),),
        emergencies=(glass(),),
        consents=(permit(NURSE),),
    )
    assert decide(facts, AT).grants == ()
    assert sees(facts, facility_ids=[HOSPITAL])


@pytest.mark.parametrize(
    "closed",
    [{"patient": patient(is_retired=True)}, {"network": network(jurisdiction="XX")}],
    ids=["merged", "no policy"],
)
def test_where_nothing_is_shown_who_is_refused_in_person_is_refused_at_home_too(closed):
    refused = world(consents=(deny(NURSE),), proxies=(proxy(is_barred=True),), **closed)
    for person in (NURSE, MOTHER):
        assert not sees(refused, person_id=person, facility_ids=[HOSPITAL])
    assert sees(refused, person_id=OTHER, facility_ids=[HOSPITAL])
    later = AT + DAY
    soon = world(consents=(deny(NURSE, from_at=later, until_at=later + DAY),), **closed)
    assert decide(soon, AT).changes_at == later
    assert sees(soon, person_id=NURSE, facility_ids=[HOSPITAL])
    assert decide(soon, later).changes_at == later + DAY
    assert not sees(soon, person_id=NURSE, facility_ids=[HOSPITAL], at=later)


def test_a_facility_that_the_directory_does_not_know_gets_and_gives_nothing():
    places = {HOSPITAL: MERCY}
    facts = world(network=network(organization_of=places), treatments=(treated(),))
    assert not sees(facts, **valley())
    here = world(
        network=network(organization_of=places),
        treatments=(treated(facility=HOSPITAL),),
        known_at=frozenset({CLINIC, VALLEY_CLINIC}),
    )
    assert not sees(here, facility_ids=[HOSPITAL], source_id=CLINIC)


def test_rows_of_a_facility_where_the_patient_is_not_known_are_not_shown():
    facts = world(treatments=(treated(),), known_at=frozenset({HOSPITAL}))
    assert sees(facts, **valley())
    assert not sees(facts, **valley(source_id=CLINIC))


# Agreements.


def test_inside_an_organization_no_agreement_is_needed():
    facts = world(agreements=(), treatments=(treated(facility=CLINIC),))
    assert sees(facts, facility_ids=[CLINIC])
    assert not sees(facts, facility_ids=[CLINIC], source_id=VALLEY_CLINIC)


def test_across_organizations_nothing_flows_without_an_agreement_of_both():
    visits = (treated(),)
    assert not sees(world(agreements=(), treatments=visits), **valley())
    assert not sees(world(agreements=(agreement(MERCY, HARBOR),), treatments=visits), **valley())
    assert not sees(world(agreements=(agreement(VALLEY, HARBOR),), treatments=visits), **valley())
    assert sees(world(agreements=(agreement(MERCY, VALLEY),), treatments=visits), **valley())


def test_an_agreement_has_its_days():
    facts = world(
        treatments=(treated(),),
        agreements=(agreement(from_at=AT - DAY, until_at=AT + DAY),),
    )
    assert sees(facts, **valley())
    assert not sees(facts, **valley(at=AT + DAY))
    assert not sees(facts, **valley(at=AT - DAY - timedelta(seconds=1)))


def test_an_agreement_has_its_purposes_classes_and_patients():
    def by(**terms):
        return world(treatments=(treated(),), agreements=(agreement(**terms),))

    coordination = by(purposes=frozenset({Purpose.CARE_COORDINATION, Purpose.PAYMENT}))
    assert not sees(coordination, **valley())
    assert sees(coordination, **valley(purpose=Purpose.CARE_COORDINATION))
    assert not sees(coordination, **valley(purpose=Purpose.PAYMENT))
    visits = by(classes=frozenset({DataClass.VISITS}))
    assert not sees(visits, **valley())
    assert sees(visits, **valley(data_class=DataClass.VISITS))
    assert sees(by(patient_ids=frozenset({PATIENT})), **valley())
    assert not sees(by(patient_ids=frozenset()), **valley())
    assert not sees(by(patient_ids=frozenset({OTHER})), **valley())


def test_two_agreements_do_not_lend_each_other_purposes():
    facts = world(
        treatments=(treated(),),
        agreements=(
            agreement(
                purposes=frozenset({Purpose.TREATMENT}), classes=frozenset({DataClass.VISITS})
            ),
            agreement(id=142, purposes=frozenset({Purpose.CARE_COORDINATION})),
        ),
    )
    assert not sees(facts, **valley())
    assert sees(facts, **valley(data_class=DataClass.VISITS))


def test_an_agreement_may_ask_the_patient_to_opt_in():
    def by(*consents):
        agreements = (agreement(needs_consent=True),)
        return world(treatments=(treated(),), agreements=agreements, consents=consents)

    assert not sees(by(), **valley())
    assert sees(by(permit()), **valley())
    assert not sees(by(permit(withdrawn_at=AT)), **valley())
    assert not sees(by(permit()), **valley(labels=[Label.HIV]))
    assert sees(
        by(permit(labels=frozenset({Label.HIV, Label.NORMAL}))), **valley(labels=[Label.HIV])
    )
    assert not sees(by(permit(purposes=frozenset({Purpose.PAYMENT}))), **valley())
    assert not sees(by(permit(classes=frozenset({DataClass.VISITS}))), **valley())
    assert sees(by(permit(sources=frozenset({MERCY}))), **valley())
    assert sees(by(permit(sources=frozenset({HOSPITAL}))), **valley())
    assert not sees(by(permit(sources=frozenset({HARBOR}))), **valley())


# Labels.


@pytest.mark.parametrize("label", SENSITIVE)
def test_federal_law_lets_sensitive_data_flow_for_treatment(label):
    facts = world(treatments=(treated(),))
    assert sees(facts, **valley(labels=[label]))


@pytest.mark.parametrize("label", SENSITIVE)
def test_stricter_states_ask_for_consent(label):
    strict = network(jurisdiction="US-STRICT")
    needs = label not in {Label.SUD, Label.STD, Label.VIOLENCE}
    facts = world(network=strict, treatments=(treated(),))
    assert sees(facts, **valley(labels=[label])) is not needs
    given = world(
        network=strict, treatments=(treated(),), consents=(permit(labels=frozenset({label})),)
    )
    assert sees(given, **valley(labels=[label]))


def test_where_no_policy_is_in_effect_nobody_is_granted_anything():
    somewhere = world(network=network(jurisdiction="XX"), treatments=(treated(),))
    assert not sees(somewhere, **valley())
    early = datetime(2024, 4, 15, 23, 59, tzinfo=UTC)
    facts = world(
        treatments=(treated(began_at=early - DAY),), agreements=(agreement(from_at=early - DAY),)
    )
    assert not sees(facts, **valley(at=early))
    assert sees(facts, **valley(at=early + timedelta(minutes=1)))
    assert decide(facts, early).changes_at == datetime(2024, 4, 16, tzinfo=UTC)


def test_what_nobody_labeled_never_leaves_its_facility():
    facts = world(
        treatments=(treated(),),
        memberships=(member(),),
        consents=(permit(NURSE, labels=frozenset({Label.WITHHELD})),),
        emergencies=(glass(person=NURSE, is_part2_emergency=True, is_medical=True),),
        proxies=(proxy(kind=ProxyKind.GUARDIAN, from_at=AT - DAY),),
    )
    for purpose in Purpose:
        for person in (NURSE, PAT, MOTHER):
            asked = {"person_id": person, "labels": [Label.WITHHELD], "purpose": purpose}
            assert not sees(facts, **asked, facility_ids=[VALLEY_CLINIC])


def test_a_row_is_shown_only_if_all_of_its_labels_are():
    facts = world(treatments=(treated(),), consents=(permit(labels=frozenset({Label.PART2})),))
    asked = valley(source_id=PROGRAM)
    assert sees(facts, **asked, labels=[Label.PART2, Label.SUD])
    assert not sees(facts, **asked, labels=[Label.PART2, Label.COUNSELING_NOTES])
    assert not sees(world(treatments=(treated(),)), **asked, labels=[Label.PART2, Label.SUD])
