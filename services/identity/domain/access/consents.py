"""What a consent validly releases, and the grants and denials that follow from naming somebody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity.domain.access.boxes import Denial, Grant, Remark
from services.identity.domain.access.facts import (
    Consent,
    ConsentForm,
    Facts,
    Patient,
    ProxyKind,
)
from services.identity.domain.access.policy import Policy
from services.identity.domain.access.proxies import objection
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    ALL_LABELS,
    ALL_PURPOSES,
    NEEDS_SIGNATURE,
    DataClass,
    Label,
    Obstacle,
    Purpose,
    Reason,
    Standing,
    Weight,
)
from services.identity.domain.access.window import (
    Age,
    adolescent_at,
    adult_at,
    age_at,
    earliest,
)

_NOTHING: frozenset[Label] = frozenset()
_SEPARATE_NOTES = frozenset({Label.COUNSELING_NOTES})
_SEPARATE_LEGAL = frozenset({Purpose.LEGAL})
_MAY_CONSENT = frozenset({ProxyKind.PARENT, ProxyKind.GUARDIAN, ProxyKind.ATTORNEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a permission in force lets out: less than it names where the law asks for more. `problems` say why."""

    consent: Consent
    labels: frozenset[Label]
    classes: frozenset[DataClass]
    purposes: frozenset[Purpose]
    until_at: datetime | None
    problems: tuple[Obstacle, ...]


def releases(facts: Facts, policy: Policy, at: datetime) -> Iterator[Release | Remark]:
    """Of each permission in force, what it lets out; of the others, why nothing."""
    for consent in facts.newest_consents():
        if not consent.is_permit:
            continue
        if consent.window.holds(at):
            yield _release(consent, facts, policy, at)
        else:
            yield _remark(_why_not_in_force(consent, at), consent)


def named(facts: Facts, release: Release) -> Iterator[Grant | Remark]:
    """Grants to those whom the patient names. The authorization is their basis: they need no other."""
    consent = release.consent
    for problem in release.problems:
        yield _remark(problem, consent)
    for recipient in sorted(consent.recipients):
        organization = facts.organization_of(recipient)
        yield Grant(
            grantee_id=recipient,
            names=frozenset({recipient, organization} if organization else {recipient}),
            sources=_sources(consent, facts),
            purposes=release.purposes,
            classes=release.classes,
            labels=release.labels,
            expires_at=release.until_at,
            standing=Standing.NAMED,
            reason=Reason.CONSENT,
            fact_id=consent.id,
            consent_id=consent.id,
        )


def denied(facts: Facts, at: datetime) -> Iterator[Denial]:
    """Whoever forbids, in whatever form, is heard. A place or a team is not kept from its own record: a person is."""
    places = facts.network.organization_of
    shared = facts.network.teams.union(places.keys(), places.values())
    for consent in facts.newest_consents():
        if consent.is_permit or not consent.window.holds(at):
            continue
        for recipient in sorted(consent.recipients):
            is_shared = recipient in shared
            yield _denial(consent, facts, recipient, Weight.NAMED if is_shared else Weight.PERSONAL)
        if not consent.recipients:
            yield _denial(consent, facts, None, Weight.GENERAL)


def _denial(consent: Consent, facts: Facts, recipient: UUID | None, weight: Weight) -> Denial:
    return Denial(
        grantee_id=recipient,
        sources=_sources(consent, facts),
        purposes=consent.purposes or ALL_PURPOSES,
        classes=consent.classes or ALL_CLASSES,
        labels=consent.labels or ALL_LABELS,
        expires_at=consent.window.until_at,
        weight=weight,
        reason=Reason.DENIED,
        fact_id=consent.id,
    )


def _release(consent: Consent, facts: Facts, policy: Policy, at: datetime) -> Release:
    authority = _within_authority(consent, facts, policy, at)
    allowed, until_at = authority.labels, authority.until_at
    problems = [authority.problem] if authority.problem else []
    if not consent.classes <= authority.classes:
        problems.append(Obstacle.CONSENT_BEYOND_AUTHORITY)
    if consent.evidence_id is None:
        problems.append(Obstacle.CONSENT_WITHOUT_EVIDENCE)
        allowed = _NOTHING
    apart = Label.COUNSELING_NOTES in consent.labels and not _is_separate(
        consent, consent.labels == _SEPARATE_NOTES
    )
    legal = Purpose.LEGAL in consent.purposes and not _is_separate(
        consent, consent.purposes == _SEPARATE_LEGAL
    )
    unsigned = consent.labels & NEEDS_SIGNATURE if consent.form is ConsentForm.VERBAL else _NOTHING
    if apart or legal:
        problems.append(Obstacle.CONSENT_NOT_SEPARATE)
    if unsigned:
        problems.append(Obstacle.CONSENT_NOT_SIGNED)
    labels = (consent.labels & allowed) - {Label.WITHHELD} - unsigned
    return Release(
        consent=consent,
        labels=labels - _SEPARATE_NOTES if apart else labels,
        classes=consent.classes & authority.classes,
        purposes=consent.purposes - _SEPARATE_LEGAL if legal else consent.purposes,
        until_at=earliest(consent.window.until_at, until_at),
        problems=tuple(problems),
    )


