"""What may leave, what goes with it, and what is kept of it: the cases of 42 CFR Part 2 and HIPAA, one by one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from carehub.identity.v1 import access_service_pb2 as rpc

from libs.chassis.errors import FailedPrecondition
from services.identity.domain.access.facts import ConsentForm
from services.identity.domain.access.terms import DataClass, Label, Purpose
from services.identity.domain.disclosure import (
    NOTICES,
    Authorization,
    Item,
    Recipient,
    RecipientKind,
    Sending,
    authorized,
    check_same,
    notices,
    released,
    to_be_kept,
    years_before,
)
from tests.unit.identity.access_network import (
    AT,
    CLINIC,
    DOCTOR,
    HOSPITAL,
    MERCY,
    PANTRY,
    PANTRY_DOOR,
    PATIENT,
    PLAN,
    PROGRAM,
    VALLEY,
    VALLEY_CLINIC,
    deny,
    glass,
    network,
    permit,
    referred,
    treated,
    world,
)

CLINIC_OF_VALLEY = Recipient(id=VALLEY_CLINIC, kind=RecipientKind.FACILITY, organization_id=VALLEY)
THE_PLAN = Recipient(id=PLAN, kind=RecipientKind.ORGANIZATION)
THE_PANTRY = Recipient(id=PANTRY_DOOR, kind=RecipientKind.FACILITY, organization_id=PANTRY)
PART2 = frozenset({Label.PART2})


def item(*labels, source=HOSPITAL, data_class=DataClass.CLINICAL, patient=PATIENT):
    return Item(
        patient_id=patient, source_id=source, data_class=data_class, labels=frozenset(labels)
    )


NORMAL, OF_PROGRAM = item(Label.NORMAL), item(Label.PART2, source=PROGRAM)


def sending(*items, to=CLINIC_OF_VALLEY, purpose=Purpose.TREATMENT, **other):
    told = {"id": UUID(int=900), "service": "referrals", "at": AT}
    return Sending(recipient=to, purpose=purpose, items=items, **(told | other))


def leaving(facts, *items, **asked):
    return released({PATIENT: facts}, sending(*items, **asked))


def places(facts, *items, **asked):
    return [one.index for one in leaving(facts, *items, **asked)]


def test_treatment_needs_no_consent_and_part2_records_do():
    treating = world(treatments=(treated(),))
    assert places(treating, NORMAL, OF_PROGRAM, item(Label.SUD), item(Label.HIV)) == [0, 2, 3]
    assert places(world(), NORMAL) == []


def test_by_a_consent_it_leaves_with_the_notice_and_the_consent():
    consent = permit(labels=PART2)
    found = leaving(world(treatments=(treated(),), consents=(consent,)), NORMAL, OF_PROGRAM)
    assert [sorted(one.consent_ids) for one in found] == [[], [consent.id]]
    (notice,) = notices(found, AT)
    assert notice.text == "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    assert "2.32" in notice.source


def test_without_part2_records_nothing_goes_with_it():
    found = leaving(world(treatments=(treated(),), consents=(permit(labels=PART2),)), NORMAL)
    assert notices(found, AT) == []


def test_a_notice_is_the_one_in_effect_on_the_day():
    found = leaving(world(treatments=(treated(),), consents=(permit(labels=PART2),)), OF_PROGRAM)
    before = datetime(2024, 4, 15, 23, tzinfo=UTC)
    assert "use or" not in notices(found, before)[0].text
    assert len({(one.code, one.effective_on) for one in NOTICES}) == len(NOTICES)


@pytest.mark.parametrize(
    ("name", "facts", "items"),
    [
        ("spoken", {"consents": (permit(labels=PART2, evidence_id=None),)}, [OF_PROGRAM]),
        ("withdrawn", {"consents": (permit(labels=PART2, withdrawn_at=AT),)}, [OF_PROGRAM]),
        ("ended", {"consents": (permit(labels=PART2, until_at=AT),)}, [OF_PROGRAM]),
        ("counseling notes", {"consents": (permit(labels=PART2),)}, [item(Label.COUNSELING_NOTES)]),
        ("withheld", {}, [item(Label.WITHHELD)]),
        ("no label", {}, [item()]),
        ("refused to all", {"consents": (deny(),)}, [NORMAL]),
        ("refused to them", {"consents": (deny(VALLEY),)}, [NORMAL]),
        ("merged", {"patient": replace(world().patient, is_retired=True)}, [NORMAL]),
        ("no agreement", {"agreements": ()}, [NORMAL]),
        ("no policy", {"network": network(jurisdiction="NOWHERE")}, [NORMAL]),
    ],
)
def test_it_stays(name, facts, items):
    assert places(world(**({"treatments": (treated(),)} | facts)), *items) == []


def test_a_health_plan_gets_what_names_it_and_not_what_was_paid_out_of_pocket():
    billing = item(Label.NORMAL, data_class=DataClass.BILLING)
    paying = {"to": THE_PLAN, "purpose": Purpose.PAYMENT}
    named = permit(PLAN, purposes=frozenset({Purpose.PAYMENT}))
    assert places(world(), billing, **paying) == []
    assert places(world(consents=(named,)), billing, **paying) == [0]
    restricted = deny(PLAN, purposes=frozenset({Purpose.PAYMENT}))  # 45 CFR 164.522
    assert places(world(consents=(named, restricted)), billing, **paying) == []


def test_a_community_organization_gets_what_a_referral_needs_or_what_names_it():
    who = item(Label.NORMAL, data_class=DataClass.DEMOGRAPHICS)
    sent = {"referrals": (referred(PANTRY_DOOR),)}
    assert places(world(**sent), who, NORMAL, to=THE_PANTRY) == []  # no business associate
    covered = network(covered=frozenset({MERCY, VALLEY, PANTRY}))
    agreed = world(**sent, network=covered)
    assert places(agreed, who, NORMAL, to=THE_PANTRY) == []  # and no agreement
    named = permit(PANTRY, classes=frozenset({DataClass.DEMOGRAPHICS}))
    assert places(world(consents=(named,)), who, NORMAL, to=THE_PANTRY) == [0]


def test_legal_proceedings_need_a_consent_for_just_that():
    court = Recipient(id=UUID(int=77), kind=RecipientKind.PERSON)
    for purposes, leave in (({Purpose.LEGAL}, [0]), ({Purpose.LEGAL, Purpose.TREATMENT}, [])):
        consent = permit(court.id, purposes=frozenset(purposes))
        asked = {"to": court, "purpose": Purpose.LEGAL}
        assert places(world(consents=(consent,)), NORMAL, **asked) == leave


def test_an_emergency_of_a_person_is_theirs_and_not_their_facilitys():
    broken = world(emergencies=(glass(is_part2_emergency=True, is_medical=True),))
    doctor = Recipient(id=DOCTOR, kind=RecipientKind.PERSON)
    assert places(broken, OF_PROGRAM, to=doctor, purpose=Purpose.EMERGENCY) == [0]
    assert places(broken, OF_PROGRAM, purpose=Purpose.EMERGENCY) == []


def test_a_facility_gets_back_what_it_wrote():
    found = leaving(world(), item(Label.PART2, source=VALLEY_CLINIC))
    assert [(one.index, one.consent_ids) for one in found] == [(0, frozenset())]
    assert notices(found, AT) == []


def test_of_a_patient_of_whom_nothing_is_known_nothing_leaves():
    stranger = item(Label.NORMAL, patient=UUID(int=404), source=VALLEY_CLINIC)
    assert places(world(), stranger) == []


def test_no_answer_releases_nothing():
    assert list(rpc.CheckDisclosureResponse().released) == []


def kept(facts, *items, **asked):
    one = sending(*items, **asked)
    return to_be_kept(one, released({PATIENT: facts}, one))


def test_what_is_kept_says_what_sorts_of_whom_and_by_what():
    consent = permit(labels=PART2)
    facts = world(treatments=(treated(),), consents=(consent,))
    (one,) = kept(
        facts, NORMAL, OF_PROGRAM, item(Label.WITHHELD), item(Label.NORMAL, source=CLINIC)
    )
    assert one.source_ids == (HOSPITAL, CLINIC, PROGRAM)
    assert (one.classes, one.consent_ids) == (("CLINICAL",), (consent.id,))
    assert (one.is_part2, one.is_accountable, one.service) == (True, False, "referrals")
    assert kept(world(), NORMAL) == []


def test_accounted_for_is_what_leaves_for_others_than_care_without_an_authorization():
    reporting = {"to": CLINIC_OF_VALLEY, "purpose": Purpose.PUBLIC_HEALTH}
    own = item(Label.NORMAL, source=VALLEY_CLINIC)
    (reported,) = kept(world(), own, **reporting)
    assert reported.is_accountable
    named = permit(VALLEY_CLINIC, purposes=frozenset({Purpose.PUBLIC_HEALTH}))
    (authorized,) = kept(world(consents=(named,)), NORMAL, **reporting)
    assert not authorized.is_accountable


def test_under_one_id_one_thing_leaves():
    facts = world(treatments=(treated(),))
    first, later = kept(facts, NORMAL), kept(facts, NORMAL, at=AT + timedelta(minutes=1))
    check_same(first, later)
    for other in ([], kept(facts, item(Label.NORMAL, data_class=DataClass.VISITS))):
        with pytest.raises(FailedPrecondition) as refused:
            check_same(first, other)
        assert refused.value.reason == "DISCLOSURE_CHANGED"


def test_years_are_counted_back_from_a_leap_day_too():
    assert years_before(datetime(2024, 2, 29, tzinfo=UTC), 6) == datetime(2018, 2, 28, tzinfo=UTC)


DRIVERS = Recipient(id=UUID(int=0xD41), kind=RecipientKind.PERSON)


def authorization(*labels, form=ConsentForm.VERBAL, **fields):
    told = {
        "id": UUID(int=0xA1), "patient_id": PATIENT, "form": form, "given_at": AT - timedelta(hours=1),
        "labels": frozenset(labels or {Label.NORMAL}), "classes": frozenset({DataClass.DEMOGRAPHICS}),
    }  # fmt: skip
    return Authorization(**(told | fields))


def released_by(facts, one, *items):
    sending = Sending(
        id=UUID(int=1), recipient=DRIVERS, purpose=Purpose.CARE_COORDINATION, items=items, service="referrals", at=AT
    )  # fmt: skip
    return [each.index for each in released(authorized({PATIENT: facts}, [one], sending), sending)]


def test_what_the_sender_holds_counts_as_a_consent_and_what_is_forbidden_stays_forbidden():
    name = item(Label.NORMAL, data_class=DataClass.DEMOGRAPHICS)
    known = world()
    assert released_by(known, authorization(), name, NORMAL) == [0]
    assert released_by(known, authorization(patient_id=DOCTOR), name) == []
    assert released_by(known, authorization(given_at=AT + timedelta(hours=1)), name) == []
    refused = world(consents=(deny(DRIVERS.id),))
    assert released_by(refused, authorization(), name) == []


def test_a_word_of_mouth_releases_no_part_2_records_to_a_partner_and_a_signature_does():
    name = item(Label.PART2, source=PROGRAM, data_class=DataClass.DEMOGRAPHICS)
    known = world()
    assert released_by(known, authorization(Label.PART2), name) == []
    signed = authorization(Label.PART2, form=ConsentForm.PAPER)
    assert released_by(known, signed, name) == [0]
