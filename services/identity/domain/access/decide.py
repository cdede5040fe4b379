"""The decider: facts about a patient become grants and denials, each with its reason and its end."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from uuid import UUID

from services.identity.domain.access.boxes import Access, Denial, Grant, Remark
from services.identity.domain.access.consents import Release, denied, named, releases
from services.identity.domain.access.facts import EXCEPTIONS, BreakGlass, Facts, Hold
from services.identity.domain.access.policy import POLICIES, Policy, policy_at
from services.identity.domain.access.proxies import barred, proxies, window_of
from services.identity.domain.access.reach import shown
from services.identity.domain.access.relations import treatment_window
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    ALL_LABELS,
    EMERGENCY_CLASSES,
    KEPT_APART,
    OWN_PURPOSES,
    Label,
    Obstacle,
    Purpose,
    Reason,
    Standing,
    Weight,
)
from services.identity.domain.access.window import (
    Age,
    Window,
    adolescent_at,
    adult_at,
    age_at,
    earliest,
)

_OWN = frozenset({Purpose.PATIENT_REQUEST})
_EMERGENCY = frozenset({Purpose.EMERGENCY})
_NOT_IN_EMERGENCIES = KEPT_APART | {Label.PART2}


def decide(facts: Facts, at: datetime) -> Access:
    """Who may see what of the patient. No fact, no grant; what forbids is never weighed against what allows."""
    policy = policy_at(facts.network.jurisdiction, at)
    if policy is None or facts.patient.is_retired:
        return _closed(facts, policy, at)
    grants: list[Grant] = []
    denials: list[Denial] = []
    remarks: list[Remark] = []
    for outcome in _outcomes(facts, policy, at):
        if isinstance(outcome, Remark):
            remarks.append(outcome)
        elif outcome.is_empty:
            continue
        elif isinstance(outcome, Denial):
            denials.append(outcome)
        elif outcome.grantee_id in facts.network.deactivated:
            key = Obstacle.PERSON_DEACTIVATED
            remarks.append(_about(outcome.grantee_id, key, outcome.fact_id))
        else:
            grants.append(outcome)
    return Access(
        grants=tuple(grants),
        denials=tuple(denials),
        remarks=tuple(remarks),
        changes_at=earliest(*(end for end in _turns(facts, policy) if end > at)),
    )


def _closed(facts: Facts, policy: Policy | None, at: datetime) -> Access:
    """Nothing is granted, and what forbids still does: somebody's own facility may hold rows that bear this id."""
    key = Obstacle.POLICY_MISSING if policy is None else Obstacle.PATIENT_RETIRED
    forbidden = (one for one in _forbidden(facts, at) if isinstance(one, Denial))
    return Access(
        denials=tuple(denial for denial in forbidden if not denial.is_empty),
        remarks=(Remark(obstacle=key, fact_id=facts.patient.id),),
        changes_at=earliest(*(end for end in _turns_closed(facts) if end > at)),
    )


def _outcomes(facts: Facts, policy: Policy, at: datetime) -> Iterator[Grant | Denial | Remark]:
    released: list[Release] = []
    for release in releases(facts, policy, at):
        if isinstance(release, Remark):
            yield release
        else:
            released.append(release)
    yield from _themselves(facts, policy, at)
    yield from proxies(facts, policy, at)
    yield from shown(facts, policy, released, at)
    for release in released:
        yield from named(facts, release)
    yield from _forbidden(facts, at)
    for emergency in facts.emergencies:
        yield _glass(emergency, policy, at)


def _forbidden(facts: Facts, at: datetime) -> Iterator[Denial | Remark]:
    """What forbids asks for no policy."""
    yield from barred(facts)
    yield from denied(facts, at)
    for hold in facts.holds:
        yield from _held(hold, facts, at)


def _themselves(facts: Facts, policy: Policy, at: datetime) -> Iterator[Grant | Remark]:
    """The patient sees all of it at once, but what is kept apart."""
    patient = facts.patient
    if patient.person_id is None:
        return
    if age_at(patient.born_on, policy, at) is Age.CHILD:
        yield _about(patient.person_id, Obstacle.PATIENT_IS_CHILD, patient.id)
        return
    yield Grant(
        grantee_id=patient.person_id,
        names=frozenset({patient.person_id}),
        sources=None,
        purposes=_OWN,
        classes=ALL_CLASSES,
        labels=ALL_LABELS - KEPT_APART,
        expires_at=None,
        standing=Standing.SELF,
        reason=Reason.SELF,
        fact_id=patient.id,
    )


