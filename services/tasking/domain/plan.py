"""The loop that a protocol wants for one encounter, as a pure function of the record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.tasking.domain.calendar import Calendar
from services.tasking.domain.conditions import Condition
from services.tasking.domain.labels import Labels, inherit
from services.tasking.domain.protocol import PLACE, Protocol
from services.tasking.domain.protocol_parts import (
    About,
    Anchor,
    Ending,
    Moment,
    Outcome,
    RungRule,
    Step,
    Unit,
)
from services.tasking.domain.record import (
    EncounterFacts,
    GlassFacts,
    PatientFacts,
    Record,
    Subject,
    read_glass,
    read_record,
)

__all__ = [
    "EncounterFacts",
    "GlassFacts",
    "LoopPlan",
    "PatientFacts",
    "PlanState",
    "PlannedKeyDate",
    "PlannedOutcome",
    "PlannedStep",
    "Rung",
    "ShownBy",
    "Subject",
    "plan_loop",
]

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedKeyDate:
    key: str
    title: str
    on: date
    at: datetime
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOutcome:
    key: str
    title: str
    completes: bool
    needs_attempts: bool = False
    not_before_at: datetime | None = None
    not_before_explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    level: int
    at: datetime
    notify: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBy:
    """Another encounter that shows a step done."""

    encounter_id: UUID
    at: datetime
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    key: str
    title: str
    description: str
    role: str
    counts_from_at: datetime
    start_at: datetime
    due_at: datetime
    due_on: date
    due_explanation: str
    outcomes: tuple[PlannedOutcome, ...]
    done_when: tuple[str, ...]
    rungs: tuple[Rung, ...]
    is_contact: bool
    attempts_needed: int
    attempts_hours_apart: float
    is_required: bool
    shown_by: ShownBy | None


class PlanState(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopPlan:
    """One loop as the record alone would have it; what people did comes on top."""

    protocol: str
    protocol_version: int
    title: str
    encounter_id: UUID | None = None
    break_glass_id: UUID | None = None
    subject_id: UUID
    facility_id: UUID
    patient_id: UUID
    state: PlanState
    close_reason: str
    close_description: str
    closed_at: datetime | None
    why: str
    closes_when: tuple[str, ...]
    key_dates: tuple[PlannedKeyDate, ...]
    opened_at: datetime
    anchor_at: datetime | None
    steps: tuple[PlannedStep, ...]
    labels: Labels
    close_evidence: ShownBy | None = None
    closed_by_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What the record says about the loop as a whole."""

    state: PlanState = PlanState.OPEN
    reason: str = ""
    description: str = ""
    at: datetime | None = None
    evidence: ShownBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A moment counted from an anchor, the local day that it falls on, and how it was counted."""

    at: datetime
    on: date
    explanation: str


def plan_loop(
    protocol: Protocol, subject: Subject | GlassFacts, calendar: Calendar
) -> LoopPlan | None:
    """The loop that a protocol wants for an encounter; None if it gives the protocol no reason.

    The same snapshots give the same plan, whatever order they came in. `calendar` is that of the
    encounter's facility. A plan that is not open has no steps.
    """
    if subject.about is not protocol.trigger.on:
        return None
    if isinstance(subject, GlassFacts):
        plan = _planned(protocol, read_glass(protocol, subject, calendar), subject, ())
        return (
            replace(plan, break_glass_id=subject.id, closed_by_id=subject.reviewed_by_id)
            if plan
            else None
        )
    record = read_record(protocol, subject, calendar)
    plan = _planned(protocol, record, subject.encounter, subject.others)
    return replace(plan, encounter_id=subject.encounter.id) if plan else None


def _planned(
    protocol: Protocol,
    record: Record,
    subject: EncounterFacts | GlassFacts,
    others: Sequence[EncounterFacts],
) -> LoopPlan | None:
    """Only a loop with a discharge can complete by its steps: any other needs something of the record to close it."""
    calendar, discharged_at = record.calendar, record.anchors.get(Anchor.DISCHARGE)
    known = (record.anchors.get(each) for each in (Anchor.OPENING, Anchor.ADMISSION))
    opened_at = next((at for at in known if at), discharged_at)
    if opened_at is None or not record.holds(protocol.trigger.when):
        return None
    if calendar.local_date(discharged_at or opened_at) < protocol.effective_from:
        return None
    end, every_step = _end(protocol, record), _steps(protocol, record)
    steps = every_step if end.state is PlanState.OPEN else ()
    key_dates = _key_dates(protocol, record)
    return LoopPlan(
        protocol=protocol.key,
        protocol_version=protocol.version,
        title=protocol.title,
        subject_id=subject.id,
        facility_id=subject.facility_id,
        patient_id=subject.patient_id,
        state=end.state,
        close_reason=end.reason,
        close_description=end.description,
        closed_at=end.at,
        why=_why(protocol, record, key_dates),
        closes_when=_closes_when(protocol, steps, is_discharged=discharged_at is not None),
        key_dates=key_dates,
        opened_at=opened_at,
        anchor_at=discharged_at,
        steps=steps,
        labels=_labels(subject, others, end.evidence, *(step.shown_by for step in every_step)),
        close_evidence=end.evidence,
    )


def _labels(
    subject: EncounterFacts | GlassFacts,
    others: Sequence[EncounterFacts],
    *shown: ShownBy | None,
) -> Labels:
    """As sensitive as what it is about, and as the other encounters that show something done, also once it is over."""
    showing = {each.encounter_id for each in shown if each}
    return inherit(subject.labels, *(other.labels for other in others if other.id in showing))


def _end(protocol: Protocol, record: Record) -> End:
    """Cancelled before all else; otherwise the earliest of what closes it, so that later news
    changes nothing.
    """
    for ending in protocol.cancels:
        if end := _ended(ending, record, PlanState.CANCELLED):
            return end
    ends = [end for each in protocol.closes if (end := _ended(each, record, PlanState.CLOSED))]
    return min(ends, key=lambda end: (end.at is None, end.at or FOREVER), default=End())


def _ended(ending: Ending, record: Record, state: PlanState) -> End | None:
    """What looks for another encounter happens when that began, and never before its own moment."""
    evidence, at = None, record.anchors.get(ending.at)
    if ending.looks_for_other:
        evidence = _shown(record, ending.when, ending.description)
        if evidence is None:
            return None
        at = max(evidence.at, at or evidence.at)
        evidence = replace(evidence, at=at)
    elif not record.holds(ending.when):
        return None
    return End(
        state=state,
        reason=ending.reason,
        description=ending.description,
        at=at,
        evidence=evidence,
    )


def _shown(record: Record, when: Condition, description: str) -> ShownBy | None:
    other = record.earliest_other(when)
    if other is None or other.admitted_at is None:
        return None
    return ShownBy(encounter_id=other.id, at=other.admitted_at, description=description)


def _due(moment: Moment, record: Record) -> Due | None:
    """When it is due: the end of the local day, or the exact hour. None while its anchor is not
    known.
    """
    anchor_at, calendar = record.anchors.get(moment.after), record.calendar
    if anchor_at is None:
        return None
    if moment.unit is Unit.HOURS:
        at = anchor_at + timedelta(hours=moment.count)
        since = f"{calendar.local(anchor_at):%Y-%m-%d %H:%M}"
        hours = "hour" if moment.count == 1 else "hours"
        return Due(
            at=at, on=calendar.local_date(at), explanation=f"{moment.count} {hours} after {since}"
        )
    is_business = moment.unit is Unit.BUSINESS_DAYS
    count = calendar.business_days_after if is_business else calendar.calendar_days_after
    counted = count(calendar.local_date(anchor_at), moment.count)
    return Due(at=calendar.end_of_day(counted.on), on=counted.on, explanation=counted.explanation)


def _start(moment: Moment, record: Record) -> datetime | None:
    """When it can begin: the start of the local day, or the exact hour."""
    due = _due(moment, record)
    if due is None or moment.unit is Unit.HOURS:
        return due.at if due else None
    return record.calendar.start_of_day(due.on)


def _key_dates(protocol: Protocol, record: Record) -> tuple[PlannedKeyDate, ...]:
    return tuple(
        PlannedKeyDate(
            key=each.key, title=each.title, on=due.on, at=due.at, explanation=due.explanation
        )
        for each in protocol.key_dates
        if (due := _due(each.deadline, record))
    )


def _steps(protocol: Protocol, record: Record) -> tuple[PlannedStep, ...]:
    return tuple(step for each in protocol.steps if (step := _step(each, record)))


def _step(step: Step, record: Record) -> PlannedStep | None:
    if step.when and not record.holds(step.when):
        return None
    moment = next(d.moment for d in step.deadlines if d.when is None or record.holds(d.when))
    due, anchor_at = _due(moment, record), record.anchors.get(moment.after)
    start_at = _start(step.start, record) if step.start else anchor_at
    if due is None or anchor_at is None or start_at is None:
        return None
    start_at, shown = min(start_at, due.at), step.shown_by
    return PlannedStep(
        key=step.key,
        title=step.title,
        description=step.description,
        role=step.role,
        counts_from_at=anchor_at,
        start_at=start_at,
        due_at=due.at,
        due_on=due.on,
        due_explanation=due.explanation,
        outcomes=tuple(o for each in step.outcomes if (o := _outcome(each, record))),
        done_when=step.done_when,
        rungs=_rungs(step.ladder, start_at, due.at),
        is_contact=step.attempts is not None,
        attempts_needed=step.attempts.needed if step.attempts else 0,
        attempts_hours_apart=step.attempts.hours_apart if step.attempts else 0.0,
        is_required=step.is_required,
        shown_by=_shown(record, shown.when, shown.description) if shown else None,
    )


def _outcome(outcome: Outcome, record: Record) -> PlannedOutcome | None:
    """None while the moment that it waits for is not known."""
    moment = outcome.not_before
    at = _start(moment, record) if moment else None
    if moment and at is None:
        return None
    return PlannedOutcome(
        key=outcome.key,
        title=outcome.title,
        completes=outcome.completes,
        needs_attempts=outcome.needs_attempts,
        not_before_at=at,
        not_before_explanation=_in_words(moment) if moment else "",
    )


def _in_words(moment: Moment) -> str:
    """Without a date: it stands in what is said to who asks too early, and a date tells of a patient."""
    unit = moment.unit.replace("_", " ")
    return f"{moment.count} {unit[:-1] if moment.count == 1 else unit} after the {moment.after}"


def _rungs(ladder: tuple[RungRule, ...], start_at: datetime, due_at: datetime) -> tuple[Rung, ...]:
    """Each level's moment, to the second. A short window never puts a level before the one below
    it.
    """
    rungs, earliest = list[Rung](), start_at
    for level, rule in enumerate(ladder, 1):
        at = start_at + (due_at - start_at) * rule.percent / 100
        at = due_at + timedelta(hours=rule.hours_late) if rule.hours_late else at
        earliest = max(earliest, at.replace(microsecond=0))
        rungs.append(Rung(level=level, at=earliest, notify=rule.notify, channels=rule.channels))
    return tuple(rungs)


def _why(protocol: Protocol, record: Record, key_dates: tuple[PlannedKeyDate, ...]) -> str:
    days = {anchor.value: record.calendar.local_date(at) for anchor, at in record.anchors.items()}
    days |= {each.key: each.on for each in key_dates}
    for why in protocol.why:
        if why.when is None or record.holds(why.when):
            return PLACE.sub(lambda place: str(days.get(place[1], "a day not yet known")), why.text)
    return protocol.title


def _closes_when(
    protocol: Protocol, steps: tuple[PlannedStep, ...], *, is_discharged: bool
) -> tuple[str, ...]:
    needed = "; ".join(step.title for step in steps if step.is_required)
    done = (
        f"Everything required is done: {needed}."
        if is_discharged
        else "The discharge is known, and everything required after it is done."
    )
    endings = tuple(dict.fromkeys(each.description for each in protocol.closes))
    if protocol.trigger.on is About.BREAK_GLASS:
        return endings if steps else ()
    return (done, *(f"Or: {each}" for each in endings)) if steps else ()
