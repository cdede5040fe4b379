"""What holds of every decision, whatever the facts: deny wins, order is nothing, ends are ends."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.access.boxes import may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.explain import explain
from services.identity.domain.access.facts import Facts
from services.identity.domain.access.terms import (
    RELATION_PURPOSES,
    DataClass,
    Label,
    Purpose,
    Reason,
)
from tests.unit.identity.access_network import AT, DAY, PATIENT, deny, patient, world
from tests.unit.identity.access_worlds import EVERYBODY, GIVING, PLURAL, Chance, with_own_id

RELATIONS = {Reason.REGISTERED, Reason.TREATED, Reason.CARE_TEAM, Reason.REFERRED}
WORLDS = 4
# A seed stands for four worlds: drawn by Hypothesis one by one they would be thin, and cost a minute.
chances = st.integers(0, 2**32).map(Chance)


def narrower(after, before, asked):
    """Whether nothing is seen now that was not seen before."""
    return all(may(before, one) or not may(after, one) for one in asked)


def test_by_chance_people_do_see_things():
    """The properties below say something only if grants, denials and the line between them are met often."""
    chance, seen, stopped, widened, reasons = Chance(7), 0, 0, 0, set()
    for _ in range(400):
        facts = chance.world()
        access = decide(facts, AT)
        reasons |= {grant.reason for grant in access.grants}
        widened += sum(
            grant.consent_id is not None and grant.reason in RELATIONS for grant in access.grants
        )
        for one in chance.questions(facts):
            reached = [grant for grant in access.grants_to(one) if grant.covers(one)]
            seen += may(access, one) and not one.is_about_own_row
            stopped += any(access.stopping(grant, one) for grant in reached)
    assert seen > 1000
    assert stopped > 50
    assert widened > 10
    assert reasons >= RELATIONS | {Reason.SELF, Reason.PROXY, Reason.CONSENT, Reason.BREAK_GLASS}


@given(chances)
def test_a_refusal_never_widens(chance):
    for _ in range(WORLDS):
        facts = chance.world()
        name, refusal = chance.one(("consents", chance.deny()), ("holds", chance.hold()))
        refused = replace(facts, **{name: (*getattr(facts, name), refusal)})
        asked = chance.questions(facts) + chance.questions(refused)
        assert narrower(decide(refused, AT), decide(facts, AT), asked)


@given(chances)
def test_who_is_refused_by_name_is_refused(chance):
    for _ in range(WORLDS):
        facts, refused = chance.world(), chance.one(*EVERYBODY)
        facts = replace(
            facts,
            patient=replace(facts.patient, is_retired=False),
            consents=(*facts.consents, with_own_id(deny(refused))),
        )
        access = decide(facts, AT)
        for one in chance.questions(facts):
            is_in_person = refused in one.in_person and refused not in facts.network.teams
            if is_in_person and one.purpose is not Purpose.PATIENT_REQUEST:
                assert not may(access, one)
            for grant in access.grants_to(one):
                if refused in grant.names and grant.reason in {*RELATIONS, Reason.CONSENT}:
                    assert access.stopping(grant, one)


@given(chances)
def test_what_gives_only_adds(chance):
    for _ in range(WORLDS):
        facts, name = chance.world(), chance.one(*GIVING)
        if told := getattr(facts, name):
            gone = chance.one(*told)
            without = replace(facts, **{name: tuple(one for one in told if one != gone)})
            asked = chance.questions(facts) + chance.questions(without)
            assert narrower(decide(without, AT), decide(facts, AT), asked)


@given(chances)
def test_a_permission_withdrawn_never_widens(chance):
    for _ in range(WORLDS):
        facts = chance.world()
        withdrawn = tuple(
            replace(one, withdrawn_at=AT) if one.is_permit else one for one in facts.consents
        )
        after = decide(replace(facts, consents=withdrawn), AT)
        assert narrower(after, decide(facts, AT), chance.questions(facts))
        assert not any(grant.consent_id for grant in after.grants)


@given(chances)
def test_the_order_of_facts_is_nothing(chance):
    assert {field.name for field in fields(Facts)} == {
        *PLURAL,
        "patient",
        "network",
        "known_at",
        "programs",
    }
    for _ in range(WORLDS):
        facts = chance.world()
        shuffled = {
            name: tuple(chance.random.sample(getattr(facts, name), len(getattr(facts, name))))
            for name in PLURAL
        }
        one, two = decide(facts, AT), decide(replace(facts, **shuffled), AT)
        assert set(one.grants) == set(two.grants)
        assert set(one.denials) == set(two.denials)
        assert set(one.remarks) == set(two.remarks)
        assert one.changes_at == two.changes_at


@given(chances)
def test_a_decision_holds_until_it_says_that_it_changes(chance):
    for _ in range(WORLDS):
        facts = chance.world()
        access = decide(facts, AT)
        until = access.changes_at or AT + 4000 * DAY
        assert until > AT
        later = AT + (until - AT) * chance.random.random()
        anew = decide(facts, later)
        for one in chance.questions(facts):
            then = replace(one, at=later)
            assert may(access, then) == may(anew, then)


@given(chances)
def test_nothing_is_seen_past_its_end(chance):
    for _ in range(WORLDS):
        facts = chance.world()
        asked = chance.questions(facts)
        for grant in decide(facts, AT).grants:
            if grant.expires_at:
                assert grant.expires_at > AT
                assert not any(grant.covers(replace(one, at=grant.expires_at)) for one in asked)


@given(chances)
def test_no_grant_is_for_more_than_what_it_rests_on(chance):
    for _ in range(WORLDS):
        facts = chance.world()
        consents = {consent.id: consent for consent in facts.consents}
        agreements = {one.id: one for one in facts.agreements}
        known = {one.id for name in PLURAL for one in getattr(facts, name)} | {PATIENT}
        places = facts.network.organization_of
        for grant in decide(facts, AT).grants:
            assert grant.fact_id in known
            assert grant.grantee_id in grant.names
            assert not grant.is_empty
            if consent := consents.get(grant.consent_id):
                assert grant.purposes <= consent.purposes
                assert grant.classes <= consent.classes
                assert consent.is_permit
                assert consent.window.holds(AT)
            if grant.reason in RELATIONS:
                assert grant.purposes <= RELATION_PURPOSES
                assert grant.sources <= set(places)
                assert not consent or not consent.recipients
            if basis := agreements.get(grant.basis_id):
                assert grant.purposes <= basis.purposes
                assert grant.classes <= basis.classes
                assert {places[source] for source in grant.sources} <= basis.parties


@given(chances)
def test_the_most_sensitive_labels_have_few_ways_out(chance):
    for _ in range(WORLDS):
        for grant in decide(chance.world(), AT).grants:
            assert Label.WITHHELD not in grant.labels
            if Label.COUNSELING_NOTES in grant.labels:
                assert grant.reason is Reason.CONSENT
                assert grant.labels == {Label.COUNSELING_NOTES}
            if Label.PART2 in grant.labels and grant.consent_id is None:
                assert grant.reason in {Reason.SELF, Reason.PART2_EMERGENCY}
            if Purpose.LEGAL in grant.purposes:
                assert grant.purposes == {Purpose.LEGAL}


@given(chances)
def test_without_facts_only_ones_own_rows_are_seen(chance):
    facts = world(patient=patient(person_id=None))
    access = decide(facts, AT)
    assert access.grants == access.denials == ()
    for one in chance.questions(facts, 60):
        assert may(access, one) is one.is_about_own_row


@given(chances)
def test_an_agreement_that_says_less_shows_no_more(chance):
    for _ in range(WORLDS):
        facts = chance.world()
        kept = chance.one(Purpose.PAYMENT, Purpose.TREATMENT)
        less = tuple(
            replace(one, purposes=one.purposes & {kept}, classes=one.classes - {DataClass.CLINICAL})
            for one in facts.agreements
        )
        after = decide(replace(facts, agreements=less), AT)
        assert narrower(after, decide(facts, AT), chance.questions(facts))


@given(chances)
def test_an_explanation_says_what_was_decided_and_why(chance):
    for _ in range(WORLDS):
        facts = chance.world()
        access = decide(facts, AT)
        for one in chance.questions(facts, 6):
            told = explain(access, one)
            ways = [line for line in told.lines if line.key.startswith("allowed.")]
            assert told.is_allowed == may(access, one) == bool(ways)
            assert all(line.sentence for line in told.lines)
            assert told.lines


@pytest.mark.parametrize("name", PLURAL)
def test_chance_knows_every_sort_of_fact(name):
    chance = Chance(1)
    assert any(getattr(chance.world(), name) for _ in range(50))
