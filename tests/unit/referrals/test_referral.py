"""The edges of a referral: those that there are, in the domain and in the table alike, and what each of them demands."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.referrals.domain.answering import Due, Priority
from services.referrals.domain.consent import Consent, Details, Form, Item
from services.referrals.domain.labels import Label, labels_of
from services.referrals.domain.referral import (
    EDGES,
    ENDED,
    Referral,
    State,
    following,
)

NOW = datetime(2026, 9, 8, 14, tzinfo=UTC)
ONE, TWO, ME = UUID(int=1), UUID(int=2), UUID(int=3)
DETAILS = Details(
    first_name="Marisol", telephone="555 010 0199", address="12 Sample Road", destination="Clinic",
    area="Sample Road area", postal_code="62701", start_at=NOW + timedelta(hours=8),
    end_at=NOW + timedelta(hours=10),
)  # fmt: skip
CONSENT = Consent(
    id=UUID(int=9), form=Form.VERBAL, given_at=NOW, service_ids=(ONE,), items=tuple(Item), witness="N",
    recorded_by=ME, recorded_at=NOW,
)  # fmt: skip
DRAFT = Referral(
    id=UUID(int=5), facility_id=UUID(int=6), patient_id=UUID(int=7), need="transportation-insecurity", service_id=ONE,
    service_name="Drivers", labels=(Label.NORMAL,), details=DETAILS, created_at=NOW, created_by=ME,
)  # fmt: skip


def sent():
    return DRAFT.send(CONSENT, Due(NOW + timedelta(hours=4), "because"), at=NOW)


def in_every_state():
    asked = sent()
    accepted = asked.accept(seat=0)
    begun = accepted.begin()
    return {
        State.DRAFT: DRAFT,
        State.REQUESTED: asked,
        State.ACCEPTED: accepted,
        State.REJECTED: asked.reject("TOO_FAR", at=NOW),
        State.IN_PROGRESS: begun,
        State.COMPLETED: begun.complete(at=NOW),
        State.FAILED: begun.fail("UNREACHABLE", at=NOW),
        State.CANCELLED: asked.cancel("MOVED", at=NOW),
    }


VERBS = {
    State.REQUESTED: lambda r: r.send(CONSENT, Due(NOW, ""), at=NOW),
    State.ACCEPTED: lambda r: r.accept(seat=None),
    State.REJECTED: lambda r: r.reject("OTHER", at=NOW),
    State.IN_PROGRESS: lambda r: r.begin(),
    State.COMPLETED: lambda r: r.complete(at=NOW),
    State.FAILED: lambda r: r.fail("OTHER", at=NOW),
    State.CANCELLED: lambda r: r.cancel("OTHER", at=NOW),
}
# A second yes and a second no change nothing; a second beginning neither.
SAME = {
    (State.ACCEPTED, State.ACCEPTED), (State.IN_PROGRESS, State.ACCEPTED), (State.REJECTED, State.REJECTED),
    (State.IN_PROGRESS, State.IN_PROGRESS),
}  # fmt: skip


def test_only_the_edges_that_there_are_can_be_gone():
    for state, referral in in_every_state().items():
        assert referral.state is state
        for after, verb in VERBS.items():
            by_no_answer = (state, after) == (State.REQUESTED, State.FAILED)
            if (state, after) in SAME:
                assert verb(referral) is referral
            elif after in EDGES[state] and not by_no_answer:
                assert verb(referral).state is after
                assert verb(referral).version == referral.version + 1
            else:
                with pytest.raises(FailedPrecondition, match="not possible"):
                    verb(referral)


def test_the_trigger_of_the_table_has_the_same_edges():
    (path,) = Path("services/referrals/migrations").glob("0001_*.py")
    found = set(re.findall(r"'([A-Z_]+)>([A-Z_]+)'", path.read_text()))
    assert found == {(a.value, b.value) for a, after in EDGES.items() for b in after}


def test_who_has_ended_has_a_time_and_a_reason_or_an_outcome():
    for state, referral in in_every_state().items():
        assert (referral.ended_at is not None) == (state in ENDED)
        assert bool(referral.state_reason) == (state in ENDED - {State.COMPLETED})
        assert referral.outcome or state is not State.COMPLETED


def test_a_reason_is_one_of_ours():
    states = in_every_state()
    for referral, verb in (
        (states[State.REQUESTED], lambda r: r.reject("", at=NOW)),
        (states[State.IN_PROGRESS], lambda r: r.fail("because", at=NOW)),
        (states[State.DRAFT], lambda r: r.cancel("NO_ANSWER", at=NOW)),
    ):
        with pytest.raises(InvalidArgument, match="Say why"):
            verb(referral)


def test_who_does_not_answer_has_failed_once_the_time_has_come_and_not_before():
    asked = sent()
    due = asked.answer_due_at
    assert asked.miss_answer(at=due - timedelta(seconds=1)) is asked
    missed = asked.miss_answer(at=due)
    assert (missed.state, missed.state_reason) == (State.FAILED, "NO_ANSWER")
    assert asked.accept(seat=None).miss_answer(at=due).state is State.ACCEPTED


def test_a_partner_sees_nobody_before_yes_and_nothing_after_the_end():
    for state, referral in in_every_state().items():
        told = referral.told
        is_said = state in {State.ACCEPTED, State.IN_PROGRESS}
        assert (
            bool(told.first_name or told.telephone or told.address or told.destination) is is_said
        )
        assert (told.area, told.postal_code) == ("Sample Road area", "")
    less = replace(CONSENT, items=(Item.FIRST_NAME,))
    told = DRAFT.send(less, Due(NOW, ""), at=NOW).accept(seat=None).told
    assert (told.first_name, told.telephone, told.address, told.destination) == (
        "Marisol",
        "",
        "",
        "",
    )


def test_a_consent_for_others_sends_nothing():
    with pytest.raises(FailedPrecondition, match="other partners"):
        DRAFT.send(replace(CONSENT, service_ids=(TWO,)), Due(NOW, ""), at=NOW)
    with pytest.raises(FailedPrecondition, match="other partners"):
        DRAFT.queue(replace(CONSENT, service_ids=(TWO,)), at=NOW)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"service_ids": ()}, "CONSENT_SERVICES"),
        ({"service_ids": tuple(UUID(int=n) for n in range(21))}, "CONSENT_SERVICES"),
        ({"given_at": NOW + timedelta(minutes=2)}, "CONSENT_AHEAD"),
        ({"witness": ""}, "CONSENT_WITNESS"),
        ({"form": Form.PAPER}, "CONSENT_SIGNATURE"),
        ({"form": Form.ELECTRONIC}, "CONSENT_SIGNATURE"),
    ],
)
def test_what_is_no_consent_is_not_recorded(changed, reason):
    CONSENT.check()
    with pytest.raises(InvalidArgument) as error:
        replace(CONSENT, **changed).check()
    assert error.value.reason == reason


def test_the_one_that_follows_begins_anew_and_takes_no_consent_along():
    before = sent().accept(seat=3).begin().fail("DRIVER_FAILED", at=NOW)
    after = following(before, TWO, "Others", id=UUID(int=8), at=NOW, by=ME)
    assert (after.state, after.version, after.follows_id) == (State.DRAFT, 1, before.id)
    assert after.consent is after.seat is after.sent_at is after.ended_at is None
    assert after.details == before.details


def test_nobody_is_asked_for_what_has_begun():
    begins, consent = DETAILS.start_at, CONSENT
    assert not DRAFT.is_too_late(begins - timedelta(seconds=1))
    for ask in (
        lambda: DRAFT.send(consent, Due(begins, ""), at=begins),
        lambda: DRAFT.queue(consent, at=begins),
    ):
        with pytest.raises(FailedPrecondition) as error:
            ask()
        assert error.value.reason == "NEEDED_BEFORE_NOW"
    lapsed = DRAFT.lapse(at=begins)
    assert (lapsed.state, lapsed.state_reason) == (State.CANCELLED, "TOO_LATE")
    anytime = replace(DRAFT, details=replace(DETAILS, start_at=None, end_at=None))
    assert anytime.send(consent, Due(begins, ""), at=begins).state is State.REQUESTED


def test_what_was_promised_does_not_give_way():
    assert sent().give_way(at=NOW).state_reason == "ASKED_NEXT"
    rejected = sent().reject("OTHER", at=NOW)
    assert rejected.give_way(at=NOW) is rejected
    with pytest.raises(FailedPrecondition, match="said yes"):
        sent().accept(seat=None).give_way(at=NOW)


def test_a_referral_is_as_sensitive_as_what_it_follows_from_and_its_need():
    ride = "transportation-insecurity"
    assert labels_of(ride, ()) == (Label.NORMAL,)
    assert labels_of(ride, {Label.NORMAL, Label.SUD}) == (Label.SUD,)
    assert labels_of("elder-abuse", {Label.SUD}) == (Label.SUD, Label.VIOLENCE)
    assert labels_of("elder-abuse", {Label.WITHHELD}) == (Label.WITHHELD,)
    assert Priority.ROUTINE is DRAFT.priority
