"""The loop that a protocol wants for one encounter, or for what else it is about, as a pure function of the record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from libs.calendars.calendar import Calendar
from services.tasking.domain.cases import read_case
from services.tasking.domain.deeds import NOTHING, Deeds
from services.tasking.domain.labels import Labels, inherit
from services.tasking.domain.planned import (
    EvidenceKind,
    LoopPlan,
    PlannedKeyDate,
    PlannedOutcome,
    PlannedStep,
    PlanState,
    Rung,
    ShownBy,
)
from services.tasking.domain.protocol import PLACE, Protocol
from services.tasking.domain.protocol_parts import (
    BEGINS,
    COMPLETES,
    Ending,
    Moment,
    Outcome,
    RungRule,
    Shown,
    Step,
)
from services.tasking.domain.record import (
    Case,
    EncounterFacts,
    GlassFacts,
    PatientFacts,
    Record,
    Subject,
    read_glass,
    read_record,
)
from services.tasking.domain.told import Matter

__all__ = [
    "Case",
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
class End:
    """What the record says about the loop as a whole."""

    state: PlanState = PlanState.OPEN
    reason: str = ""
    description: str = ""
    at: datetime | None = None
    evidence: ShownBy | None = None


def plan_loop(
    protocol: Protocol,
    subject: Subject | GlassFacts | Case,
    calendar: Calendar,
    deeds: Deeds = NOTHING,
) -> LoopPlan | None:
    """The loop that a protocol wants for an encounter, or for what else it is about; None if it gives no reason.

    The same snapshots give the same plan, whatever order they came in; only what people did comes on top, where a protocol
    asks for it. `calendar` is that of the subject's facility. A plan that is not open has no steps.
    """
    if subject.about is not protocol.trigger.on:
        return None
    if isinstance(subject, GlassFacts):
        plan = _planned(protocol, read_glass(protocol, subject, calendar), subject, deeds)
        return replace(plan, closed_by_id=subject.reviewed_by_id) if plan else None
    if isinstance(subject, Subject):
        record = read_record(protocol, subject, calendar)
        return _planned(protocol, record, subject.encounter, deeds)
    record, deeds = _read_with_deeds(protocol, subject, calendar, deeds)
    return _planned(protocol, record, subject.of, deeds)


def _read_with_deeds(
    protocol: Protocol, case: Case, calendar: Calendar, deeds: Deeds
) -> tuple[Record, Deeds]:
    """The record together with what people did and what it shows done itself: a step can wait for either."""
    known = deeds
    record = read_case(protocol, case, calendar, known)
    for _ in protocol.steps if protocol.looks_at_deeds else ():
        more = deeds.with_shown(_steps(protocol, record))
        if more == known:
            break
        known = more
        record = read_case(protocol, case, calendar, known)
    return record, known


def _planned(
    protocol: Protocol,
    record: Record,
    subject: EncounterFacts | GlassFacts | Matter,
    deeds: Deeds,
) -> LoopPlan | None:
    """Only a loop that has a moment to complete from can do so by its steps: any other needs something of the record."""
    about, calendar = protocol.trigger.on, record.calendar
    complete_at = record.anchors.get(COMPLETES[about]) if about in COMPLETES else None
    opened_at = next((at for each in BEGINS[about] if (at := record.anchors.get(each))), None)
    if opened_at is None or not record.holds(protocol.trigger.when):
        return None
    if calendar.local_date(complete_at or opened_at) < protocol.effective_from:
        return None
    end, every_step = _end(protocol, record, deeds), _steps(protocol, record)
    steps = every_step if end.state is PlanState.OPEN else ()
    key_dates = _key_dates(protocol, record)
    return LoopPlan(
        protocol=protocol.key,
        protocol_version=protocol.version,
        title=protocol.title,
        about=about,
        subject_id=subject.id,
        facility_id=subject.facility_id,
        patient_id=subject.patient_id,
        state=end.state,
        close_reason=end.reason,
        close_description=end.description,
        closed_at=end.at,
        why=_why(protocol, record, key_dates),
        closes_when=_closes_when(protocol, steps, is_known=complete_at is not None),
        key_dates=key_dates,
        opened_at=opened_at,
        anchor_at=complete_at,
        steps=steps,
        shown=tuple((step.key, step.shown_by) for step in every_step if step.shown_by),
        labels=_labels(subject, record, end.evidence, *(step.shown_by for step in every_step)),
        close_evidence=end.evidence,
    )


def _labels(
    subject: EncounterFacts | GlassFacts | Matter, record: Record, *shown: ShownBy | None
) -> Labels:
    """As sensitive as what it is about, and as all that shows something done, also once it is over."""
    showing = (each.source_id for each in shown if each)
    return inherit(subject.labels, *record.labels_of(showing))


def _end(protocol: Protocol, record: Record, deeds: Deeds) -> End:
    """Cancelled before all else; otherwise the earliest of what closes it, so that later news
    changes nothing.
    """
    for ending in protocol.cancels:
        if end := _ended(ending, record, deeds, PlanState.CANCELLED):
            return end
    closed = PlanState.CLOSED
    ends = [end for each in protocol.closes if (end := _ended(each, record, deeds, closed))]
    return min(ends, key=lambda end: (end.at is None, end.at or FOREVER), default=End())


def _ended(ending: Ending, record: Record, deeds: Deeds, state: PlanState) -> End | None:
    """What looks for another encounter happens when that began, and never before its own moment."""
    evidence, at = None, record.anchors.get(ending.at)
    if ending.among:
        shown = Shown(when=ending.when, among=ending.among, description=ending.description)
        evidence = _shown(record, (shown,))
        if evidence is None:
            return None
        at = max(evidence.at, at or evidence.at)
        evidence = replace(evidence, at=at)
    elif not record.holds(ending.when):
        return None
    elif ending.steps and (evidence := _done(ending, deeds)):
        at = evidence.at
    return End(
        state=state,
        reason=ending.reason,
        description=ending.description,
        at=at,
        evidence=evidence,
    )


def _done(ending: Ending, deeds: Deeds) -> ShownBy | None:
    """The last of the deeds that an ending looks at."""
    done = [deed for step in ending.steps if (deed := deeds.of(step))]
    if not done:
        return None
    last = max(done, key=lambda deed: (deed.at, deed.step))
    return ShownBy(
        kind=last.kind,
        other_id=last.source_id,
        at=last.at,
        description=ending.description,
        staff_id=last.staff_id,
    )


def _shown(record: Record, rules: Sequence[Shown]) -> ShownBy | None:
    """The earliest of what shows it, by whichever of the rules."""
    shown = list[ShownBy]()
    for rule in rules:
        found = record.earliest(rule.among, rule.when)
        if found is None or found.at is None:
            continue
        is_visit = found.kind is EvidenceKind.ENCOUNTER
        shown.append(
            ShownBy(
                kind=found.kind,
                encounter_id=found.id if is_visit else None,
                other_id=None if is_visit else found.id,
                at=found.at,
                description=rule.description,
                staff_id=found.staff_id,
                outcome=found.outcome,
            )
        )
    return min(shown, key=lambda each: (each.at, each.source_id), default=None)


def _key_dates(protocol: Protocol, record: Record) -> tuple[PlannedKeyDate, ...]:
    return tuple(
        PlannedKeyDate(
            key=each.key, title=each.title, on=due.on, at=due.at, explanation=due.explanation
        )
        for each in protocol.key_dates
        if (due := record.due(each.deadline))
    )


def _steps(protocol: Protocol, record: Record) -> tuple[PlannedStep, ...]:
    return tuple(step for each in protocol.steps if (step := _step(each, record)))


def _step(step: Step, record: Record) -> PlannedStep | None:
    if step.when and not record.holds(step.when):
        return None
    moment = next(d.moment for d in step.deadlines if d.when is None or record.holds(d.when))
    due, anchor_at = record.due(moment), record.anchors.get(moment.after)
    start_at = record.start(step.start) if step.start else anchor_at
    if due is None or anchor_at is None or start_at is None:
        return None
    start_at = min(start_at, due.at)
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
        shown_by=_shown(record, step.shown_by),
    )


def _outcome(outcome: Outcome, record: Record) -> PlannedOutcome | None:
    """None while the moment that it waits for is not known."""
    moment = outcome.not_before
    at = record.start(moment) if moment else None
    if moment and at is None:
        return None
    return PlannedOutcome(
        key=outcome.key,
        title=outcome.title,
        completes=outcome.completes,
        needs_attempts=outcome.needs_attempts,
        not_before_at=at,
        not_before_explanation=_in_words(moment) if moment else "",
        needs_read_back=outcome.needs_read_back,
    )


def _in_words(moment: Moment) -> str:
    """Without a date: it stands in what is said to who asks too early, and a date tells of a patient."""
    unit = moment.unit.replace("_", " ")
    after = moment.after.replace("_", " ")
    return f"{moment.count} {unit[:-1] if moment.count == 1 else unit} after the {after}"


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
    days = {str(anchor): record.calendar.local_date(at) for anchor, at in record.anchors.items()}
    days |= {each.key: each.on for each in key_dates}
    for why in protocol.why:
        if why.when is None or record.holds(why.when):
            return PLACE.sub(lambda place: str(days.get(place[1], "a day not yet known")), why.text)
    return protocol.title


def _closes_when(
    protocol: Protocol, steps: tuple[PlannedStep, ...], *, is_known: bool
) -> tuple[str, ...]:
    endings = tuple(dict.fromkeys(each.description for each in protocol.closes))
    if not steps or protocol.trigger.on not in COMPLETES:
        return endings if steps else ()
    needed = "; ".join(step.title for step in steps if step.is_required)
    done = (
        f"Everything required is done: {needed}."
        if is_known
        else "The discharge is known, and everything required after it is done."
    )
    return (done, *(f"Or: {each}" for each in endings))
