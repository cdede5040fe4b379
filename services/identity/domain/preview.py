"""What a consent would change, before it is signed: the decider is asked with it and without it, and the answers compared."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, TypeVar
from uuid import UUID

from services.identity.domain.access.boxes import Access, Denial, Grant, Question, may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Consent, Facts
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    ALL_LABELS,
    OWN_PURPOSES,
    RELATION_PURPOSES,
    DataClass,
    Label,
    Purpose,
)
from services.identity.domain.access.words import WORDS

P = TypeVar("P")
_APART = frozenset({Label.COUNSELING_NOTES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who might read: what they are besides themselves. A facility is asked about as anybody who works there."""

    id: UUID
    team_ids: frozenset[UUID] = frozenset()
    facility_ids: frozenset[UUID] = frozenset()
    organization_ids: frozenset[UUID] = frozenset()

    @property
    def everything_they_are(self) -> frozenset[UUID]:
        return self.team_ids | self.facility_ids | self.organization_ids | {self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of each of these facilities, of each of these sorts, with each label alone, for each purpose."""

    sources: frozenset[UUID]
    classes: frozenset[DataClass]
    labels: frozenset[Label]
    purposes: frozenset[Purpose]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What would change for one reader, and what they have to do with the patient, before or after."""

    grantee_id: UUID
    reasons: tuple[str, ...]
    opened: tuple[Rows, ...]
    closed: tuple[Rows, ...]

    @property
    def sentences(self) -> Iterator[str]:
        for rows in self.opened:
            yield f"They would also see {_said(rows)}."
        for rows in self.closed:
            yield f"They would no longer see {_said(rows)}."
        if not self.opened and not self.closed:
            yield "Nothing would change for them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    effects: tuple[Effect, ...]
    remarks: tuple[str, ...]


def with_draft(facts: Facts, draft: Consent) -> Facts:
    """The facts if it were given; of a consent that it would change, it is the newer version."""
    return replace(facts, consents=(*facts.consents, draft))


def preview(facts: Facts, draft: Consent, readers: Iterable[Reader], at: datetime) -> Preview:
    """What the draft would change for each reader: for those whom it names also if that is nothing."""
    begins = max(at, draft.window.from_at)  # what begins later is told as it will be then
    before, after = decide(facts, begins), decide(with_draft(facts, draft), begins)
    effects = []
    for reader in readers:
        effect = _effect(reader, facts, before, after, begins)
        if effect.opened or effect.closed or reader.id in draft.recipients:
            effects.append(effect)
    obstacles = {r.obstacle for r in after.remarks if r.fact_id == draft.id}
    return Preview(
        effects=tuple(effects),
        remarks=tuple(WORDS[f"obstacle.{obstacle}"] for obstacle in sorted(obstacles)),
    )


def grantees(facts: Facts, draft: Consent, at: datetime) -> frozenset[UUID]:
    """Whom it may matter to: those whom it names, and everybody to whom anything is granted, with it or without."""
    begins = max(at, draft.window.from_at)
    granted = (*decide(facts, begins).grants, *decide(with_draft(facts, draft), begins).grants)
    return draft.recipients | {grant.grantee_id for grant in granted}


def _effect(reader: Reader, facts: Facts, before: Access, after: Access, at: datetime) -> Effect:
    theirs = reader.everything_they_are
    granted = [g for access in (before, after) for g in access.grants if g.grantee_id in theirs]
    opened, closed = [], []
    for rows in _alike(reader, facts, granted, (*before.denials, *after.denials)):
        question = _question(reader, rows, at)
        seen, will = may(before, question), may(after, question)
        if will and not seen:
            opened.append(rows)
        elif seen and not will:
            closed.append(rows)
    return Effect(
        grantee_id=reader.id,
        reasons=tuple(sorted({str(grant.reason) for grant in granted})),
        opened=_few(opened),
        closed=_few(closed),
    )


def _alike(
    reader: Reader, facts: Facts, grants: Sequence[Grant], denials: Sequence[Denial]
) -> Iterator[Rows]:
    """All rows there can be, those together that lie in the same boxes on every axis: of each, one question is enough."""
    boxes: tuple[Grant | Denial, ...] = (*grants, *denials)
    purposes = RELATION_PURPOSES.union(*(grant.purposes for grant in grants))
    axes = product(
        _groups(
            facts.known_at,
            (reader.facility_ids, *(box.sources for box in boxes if box.sources is not None)),
        ),
        _groups(ALL_CLASSES, (box.classes for box in boxes)),
        _groups(ALL_LABELS, (_APART, *(box.labels for box in boxes))),
        _groups(purposes, (OWN_PURPOSES, *(box.purposes for box in boxes))),
    )
    for sources, classes, labels, purposes_alike in axes:
        yield Rows(sources=sources, classes=classes, labels=labels, purposes=purposes_alike)


def _groups(parts: Iterable[P], sets: Iterable[frozenset[P]]) -> list[frozenset[P]]:
    """The parts that are in the same sets, together."""
    alike = defaultdict[tuple[bool, ...], set[P]](set)
    known = tuple(sets)
    for part in parts:
        alike[tuple(part in each for each in known)].add(part)
    return [frozenset(group) for group in alike.values()]


def _question(reader: Reader, rows: Rows, at: datetime) -> Question:
    """About any one of the rows."""
    purpose = min(rows.purposes)
    return Question(
        person_id=reader.id,
        team_ids=reader.team_ids,
        facility_ids=reader.facility_ids if purpose not in OWN_PURPOSES else frozenset(),
        organization_ids=reader.organization_ids,
        purpose=purpose,
        source_id=min(rows.sources),
        labels=frozenset({min(rows.labels)}),
        data_class=min(rows.classes),
        at=at,
    )


def _few(boxes: Iterable[Rows]) -> tuple[Rows, ...]:
    """The same rows in as few boxes that do not overlap."""
    for axis in ("labels", "classes", "sources", "purposes"):
        boxes = _merged(boxes, axis)
    return tuple(sorted(boxes, key=_said))


def _merged(boxes: Iterable[Rows], axis: str) -> list[Rows]:
    """Those that differ in one axis only become one."""
    alike = defaultdict[Rows, set[Any]](set)
    for box in boxes:
        alike[replace(box, **{axis: frozenset()})] |= getattr(box, axis)
    return [replace(rest, **{axis: frozenset(parts)}) for rest, parts in alike.items()]


def _said(rows: Rows) -> str:
    return (
        f"{_listed(rows.classes)} labeled {_listed(rows.labels)} of {_listed(rows.sources)} "
        f"for {_listed(rows.purposes)}"
    )


def _listed(words: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, words)))
