"""What a consent would change, before it is signed: the decider is asked with it and without it, and the answers compared."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from services.identity.domain.access.boxes import Access, Question, may
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

Cell = tuple[UUID, DataClass, Label, Purpose]


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
    """The facts if it were given, in place of what it would change."""
    others = tuple(consent for consent in facts.consents if consent.id != draft.id)
    return replace(facts, consents=(*others, draft))


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
    purposes = RELATION_PURPOSES.union(*(grant.purposes for grant in granted))
    cells = list(product(sorted(facts.known_at), ALL_CLASSES, ALL_LABELS, sorted(purposes)))
    seen = {cell for cell in cells if may(before, _question(reader, cell, at))}
    will = {cell for cell in cells if may(after, _question(reader, cell, at))}
    return Effect(
        grantee_id=reader.id,
        reasons=tuple(sorted({str(grant.reason) for grant in granted})),
        opened=_rows(will - seen),
        closed=_rows(seen - will),
    )


def _question(reader: Reader, cell: Cell, at: datetime) -> Question:
    source_id, data_class, label, purpose = cell
    return Question(
        person_id=reader.id,
        team_ids=reader.team_ids,
        facility_ids=reader.facility_ids if purpose not in OWN_PURPOSES else frozenset(),
        organization_ids=reader.organization_ids,
        purpose=purpose,
        source_id=source_id,
        labels=frozenset({label}),
        data_class=data_class,
        at=at,
    )


def _rows(cells: set[Cell]) -> tuple[Rows, ...]:
    """The same cells as few boxes that do not overlap."""
    boxes = [
        Rows(
            sources=frozenset({source_id}),
            classes=frozenset({data_class}),
            labels=frozenset({label}),
            purposes=frozenset({purpose}),
        )
        for source_id, data_class, label, purpose in cells
    ]
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
