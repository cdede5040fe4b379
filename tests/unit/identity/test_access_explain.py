"""Explanations: which facts decide, in words, with keys to translate."""

import string

import pytest

from services.identity.domain.access.decide import decide
from services.identity.domain.access.explain import explain
from services.identity.domain.access.facts import ConsentForm, ProxyKind
from services.identity.domain.access.terms import Axis, DataClass, Label, Obstacle, Purpose, Reason
from services.identity.domain.access.words import WORDS
from tests.unit.identity.access_network import (
    AT,
    CLINIC,
    DAY,
    DOCTOR,
    HOSPITAL,
    MERCY,
    MOTHER,
    NURSE,
    PANTRY_DOOR,
    PROGRAM,
    VALLEY_CLINIC,
    agreement,
    deny,
    glass,
    hold,
    member,
    mother,
    network,
    patient,
    permit,
    proxy,
    question,
    referred,
    registered,
    themselves,
    treated,
    valley,
    world,
)


def told(facts, **asked):
    one = question(**asked)
    return explain(decide(facts, one.at), one)


def keys(facts, **asked):
    return [line.key for line in told(facts, **asked).lines]


def test_there_are_words_for_everything_that_can_be_said():
    said = {f"obstacle.{one}" for one in Obstacle} | {f"missed.{one}" for one in Axis}
    denying = {Reason.DENIED, Reason.PROXY_BARRED, Reason.HELD}
    said |= {f"stopped.{one}" for one in denying}
    said |= {f"allowed.{one}" for one in set(Reason) - denying}
    others = {
        "allowed.OWN",
        "by.agreement",
        "by.consent",
        "unlabeled",
        "apart",
        "withheld",
        "nothing",
        "role",
        "ask",
        *(f"headline.{how_much}" for how_much in ("ALL", "SOME", "NONE")),
    }
    assert said | others == set(WORDS)
    for words in WORDS.values():
        holes = {name for _, name, _, _ in string.Formatter().parse(words) if name}
        assert holes <= {"until", "reason", "labels"}


def test_it_says_by_which_ways_somebody_sees():
    facts = world(
        treatments=(treated(ended_at=AT - DAY),),
        consents=(permit(labels=frozenset({Label.PART2})),),
    )
    assert keys(facts, **valley()) == ["allowed.TREATED", "by.agreement", "by.consent"]
    (treatment, basis, consent) = told(facts, **valley(labels=[Label.PART2])).lines
    assert treatment.fact_id == facts.treatments[0].id
    assert treatment.sentence == (
        "Their facility treats the patient, or did within the last year until 2027-11-21 12:00 UTC."
    )
    assert (basis.fact_id, consent.fact_id) == (facts.agreements[0].id, facts.consents[0].id)
    assert keys(facts, facility_ids=[HOSPITAL]) == ["allowed.OWN"]
    assert keys(facts, **themselves()) == ["allowed.SELF"]


def test_without_any_fact_it_says_so():
    assert keys(world(), **valley()) == ["nothing"]
    assert told(world(), **valley()).lines[0].sentence == "No fact connects them with the patient."


def test_who_refused_it_is_said():
    facts = world(treatments=(treated(),), consents=(deny(until_at=AT + DAY),))
    (line,) = told(facts, **valley()).lines
    assert (line.key, line.fact_id) == ("stopped.DENIED", facts.consents[0].id)
    assert line.sentence == "The patient has refused until 2026-11-23 12:00 UTC."
    at_home = keys(world(consents=(deny(NURSE),)), person_id=NURSE, facility_ids=[HOSPITAL])
    assert at_home == ["stopped.DENIED"]
    assert "stopped.HELD" in keys(world(holds=(hold(),)), **themselves(data_class="RESULTS"))
    barred = world(
        proxies=(proxy(is_barred=True),),
        consents=(permit(MOTHER, purposes=frozenset({Purpose.FAMILY_REQUEST})),),
    )
    assert set(keys(barred, **mother())) == {"stopped.PROXY_BARRED", "obstacle.PROXY_BARRED"}


def test_which_label_is_missing_is_said():
    facts = world(treatments=(treated(),))
    (line,) = told(facts, **valley(labels=[Label.PART2, Label.SUD])).lines
    assert line.sentence == ("Their access (TREATED) does not extend to what is labeled PART2.")


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"purpose": Purpose.RESEARCH}, "missed.PURPOSE"),
        ({"source_id": PANTRY_DOOR}, "missed.SOURCE"),
        ({"labels": []}, "unlabeled"),
        ({"labels": [Label.WITHHELD]}, "withheld"),
        ({"labels": [Label.COUNSELING_NOTES]}, "apart"),
    ],
)
def test_where_an_access_does_not_reach_is_said(asked, key):
    assert key in keys(world(treatments=(treated(),)), **valley(**asked))


def test_that_an_access_is_too_narrow_or_over_is_said():
    assert "missed.CLASS" in keys(world(registrations=(registered(),)), **valley())
    ended = question(**valley(at=AT + DAY))
    access = decide(world(memberships=(member(until_at=AT + DAY),)), AT)
    assert [line.key for line in explain(access, ended).lines] == ["missed.TIME"]


PART2 = frozenset({Label.PART2})


