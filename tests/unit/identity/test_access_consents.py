"""What patients allow and refuse: 42 CFR Part 2, consents by name and to all who treat, denials."""

from datetime import timedelta

import pytest

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.identity.domain.access.boxes import may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import ConsentForm, Network, ProxyKind
from services.identity.domain.access.terms import DataClass, Label, Purpose, Reason
from tests.unit.identity.access_network import (
    AT,
    CLINIC,
    DAY,
    DOCTOR,
    HARBOR,
    HOSPITAL,
    MERCY,
    NURSE,
    OTHER,
    PAT,
    PLAN,
    PROGRAM,
    TEAM,
    VALLEY,
    VALLEY_CLINIC,
    WORKER,
    agreement,
    deny,
    glass,
    member,
    mother,
    network,
    patient,
    permit,
    proxy,
    question,
    referred,
    sees,
    treated,
    valley,
    world,
)

# 42 CFR Part 2.

PART2 = {"source_id": PROGRAM, "labels": [Label.PART2]}
TPO = frozenset({Purpose.TREATMENT, Purpose.PAYMENT, Purpose.OPERATIONS})


def part2(*consents, **other):
    told = {"treatments": (treated(),), "memberships": (member(grantee=DOCTOR),)}
    return world(consents=consents, **(told | other))


def for_part2(*recipients, **other):
    return permit(*recipients, **({"labels": frozenset({Label.PART2}), "purposes": TPO} | other))


def test_part_2_records_do_not_flow_without_consent():
    assert not sees(part2(), **valley(**PART2))
    assert not sees(part2(), person_id=DOCTOR, **PART2)
    assert sees(part2(), facility_ids=[PROGRAM], **PART2)


def test_a_part_2_program_is_a_stranger_in_its_own_organization_too():
    sisters = network(organization_of={PROGRAM: MERCY, CLINIC: MERCY})
    facts = world(network=sisters, treatments=(treated(facility=CLINIC),), agreements=())
    assert sees(facts, facility_ids=[CLINIC], source_id=PROGRAM)
    assert not sees(facts, facility_ids=[CLINIC], **PART2)


def test_one_consent_for_all_who_treat_opens_part_2_records_to_them():
    facts = part2(for_part2())
    assert sees(facts, **valley(**PART2))
    assert sees(facts, person_id=DOCTOR, **PART2)
    assert not sees(facts, facility_ids=[HOSPITAL], **PART2)
    assert sees(facts, **valley(**PART2, data_class=DataClass.COORDINATION))
    assert sees(facts, **valley())


def test_a_consent_that_names_one_opens_nothing_to_the_others():
    facts = part2(for_part2(WORKER))
    assert sees(facts, person_id=WORKER, **PART2)
    assert not sees(facts, **valley(**PART2))
    assert not sees(facts, person_id=DOCTOR, **PART2)
    opt_in = (agreement(needs_consent=True),)
    assert not sees(part2(permit(WORKER), agreements=opt_in), **valley())


def test_a_consent_for_all_who_treat_makes_nobody_one_of_them():
    facts = world(consents=(for_part2(),))
    assert decide(facts, AT).grants[1:] == ()
    assert not sees(facts, **valley(**PART2))


def test_a_part_2_consent_may_name_its_recipient():
    facts = world(consents=(for_part2(VALLEY_CLINIC),), agreements=())
    assert sees(facts, **valley(**PART2))
    assert sees(facts, **valley(**PART2, purpose=Purpose.PAYMENT))
    assert not sees(facts, **valley(**PART2, purpose=Purpose.RESEARCH))
    assert not sees(facts, **valley())
    assert not sees(facts, facility_ids=[HOSPITAL], **PART2)


def test_a_consent_may_name_an_organization_a_team_or_a_person():
    assert sees(world(consents=(for_part2(VALLEY),)), organization_ids=[VALLEY], **PART2)
    assert sees(world(consents=(for_part2(TEAM),)), team_ids=[TEAM], **PART2)
    assert sees(world(consents=(for_part2(WORKER),)), person_id=WORKER, **PART2)


def test_a_consent_may_name_who_discloses():
    facts = world(consents=(for_part2(VALLEY_CLINIC, sources=frozenset({HARBOR})),))
    assert sees(facts, **valley(**PART2))
    assert not sees(facts, **valley(labels=[Label.PART2]))


