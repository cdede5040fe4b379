"""What the record says of one encounter or emergency, in the words that conditions are written in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from libs.calendars.calendar import Calendar
from services.tasking.domain.conditions import Condition, Facts
from services.tasking.domain.labels import Label, Labels
from services.tasking.domain.planned import EvidenceKind
from services.tasking.domain.protocol_parts import About, Among, Anchor, Moment, Protocol, Unit
from services.tasking.domain.told import SIGNED, Appointment, Matter, Risk, Told

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
FINISHED, IN_PROGRESS = "FINISHED", "IN_PROGRESS"
UNSPECIFIED = "UNSPECIFIED"
LACE, HOSPITAL = "LACE", "HOSPITAL"
NOTHING_TOLD = Told()


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
    told: Told = NOTHING_TOLD

    @property
    def about(self) -> About:
        return self.encounter.about


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something else that a loop is about, whose it is, and what its facility may be told of the patient."""

    of: Matter
    patient: PatientFacts
    visits: tuple[EncounterFacts, ...] = ()
    told: Told = NOTHING_TOLD

    @property
    def about(self) -> About:
        return self.of.about


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
class Candidate:
    """One of several that a condition looks among: what it would show, and how sensitive that is.

    Labels of None: as sensitive as what it is about, since it answers that.
    """

    kind: EvidenceKind
    id: UUID
    at: datetime | None
    labels: Labels | None
    staff_id: UUID | None = None
    outcome: str = ""


