"""Minutes worked for a patient: entries that are only ever added, and what of them counts, to the second.

A minute belongs to one program, and two people on one call count once. Sums are unions of intervals, cut where a month of
the patient's place ends, in whole minutes that are rounded down only at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from libs.calendars.calendar import Calendar
from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.tasking.domain.labels import Labels
from services.tasking.domain.role_class import RoleClass
from services.tasking.domain.task import AttemptResult, ContactAttempt

LONGEST = timedelta(hours=12)
CLOCK_SKEW = timedelta(minutes=1)

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeEntry:
    """What one person did for one patient, from when until when. A correction is another entry that replaces this one."""

    id: UUID
    facility_id: UUID
    patient_id: UUID
    staff_id: UUID
    role_class: RoleClass
    program: str
    start_at: datetime
    end_at: datetime
    activity: str
    is_face_to_face: bool = False
    is_interactive: bool = False
    task_id: UUID | None = None
    labels: Labels
    recorded_by_id: UUID
    recorded_at: datetime
    revision: int = 1
    replaces_id: UUID | None = None
    reason: str = ""
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTotal:
    """The whole minutes of one month that count for a program, by whose they are."""

    month: date
    program: str
    role_class: RoleClass
    minutes: int


def checked(entry: TimeEntry, others: Iterable[TimeEntry], *, now: datetime) -> TimeEntry:
    """The entry, if it is one that can be: in the past, of a length that a person can work, and beside no other of theirs."""
    if entry.is_withdrawn:
        return entry
    if entry.end_at <= entry.start_at:
        raise InvalidArgument("TIME_REVERSED", "It has to end after it began.", field="end_time")
    if entry.end_at > now + CLOCK_SKEW:
        raise InvalidArgument("TIME_IN_FUTURE", "Enter a time before now.", field="end_time")
    if entry.end_at - entry.start_at > LONGEST:
        hours = LONGEST // timedelta(hours=1)
        raise InvalidArgument("TIME_TOO_LONG", f"At most {hours} hours at once.", field="end_time")
    if any(_overlap(entry, other) for other in others if other.id != entry.replaces_id):
        raise FailedPrecondition(
            "TIME_OVERLAPS",
            "This person has other minutes recorded at that time. Correct them first.",
        )
    return entry


def _overlap(entry: TimeEntry, other: TimeEntry) -> bool:
    is_same = entry.staff_id == other.staff_id and not other.is_withdrawn
    return is_same and entry.start_at < other.end_at and other.start_at < entry.end_at


def activity_of(attempt: ContactAttempt) -> str:
    """What somebody did who tried to reach a patient. A message that was left is no care."""
    if attempt.result is AttemptResult.LEFT_MESSAGE:
        return "voicemail"
    return "visit" if attempt.channel == "in_person" else "call"


def standing(entries: Iterable[TimeEntry]) -> tuple[TimeEntry, ...]:
    """Those that nothing replaces and nobody withdrew."""
    entries = tuple(entries)
    replaced = {each.replaces_id for each in entries}
    return tuple(each for each in entries if each.id not in replaced and not each.is_withdrawn)


def month_totals(
    entries: Sequence[TimeEntry], calendar: Calendar, counted: frozenset[str]
) -> tuple[MonthTotal, ...]:
    """The minutes of one patient that count, by month, program and whose they are."""
    taken = list[Interval]()
    found: dict[tuple[date, str, RoleClass], list[Interval]] = defaultdict(list)
    for entry in sorted(standing(entries), key=_in_turn):
        if entry.role_class is RoleClass.ADMIN or entry.activity not in counted:
            continue
        own = minus((entry.start_at, entry.end_at), taken)
        taken = union([*taken, *own])
        for piece in own:
            for month, part in by_month(piece, calendar):
                found[month, entry.program, entry.role_class].append(part)
    return tuple(
        MonthTotal(month=month, program=program, role_class=role, minutes=whole_minutes(parts))
        for (month, program, role), parts in sorted(found.items())
    )


def _in_turn(entry: TimeEntry) -> tuple[int, datetime, UUID]:
    """Where two worked at once the minute is that of whose minutes are worth most, then of who began first."""
    return list(RoleClass).index(entry.role_class), entry.start_at, entry.id


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same moments in intervals that neither overlap nor touch, in order."""
    out = list[Interval]()
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def minus(interval: Interval, taken: Iterable[Interval]) -> list[Interval]:
    """What is left of an interval without those."""
    start, end = interval
    left = list[Interval]()
    for taken_from, taken_to in union(taken):
        if taken_to <= start or taken_from >= end:
            continue
        if start < taken_from:
            left.append((start, taken_from))
        start = max(start, taken_to)
    return [*left, (start, end)] if start < end else left


def by_month(interval: Interval, calendar: Calendar) -> list[tuple[date, Interval]]:
    """The interval cut at each local midnight with which a month begins."""
    start, end = interval
    out = list[tuple[date, Interval]]()
    while start < end:
        month = calendar.local_date(start).replace(day=1)
        following = calendar.start_of_day((month + timedelta(days=32)).replace(day=1))
        out.append((month, (start, min(end, following))))
        start = min(end, following)
    return out


def whole_minutes(intervals: Iterable[Interval]) -> int:
    seconds = sum(((end - start) for start, end in union(intervals)), timedelta())
    return seconds // timedelta(minutes=1)