def test_part_2_consent_is_signed():
    verbal = {"form": ConsentForm.VERBAL}
    assert not sees(part2(for_part2(**verbal)), **valley(**PART2))
    assert not sees(part2(for_part2(NURSE, **verbal)), **valley(**PART2))
    assert sees(part2(for_part2(form=ConsentForm.PAPER)), **valley(**PART2))
    spoken = permit(VALLEY_CLINIC, form=ConsentForm.VERBAL)
    assert sees(world(consents=(spoken,)), **valley())


@pytest.mark.parametrize("form", ConsentForm)
def test_without_its_evidence_a_permission_permits_nothing(form):
    facts = world(consents=(permit(VALLEY_CLINIC, form=form, evidence_id=None),))
    assert not sees(facts, **valley())


def test_a_consent_is_given_changed_withdrawn_and_expires():
    facts = part2(for_part2(from_at=AT, until_at=AT + 3 * DAY, withdrawn_at=AT + 2 * DAY))
    asked = valley(**PART2)
    assert not sees(facts, **asked, at=AT - timedelta(seconds=1))
    assert sees(facts, **asked)
    assert sees(facts, **asked, at=AT + 2 * DAY - timedelta(seconds=1))
    assert not sees(facts, **asked, at=AT + 2 * DAY)
    assert not sees(part2(for_part2(until_at=AT)), **asked)
    assert not sees(part2(for_part2(given_at=AT + DAY, from_at=AT - DAY)), **asked)


def test_only_what_a_consent_says_now_counts():
    first = for_part2(VALLEY_CLINIC)
    narrowed = for_part2(VALLEY_CLINIC, version=2, purposes=frozenset({Purpose.PAYMENT}))
    for told in ((first, narrowed), (narrowed, first)):
        assert not sees(world(consents=told), **valley(**PART2))
    assert sees(world(consents=(first,)), **valley(**PART2))


def test_a_withdrawn_consent_is_not_changed_but_given_anew():
    given = permit(NURSE)
    changed = given.changed_to(permit(NURSE, labels=frozenset({Label.HIV})))
    assert (changed.version, changed.labels) == (2, {Label.HIV})
    assert given.changed_to(given) is given
    withdrawn = changed.withdraw(at=AT)
    assert (withdrawn.version, withdrawn.withdrawn_at) == (3, AT)
    assert withdrawn.withdraw(at=AT + DAY) is withdrawn
    with pytest.raises(FailedPrecondition, match="new one"):
        withdrawn.changed_to(given)


def test_a_permission_that_permits_nothing_is_not_recorded():
    permit(NURSE).check()
    deny(NURSE).check()
    for nothing in ({"labels": frozenset()}, {"purposes": frozenset()}, {"classes": frozenset()}):
        with pytest.raises(InvalidArgument):
            permit(NURSE, **nothing).check()
        assert not sees(world(consents=(permit(VALLEY_CLINIC, **nothing),)), **valley())
    with pytest.raises(InvalidArgument):
        permit(NURSE, evidence_id=None).check()


def test_counseling_notes_need_a_consent_of_their_own():
    notes = {"source_id": PROGRAM, "labels": [Label.COUNSELING_NOTES]}
    alone = frozenset({Label.COUNSELING_NOTES})
    assert sees(world(consents=(permit(VALLEY_CLINIC, labels=alone),)), **valley(**notes))
    mixed = permit(VALLEY_CLINIC, labels=alone | {Label.PART2})
    assert not sees(world(consents=(mixed,)), **valley(**notes))
    assert sees(world(consents=(mixed,)), **valley(**PART2))
    general = permit(labels=alone)
    assert not sees(world(treatments=(treated(),), consents=(general,)), **valley(**notes))
    spoken = permit(VALLEY_CLINIC, labels=alone, form=ConsentForm.VERBAL)
    assert not sees(world(consents=(spoken,)), **valley(**notes))


def test_counseling_notes_are_kept_apart_at_home_in_an_emergency_and_from_the_patient():
    notes = {"labels": [Label.COUNSELING_NOTES]}
    emergency = glass(is_part2_emergency=True, is_medical=True)
    facts = world(emergencies=(emergency,), proxies=(proxy(kind=ProxyKind.ATTORNEY),))
    assert not sees(facts, facility_ids=[HOSPITAL], **notes)
    assert not sees(facts, person_id=DOCTOR, purpose=Purpose.EMERGENCY, **notes)
    assert not sees(facts, person_id=PAT, purpose=Purpose.PATIENT_REQUEST, **notes)
    assert not sees(facts, **mother(**notes))


