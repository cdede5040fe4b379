"""From the reference's facts and questions to the product's: the only place in these tests that knows both."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from uuid import NAMESPACE_URL, UUID, uuid5

from services.identity.domain.access import boxes, facts
from services.identity.domain.access.decide import decide
from services.identity.domain.access.terms import DataClass, Label, Purpose
from tests.reference.facts import Consent, Question, World


@cache
def an_id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"carehub:{name}")


def ids(names: Iterable[str]) -> frozenset[UUID]:
    return frozenset(map(an_id, names))


@cache
def purposes(names: frozenset[str]) -> frozenset[Purpose]:
    return frozenset(map(Purpose, names))


@cache
def classes(names: frozenset[str]) -> frozenset[DataClass]:
    return frozenset(map(DataClass, names))


@cache
def labels(names: frozenset[str]) -> frozenset[Label]:
    return frozenset(map(Label, names))


def maybe(name: str | None) -> UUID | None:
    return None if name is None else an_id(name)


class Asked:
    """The product's decision about a world at an instant, to be asked the reference's questions."""

    def __init__(self, world: World, at: datetime) -> None:
        self._access = decide(translated_once(world), at)
        self.changes_at = self._access.changes_at

    def may(self, q: Question) -> bool:
        question = boxes.Question(
            person_id=an_id(q.person),
            team_ids=ids(q.teams),
            facility_ids=ids(q.facilities),
            organization_ids=ids(q.organizations),
            purpose=Purpose(q.purpose),
            source_id=an_id(q.source),
            labels=labels(q.labels),
            data_class=DataClass(q.data_class),
            at=q.at,
        )
        return boxes.may(self._access, question)


_translated: dict[int, tuple[World, facts.Facts]] = {}


def translated_once(world: World) -> facts.Facts:
    """The world is kept beside its translation, so that no other one can come to lie where it lay."""
    known = _translated.get(id(world))
    if known is None:
        known = _translated[id(world)] = (world, translated(world))
    return known[1]


def translated(world: World) -> facts.Facts:
    network = world.network
    return facts.Facts(
        patient=facts.Patient(
            id=an_id(world.patient.name),
            born_on=world.patient.born_on,
            person_id=maybe(world.patient.person),
            is_retired=world.patient.retired,
        ),
        network=facts.Network(
            jurisdiction=network.jurisdiction,
            organization_of={an_id(f): an_id(o) for f, o in network.organization_of.items()},
            covered=ids(network.covered),
            teams=ids(network.teams),
            deactivated=ids(network.deactivated),
        ),
        known_at=ids(world.known_at),
        agreements=agreements(world),
        consents=tuple(map(consent, world.consents)),
        proxies=proxies(world),
        emergencies=emergencies(world),
        holds=tuple(
            facts.Hold(
                id=an_id(f"hold {n}"),
                classes=classes(h.classes),
                from_at=h.since,
                until_at=h.until,
                exception=h.exception,
            )
            for n, h in enumerate(world.holds)
        ),
        registrations=tuple(
            facts.Registration(
                id=an_id(f"registration {n}"),
                facility_id=an_id(r.facility),
                from_at=r.since,
                until_at=r.until,
            )
            for n, r in enumerate(world.registrations)
        ),
        treatments=tuple(
            facts.Treatment(
                id=an_id(f"treatment {n}"),
                facility_id=an_id(t.facility),
                began_at=t.began,
                ended_at=t.ended,
            )
            for n, t in enumerate(world.treatments)
        ),
        memberships=tuple(
            facts.Membership(
                id=an_id(f"membership {n}"),
                grantee_id=an_id(m.grantee),
                facility_id=an_id(m.facility),
                from_at=m.since,
                until_at=m.until,
            )
            for n, m in enumerate(world.memberships)
        ),
        referrals=tuple(
            facts.Referral(
                id=an_id(f"referral {n}"),
                from_facility_id=an_id(f.sender),
                to_id=an_id(f.receiver),
                classes=classes(f.classes),
                sent_at=f.sent,
                ended_at=f.ended,
            )
            for n, f in enumerate(world.referrals)
        ),
    )


def agreements(world: World) -> tuple[facts.Agreement, ...]:
    return tuple(
        facts.Agreement(
            id=an_id(f"agreement {n}"),
            parties=ids(a.parties),
            purposes=purposes(a.purposes),
            classes=classes(a.classes),
            from_at=a.since,
            until_at=a.until,
            patient_ids=None if a.patients is None else ids(a.patients),
            needs_consent=a.needs_consent,
        )
        for n, a in enumerate(world.agreements)
    )


def consent(c: Consent) -> facts.Consent:
    return facts.Consent(
        id=an_id(c.name),
        version=c.version,
        decision=facts.ConsentDecision.PERMIT if c.permits else facts.ConsentDecision.DENY,
        recipients=ids(c.recipients),
        sources=ids(c.sources),
        purposes=purposes(c.purposes),
        labels=labels(c.labels),
        classes=classes(c.classes),
        given_at=c.given,
        from_at=c.since,
        until_at=c.until,
        withdrawn_at=c.withdrawn,
        form=facts.ConsentForm(c.form),
        evidence_id=maybe(c.evidence),
        given_by=maybe(c.giver),
    )


def proxies(world: World) -> tuple[facts.Proxy, ...]:
    return tuple(
        facts.Proxy(
            id=an_id(f"proxy {n}"),
            person_id=an_id(p.person),
            kind=facts.ProxyKind(p.kind),
            classes=classes(p.classes),
            from_at=p.since,
            until_at=p.until,
            evidence_id=maybe(p.evidence),
            is_barred=p.barred,
        )
        for n, p in enumerate(world.proxies)
    )


def emergencies(world: World) -> tuple[facts.BreakGlass, ...]:
    return tuple(
        facts.BreakGlass(
            id=an_id(f"glass {n}"),
            person_id=an_id(g.person),
            opened_at=g.opened,
            reauthenticated_at=g.reauthenticated,
            reason=g.reason,
            ended_at=g.ended,
            is_part2_emergency=g.part2_emergency,
            is_medical=g.medical,
        )
        for n, g in enumerate(world.glasses)
    )