def _is_separate(consent: Consent, is_alone: bool) -> bool:
    """Counseling notes and proceedings each ask for a consent of their own, to somebody by name."""
    return is_alone and bool(consent.recipients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """What the giver of a consent may release, until when, and what is wrong with it."""

    labels: frozenset[Label]
    classes: frozenset[DataClass] = ALL_CLASSES
    until_at: datetime | None = None
    problem: Obstacle | None = None


def _within_authority(consent: Consent, facts: Facts, policy: Policy, at: datetime) -> Authority:
    if consent.given_by in (None, facts.patient.person_id):
        return _of_patient(consent, facts, policy)
    return _of_proxy(consent, facts, policy, at)


def _of_patient(consent: Consent, facts: Facts, policy: Policy) -> Authority:
    """A teenager releases what is theirs alone to release; the rest is for the parents."""
    age = age_at(facts.patient.born_on, policy, consent.given_at)
    if age is Age.CHILD:
        return Authority(labels=_NOTHING, problem=Obstacle.CONSENT_OF_CHILD)
    if age is Age.ADOLESCENT:
        own = policy.hidden_from_parents
        problem = None if consent.labels <= own else Obstacle.CONSENT_OF_MINOR
        return Authority(labels=own, problem=problem)
    return Authority(labels=ALL_LABELS)


def _of_proxy(consent: Consent, facts: Facts, policy: Policy, at: datetime) -> Authority:
    """As far as they act for the patient. What was given for a child fades: at 12 what it decides alone, at 18 all of it."""
    patient = facts.patient
    theirs = [proxy for proxy in facts.proxies if proxy.person_id == consent.given_by]
    acting = [
        proxy
        for proxy in theirs
        if proxy.kind in _MAY_CONSENT and not objection(proxy, patient, policy, consent.given_at)
    ]
    is_barred = any(proxy.is_barred for proxy in theirs)
    may_act = bool(acting) and not is_barred
    grown = adult_at(patient.born_on, policy)
    outgrown = grown is not None and consent.given_at < grown <= at
    if not may_act or outgrown:
        problem = Obstacle.CONSENT_OUTGROWN if may_act else Obstacle.CONSENT_WITHOUT_AUTHORITY
        return Authority(labels=_NOTHING, problem=problem)
    allowed, until_at = _for_whom_one_acts(patient, policy, at)
    return Authority(
        labels=allowed,
        classes=frozenset[DataClass]().union(*(proxy.classes for proxy in acting)),
        until_at=until_at,
        problem=None if consent.labels <= allowed else Obstacle.CONSENT_FOR_MINOR,
    )


def _for_whom_one_acts(
    patient: Patient, policy: Policy, at: datetime
) -> tuple[frozenset[Label], datetime | None]:
    match age_at(patient.born_on, policy, at):
        case Age.CHILD:
            return ALL_LABELS - {Label.MINOR_CONFIDENTIAL}, adolescent_at(patient.born_on, policy)
        case Age.ADOLESCENT:
            return ALL_LABELS - policy.hidden_from_parents, adult_at(patient.born_on, policy)
        case Age.UNKNOWN:
            return ALL_LABELS - policy.hidden_from_parents, None
        case Age.ADULT:
            return ALL_LABELS, None


def _sources(consent: Consent, facts: Facts) -> frozenset[UUID] | None:
    return facts.facilities_among(consent.sources) if consent.sources else None


def _why_not_in_force(consent: Consent, at: datetime) -> Obstacle:
    if consent.withdrawn_at is not None and consent.withdrawn_at <= at:
        return Obstacle.CONSENT_WITHDRAWN
    return Obstacle.CONSENT_EXPIRED if consent.window.has_ended(at) else Obstacle.CONSENT_NOT_BEGUN


def _remark(obstacle: Obstacle, consent: Consent) -> Remark:
    return Remark(obstacle=obstacle, fact_id=consent.id, about=consent.recipients or None)
