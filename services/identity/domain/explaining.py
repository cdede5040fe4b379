"""What is told of a person's access to a patient, and to whom: an explanation must not tell what its reader may not know.

Only a privacy officer hears of sensitive labels. To others it is decided from the facts as they are about ordinary rows,
so that the answer is the same whether or not there is anything sensitive.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.identity.domain.access.boxes import Access, Question
from services.identity.domain.access.decide import decide
from services.identity.domain.access.explain import Line, explain
from services.identity.domain.access.facts import Consent, Facts
from services.identity.domain.access.terms import DataClass, Label, Purpose

ORDINARY = frozenset({Label.NORMAL})
# What an administrator or a privacy officer looks at first, and then each label by itself.
EACH_LABEL = (ORDINARY, *(frozenset({label}) for label in Label if label is not Label.NORMAL))
# Without one of these the guard of a service refuses whoever asks for such rows.
_PERMISSIONS: Mapping[DataClass, str] = {
    DataClass.CLINICAL: "care_plans.read",
    DataClass.COORDINATION: "tasks.read",
    DataClass.REFERRALS: "referrals.read",
    DataClass.APPOINTMENTS: "appointments.read",
    DataClass.MESSAGES: "threads.read",
    DataClass.BILLING: "tasks.read",
}
_USUAL = "patients.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whose access it is. `held`: where they hold which permission; None for somebody who is not of the staff."""

    id: UUID
    team_ids: frozenset[UUID] = frozenset()
    held: Mapping[str, frozenset[UUID]] | None = field(default_factory=dict)
    organization_of: Mapping[UUID, UUID] = field(default_factory=dict)
    has_left: bool = False

    def places(self, data_class: DataClass) -> frozenset[UUID] | None:
        """Where they may ask for such rows; None if nowhere at all."""
        if self.held is None:
            return frozenset()
        return self.held.get(_PERMISSIONS.get(data_class, _USUAL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Rows of one facility that are looked at for one purpose."""

    person: Person
    purpose: Purpose
    source_id: UUID
    at: datetime

    def question(self, data_class: DataClass, labels: frozenset[Label]) -> Question:
        places = self.person.places(data_class) or frozenset()
        known = self.person.organization_of
        return Question(
            person_id=self.person.id,
            team_ids=self.person.team_ids,
            facility_ids=places,
            organization_ids=frozenset(known[place] for place in places if place in known),
            purpose=self.purpose,
            source_id=self.source_id,
            labels=labels,
            data_class=data_class,
            at=self.at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What holds alike for rows of some sorts."""

    data_classes: tuple[DataClass, ...]
    labels: frozenset[Label]
    is_allowed: bool
    lines: tuple[Line, ...]


def answers(
    facts: Facts,
    asked: Asked,
    classes: Collection[DataClass],
    label_sets: Collection[frozenset[Label]],
) -> list[Answer]:
    """Of each set of labels, the sorts of data for which the same facts decide."""
    access = decide(_of_who_left(facts, asked.person), asked.at)
    return [one for labels in label_sets for one in _alike(access, asked, classes, labels)]


def headline(told: Collection[Answer]) -> Line:
    """All of the first answers in one sentence."""
    first = next(iter(told)).labels
    allowed = {answer.is_allowed for answer in told if answer.labels == first}
    how_much = "SOME" if len(allowed) > 1 else "ALL" if allowed == {True} else "NONE"
    return Line(key=f"headline.{how_much}")


def ordinary(facts: Facts, places: frozenset[UUID]) -> Facts:
    """The facts as far as they are about ordinary rows: who is not to hear of labels is told what follows from these.

    And as far as somebody at these places may know of where the patient is known.
    """
    emergencies = (replace(one, is_part2_emergency=False) for one in facts.emergencies)
    discreet = without_programs(facts, places)
    consents = map(_without_labels, discreet.newest_consents())
    return replace(
        discreet,
        emergencies=tuple(emergencies),
        consents=tuple(one for one in consents if one is not None),
    )


def without_programs(facts: Facts, places: frozenset[UUID]) -> Facts:
    """The facts as if no Part 2 program knew the patient, but those at these places.

    That a program knows somebody is itself a record of the program: an answer that differs by it tells as much.
    """
    hidden = facts.programs - places
    if not hidden:
        return facts
    return replace(
        facts,
        known_at=facts.known_at - hidden,
        programs=facts.programs - hidden,
        registrations=tuple(r for r in facts.registrations if r.facility_id not in hidden),
        treatments=tuple(t for t in facts.treatments if t.facility_id not in hidden),
        memberships=tuple(m for m in facts.memberships if m.facility_id not in hidden),
        referrals=tuple(
            r for r in facts.referrals if hidden.isdisjoint({r.from_facility_id, r.to_id})
        ),
        consents=tuple(
            kept for one in facts.newest_consents() if (kept := _without_places(one, hidden))
        ),
    )


def to_themselves(told: Collection[Answer]) -> list[Answer]:
    """What somebody hears of their own access: why they see what they see. Why not is not theirs to know."""
    refused = Line(key="ask")
    return [one if one.is_allowed else replace(one, lines=(refused,)) for one in told]


def _alike(
    access: Access, asked: Asked, classes: Collection[DataClass], labels: frozenset[Label]
) -> list[Answer]:
    told = [(each, _told(access, asked, each, labels)) for each in classes]
    outcomes: list[tuple[bool, tuple[Line, ...]]] = []
    for _, outcome in told:
        if outcome not in outcomes:
            outcomes.append(outcome)
    return [
        Answer(
            data_classes=tuple(each for each, its in told if its == (is_allowed, lines)),
            labels=labels,
            is_allowed=is_allowed,
            lines=lines,
        )
        for is_allowed, lines in outcomes
    ]


def _told(
    access: Access, asked: Asked, data_class: DataClass, labels: frozenset[Label]
) -> tuple[bool, tuple[Line, ...]]:
    if asked.person.has_left:
        return False, (Line(key="obstacle.PERSON_DEACTIVATED"),)
    if asked.person.places(data_class) is None:
        return False, (Line(key="role"),)
    explained = explain(access, asked.question(data_class, labels))
    return explained.is_allowed, explained.lines


def _of_who_left(facts: Facts, person: Person) -> Facts:
    if not person.has_left:
        return facts
    network = replace(facts.network, deactivated=facts.network.deactivated | {person.id})
    return replace(facts, network=network)


def _without_labels(consent: Consent) -> Consent | None:
    """A consent as far as it is about ordinary rows. One that names no labels is about all of them."""
    if not consent.labels:
        return consent
    return replace(consent, labels=ORDINARY) if Label.NORMAL in consent.labels else None


def _without_places(consent: Consent, hidden: frozenset[UUID]) -> Consent | None:
    """A consent as if it did not name them. What names nobody else is about nobody else: it does not become general."""
    recipients, sources = consent.recipients - hidden, consent.sources - hidden
    if bool(recipients) != bool(consent.recipients) or bool(sources) != bool(consent.sources):
        return None
    return replace(consent, recipients=recipients, sources=sources)
