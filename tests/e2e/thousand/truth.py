"""The measures straight from what really took place: a plain script that knows no product code, only the published rules."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.e2e.thousand.diary import Diary

HERE = ZoneInfo("America/Chicago")
MET, NOT_MET, EXCLUDED = "MET", "NOT_MET", "EXCLUDED"
DIED, ELSEWHERE, AGAINST_ADVICE, PLANNED = "20", "03", "07", "R"


def holidays(year: int) -> set[date]:
    """The federal holidays (5 USC 6103) as they are observed."""

    def nth(month: int, weekday: int, n: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))

    last_of_may = date(year, 5, 31)
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]  # fmt: skip
    observed = [d + timedelta(days={5: -1, 6: 1}.get(d.weekday(), 0)) for d in fixed]
    return {
        *observed,
        nth(1, 0, 3),
        nth(2, 0, 3),
        last_of_may - timedelta(days=last_of_may.weekday()),
        nth(9, 0, 1),
        nth(10, 0, 2),
        nth(11, 3, 4),
    }


def end_of_business_day(left: datetime, days: int) -> datetime:
    """The first moment after so many business days that follow the day of the discharge."""
    day = left.astimezone(HERE).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day not in holidays(day.year)
    return midnight_after(day)


def midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), HERE)


def contacted_at(diary: Diary) -> datetime | None:
    """When somebody was reached, or when the second separate try was made: two hours after the first, or on another day."""
    tries: list[datetime] = []
    found: list[datetime] = []
    for call in sorted(diary.calls, key=lambda each: each.at):
        if call.result == "REACHED":
            found.append(call.at)
        if call.result == "WRONG_NUMBER":
            continue
        is_first = not tries
        if (
            is_first
            or call.at - tries[-1] >= timedelta(hours=2)
            or _day(call.at) != _day(tries[-1])
        ):
            tries.append(call.at)
    return min([*found, *tries[1:2]], default=None)


def contact(diary: Diary) -> list[str]:
    """Reached, or tried twice, by the end of the second business day after a discharge home."""
    return [_in_time(diary, n, contacted_at(diary), end_of_business_day(left, 2), strict=False)
            for n, left in _discharges(diary)]  # fmt: skip


def seen(diary: Diary, days: int) -> list[str]:
    """An outpatient visit within so many days after a discharge home."""
    found = []
    for n, left in _discharges(diary):
        first = min((at for at in diary.visits if at > left), default=None)
        found.append(_in_time(diary, n, first, midnight_after(_day(left) + timedelta(days=days))))
    return found


def _discharges(diary: Diary, *, home: bool = True) -> Iterable[tuple[int, datetime]]:
    """Which stays have ended, and when: at home, or anywhere."""
    return [
        (n, stay.discharged_at)
        for n, stay in enumerate(diary.stays)
        if stay.discharged_at and not (home and stay.disposition in (ELSEWHERE, DIED))
    ]


def _in_time(
    diary: Diary, n: int, at: datetime | None, end: datetime, *, strict: bool = True
) -> str:
    """Of the n-th stay: whether something was in time, unless nobody could any more."""
    if at and (at < end if strict else at <= end):
        return MET
    after = [each.admitted_at for each in diary.stays[n + 1 :]]
    died = [diary.died_at] if diary.died_at else []
    return EXCLUDED if any(gone <= end for gone in [*after, *died]) else NOT_MET


def readmitted(diary: Diary) -> list[str]:
    """After each stay that ended alive: an unplanned one that begins 1 to 30 days later."""
    found = []
    for n, left in _discharges(diary, home=False):
        after = diary.stays[n + 1 : n + 2]
        is_back = any(1 <= (_day(s.admitted_at) - _day(left)).days <= 30 for s in after)
        if diary.stays[n].disposition in (DIED, AGAINST_ADVICE):
            found.append(EXCLUDED)
        else:
            found.append(MET if is_back and after[0].admission_type != PLANNED else NOT_MET)
    return found


def driven(diary: Diary) -> list[str]:
    """Of each partner that was asked: whether it did what it was asked for."""
    return [MET if asked.has_driven else NOT_MET for asked in diary.asked]


def measures(diary: Diary) -> dict[str, list[str]]:
    return {
        "contact-2-business-days": contact(diary),
        "follow-up-7-days": seen(diary, 7),
        "follow-up-14-days": seen(diary, 14),
        "readmission-30-days": readmitted(diary),
        "referral-closed": driven(diary),
    }


def _day(at: datetime) -> date:
    return at.astimezone(HERE).date()
