"""What the record says of one encounter, in the words that conditions are written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from services.tasking.domain.calendar import Calendar
from services.tasking.domain.conditions import Condition, Facts
from services.tasking.domain.labels import Label, Labels
from services.tasking.domain.protocol_parts import About, Anchor, Protocol

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
FINISHED, IN_PROGRESS = "FINISHED", "IN_PROGRESS"
UNSPECIFIED = "UNSPECIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterFacts:
    """One visit, as far as protocols look at it."""

    id: UUID
    facility_id: UUID
    patient_id: UUID
    visit_class: str
    state: str
    admitted_at: datetime | None
    discharged_at: datetime | None
    disposition: str
    diagnoses: tuple[str, ...]
    admission_type: str
    labels: Labels

    @property
    def about(self) -> About:
        return About.ENCOUNTER


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFacts:
    """The patient, as far as protocols look at them."""

    is_deceased: bool
    died_at: datetime | None
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An encounter, whose it is, and the patient's other encounters, as far as its facility may be told of them."""

    encounter: EncounterFacts
    patient: PatientFacts
    others: tuple[EncounterFacts, ...]

    @property
    def about(self) -> About:
        return self.encounter.about


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassFacts:
    """One emergency access to the patient, as far as protocols look at it."""

    id: UUID
    facility_id: UUID
    patient_id: UUID
    opened_at: datetime
    is_part2_emergency: bool
    uses_in_30_days: int
    reviewed_at: datetime | None
    reviewed_by_id: UUID | None

    @property
    def about(self) -> About:
        return About.BREAK_GLASS

    @property
    def labels(self) -> Labels:
        """Who looked at whom in an emergency is nobody's business at another facility."""
        return (Label.WITHHELD,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The facts of one encounter or emergency, and the moments that clocks start from, as far as they are known."""

    calendar: Calendar
    anchors: Mapping[Anchor, datetime]
    facts: Facts
    others: tuple[tuple[EncounterFacts, Facts], ...]
    _held: dict[Condition, bool] = field(default_factory=dict, compare=False, repr=False)

    def holds(self, condition: Condition) -> bool:
        """Whether it is so; asked once, since many steps of a protocol wait for the same."""
        if condition not in self._held:
            self._held[condition] = condition.holds(self.facts)
        return self._held[condition]

    def earliest_other(self, condition: Condition) -> EncounterFacts | None:
        """The first of the patient's other encounters for which a condition holds."""
        return next((other for other, facts in self.others if condition.holds(facts)), None)


def read_record(protocol: Protocol, subject: Subject, calendar: Calendar) -> Record:
    """The record in a protocol's words: what is known of the encounter, and the conditions that the
    protocol names.
    """
    encounter, patient = subject.encounter, subject.patient
    anchors = {
        Anchor.ADMISSION: encounter.admitted_at,
        Anchor.DISCHARGE: discharged_at(encounter),
        Anchor.DEATH: patient.died_at,
    }
    facts = {
        **_visit("encounter", encounter),
        "patient.is_deceased": patient.is_deceased,
        "patient.died_at": patient.died_at,
        "patient.language": patient.language,
    }
    facts |= {name: condition.holds(facts) for name, condition in protocol.conditions}
    others = sorted(
        (other for other in subject.others if other.id != encounter.id),
        key=lambda other: (other.admitted_at or BEFORE_ALL, other.id),
    )
    return Record(
        calendar=calendar,
        anchors={anchor: at for anchor, at in anchors.items() if at},
        facts=facts,
        others=tuple((each, {**facts, **_other(each, encounter, calendar)}) for each in others),
    )


def read_glass(protocol: Protocol, glass: GlassFacts, calendar: Calendar) -> Record:
    """The same of an emergency access: since when it is there, and what a privacy officer did."""
    anchors = {Anchor.OPENING: glass.opened_at, Anchor.REVIEW: glass.reviewed_at}
    facts: dict[str, object] = {
        "glass.is_reviewed": glass.reviewed_at is not None,
        "glass.is_part2_emergency": glass.is_part2_emergency,
        "glass.uses_in_30_days": glass.uses_in_30_days,
    }
    facts |= {name: condition.holds(facts) for name, condition in protocol.conditions}
    known = {anchor: at for anchor, at in anchors.items() if at}
    return Record(calendar=calendar, anchors=known, facts=facts, others=())


def discharged_at(encounter: EncounterFacts) -> datetime | None:
    """When a visit ended. None while it has not, whatever an earlier message said."""
    return encounter.discharged_at if encounter.state == FINISHED else None


def _visit(name: str, visit: EncounterFacts) -> dict[str, object]:
    ended_at = discharged_at(visit)
    disposition = visit.disposition.strip().upper().zfill(2) if visit.disposition.strip() else ""
    return {
        f"{name}.visit_class": visit.visit_class or UNSPECIFIED,
        f"{name}.state": visit.state,
        f"{name}.admitted_at": visit.admitted_at,
        f"{name}.discharged_at": ended_at,
        f"{name}.is_discharged": ended_at is not None,
        f"{name}.disposition": disposition if ended_at else "",
        f"{name}.diagnoses": [code.strip().upper() for code in visit.diagnoses],
        f"{name}.admission_type": visit.admission_type,
    }


def _other(other: EncounterFacts, encounter: EncounterFacts, calendar: Calendar) -> Facts:
    ended_at, starts_at = discharged_at(encounter), other.admitted_at
    days = None
    if ended_at and starts_at:
        days = (calendar.local_date(starts_at) - calendar.local_date(ended_at)).days
    return {
        **_visit("other", other),
        "other.is_same_facility": other.facility_id == encounter.facility_id,
        "other.starts_after_discharge": _follows(other, encounter),
        "other.goes_on_after_discharge": _goes_on_after(other, encounter),
        "other.days_after_discharge": days,
    }


def _follows(other: EncounterFacts, encounter: EncounterFacts) -> bool:
    """Whether one visit began when the other had ended. Of two in the same minute only one follows
    the other.
    """
    ended_at, starts_at = discharged_at(encounter), other.admitted_at
    if ended_at is None or starts_at is None or starts_at < ended_at:
        return False
    return (starts_at, other.id) > (encounter.admitted_at or BEFORE_ALL, encounter.id)


def _goes_on_after(other: EncounterFacts, encounter: EncounterFacts) -> bool:
    """Whether the patient was in the other visit once this one had ended.

    Of visits that overlap the one that ended last goes on, so that they never all go on after each
    other. One that began earlier and that nobody ended does not: its end may have been lost, and
    then the patient is at home.
    """
    ended_at, starts_at = discharged_at(encounter), other.admitted_at
    if ended_at is None or starts_at is None:
        return False
    if _follows(other, encounter):
        return True
    began_at = encounter.admitted_at or ended_at
    if other_ended_at := discharged_at(other):
        return max(other_ended_at, starts_at) > max(ended_at, began_at)
    return other.state == IN_PROGRESS and starts_at >= began_at
