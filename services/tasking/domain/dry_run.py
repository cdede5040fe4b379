"""A protocol tried on a made-up encounter: what planning and reconciling would make of it, and what to look at first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.calendars.calendar import ONE_DAY, Calendar
from libs.chassis.errors import FailedPrecondition
from services.tasking.domain.labels import ORDINARY
from services.tasking.domain.loop import Loop
from services.tasking.domain.owner import Directory
from services.tasking.domain.plan import plan_loop
from services.tasking.domain.protocol_parts import Protocol
from services.tasking.domain.reconcile import reconcile
from services.tasking.domain.record import (
    FINISHED,
    IN_PROGRESS,
    EncounterFacts,
    Subject,
    discharged_at,
    read_record,
)
from services.tasking.domain.task import Task

EXAMPLE = UUID(int=0)  # stands for the patient and the encounter that were made up
HOME = "01"
FRIDAY = 4
LEAVES, COMES = time(17, 40), time(8, 0)
YEAR_AND_A_BIT = 400


class NoneReason(StrEnum):
    """Why a protocol opens no loop."""

    NOT_TRIGGERED = "NOT_TRIGGERED"
    NOT_EFFECTIVE_YET = "NOT_EFFECTIVE_YET"
    NO_MOMENT = "NO_MOMENT"


class NoticeReason(StrEnum):
    """What to look at before publishing."""

    ROLE_WITHOUT_TEAM = "ROLE_WITHOUT_TEAM"
    WINDOW_WITHOUT_WORKDAY = "WINDOW_WITHOUT_WORKDAY"
    CLOCKS_CHANGE = "CLOCKS_CHANGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    reason: NoticeReason
    step: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounted:
    """One day as a facility counts it."""

    on: date
    is_business_day: bool
    holiday: str
    clock_change: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would be there. Nothing of it is."""

    loop: Loop | None = None
    tasks: tuple[Task, ...] = ()
    days: tuple[DayCounted, ...] = ()
    notices: tuple[Notice, ...] = ()
    none_reason: NoneReason | None = None


def dry_run(
    protocol: Protocol, subject: Subject, calendar: Calendar, directory: Directory
) -> DryRun:
    """The loop and tasks of a made-up encounter, in the same steps and by the same code as real ones."""
    if directory.owner_for(subject.encounter.facility_id, "") is None:
        raise FailedPrecondition("NOBODY_TO_OWN", "Nobody works at this facility yet.")
    loop: Loop | None = None
    tasks: dict[UUID, Task] = {}
    for so_far, at in _as_it_happens(subject):
        changes = reconcile(
            plan_loop(protocol, so_far, calendar),
            loop,
            tuple(tasks.values()),
            directory,
            about=so_far.encounter,
            now=at,
        )
        loop = changes.loop or loop
        tasks |= {task.id: task for task in changes.tasks}
    if loop is None:
        return DryRun(none_reason=_why_none(protocol, subject, calendar))
    by_deadline = tuple(sorted(tasks.values(), key=lambda task: (task.due_at, task.step)))
    return DryRun(
        loop=loop,
        tasks=by_deadline,
        days=_days(loop, by_deadline, calendar),
        notices=tuple(n for task in by_deadline for n in _notices(task, loop, calendar, directory)),
    )


def _as_it_happens(subject: Subject) -> Iterator[tuple[Subject, datetime]]:
    """What is known once the patient has come, once they have left, and in the end; and when that is.

    A loop that the readmission closes was open before: only so does it say what was taken back.
    """
    visit, patient = subject.encounter, subject.patient
    alive = replace(patient, is_deceased=False, died_at=None)
    before = replace(subject, patient=alive, others=())
    ended_at = discharged_at(visit)
    if visit.admitted_at and (visit.state != "PLANNED"):
        stays = replace(visit, state=IN_PROGRESS, discharged_at=None, disposition="")
        yield replace(before, encounter=stays), visit.admitted_at
    if ended_at:
        yield before, ended_at
    known = (visit.admitted_at, visit.discharged_at, patient.died_at)
    moments = [at for at in (*known, *(each.admitted_at for each in subject.others)) if at]
    if moments:
        yield subject, max(moments)