@pytest.mark.parametrize(
    ("facts", "asked", "obstacle"),
    [
        ({"treatments": (treated(),), "agreements": ()}, valley(), "AGREEMENT_MISSING"),
        ({"treatments": (treated(),), "agreements": (agreement(until_at=AT),)}, valley(), "AGREEMENT_MISSING"),
        ({"treatments": (treated(),), "agreements": (agreement(needs_consent=True),)}, valley(), "OPT_IN_MISSING"),
        ({"treatments": (treated(),), "network": network(covered=frozenset({MERCY}))}, valley(), "NOT_COVERED"),
        ({"treatments": (treated(),), "network": network(organization_of={})}, valley(), "FACILITY_UNKNOWN"),
        ({"treatments": (treated(),), "network": network(jurisdiction="XX")}, valley(), "POLICY_MISSING"),
        ({"treatments": (treated(),), "patient": patient(is_retired=True)}, valley(), "PATIENT_RETIRED"),
        ({"treatments": (treated(ended_at=AT - 400 * DAY),)}, valley(), "RELATION_ENDED"),
        ({"treatments": (treated(began_at=AT + 20 * DAY),)}, valley(), "RELATION_NOT_BEGUN"),
        ({"consents": (permit(withdrawn_at=AT),)}, valley(), "CONSENT_WITHDRAWN"),
        ({"consents": (permit(until_at=AT),)}, valley(), "CONSENT_EXPIRED"),
        ({"consents": (permit(until_at=AT - DAY, withdrawn_at=AT + DAY),)}, valley(), "CONSENT_EXPIRED"),
        ({"consents": (permit(from_at=AT + DAY),)}, valley(), "CONSENT_NOT_BEGUN"),
        ({"consents": (permit(evidence_id=None),)}, valley(), "CONSENT_WITHOUT_EVIDENCE"),
        ({"consents": (permit(labels=PART2, form=ConsentForm.VERBAL),)}, valley(), "CONSENT_NOT_SIGNED"),
        ({"consents": (permit(labels=frozenset({Label.COUNSELING_NOTES})),)}, valley(), "CONSENT_NOT_SEPARATE"),
        ({"consents": (permit(purposes=frozenset({Purpose.LEGAL})),)}, valley(), "CONSENT_NOT_SEPARATE"),
        ({"consents": (permit(),), "patient": patient(5)}, valley(), "CONSENT_OF_CHILD"),
        ({"consents": (permit(),), "patient": patient(15)}, valley(), "CONSENT_OF_MINOR"),
        ({"consents": (permit(given_by=NURSE),)}, valley(), "CONSENT_WITHOUT_AUTHORITY"),
        (
            {
                "consents": (permit(given_by=MOTHER, labels=PART2),),
                "proxies": (proxy(),),
                "patient": patient(15),
            },
            valley(),
            "CONSENT_FOR_MINOR",
        ),
        (
            {
                "consents": (permit(given_by=MOTHER, given_at=AT - 60 * DAY),),
                "proxies": (proxy(),),
                "patient": patient(18),
            },
            valley(),
            "CONSENT_OUTGROWN",
        ),
        (
            {
                "consents": (permit(given_by=MOTHER),),
                "proxies": (proxy(ProxyKind.ATTORNEY, classes=frozenset({DataClass.VISITS})),),
            },
            valley(),
            "CONSENT_BEYOND_AUTHORITY",
        ),
        ({"proxies": (proxy(),), "patient": patient(18)}, mother(), "PROXY_ENDED"),
        ({"proxies": (proxy(),), "patient": patient(None)}, mother(), "PROXY_OF_UNKNOWN_AGE"),
        ({"proxies": (proxy(ProxyKind.ATTORNEY, from_at=AT + DAY),)}, mother(), "PROXY_NOT_BEGUN"),
        ({"proxies": (proxy(evidence_id=None),)}, mother(), "PROXY_WITHOUT_EVIDENCE"),
        ({"patient": patient(5)}, themselves(), "PATIENT_IS_CHILD"),
        ({"emergencies": (glass(ended_at=AT),)}, {"person_id": DOCTOR}, "GLASS_ENDED"),
        ({"emergencies": (glass(reason=" "),)}, {"person_id": DOCTOR}, "GLASS_INCOMPLETE"),
        ({"emergencies": (glass(opened_at=AT + DAY),)}, {"person_id": DOCTOR}, "GLASS_NOT_BROKEN_YET"),
        ({"holds": (hold(exception="WHY"),)}, valley(), "HOLD_UNFOUNDED"),
        (
            {"memberships": (member(),), "network": network(deactivated=frozenset({NURSE}))},
            {"person_id": NURSE},
            "PERSON_DEACTIVATED",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_fact_is_said(facts, asked, obstacle):
    assert f"obstacle.{obstacle}" in keys(world(**facts), **asked)


def test_what_concerns_others_is_nobodys_business():
    facts = world(
        consents=(permit(DOCTOR, withdrawn_at=AT),),
        proxies=(proxy(until_at=AT),),
        treatments=(treated(facility=CLINIC, ended_at=AT - 400 * DAY),),
    )
    assert keys(facts, **valley()) == ["nothing"]


def test_nothing_is_said_twice():
    facts = world(treatments=(treated(), treated(facility=PROGRAM, id=112)))
    ways = keys(facts, facility_ids=[VALLEY_CLINIC, PROGRAM])
    assert ways == ["allowed.TREATED", "by.agreement", "allowed.TREATED"]


def test_a_referral_within_ones_organization_needs_no_agreement():
    facts = world(referrals=(referred(to=CLINIC),), agreements=())
    assert keys(facts, facility_ids=[CLINIC], data_class="REFERRALS") == ["allowed.REFERRED"]
