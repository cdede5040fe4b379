"""Consents as they are recorded, and what a preview says of a draft."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.identity.domain.access.boxes import Question, may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import (
    Agreement,
    ConsentDecision,
    ConsentForm,
    Facts,
    Network,
    Patient,
    Treatment,
)
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    ALL_LABELS,
    RELATION_PURPOSES,
    DataClass,
    Label,
    Purpose,
)
from services.identity.domain.consent import ConsentState, RecordedConsent
from services.identity.domain.preview import Reader, preview, with_draft

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PATIENT, HERE, THERE, HOSPITALS, CLINICS, NURSE, PARTNER = (UUID(int=n) for n in range(1, 8))


def consent(**fields):
    said = {
        "id": UUID(int=100),
        "patient_id": PATIENT,
        "facility_id": HERE,
        "decision": ConsentDecision.PERMIT,
        "recipients": frozenset({PARTNER}),
        "purposes": frozenset({Purpose.TREATMENT}),
        "labels": frozenset({Label.NORMAL}),
        "classes": frozenset({DataClass.VISITS}),
        "given_at": NOW,
        "from_at": NOW,
        "evidence_id": UUID(int=9),
        "recorded_at": NOW,
        "recorded_by": NURSE,
    }
    return RecordedConsent(**(said | fields))


def test_a_state_follows_from_the_clock():
    ends = NOW + timedelta(days=1)
    one = consent(from_at=NOW + timedelta(hours=1), until_at=ends)
    assert one.state(NOW) is ConsentState.PENDING
    assert one.state(NOW + timedelta(hours=1)) is ConsentState.IN_FORCE
    assert one.state(ends) is ConsentState.EXPIRED
    taken = one.taken_back(at=NOW, by=PARTNER)
    assert taken.state(ends) is ConsentState.WITHDRAWN
    assert (taken.version, taken.recorded_by) == (2, PARTNER)
    assert taken.taken_back(at=ends, by=NURSE) is taken


def test_a_change_keeps_whose_it_is_and_where_it_was_recorded():
    before = consent()
    wanted = consent(patient_id=NURSE, facility_id=THERE, recorded_by=PARTNER, labels=ALL_LABELS)
    after = before.changed_to(wanted)
    assert (after.patient_id, after.facility_id) == (PATIENT, HERE)
    assert (after.version, after.recorded_by, after.labels) == (2, PARTNER, ALL_LABELS)


LATER = NOW + timedelta(days=3)
BY_NAME = frozenset({PARTNER, HERE})
SEPARATE = frozenset({Label.COUNSELING_NOTES})
LEGAL = frozenset({Purpose.LEGAL})


def changed(before, **fields):
    """Recorded three days after it, by a form that repeats the times of it."""
    return before.changed_to(replace(before, recorded_at=LATER, recorded_by=PARTNER, **fields))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ({}, {"recipients": BY_NAME}),
        ({}, {"recipients": frozenset({HERE})}),
        ({}, {"recipients": frozenset()}),
        ({"recipients": frozenset()}, {"recipients": BY_NAME}),
        ({"sources": frozenset({HERE})}, {"sources": frozenset({HERE, THERE})}),
        ({"sources": frozenset({HERE})}, {"sources": frozenset()}),
        ({}, {"labels": frozenset({Label.NORMAL, Label.HIV})}),
        ({"labels": SEPARATE | {Label.HIV}}, {"labels": SEPARATE}),
        ({}, {"classes": frozenset({DataClass.VISITS, DataClass.CLINICAL})}),
        ({}, {"purposes": frozenset({Purpose.TREATMENT, Purpose.PAYMENT})}),
        ({"purposes": LEGAL | {Purpose.TREATMENT}}, {"purposes": LEGAL}),
        ({"until_at": LATER}, {"until_at": LATER + timedelta(days=1)}),
        ({"until_at": LATER}, {"until_at": None}),
        ({"from_at": LATER}, {"from_at": NOW}),
        ({"given_by": NURSE}, {"given_by": None}),
        ({}, {"given_by": NURSE}),
        ({}, {"given_at": NOW + timedelta(days=1)}),
        ({"decision": ConsentDecision.DENY}, {"decision": ConsentDecision.PERMIT}),
    ],
)
def test_what_permits_more_or_other_than_before_is_given_when_it_is_changed(was, becomes):
    recorded = {"recorded_at": NOW + timedelta(days=2)}
    after = changed(consent(**(was | recorded)), **becomes)
    assert after.given_at == LATER
    assert changed(after) is after
    assert after.changed_to(replace(after, given_at=NOW, from_at=NOW)) is after, "sent twice"
    signed = changed(
        consent(**(was | recorded)), **(becomes | {"given_at": LATER - timedelta(minutes=1)})
    )
    assert signed.given_at == LATER - timedelta(minutes=1), "since the one before was recorded"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ({"recipients": BY_NAME}, {"recipients": frozenset({PARTNER})}),
        ({}, {"sources": frozenset({HERE})}),
        ({"labels": frozenset({Label.NORMAL, Label.HIV})}, {}),
        ({}, {"until_at": LATER + timedelta(days=1)}),
        ({}, {"from_at": LATER + timedelta(days=1)}),
        ({}, {"evidence_note": "in the safe"}),
    ],
)
@pytest.mark.parametrize("said", [{}, {"given_at": NOW - timedelta(days=9)}])
def test_what_permits_less_stays_as_old_as_it_is_and_is_made_no_older(was, becomes, said):
    becomes = becomes or {"labels": frozenset({Label.HIV})}
    after = changed(consent(**was), **(becomes | said))
    assert (after.given_at, after.version) == (NOW, 2)


def test_a_refusal_is_given_when_it_says_so():
    before = consent(decision=ConsentDecision.DENY)
    after = changed(before, labels=ALL_LABELS, given_at=NOW - timedelta(days=9))
    assert after.given_at == NOW - timedelta(days=9)


def test_a_change_that_says_the_same_is_none_whoever_makes_it_and_when():
    before = consent()
    assert before.changed_to(consent(recorded_by=PARTNER, recorded_at=NOW + timedelta(1))) is before
    with pytest.raises(FailedPrecondition):
        before.taken_back(at=NOW, by=NURSE).changed_to(consent(labels=ALL_LABELS))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"given_at": NOW + timedelta(seconds=1)}, "CONSENT_NOT_GIVEN_YET"),
        ({"until_at": NOW}, "CONSENT_NEVER_HOLDS"),
        (
            {"form": ConsentForm.VERBAL, "labels": frozenset({Label.PART2})},
            "CONSENT_NEEDS_SIGNATURE",
        ),
        ({"recipients": frozenset(UUID(int=n) for n in range(101))}, "CONSENT_NAMES_TOO_MANY"),
        ({"evidence_note": "x" * 201}, "EVIDENCE_NOTE_TOO_LONG"),
    ],
)
def test_what_could_not_hold_is_refused(fields, reason):
    with pytest.raises(InvalidArgument) as refused:
        consent(**fields).check()
    assert refused.value.reason == reason


def test_a_spoken_refusal_of_part_2_records_is_heard():
    consent(
        decision=ConsentDecision.DENY, form=ConsentForm.VERBAL, labels=frozenset({Label.PART2})
    ).check()


def facts(*consents):
    return Facts(
        patient=Patient(id=PATIENT),
        network=Network(
            jurisdiction="US",
            organization_of={HERE: HOSPITALS, THERE: CLINICS},
            covered=frozenset({HOSPITALS, CLINICS}),
        ),
        known_at=frozenset({HERE, THERE}),
        treatments=(Treatment(id=UUID(int=50), facility_id=THERE, began_at=NOW),),
        agreements=(
            Agreement(
                id=UUID(int=60),
                parties=frozenset({HOSPITALS, CLINICS}),
                purposes=RELATION_PURPOSES,
                classes=ALL_CLASSES,
                from_at=NOW,
            ),
        ),
        consents=consents,
    )


def reader(id):
    return Reader(
        id=id,
        facility_ids=frozenset({id} & {HERE, THERE}),
        organization_ids=frozenset({CLINICS} if id == THERE else {HOSPITALS} if id == HERE else ()),
    )


def drawn(chance, number, decision=None):
    """Any consent that might be recorded."""

    def some(those, least):
        those = sorted(those)
        return frozenset(chance.sample(those, chance.randint(least, len(those))))

    decision = decision or chance.choice(list(ConsentDecision))
    least = 1 if decision is ConsentDecision.PERMIT else 0
    return consent(
        id=UUID(int=number),
        decision=decision,
        recipients=some({HERE, THERE, PARTNER, HOSPITALS}, 0),
        sources=some({HERE, CLINICS}, 0),
        purposes=some({Purpose.TREATMENT, Purpose.CARE_COORDINATION, Purpose.PAYMENT}, least),
        labels=some(ALL_LABELS, least),
        classes=some(ALL_CLASSES, least),
        form=chance.choice(list(ConsentForm)),
    )


def visible(known, who, at):
    access = decide(known, at)
    return {
        (source, data_class, label, purpose)
        for source in (HERE, THERE)
        for data_class in ALL_CLASSES
        for label in ALL_LABELS
        for purpose in (Purpose.TREATMENT, Purpose.CARE_COORDINATION, Purpose.PAYMENT)
        if may(
            access,
            Question(
                person_id=who.id,
                facility_ids=who.facility_ids,
                organization_ids=who.organization_ids,
                purpose=purpose,
                source_id=source,
                labels=frozenset({label}),
                data_class=data_class,
                at=at,
            ),
        )
    }


def spread(boxes):
    cells = [
        (source, data_class, label, purpose)
        for rows in boxes
        for source in rows.sources
        for data_class in rows.classes
        for label in rows.labels
        for purpose in rows.purposes
    ]
    assert len(cells) == len(set(cells)), "boxes overlap"
    return set(cells)


@pytest.mark.parametrize("seed", range(12))
def test_a_preview_is_the_difference_that_the_consent_then_makes(seed):
    chance = random.Random(seed)
    known = facts(*(drawn(chance, 200 + n) for n in range(chance.randint(0, 2))))
    draft = drawn(chance, 300)
    readers = [reader(who) for who in (HERE, THERE, PARTNER)]
    told = {effect.grantee_id: effect for effect in preview(known, draft, readers, NOW).effects}
    for who in readers:
        before = visible(known, who, NOW)
        after = visible(with_draft(known, draft), who, NOW)
        if before == after:
            assert who.id not in told or who.id in draft.recipients
            continue
        assert spread(told[who.id].opened) == after - before
        assert spread(told[who.id].closed) == before - after


def test_a_change_is_previewed_in_place_of_what_it_changes():
    given = consent()
    wider = replace(given, labels=frozenset({Label.NORMAL, Label.HIV}), version=2)
    (effect,) = preview(facts(given), wider, [reader(PARTNER)], NOW).effects
    (rows,) = effect.opened
    assert rows.labels == {Label.HIV}
    assert not effect.closed


def test_what_begins_later_is_previewed_as_it_will_be_then():
    later = consent(from_at=NOW + timedelta(days=400))
    (effect,) = preview(facts(), later, [reader(PARTNER)], NOW).effects
    assert effect.opened


def test_what_stays_as_old_as_it_was_shows_nothing_that_it_did_not_show():
    """Whatever is changed: what is shown more is shown by the authority of now alone."""
    chance = random.Random(5)
    readers = [reader(who) for who in (HERE, THERE, PARTNER)]
    kept = 0
    for _ in range(80):
        before, other = (
            replace(drawn(chance, 300, ConsentDecision.PERMIT), form=ConsentForm.PAPER)
            for _ in range(2)
        )
        fields = {}
        for name in ("recipients", "sources", "purposes", "labels", "classes"):
            said = sorted(getattr(before, name))
            some = frozenset(chance.sample(said, chance.randint(min(1, len(said)), len(said))))
            fields[name] = chance.choice([some, frozenset(said), getattr(other, name)])
        after = changed(before, **fields)
        if after.given_at == before.given_at:
            kept += after != before
            for who in readers:
                assert visible(facts(after), who, LATER) <= visible(facts(before), who, LATER)
    assert kept > 5