def _why_none(protocol: Protocol, subject: Subject, calendar: Calendar) -> NoneReason:
    record = read_record(protocol, subject, calendar)
    if not record.anchors:
        return NoneReason.NO_MOMENT
    if not record.holds(protocol.trigger.when):
        return NoneReason.NOT_TRIGGERED
    return NoneReason.NOT_EFFECTIVE_YET


def _days(loop: Loop, tasks: Sequence[Task], calendar: Calendar) -> tuple[DayCounted, ...]:
    """Every day from the first to the last date."""
    first = calendar.local_date(loop.opened_at)
    dates = [*(each.on for each in loop.key_dates), *(task.due_on for task in tasks), first]
    return _between(first, max(dates), calendar)


def _between(first: date, last: date, calendar: Calendar) -> tuple[DayCounted, ...]:
    count = min((last - first).days + 1, YEAR_AND_A_BIT)
    return tuple(_day(first + n * ONE_DAY, calendar) for n in range(count))


def _day(on: date, calendar: Calendar) -> DayCounted:
    return DayCounted(
        on=on,
        is_business_day=calendar.is_business_day(on),
        holiday=calendar.holidays.get(on, ""),
        # A day on which an hour is left out is so much shorter.
        clock_change=ONE_DAY - (calendar.start_of_day(on + ONE_DAY) - calendar.start_of_day(on)),
    )


def _notices(task: Task, loop: Loop, calendar: Calendar, directory: Directory) -> Iterator[Notice]:
    team = directory.teams.get(task.team_id) if task.team_id else None
    person = directory.person(task.staff_id)
    has_role = person is not None and person.holds(task.role, task.facility_id)
    if not has_role and (team is None or team.role != task.role):
        detail = directory.display_name(task.owner)
        yield Notice(reason=NoticeReason.ROLE_WITHOUT_TEAM, step=task.step, detail=detail)
    window = _between(calendar.local_date(task.start_at), task.due_on, calendar)
    if not any(day.is_business_day for day in window):
        holiday = next((day.holiday for day in window if day.holiday), "")
        reason = NoticeReason.WINDOW_WITHOUT_WORKDAY
        yield Notice(reason=reason, step=task.step, detail=holiday)
    if changed_on := _clocks_change(task, loop, calendar):
        yield Notice(reason=NoticeReason.CLOCKS_CHANGE, step=task.step, detail=f"{changed_on}")


def _clocks_change(task: Task, loop: Loop, calendar: Calendar) -> date | None:
    """The day on which the clocks change while the hours of a step are counted. Days end by the wall clock anyway."""
    if task.due_at == calendar.end_of_day(task.due_on):
        return None
    is_after = loop.anchor_at is not None and task.start_at >= loop.anchor_at
    since = loop.anchor_at if is_after and loop.anchor_at else loop.opened_at
    if calendar.local(since).utcoffset() == calendar.local(task.due_at).utcoffset():
        return None
    counted = _between(calendar.local_date(since), task.due_on, calendar)
    return next((day.on for day in counted if day.clock_change), None)


def hardest_friday(calendar: Calendar, today: date) -> date:
    """The next Friday that is a business day before a holiday on Monday; where none comes within a year, the next Friday."""
    first = today + timedelta(days=(FRIDAY - today.weekday()) % 7 or 7)
    fridays = [first + timedelta(weeks=n) for n in range(53)]
    before_holiday = (
        friday
        for friday in fridays
        if calendar.is_business_day(friday) and friday + timedelta(days=3) in calendar.holidays
    )
    return next(before_holiday, first)


def hardest_example(facility_id: UUID, calendar: Calendar, today: date) -> EncounterFacts:
    """An inpatient who came the day before and goes home on a Friday afternoon before a holiday."""
    friday, zone = hardest_friday(calendar, today), ZoneInfo(calendar.time_zone)
    return EncounterFacts(
        id=EXAMPLE,
        facility_id=facility_id,
        patient_id=EXAMPLE,
        visit_class="INPATIENT",
        state=FINISHED,
        admitted_at=datetime.combine(friday - ONE_DAY, COMES, zone),
        discharged_at=datetime.combine(friday, LEAVES, zone),
        disposition=HOME,
        diagnoses=(),
        admission_type="E",
        labels=ORDINARY,
    )
