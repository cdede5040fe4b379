"""Breaking the glass: who may, for how long, and who looks at it afterwards."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from services.identity.domain.access.policy import policy_at
from services.identity.domain.break_glass import Finding, Person, Reason, Wish, break_glass

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
NURSE, OFFICER, PAT, SAM = (UUID(int=n) for n in range(1, 5))
HERE, ELSEWHERE = UUID(int=11), UUID(int=12)
POLICY = policy_at("US", NOW)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

PERSON = Person(
    id=NURSE,
    facilities=frozenset({HERE}),
    roles={"nurse": frozenset({HERE})},
    acr="2",
    authenticated_at=NOW - MINUTE,
)
WISH = Wish(
    id=UUID(int=100),
    patient_id=PAT,
    facility_id=HERE,
    reason=Reason.DANGER_TO_LIFE,
    reason_text="Found unconscious, no papers",
    is_part2_emergency=False,
)


def opened(wish=WISH, person=PERSON, earlier=(), at=NOW):
    return break_glass(wish, person, earlier, POLICY, at)


def refused(kind, reason):
    return pytest.raises(kind, check=lambda error: error.reason == reason)


def test_it_shows_one_patient_for_sixty_minutes():
    glass = opened()
    assert (glass.person_id, glass.patient_id) == (NURSE, PAT)
    assert glass.expires_at == NOW + 60 * MINUTE
    assert glass.is_open(NOW + 60 * MINUTE - timedelta(seconds=1))
    assert not glass.is_open(NOW + 60 * MINUTE)
    assert glass.is_medical
    assert glass.uses_in_30_days == 1


@pytest.mark.parametrize(
    ("acr", "since"),
    [
        ("1", NOW),
        ("", NOW),
        ("gold", NOW),
        ("2", None),
        ("2", NOW - 5 * MINUTE - timedelta(seconds=1)),
        ("2", NOW + MINUTE),
    ],
)
def test_without_a_fresh_second_factor_it_stays_whole(acr, since):
    person = replace(PERSON, acr=acr, authenticated_at=since)
    with refused(PermissionDenied, "CONFIRMATION_NEEDED"):
        opened(person=person)


@pytest.mark.parametrize("since", [NOW - 5 * MINUTE, NOW, NOW + timedelta(seconds=20)])
def test_a_provider_whose_clock_is_a_little_ahead_is_believed(since):
    glass = opened(person=replace(PERSON, acr="3", authenticated_at=since))
    assert glass.reauthenticated_at <= glass.opened_at


def test_it_is_opened_where_one_works():
    with refused(PermissionDenied, "GLASS_NOT_YOURS_THERE"):
        opened(replace(WISH, facility_id=ELSEWHERE))


def test_a_reason_is_a_few_words():
    for text, reason in (
        ("", "WORDS_MISSING"),
        ("  help  now ", "WORDS_MISSING"),
        ("a\x07 b c", "TEXT_NOT_PRINTABLE"),
    ):
        with refused(InvalidArgument, reason):
            opened(replace(WISH, reason_text=text))


def test_medical_personnel_is_who_has_such_a_role_there():
    elsewhere = replace(
        PERSON, roles={"nurse": frozenset({ELSEWHERE}), "analyst": frozenset({HERE})}
    )
    assert not opened(person=elsewhere).is_medical


def test_one_is_open_per_person_and_patient():
    first = opened()
    later = NOW + 2 * MINUTE
    again = replace(WISH, id=UUID(int=101))
    assert opened(again, earlier=[first], at=later) is first
    assert opened(replace(again, patient_id=SAM), earlier=[first], at=later).patient_id == SAM
    ended = first.end(later)
    assert opened(again, earlier=[ended], at=later).id == again.id
    fresh = replace(PERSON, authenticated_at=NOW + 60 * MINUTE)
    assert opened(again, fresh, [first], NOW + 60 * MINUTE).id == again.id


def test_the_same_request_is_answered_with_what_it_opened_also_when_that_is_over():
    first = opened().end(NOW + MINUTE)
    assert opened(earlier=[first], at=NOW + 2 * MINUTE) is first


def test_who_has_a_use_that_waits_too_long_for_its_review_opens_no_other():
    first = opened()
    at = NOW + POLICY.glass_review + timedelta(seconds=1)
    other = replace(WISH, id=UUID(int=101), patient_id=SAM)
    fresh = replace(PERSON, authenticated_at=at)
    with refused(FailedPrecondition, "REVIEW_OVERDUE"):
        opened(other, fresh, [first], at)
    reviewed = first.review(Finding.JUSTIFIED, "Seen", by=OFFICER, at=at)
    assert opened(other, fresh, [reviewed], at).id == other.id
    just = at - timedelta(seconds=1)
    assert opened(other, replace(PERSON, authenticated_at=just), [first], just).id == other.id


def test_uses_of_the_last_thirty_days_are_counted():
    said = {"finding": Finding.JUSTIFIED, "ended_at": NOW}
    earlier = [
        replace(opened(), id=UUID(int=n), opened_at=NOW - n * DAY, **said) for n in (1, 30, 31)
    ]
    assert opened(earlier=earlier).uses_in_30_days == 3


def test_it_ends_once():
    ended = opened().end(NOW + MINUTE)
    assert (ended.ended_at, ended.version) == (NOW + MINUTE, 2)
    assert ended.end(NOW + 2 * MINUTE) is ended
    over = opened()
    assert over.end(NOW + 61 * MINUTE) is over


def test_nobody_reviews_their_own():
    with refused(PermissionDenied, "OWN_REVIEW"):
        opened().review(Finding.JUSTIFIED, "It was me", by=NURSE, at=NOW)


def test_it_is_reviewed_once():
    glass = opened().review(Finding.CASE_OPENED, "No such patient here", by=OFFICER, at=NOW)
    assert (
        glass.review(Finding.CASE_OPENED, "No such patient here", by=OFFICER, at=NOW + DAY) is glass
    )
    with refused(FailedPrecondition, "REVIEWED_ALREADY"):
        glass.review(Finding.JUSTIFIED, "After all", by=OFFICER, at=NOW)
    with refused(InvalidArgument, "WORDS_MISSING"):
        opened().review(Finding.JUSTIFIED, " ", by=OFFICER, at=NOW)


@pytest.mark.parametrize("finding", Finding)
def test_what_was_not_right_is_over_at_once(finding):
    at = NOW + MINUTE
    glass = opened().review(finding, "Looked at", by=OFFICER, at=at)
    assert glass.is_open(at) is (finding is Finding.JUSTIFIED)
    late = opened().review(finding, "Looked at", by=OFFICER, at=NOW + DAY)
    assert late.ended_at is None