def glass_window(emergency: BreakGlass, policy: Policy) -> Window:
    return Window(emergency.opened_at, emergency.opened_at + policy.break_glass).cut(
        emergency.ended_at
    )


def _glass(emergency: BreakGlass, policy: Policy, at: datetime) -> Grant | Remark:
    """One person, one patient, for an hour; Part 2 records only in a medical emergency of their own kind."""
    window = glass_window(emergency, policy)
    since = emergency.opened_at - emergency.reauthenticated_at
    is_fresh = timedelta() <= since <= policy.reauthentication
    if not window.holds(at):
        key = Obstacle.GLASS_ENDED if window.has_ended(at) else Obstacle.GLASS_NOT_BROKEN_YET
        return _about(emergency.person_id, key, emergency.id)
    if not emergency.reason.strip() or not is_fresh:
        return _about(emergency.person_id, Obstacle.GLASS_INCOMPLETE, emergency.id)
    is_part2 = emergency.is_part2_emergency and emergency.is_medical
    return Grant(
        grantee_id=emergency.person_id,
        names=frozenset({emergency.person_id}),
        sources=None,
        purposes=_EMERGENCY,
        classes=EMERGENCY_CLASSES,
        labels=ALL_LABELS - (KEPT_APART if is_part2 else _NOT_IN_EMERGENCIES),
        expires_at=window.until_at,
        standing=Standing.FIRM,
        reason=Reason.PART2_EMERGENCY if is_part2 else Reason.BREAK_GLASS,
        fact_id=emergency.id,
    )


def _held(hold: Hold, facts: Facts, at: datetime) -> Iterator[Denial | Remark]:
    """Keeps something from the patient and their proxies, if a documented exception and an end do."""
    if not hold.window.holds(at):
        return
    if hold.until_at is None or hold.exception not in EXCEPTIONS:
        yield Remark(obstacle=Obstacle.HOLD_UNFOUNDED, fact_id=hold.id)
        return
    persons = {proxy.person_id for proxy in facts.proxies}
    if facts.patient.person_id:
        persons.add(facts.patient.person_id)
    for person_id in sorted(persons):
        yield Denial(
            grantee_id=person_id,
            sources=None,
            purposes=OWN_PURPOSES,
            classes=hold.classes,
            labels=ALL_LABELS,
            expires_at=hold.until_at,
            weight=Weight.HOLD,
            reason=Reason.HELD,
            fact_id=hold.id,
        )


def _turns(facts: Facts, policy: Policy) -> Iterator[datetime]:
    """Every instant at which the same facts may begin to decide something else."""
    born_on = facts.patient.born_on
    windows = chain(
        (registration.window for registration in facts.registrations),
        (treatment_window(treatment, policy) for treatment in facts.treatments),
        (membership.window for membership in facts.memberships),
        (referral.window for referral in facts.referrals),
        (agreement.window for agreement in facts.agreements),
        (window_of(proxy, facts.patient, policy) for proxy in facts.proxies),
        (glass_window(emergency, policy) for emergency in facts.emergencies),
        _said(facts),
    )
    yield from _edges(windows)
    for birthday in (adolescent_at(born_on, policy), adult_at(born_on, policy)):
        if birthday:
            yield birthday
    yield from _policy_days(facts)


def _policy_days(facts: Facts) -> Iterator[datetime]:
    for policy in POLICIES:
        if policy.jurisdiction == facts.network.jurisdiction:
            yield datetime.combine(policy.effective_on, time(), UTC)


def _turns_closed(facts: Facts) -> Iterator[datetime]:
    """The same where nothing is granted. A retired record never comes back by itself."""
    yield from _edges(_said(facts))
    if not facts.patient.is_retired:
        yield from _policy_days(facts)


def _said(facts: Facts) -> Iterator[Window]:
    """When what permits or forbids does so."""
    yield from (consent.window for consent in facts.newest_consents())
    yield from (hold.window for hold in facts.holds)


def _edges(windows: Iterable[Window]) -> Iterator[datetime]:
    for window in windows:
        yield window.from_at
        if window.until_at:
            yield window.until_at


def _about(person_id: UUID, obstacle: Obstacle, fact_id: UUID) -> Remark:
    return Remark(obstacle=obstacle, fact_id=fact_id, about=frozenset({person_id}))
