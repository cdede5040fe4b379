"""May this caller see this row now? Answered by going through every fact, for one question at a time.

Nothing is prepared, kept or merged: each rule asks the facts again, so that it can be read beside the specification.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.reference.facts import CLASSES, EXCEPTIONS, LABELS, Agreement, Question, World
from tests.reference.terms import (
    FIRM,
    FIRST_POLICY_DAY,
    FREE,
    HELD,
    RELATION,
    SELF,
    Objection,
    Way,
    acting_for,
    holds,
    stage,
)
from tests.reference.voice import (
    by_barred_proxies,
    by_name,
    by_proxy,
    by_refusals,
    consents_in_force,
    is_from,
    released_classes,
    released_labels,
    released_purposes,
)

FOR_CARE = {"TREATMENT", "CARE_COORDINATION"}
ON_REFERRAL = {"DEMOGRAPHICS", "REFERRALS"}
IN_EMERGENCY = CLASSES - {"MESSAGES", "BILLING"}


@dataclass
class Relation:
    reason: str
    grantee: str
    home: str | None
    organization: str
    sources: set[str]
    classes: set[str] | frozenset[str]
    labels: set[str] | frozenset[str]


def may(world: World, q: Question) -> bool:
    return bool(reasons(world, q))


def reasons(world: World, q: Question) -> list[str]:
    """Every reason for which the row may be shown; none: refused."""
    if len(q.labels) == 0:
        return []
    return [way.reason for way in ways(world, q) if not is_stopped(world, way, q)]


def is_stopped(world: World, way: Way, q: Question) -> bool:
    return any(stops(objection, way, q) for objection in objections(world, q))


def stops(objection: Objection, way: Way, q: Question) -> bool:
    if objection.weight <= way.standing:
        return False
    if objection.against is None:
        return True
    if objection.against in way.names:
        return True
    return objection.against == q.person or objection.against in q.teams


def ways(world: World, q: Question) -> Iterator[Way]:
    if is_own_row(q):
        yield Way("OWN", q.source, {q.source}, FIRM)
    if not is_granted(world, q.at):
        return
    for rule in (by_being_the_patient, by_proxy, by_relation, by_name, by_broken_glass):
        for way in rule(world, q):
            asks = (
                way.grantee == q.person
                or way.grantee in q.teams
                or way.grantee in q.facilities
                or way.grantee in q.organizations
            )
            if asks and way.grantee not in world.network.deactivated:
                yield way


def objections(world: World, q: Question) -> Iterator[Objection]:
    """What forbids does so of a merged record, and without a policy, too."""
    yield from by_barred_proxies(world, q)
    yield from by_refusals(world, q)
    yield from by_holds(world, q)


def is_granted(world: World, at: datetime) -> bool:
    """Of a patient merged into another, or at a place or a day without a policy, nothing is granted."""
    if world.patient.retired:
        return False
    return world.network.jurisdiction in FREE and at.astimezone(UTC).date() >= FIRST_POLICY_DAY


def is_own_row(q: Question) -> bool:
    if "COUNSELING_NOTES" in q.labels:
        return False
    if q.purpose in {"PATIENT_REQUEST", "FAMILY_REQUEST"}:
        return False
    return q.source in q.facilities


# The patient, and who stands for the patient.


def by_being_the_patient(world: World, q: Question) -> Iterator[Way]:
    person = world.patient.person
    if person is None or stage(world, q.at) == "CHILD":
        return
    if q.purpose == "PATIENT_REQUEST" and q.labels <= LABELS - {"COUNSELING_NOTES", "WITHHELD"}:
        yield Way("SELF", person, {person}, SELF)


# Those who care for the patient.


def by_relation(world: World, q: Question) -> Iterator[Way]:
    for relation in relations(world, q.at):
        if (
            q.source in relation.sources
            and q.source in world.network.organization_of
            and q.data_class in relation.classes
            and q.labels <= relation.labels
            and flows(world, q, relation)
        ):
            names = {relation.grantee, relation.home, relation.organization}
            yield Way(relation.reason, relation.grantee, names, RELATION)


def relations(world: World, at: datetime) -> Iterator[Relation]:
    for r in world.registrations:
        if holds(r.since, at, r.until):
            yield from at_home(world, "REGISTERED", r.facility, r.facility)
    for t in world.treatments:
        end = None if t.ended is None else t.ended + timedelta(days=365)
        if holds(t.began - timedelta(days=14), at, end):
            yield from at_home(world, "TREATED", t.facility, t.facility)
    for m in world.memberships:
        if holds(m.since, at, m.until):
            yield from at_home(world, "CARE_TEAM", m.grantee, m.facility)
    yield from referred(world, at)


def at_home(world: World, reason: str, grantee: str, home: str) -> Iterator[Relation]:
    """The relation of a facility of the network, or of somebody who works there."""
    if home not in world.network.organization_of:
        return
    sources = set(world.known_at) if reason == "CARE_TEAM" else set(world.known_at) - {home}
    classes, labels = CLASSES, LABELS
    if reason == "REGISTERED":
        classes, labels = frozenset({"DEMOGRAPHICS"}), frozenset({"NORMAL"})
    organization = world.network.organization_of[home]
    yield Relation(reason, grantee, home, organization, sources, classes, labels)


def referred(world: World, at: datetime) -> Iterator[Relation]:
    for f in world.referrals:
        if holds(f.sent, at, f.ended):
            home = f.receiver if f.receiver in world.network.organization_of else None
            organization = world.network.organization_of.get(f.receiver, f.receiver)
            sources, classes = {f.sender} - {f.receiver}, ON_REFERRAL & f.classes
            yield Relation("REFERRED", f.receiver, home, organization, sources, classes, {"NORMAL"})


def flows(world: World, q: Question, relation: Relation) -> bool:
    """Does anything let this row go from its source to the relation's organization?"""
    source_organization = world.network.organization_of[q.source]
    if source_organization == relation.organization:
        return flows_on(world, q, FOR_CARE, needs_consent=False)
    if relation.organization not in world.network.covered:
        return False
    for agreement in world.agreements:
        if (
            holds(agreement.since, q.at, agreement.until)
            and includes(agreement, world.patient.name)
            and relation.organization in agreement.parties
            and source_organization in agreement.parties
            and q.data_class in agreement.classes
            and flows_on(world, q, FOR_CARE & agreement.purposes, agreement.needs_consent)
        ):
            return True
    return False


