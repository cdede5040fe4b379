"""Those who act for the patient: how long, and how far; and what a growing child keeps from them."""

from collections.abc import Iterator
from datetime import datetime

from services.identity.domain.access.boxes import Denial, Grant, Remark
from services.identity.domain.access.facts import Facts, Patient, Proxy, ProxyKind
from services.identity.domain.access.policy import Policy
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    ALL_LABELS,
    ALL_PURPOSES,
    KEPT_APART,
    DataClass,
    Label,
    Obstacle,
    Purpose,
    Reason,
    Standing,
    Weight,
)
from services.identity.domain.access.window import Age, Window, adolescent_at, adult_at, age_at

# Part 2 records are shown to a proxy with the patient's consent only, a minor's own matters not at all.
_REPRESENTATIVE = ALL_LABELS - KEPT_APART - {Label.PART2, Label.MINOR_CONFIDENTIAL}
_FAMILY = frozenset({Purpose.FAMILY_REQUEST})


def window_of(proxy: Proxy, patient: Patient, policy: Policy) -> Window:
    """How long a proxy may act: who began to while the patient was a minor stops on the 18th birthday."""
    window = Window(proxy.from_at, proxy.until_at)
    grown = adult_at(patient.born_on, policy)
    if grown and (proxy.kind is ProxyKind.PARENT or proxy.from_at < grown):
        return window.cut(grown)
    return window


def objection(proxy: Proxy, patient: Patient, policy: Policy, at: datetime) -> Obstacle | None:
    """Why somebody may not act for the patient at an instant; None if they may."""
    if proxy.is_barred:
        return Obstacle.PROXY_BARRED
    if proxy.evidence_id is None:
        return Obstacle.PROXY_WITHOUT_EVIDENCE
    if proxy.kind is ProxyKind.PARENT and patient.born_on is None:
        return Obstacle.PROXY_OF_UNKNOWN_AGE
    window = window_of(proxy, patient, policy)
    if window.has_ended(at):
        return Obstacle.PROXY_ENDED
    return None if window.holds(at) else Obstacle.PROXY_NOT_BEGUN


def proxies(facts: Facts, policy: Policy, at: datetime) -> Iterator[Grant | Remark]:
    for proxy in facts.proxies:
        if problem := objection(proxy, facts.patient, policy, at):
            yield Remark(obstacle=problem, fact_id=proxy.id, about=frozenset({proxy.person_id}))
        else:
            yield _grant(proxy, facts.patient, policy, at)


def _grant(proxy: Proxy, patient: Patient, policy: Policy, at: datetime) -> Grant:
    age = age_at(patient.born_on, policy, at)
    is_guarded = age in (Age.ADOLESCENT, Age.UNKNOWN)
    labels = frozenset({Label.NORMAL}) if proxy.kind is ProxyKind.CAREGIVER else _REPRESENTATIVE
    window = window_of(proxy, patient, policy)
    if age is Age.CHILD:
        window = window.cut(adolescent_at(patient.born_on, policy))
    return Grant(
        grantee_id=proxy.person_id,
        names=frozenset({proxy.person_id}),
        sources=None,
        purposes=_FAMILY,
        # A teenager's messages are free text, which no label vouches for.
        classes=proxy.classes - {DataClass.MESSAGES} if is_guarded else proxy.classes,
        labels=labels - policy.hidden_from_parents if is_guarded else labels,
        expires_at=window.until_at,
        standing=Standing.FIRM,
        reason=Reason.PROXY,
        fact_id=proxy.id,
    )


def barred(facts: Facts) -> Iterator[Denial]:
    """Who is kept from everything, wherever they work."""
    for proxy in facts.proxies:
        if proxy.is_barred:
            yield Denial(
                grantee_id=proxy.person_id,
                sources=None,
                purposes=ALL_PURPOSES,
                classes=ALL_CLASSES,
                labels=ALL_LABELS,
                expires_at=None,
                weight=Weight.PERSONAL,
                reason=Reason.PROXY_BARRED,
                fact_id=proxy.id,
            )