def test_proceedings_need_a_consent_of_their_own():
    legal = frozenset({Purpose.LEGAL})
    asked = valley(purpose=Purpose.LEGAL)
    assert sees(world(consents=(permit(VALLEY_CLINIC, purposes=legal),)), **asked)
    mixed = permit(VALLEY_CLINIC, purposes=legal | {Purpose.TREATMENT})
    assert not sees(world(consents=(mixed,)), **asked)
    assert sees(world(consents=(mixed,)), **valley())


# What the patient refuses.


def test_an_opt_out_leaves_the_record_with_who_wrote_it():
    told = {"treatments": (treated(), treated(facility=CLINIC, id=112)), "memberships": (member(),)}
    facts = world(**told, consents=(deny(),))
    assert not sees(facts, **valley())
    assert not sees(facts, person_id=NURSE)
    assert not sees(facts, facility_ids=[CLINIC])
    assert sees(facts, facility_ids=[HOSPITAL])
    assert sees(world(**told, consents=(deny(withdrawn_at=AT),)), **valley())
    assert sees(world(**told, consents=(deny(until_at=AT),)), **valley())


def test_a_refusal_ends_at_its_end_even_before_it_is_decided_anew():
    access = decide(world(treatments=(treated(),), consents=(deny(until_at=AT + DAY),)), AT)
    assert not may(access, question(**valley(at=AT + DAY - timedelta(seconds=1))))
    assert may(access, question(**valley(at=AT + DAY)))


def test_a_refusal_does_not_begin_before_its_day():
    facts = world(treatments=(treated(),), consents=(deny(from_at=AT + DAY),))
    assert sees(facts, **valley())
    assert not sees(facts, **valley(at=AT + DAY))


def test_an_opt_out_yields_to_who_is_named_and_to_the_patient_and_those_who_act_for_them():
    facts = world(
        consents=(deny(), permit(VALLEY_CLINIC)),
        proxies=(proxy(kind=ProxyKind.ATTORNEY),),
        emergencies=(glass(),),
    )
    assert sees(facts, **valley())
    assert sees(facts, person_id=PAT, purpose=Purpose.PATIENT_REQUEST)
    assert sees(facts, **mother())
    assert sees(facts, person_id=DOCTOR, purpose=Purpose.EMERGENCY)


@pytest.mark.parametrize("recipient", [VALLEY_CLINIC, VALLEY])
def test_a_refused_place_is_refused_whatever_else_is_said(recipient):
    facts = world(
        treatments=(treated(),),
        memberships=(member(),),
        referrals=(referred(),),
        consents=(deny(recipient), permit(VALLEY_CLINIC)),
    )
    assert not sees(facts, **valley())
    assert not sees(facts, person_id=NURSE)
    assert not sees(facts, **valley(data_class=DataClass.REFERRALS))
    assert sees(facts, **valley(source_id=VALLEY_CLINIC))


def test_a_refused_place_does_not_hurt_who_works_elsewhere_too():
    facts = world(
        treatments=(treated(), treated(facility=CLINIC, id=112)), consents=(deny(CLINIC),)
    )
    assert sees(facts, facility_ids=[CLINIC, VALLEY_CLINIC])
    assert not sees(facts, facility_ids=[CLINIC])


def test_a_refused_person_sees_nothing_even_at_home_or_in_an_emergency():
    facts = world(
        treatments=(treated(),), emergencies=(glass(person=NURSE),), consents=(deny(NURSE),)
    )
    assert not sees(facts, **valley())
    assert not sees(facts, person_id=NURSE, facility_ids=[HOSPITAL])
    assert not sees(facts, person_id=NURSE, purpose=Purpose.EMERGENCY)
    assert sees(facts, **valley(person_id=WORKER))
    # Who is no facility, organization or team of the network is taken for a person.
    assert not sees(world(consents=(deny(TEAM),)), facility_ids=[HOSPITAL], team_ids=[TEAM])


def test_a_refused_team_sees_its_own_record_and_nothing_of_elsewhere():
    facts = world(
        network=network(teams=frozenset({TEAM})),
        treatments=(treated(),),
        emergencies=(glass(person=NURSE),),
        consents=(deny(TEAM), permit(TEAM)),
    )
    theirs = valley(team_ids=[TEAM])
    assert not sees(facts, **theirs)
    assert not sees(facts, person_id=OTHER, team_ids=[TEAM])
    assert sees(facts, **valley())
    assert sees(facts, **(theirs | {"source_id": VALLEY_CLINIC}))
    assert sees(facts, person_id=NURSE, team_ids=[TEAM], purpose=Purpose.EMERGENCY)