def includes(agreement: Agreement, patient: str) -> bool:
    return agreement.patients is None or patient in agreement.patients


def flows_on(world: World, q: Question, purposes: set[str], needs_consent: bool) -> bool:
    free = set() if needs_consent else set(FREE[world.network.jurisdiction])
    if q.labels <= free and acting_for(q) & purposes:
        return True
    for consent in consents_in_force(world, q.at):
        if (
            consent.permits
            and not consent.recipients
            and q.data_class in released_classes(world, consent)
            and is_from(world, consent, q.source)
            and acting_for(q) & purposes & released_purposes(consent)
            and q.labels <= free | released_labels(world, consent, q.at)
        ):
            return True
    return False


# Exceptions.


def by_broken_glass(world: World, q: Question) -> Iterator[Way]:
    if q.purpose != "EMERGENCY" or q.data_class not in IN_EMERGENCY:
        return
    for glass in world.glasses:
        earliest = glass.opened - timedelta(minutes=5)
        if (
            holds(glass.opened, q.at, glass.ended, glass.opened + timedelta(minutes=60))
            and glass.reason.strip()
            and earliest <= glass.reauthenticated <= glass.opened
        ):
            labels = LABELS - {"PART2", "COUNSELING_NOTES", "WITHHELD"}
            reason = "BREAK_GLASS"
            if glass.part2_emergency and glass.medical:
                labels, reason = labels | {"PART2"}, "PART2_EMERGENCY"
            if q.labels <= labels:
                yield Way(reason, glass.person, {glass.person}, FIRM)


def by_holds(world: World, q: Question) -> Iterator[Objection]:
    if q.purpose not in {"PATIENT_REQUEST", "FAMILY_REQUEST"}:
        return
    for hold in world.holds:
        if (
            hold.until is not None
            and holds(hold.since, q.at, hold.until)
            and hold.exception in EXCEPTIONS
            and q.data_class in hold.classes
        ):
            if world.patient.person is not None:
                yield Objection("HELD", world.patient.person, HELD)
            for proxy in world.proxies:
                yield Objection("HELD", proxy.person, HELD)
