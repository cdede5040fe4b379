"""Relationships with a patient: being registered or treated somewhere, being on the care team, being referred to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.identity.domain.access.facts import (
    Facts,
    Membership,
    Referral,
    Registration,
    Treatment,
)
from services.identity.domain.access.policy import Policy
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    ALL_LABELS,
    MINIMUM,
    DataClass,
    Label,
    Reason,
)
from services.identity.domain.access.window import Window

F = TypeVar("F", Registration, Treatment, Membership)
_ORDINARY = frozenset({Label.NORMAL})
_WHO_IS_IT = frozenset({DataClass.DEMOGRAPHICS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Somebody has to do with the patient, for a time. `most` are the labels it could show at the very best."""

    reason: Reason
    fact_id: UUID
    grantee_id: UUID
    organization_id: UUID | None
    window: Window
    classes: frozenset[DataClass] = ALL_CLASSES
    most: frozenset[Label] = ALL_LABELS
    sources: frozenset[UUID]
    names: frozenset[UUID]


def treatment_window(treatment: Treatment, policy: Policy) -> Window:
    ended_at = treatment.ended_at
    return Window(
        treatment.began_at - policy.treatment_lead,
        ended_at + policy.treatment_tail if ended_at else None,
    )


def relations(facts: Facts, policy: Policy, at: datetime) -> Iterator[Relation]:
    """The relationships there are; where there is none, the last that there was, to explain with."""
    registrations = [((one.facility_id,), one, one.window) for one in facts.registrations]
    for registration, window in _longest(registrations, at):
        yield _at_facility(Reason.REGISTERED, registration, window, facts)
    treatments = [
        ((one.facility_id,), one, treatment_window(one, policy)) for one in facts.treatments
    ]
    for treatment, window in _longest(treatments, at):
        yield _at_facility(Reason.TREATED, treatment, window, facts)
    memberships = [
        ((one.grantee_id, one.facility_id), one, one.window) for one in facts.memberships
    ]
    for membership, window in _longest(memberships, at):
        yield Relation(
            reason=Reason.CARE_TEAM,
            fact_id=membership.id,
            grantee_id=membership.grantee_id,
            organization_id=facts.organization_of(membership.facility_id),
            window=window,
            sources=facts.known_at,
            names=_names(membership.grantee_id, membership.facility_id, facts),
        )
    for referral in facts.referrals:
        yield _referred(referral, facts)


def _longest(
    told: Iterable[tuple[tuple[UUID, ...], F, Window]], at: datetime
) -> Iterable[tuple[F, Window]]:
    """Of those about the same the one that counts longest, since of a hundred visits it says what all of them say.

    Of two that last alike the lesser id: the order of facts does not matter.
    """
    longest: dict[tuple[UUID, ...], tuple[tuple[object, ...], F, Window]] = {}
    for about, fact, window in told:
        until_at = window.until_at
        rank = (window.holds(at), until_at is None, until_at or at, -fact.id.int)
        if about not in longest or rank > longest[about][0]:
            longest[about] = rank, fact, window
    return [(fact, window) for _, fact, window in longest.values()]


def _at_facility(
    reason: Reason, fact: Registration | Treatment, window: Window, facts: Facts
) -> Relation:
    """Being treated opens the record; being registered only says who somebody is."""
    is_treated = reason is Reason.TREATED
    return Relation(
        reason=reason,
        fact_id=fact.id,
        grantee_id=fact.facility_id,
        organization_id=facts.organization_of(fact.facility_id),
        window=window,
        classes=ALL_CLASSES if is_treated else _WHO_IS_IT,
        most=ALL_LABELS if is_treated else _ORDINARY,
        sources=facts.known_at - {fact.facility_id},
        names=_names(fact.facility_id, fact.facility_id, facts),
    )


def _referred(referral: Referral, facts: Facts) -> Relation:
    """A partner gets what it needs to answer, from who asks."""
    organization = facts.organization_of(referral.to_id)
    return Relation(
        reason=Reason.REFERRED,
        fact_id=referral.id,
        grantee_id=referral.to_id,
        organization_id=organization or referral.to_id,
        window=referral.window,
        classes=MINIMUM & referral.classes,
        most=_ORDINARY,
        sources=frozenset({referral.from_facility_id}) - {referral.to_id},
        names=_names(referral.to_id, referral.to_id, facts),
    )


def _names(grantee_id: UUID, home_id: UUID, facts: Facts) -> frozenset[UUID]:
    """By what somebody may be refused: themselves, the facility they stand for, its organization."""
    organization_id = facts.organization_of(home_id)
    names = frozenset({grantee_id, home_id})
    return names | {organization_id} if organization_id else names