def test_a_refusal_may_be_about_a_purpose_a_label_a_class_or_a_source():
    def but(**terms):
        return world(treatments=(treated(),), consents=(deny(**terms),))

    coordination = but(purposes=frozenset({Purpose.CARE_COORDINATION}))
    assert sees(coordination, **valley())
    assert not sees(coordination, **valley(purpose=Purpose.CARE_COORDINATION))
    hiv = but(labels=frozenset({Label.HIV}))
    assert sees(hiv, **valley())
    assert not sees(hiv, **valley(labels=[Label.HIV]))
    assert not sees(hiv, **valley(labels=[Label.HIV, Label.SUD]))
    results = but(classes=frozenset({DataClass.RESULTS}))
    assert sees(results, **valley())
    assert not sees(results, **valley(data_class=DataClass.RESULTS))
    mercys = but(sources=frozenset({MERCY}))
    assert sees(mercys, **valley(source_id=PROGRAM))
    assert not sees(mercys, **valley())
    assert not sees(mercys, **valley(source_id=CLINIC))


def test_what_is_refused_for_treatment_is_refused_to_those_who_treat_in_an_emergency():
    facts = world(
        treatments=(treated(),),
        consents=(deny(purposes=frozenset({Purpose.TREATMENT})),),
    )
    assert not sees(facts, **valley(purpose=Purpose.EMERGENCY))


def test_who_paid_out_of_pocket_may_keep_it_from_the_plan():
    plans = permit(PLAN, purposes=frozenset({Purpose.PAYMENT, Purpose.OPERATIONS}))
    asked = {
        "organization_ids": [PLAN],
        "purpose": Purpose.PAYMENT,
        "data_class": DataClass.BILLING,
    }
    assert sees(world(consents=(plans,)), **asked)
    refused = deny(PLAN, purposes=frozenset({Purpose.PAYMENT}))
    assert not sees(world(consents=(plans, refused)), **asked)
    assert sees(world(consents=(plans, refused)), **asked | {"purpose": Purpose.OPERATIONS})


def test_nobody_needs_evidence_or_authority_to_refuse():
    refusals = (deny(given_by=OTHER, evidence_id=None),)
    assert not sees(world(treatments=(treated(),), consents=refusals), **valley())


# Every grant says why, for what, and until when.


def test_a_grant_says_what_it_rests_on_and_when_it_ends():
    facts = part2(
        for_part2(until_at=AT + 2 * DAY),
        treatments=(treated(ended_at=AT - DAY),),
        agreements=(agreement(until_at=AT + 3 * DAY),),
        memberships=(),
    )
    grants = {
        (g.reason, g.consent_id): g for g in decide(facts, AT).grants if g.reason is not Reason.SELF
    }
    consent = facts.consents[0].id
    plain, widened = grants[Reason.TREATED, None], grants[Reason.TREATED, consent]
    assert plain.basis_id == widened.basis_id == facts.agreements[0].id
    assert plain.fact_id == facts.treatments[0].id
    assert (plain.expires_at, widened.expires_at) == (AT + 3 * DAY, AT + 2 * DAY)
    assert plain.purposes == {Purpose.TREATMENT, Purpose.CARE_COORDINATION}
    assert widened.purposes == {Purpose.TREATMENT}
    assert plain.names == {VALLEY_CLINIC, VALLEY}
    assert plain.sources == {HOSPITAL, CLINIC, PROGRAM}


def test_decisions_are_made_anew_when_something_begins_or_ends():
    facts = world(
        treatments=(treated(began_at=AT + 20 * DAY),),
        consents=(permit(NURSE, until_at=AT + 9 * DAY),),
        memberships=(member(until_at=AT + 8 * DAY),),
    )
    assert decide(facts, AT).changes_at == AT + 6 * DAY
    assert decide(facts, AT + 6 * DAY).changes_at == AT + 8 * DAY
    assert decide(facts, AT + 8 * DAY).changes_at == AT + 9 * DAY
    assert decide(facts, AT + 9 * DAY).changes_at is None
    assert decide(world(patient=patient(is_retired=True)), AT).changes_at is None


def test_an_empty_network_is_no_network():
    facts = world(network=Network(jurisdiction="US"), treatments=(treated(),))
    assert not sees(facts, **valley())
