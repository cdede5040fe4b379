"""What the patient, or who stands for the patient, may see and has said: proxies and consents."""

from collections.abc import Iterator
from datetime import datetime

from tests.reference.facts import CLASSES, LABELS, PURPOSES, Consent, Proxy, Question, World
from tests.reference.terms import (
    FIRM,
    HIDDEN_FROM_PARENTS,
    IN_PERSON,
    NAMED,
    OF_A_PLACE,
    OF_ALL,
    Objection,
    Way,
    acting_for,
    birthday,
    holds,
    stage,
)


def by_proxy(world: World, q: Question) -> Iterator[Way]:
    if q.purpose != "FAMILY_REQUEST":
        return
    for proxy in world.proxies:
        if (
            is_proxy_at(world, proxy, q.at)
            and q.data_class in proxy_classes(world, proxy, q.at)
            and q.labels <= proxy_labels(world, proxy, q.at)
        ):
            yield Way("PROXY", proxy.person, {proxy.person}, FIRM)


def is_proxy_at(world: World, proxy: Proxy, at: datetime) -> bool:
    born_on = world.patient.born_on
    if proxy.evidence is None or proxy.barred:
        return False
    if born_on is None:
        return proxy.kind != "PARENT" and holds(proxy.since, at, proxy.until)
    of_age = birthday(born_on, 18)
    if proxy.kind == "PARENT" or proxy.since < of_age:
        return holds(proxy.since, at, proxy.until, of_age)
    return holds(proxy.since, at, proxy.until)


def proxy_labels(world: World, proxy: Proxy, at: datetime) -> set[str]:
    if proxy.kind == "CAREGIVER":
        return {"NORMAL"}
    shown = LABELS - {"PART2", "COUNSELING_NOTES", "WITHHELD", "MINOR_CONFIDENTIAL"}
    if stage(world, at) in {"ADOLESCENT", "UNKNOWN"}:
        return set(shown - HIDDEN_FROM_PARENTS)
    return set(shown)


def proxy_classes(world: World, proxy: Proxy, at: datetime) -> set[str]:
    if stage(world, at) in {"ADOLESCENT", "UNKNOWN"}:
        return set(proxy.classes - {"MESSAGES"})
    return set(proxy.classes)


def by_barred_proxies(world: World, q: Question) -> Iterator[Objection]:
    for proxy in world.proxies:
        if proxy.barred:
            yield Objection("PROXY_BARRED", proxy.person, IN_PERSON)


def consents_in_force(world: World, at: datetime) -> Iterator[Consent]:
    for consent in world.consents:
        newer = [
            c for c in world.consents if c.name == consent.name and c.version > consent.version
        ]
        start = max(consent.given, consent.since)
        if not newer and holds(start, at, consent.until, consent.withdrawn):
            yield consent


def is_from(world: World, consent: Consent, source: str) -> bool:
    if not consent.sources:
        return True
    return source in consent.sources or world.network.organization_of.get(source) in consent.sources


def by_name(world: World, q: Question) -> Iterator[Way]:
    for consent in consents_in_force(world, q.at):
        if (
            consent.permits
            and q.data_class in released_classes(world, consent)
            and is_from(world, consent, q.source)
            and acting_for(q) & released_purposes(consent)
            and q.labels <= released_labels(world, consent, q.at)
        ):
            for recipient in consent.recipients:
                organization = world.network.organization_of.get(recipient)
                yield Way("CONSENT", recipient, {recipient, organization}, NAMED)


def released_purposes(consent: Consent) -> set[str]:
    if consent.purposes == {"LEGAL"} and consent.recipients:
        return {"LEGAL"}
    return set(consent.purposes - {"LEGAL"})


def released_labels(world: World, consent: Consent, at: datetime) -> set[str]:
    nothing: set[str] = set()
    if consent.evidence is None or not (consent.labels and consent.purposes and consent.classes):
        return nothing
    labels = set(consent.labels) - {"WITHHELD"}
    if not (consent.labels == {"COUNSELING_NOTES"} and consent.recipients):
        labels = labels - {"COUNSELING_NOTES"}
    if consent.form == "VERBAL":
        labels = labels - {"PART2", "COUNSELING_NOTES"}
    if consent.giver is None or consent.giver == world.patient.person:
        return labels & released_by_patient(world, consent)
    return labels & released_by_proxy(world, consent, at)


def released_by_patient(world: World, consent: Consent) -> set[str]:
    then = stage(world, consent.given)
    if then == "CHILD":
        return set()
    return HIDDEN_FROM_PARENTS if then == "ADOLESCENT" else set(LABELS)


def released_classes(world: World, consent: Consent) -> set[str]:
    """A proxy gives away what they act for, and no more."""
    if consent.giver is None or consent.giver == world.patient.person:
        return set(consent.classes)
    acted_for = set[str]()
    for proxy in authorities(world, consent):
        acted_for |= proxy.classes
    return acted_for & consent.classes


def authorities(world: World, consent: Consent) -> list[Proxy]:
    """By what the giver could act for the patient then; who is barred by any record could not."""
    theirs = [proxy for proxy in world.proxies if proxy.person == consent.giver]
    if any(proxy.barred for proxy in theirs):
        return []
    return [
        proxy
        for proxy in theirs
        if proxy.kind != "CAREGIVER" and is_proxy_at(world, proxy, consent.given)
    ]


def released_by_proxy(world: World, consent: Consent, at: datetime) -> set[str]:
    if not authorities(world, consent):
        return set()
    now, then = stage(world, at), stage(world, consent.given)
    if now == "CHILD":
        return set(LABELS - {"MINOR_CONFIDENTIAL"})
    if now in {"ADOLESCENT", "UNKNOWN"}:
        return set(LABELS - HIDDEN_FROM_PARENTS)
    return set(LABELS) if then == "ADULT" else set()


def by_refusals(world: World, q: Question) -> Iterator[Objection]:
    for consent in consents_in_force(world, q.at):
        if (
            not consent.permits
            and acting_for(q) & (consent.purposes or PURPOSES)
            and q.labels & (consent.labels or LABELS)
            and q.data_class in (consent.classes or CLASSES)
            and is_from(world, consent, q.source)
        ):
            if not consent.recipients:
                yield Objection("DENIED", None, OF_ALL)
            for recipient in consent.recipients:
                yield Objection("DENIED", recipient, weight_against(world, recipient))


def weight_against(world: World, recipient: str) -> int:
    facilities = world.network.organization_of.keys()
    organizations = world.network.organization_of.values()
    if recipient in facilities or recipient in organizations or recipient in world.network.teams:
        return OF_A_PLACE
    return IN_PERSON