Found = tuple[tuple[Candidate, Facts], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A moment counted from an anchor, the local day that it falls on, and how it was counted."""

    at: datetime
    on: date
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The facts of what a loop is about, and the moments that clocks start from, as far as they are known."""

    calendar: Calendar
    anchors: Mapping[str, datetime]
    facts: Facts
    found: Mapping[Among, Found] = field(default_factory=dict)
    _held: dict[Condition, bool] = field(default_factory=dict, compare=False, repr=False)
    _dues: dict[Moment, Due | None] = field(default_factory=dict, compare=False, repr=False)

    def holds(self, condition: Condition) -> bool:
        """Whether it is so; asked once, since many steps of a protocol wait for the same."""
        if condition not in self._held:
            self._held[condition] = condition.holds(self.facts)
        return self._held[condition]

    def due(self, moment: Moment) -> Due | None:
        """When it is due: the end of the local day, or the exact hour. None while its anchor is not known. Counted once,
        since steps and key dates share their moments.
        """
        if moment not in self._dues:
            self._dues[moment] = self._counted(moment)
        return self._dues[moment]

    def start(self, moment: Moment) -> datetime | None:
        """When it can begin: the start of the local day, or the exact hour."""
        due = self.due(moment)
        if due is None or moment.unit is Unit.HOURS:
            return due.at if due else None
        return self.calendar.start_of_day(due.on)

    def _counted(self, moment: Moment) -> Due | None:
        anchor_at, calendar = self.anchors.get(moment.after), self.calendar
        if anchor_at is None:
            return None
        if moment.unit is Unit.HOURS:
            at = anchor_at + timedelta(hours=moment.count)
            since = f"{calendar.local(anchor_at):%Y-%m-%d %H:%M}"
            hours = "hour" if moment.count == 1 else "hours"
            return Due(
                at=at,
                on=calendar.local_date(at),
                explanation=f"{moment.count} {hours} after {since}",
            )
        is_business = moment.unit is Unit.BUSINESS_DAYS
        count = calendar.business_days_after if is_business else calendar.calendar_days_after
        counted = count(calendar.local_date(anchor_at), moment.count)
        return Due(
            at=calendar.end_of_day(counted.on), on=counted.on, explanation=counted.explanation
        )

    def earliest(self, among: Among, condition: Condition) -> Candidate | None:
        """The first for which a condition holds."""
        found = self.found.get(among, ())
        return next((each for each, facts in found if condition.holds(facts)), None)

    def labels_of(self, source_ids: Iterable[UUID]) -> Iterator[Labels]:
        """How sensitive these are, of those that have labels of their own."""
        showing = set(source_ids)
        for found in self.found.values():
            yield from (each.labels for each, _ in found if each.id in showing and each.labels)


def read_record(protocol: Protocol, subject: Subject, calendar: Calendar) -> Record:
    """The record in a protocol's words: what is known of the encounter, and the conditions that the
    protocol names.
    """
    encounter, patient = subject.encounter, subject.patient
    anchors: dict[str, datetime | None] = {
        Anchor.ADMISSION: encounter.admitted_at,
        Anchor.DISCHARGE: discharged_at(encounter),
        Anchor.DEATH: patient.died_at,
    }
    facts = {
        **visit_words("encounter", encounter),
        **patient_words(patient),
        **risk_words(subject.told.risks, encounter.id),
    }
    facts |= {name: condition.holds(facts) for name, condition in protocol.conditions}
    others = (other for other in subject.others if other.id != encounter.id)
    return Record(
        calendar=calendar,
        anchors={anchor: at for anchor, at in anchors.items() if at},
        facts=facts,
        found={
            Among.OTHER: in_turn(
                (of_visit(each), {**facts, **_other(each, encounter, calendar)}) for each in others
            ),
            Among.BOOKING: in_turn(
                (of_booking(each), {**facts, **_booking(each, encounter, calendar)})
                for each in subject.told.appointments
            ),
            Among.RECONCILIATION: _reconciled(subject, facts),
        },
    )


def in_turn(found: Iterable[tuple[Candidate, Facts]]) -> Found:
    """Whatever order they were told in, the earliest first."""
    return tuple(sorted(found, key=lambda each: (each[0].at or BEFORE_ALL, each[0].id)))


def of_visit(visit: EncounterFacts) -> Candidate:
    return Candidate(
        kind=EvidenceKind.ENCOUNTER, id=visit.id, at=visit.admitted_at, labels=visit.labels
    )


def of_booking(appointment: Appointment) -> Candidate:
    return Candidate(
        kind=EvidenceKind.APPOINTMENT,
        id=appointment.id,
        at=appointment.happened_at,
        labels=appointment.labels,
    )


def _reconciled(subject: Subject, facts: Facts) -> Found:
    """The reconciliations of the encounter itself: one, as careplans makes them.

    What was signed before the patient left, or after an earlier discharge that was taken back, compares other lists.
    """
    left_at = discharged_at(subject.encounter)
    return in_turn(
        (
            Candidate(
                kind=EvidenceKind.RECONCILIATION,
                id=each.id,
                at=each.signed_at or each.told_at,
                labels=each.labels,
                staff_id=each.signed_by_id,
            ),
            {
                **facts,
                "reconciliation.state": each.state,
                "reconciliation.is_signed": each.state == SIGNED,
                "reconciliation.is_signed_after_discharge": each.state == SIGNED
                and bool(left_at and each.signed_at and each.signed_at >= left_at),
            },
        )
        for each in subject.told.reconciliations
        if each.encounter_id == subject.encounter.id
    )


def patient_words(patient: PatientFacts) -> dict[str, object]:
    return {
        "patient.is_deceased": patient.is_deceased,
        "patient.died_at": patient.died_at,
        "patient.language": patient.language,
    }


def risk_words(risks: Iterable[Risk], encounter_id: UUID | None) -> dict[str, object]:
    """The scores of a stay. One that lacks something can only be too low."""
    known = {each.instrument: each for each in risks if each.encounter_id == encounter_id}
    lace, hospital = known.get(LACE), known.get(HOSPITAL)
    return {
        "risk.lace": lace.score if lace else None,
        "risk.hospital": hospital.score if hospital else None,
        "risk.is_partial": lace.is_partial if lace else None,
    }


def read_glass(protocol: Protocol, glass: GlassFacts, calendar: Calendar) -> Record:
    """The same of an emergency access: since when it is there, and what a privacy officer did."""
    anchors: dict[str, datetime | None] = {
        Anchor.OPENING: glass.opened_at,
        Anchor.REVIEW: glass.reviewed_at,
    }
    facts: dict[str, object] = {
        "glass.is_reviewed": glass.reviewed_at is not None,
        "glass.is_part2_emergency": glass.is_part2_emergency,
        "glass.uses_in_30_days": glass.uses_in_30_days,
    }
    facts |= {name: condition.holds(facts) for name, condition in protocol.conditions}
    known = {anchor: at for anchor, at in anchors.items() if at}
    return Record(calendar=calendar, anchors=known, facts=facts)


def discharged_at(encounter: EncounterFacts) -> datetime | None:
    """When a visit ended. None while it has not, whatever an earlier message said."""
    return encounter.discharged_at if encounter.state == FINISHED else None


def disposition_of(told: str) -> str:
    """As HL7 table 0112 writes it: 1 is 01. Empty if nobody told."""
    return told.strip().upper().zfill(2) if told.strip() else ""


def visit_words(name: str, visit: EncounterFacts) -> dict[str, object]:
    ended_at = discharged_at(visit)
    disposition = disposition_of(visit.disposition)
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
        **visit_words("other", other),
        "other.is_same_facility": other.facility_id == encounter.facility_id,
        "other.starts_after_discharge": _follows(other, encounter),
        "other.goes_on_after_discharge": _goes_on_after(other, encounter),
        "other.days_after_discharge": days,
    }


def _booking(
    appointment: Appointment, encounter: EncounterFacts, calendar: Calendar
) -> dict[str, object]:
    began_at, ended_at = encounter.admitted_at, discharged_at(encounter)
    starts_at, days = appointment.start_at, None
    if ended_at:
        days = (calendar.local_date(starts_at) - calendar.local_date(ended_at)).days
    return {
        **booking_words(appointment, encounter.facility_id),
        "booking.starts_after_admission": began_at is not None and starts_at > began_at,
        "booking.starts_after_discharge": ended_at is not None and starts_at >= ended_at,
        "booking.days_after_discharge": days,
    }


def booking_words(appointment: Appointment, facility_id: UUID) -> dict[str, object]:
    return {
        "booking.state": appointment.state,
        "booking.purpose": appointment.purpose,
        "booking.start_at": appointment.start_at,
        "booking.is_same_facility": appointment.facility_id == facility_id,
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
