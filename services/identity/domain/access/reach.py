"""How far a relationship reaches: within its organization freely, to others by agreement, to labels by consent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity.domain.access.boxes import Grant, Remark
from services.identity.domain.access.consents import Release
from services.identity.domain.access.facts import Agreement, Facts
from services.identity.domain.access.policy import Policy
from services.identity.domain.access.relations import Relation, relations
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    RELATION_PURPOSES,
    DataClass,
    Label,
    Obstacle,
    Purpose,
    Standing,
)
from services.identity.domain.access.window import earliest


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What lets data of some facilities reach somebody: the same organization, or an agreement."""

    id: UUID | None
    sources: frozenset[UUID]
    purposes: frozenset[Purpose]
    classes: frozenset[DataClass]
    needs_consent: bool
    until_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The bases on which an organization is shown rows of some facilities, and why no more than that."""

    bases: tuple[Basis, ...]
    obstacle: Obstacle | None


def shown(
    facts: Facts, policy: Policy, releases: Sequence[Release], at: datetime
) -> Iterator[Grant | Remark]:
    """The grants of every relationship that holds, and why the others give none."""
    general = [release for release in releases if not release.consent.recipients]
    reaches: dict[tuple[UUID, frozenset[UUID]], Reach] = {}
    for relation in relations(facts, policy, at):
        organization_id = relation.organization_id
        if not relation.window.holds(at):
            has_ended = relation.window.has_ended(at)
            yield _remark(
                Obstacle.RELATION_ENDED if has_ended else Obstacle.RELATION_NOT_BEGUN, relation
            )
        elif organization_id is None:
            yield _remark(Obstacle.FACILITY_UNKNOWN, relation)
        else:
            about = organization_id, relation.sources
            if about not in reaches:
                reaches[about] = _reach(organization_id, relation.sources, facts, at)
            yield from _through(relation, reaches[about], general, policy, facts)


def _through(
    relation: Relation,
    reach: Reach,
    general: Sequence[Release],
    policy: Policy,
    facts: Facts,
) -> Iterator[Grant | Remark]:
    found = False
    for basis in reach.bases:
        if not basis.needs_consent:
            found = True
            yield _grant(relation, basis, policy.free)
        for release in general:
            if grant := _widened(relation, basis, release, policy, facts):
                found = True
                yield grant
    if reach.bases and not found:
        yield _remark(Obstacle.OPT_IN_MISSING, relation)
    if reach.obstacle:
        yield _remark(reach.obstacle, relation)


def _reach(organization_id: UUID, sources: frozenset[UUID], facts: Facts, at: datetime) -> Reach:
    """Rows of facilities that the directory does not know reach nobody."""
    at_home, abroad = set[UUID](), dict[UUID, UUID]()
    for source in sources:
        organization = facts.organization_of(source)
        if organization == organization_id:
            at_home.add(source)
        elif organization:
            abroad[source] = organization
    is_covered = organization_id in facts.network.covered
    bases = [
        _basis(agreement, abroad)
        for agreement in (facts.agreements if is_covered else ())
        if organization_id in agreement.parties
        and agreement.window.holds(at)
        and agreement.includes(facts.patient.id)
    ]
    reached = frozenset[UUID]().union(*(basis.sources for basis in bases))
    obstacle = Obstacle.AGREEMENT_MISSING if is_covered else Obstacle.NOT_COVERED
    if at_home:
        bases.insert(0, _same_organization(frozenset(at_home)))
    return Reach(
        bases=tuple(basis for basis in bases if basis.sources),
        obstacle=obstacle if abroad.keys() - reached else None,
    )


def _same_organization(sources: frozenset[UUID]) -> Basis:
    return Basis(
        id=None,
        sources=sources,
        purposes=RELATION_PURPOSES,
        classes=ALL_CLASSES,
        needs_consent=False,
        until_at=None,
    )


def _basis(agreement: Agreement, abroad: dict[UUID, UUID]) -> Basis:
    return Basis(
        id=agreement.id,
        sources=frozenset(
            source for source, organization in abroad.items() if organization in agreement.parties
        ),
        purposes=RELATION_PURPOSES & agreement.purposes,
        classes=agreement.classes,
        needs_consent=agreement.needs_consent,
        until_at=agreement.until_at,
    )


def _grant(
    relation: Relation,
    basis: Basis,
    labels: Iterable[Label],
    release: Release | None = None,
    sources: frozenset[UUID] | None = None,
) -> Grant:
    classes = relation.classes & basis.classes
    return Grant(
        grantee_id=relation.grantee_id,
        names=relation.names,
        sources=basis.sources if sources is None else sources,
        purposes=basis.purposes & release.purposes if release else basis.purposes,
        classes=classes & release.classes if release else classes,
        labels=relation.most & frozenset(labels),
        expires_at=earliest(
            relation.window.until_at, basis.until_at, release.until_at if release else None
        ),
        standing=Standing.RELATION,
        reason=relation.reason,
        fact_id=relation.fact_id,
        basis_id=basis.id,
        consent_id=release.consent.id if release else None,
    )


def _widened(
    relation: Relation, basis: Basis, release: Release, policy: Policy, facts: Facts
) -> Grant | None:
    """What a consent to all who treat the patient adds: labels, never whom."""
    released = release.labels & relation.most
    if not release.labels or (not basis.needs_consent and released <= policy.free):
        return None
    labels = release.labels if basis.needs_consent else release.labels | policy.free
    disclosing = release.consent.sources
    sources = basis.sources & facts.facilities_among(disclosing) if disclosing else basis.sources
    return _grant(relation, basis, labels, release, sources)


def _remark(obstacle: Obstacle, relation: Relation) -> Remark:
    return Remark(
        obstacle=obstacle, fact_id=relation.fact_id, about=frozenset({relation.grantee_id})
    )
