"""What happens after a stay: of each discharge its outcome, drawn from a seed, with what the world does and when.

Nothing here knows a hub. Who plays it writes down what really took place: that is the truth to hold a hub against.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

HOSPITAL = ZoneInfo("America/Chicago")
HOME, NURSING_HOME, DIED_INSIDE = "01", "03", "20"
URGENT, ELECTIVE = "E", "R"


class Outcome(StrEnum):
    """How it goes after a stay, in the words of the report."""

    REACHED = "reached at once"
    REACHED_LATE = "reached late"
    NEVER_REACHED = "never reached"
    HARDLY_TRIED = "tried too seldom"
    DECLINED = "declined"
    READMITTED = "readmitted"
    CAME_AS_PLANNED = "readmitted as planned"
    CAME_MUCH_LATER = "back after the thirty days"
    DIED = "died at home"
    DIED_INSIDE = "died in hospital"
    WENT_ON = "went to a nursing home"
    NO_RIDE = "no ride, then came with one"
    RIDE_REFUSED = "the first driver said no"
    RIDE_SILENT = "the first driver never answered"
    RIDE_FAILED = "the ride failed"
    FORGOT = "forgot, then came"
    MOVED_AWAY = "moved away"
    MERGED = "merged with another record"
    SAID_STOP = "said STOP"
    REFUSED_MESSAGES = "refused messages before"
    IN_DANGER = "wrote of danger"
    WROTE = "wrote in words"
    LEFT_ALONE = "nobody did anything"
    TAKEN_BACK = "discharge taken back"
    NOT_ADMITTED = "admission taken back"
    STILL_INSIDE = "still in hospital"


_OFTEN = {Outcome.REACHED: 12, Outcome.REACHED_LATE: 5, Outcome.READMITTED: 4, Outcome.NO_RIDE: 3}
RIDES = frozenset({Outcome.NO_RIDE, Outcome.RIDE_REFUSED, Outcome.RIDE_SILENT, Outcome.RIDE_FAILED})
MISSED = RIDES | {Outcome.FORGOT}
_BACK_AFTER = {
    Outcome.READMITTED: (1, 30),
    Outcome.CAME_AS_PLANNED: (3, 27),
    Outcome.CAME_MUCH_LATER: (31, 34),
}
# Anybody else answers nothing, or "1".
_SAYS = {
    Outcome.SAID_STOP: "STOP",
    Outcome.IN_DANGER: "I want to die",
    Outcome.WROTE: "My sister moves in with me on Sunday",
}
_TO_HOSPITAL_ALONE = frozenset({
    Outcome.DIED_INSIDE, Outcome.WENT_ON, Outcome.NOT_ADMITTED, Outcome.STILL_INSIDE, Outcome.LEFT_ALONE,
})  # fmt: skip


class Result(StrEnum):
    """What came of a call."""

    REACHED = "REACHED"
    NO_ANSWER = "NO_ANSWER"
    LEFT_MESSAGE = "LEFT_MESSAGE"
    WRONG_NUMBER = "WRONG_NUMBER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    at: datetime
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """A stay. Without an end it goes on."""

    admitted_at: datetime
    discharged_at: datetime | None = None
    disposition: str = ""
    admission_type: str = URGENT


class How(StrEnum):
    """How a follow-up comes about: a slot of the hospital, a date of the clinic's own system, or without one."""

    SLOT = "SLOT"
    TOLD = "TOLD"
    WALK_IN = "WALK_IN"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A visit that is wanted. Which slot it becomes, whoever books it finds out."""

    how: How
    at: datetime
    comes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Afterwards:
    """One discharge, and what the world does about it."""

    number: int
    outcome: Outcome
    is_high_risk: bool
    stay: Bed
    # A discharge that was told and taken back before the one that holds.
    taken_back_at: datetime | None = None
    again: Bed | None = None
    died_at: datetime | None = None
    calls: tuple[Call, ...] = ()
    follow_up: FollowUp | None = None
    # What is answered to the first message; nothing: no answer.
    says: str = ""

    @property
    def gone_at(self) -> datetime | None:
        """From when on nobody can be reached at home, or seen in a clinic."""
        return self.died_at or (self.again.admitted_at if self.again else None)


def afterwards(seed: int | str, count: int, start: date, days: int) -> list[Afterwards]:
    """So many discharges that begin within some days. Of each outcome at least one, if there are enough."""
    chance = random.Random(f"{seed}|afterwards")  # noqa: S311 - repeatable, not secret
    each = list(Outcome)
    chance.shuffle(each)
    weights = [_OFTEN.get(outcome, 1) for outcome in Outcome]
    outcomes = (each + chance.choices(list(Outcome), weights, k=count))[:count]
    return [_one(f"{seed}|{n}", n, outcome, start, days) for n, outcome in enumerate(outcomes)]


def _one(seed: str, number: int, outcome: Outcome, start: date, days: int) -> Afterwards:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    admitted_on = start + timedelta(days=chance.randrange(days))
    left_on = admitted_on + timedelta(days=chance.randint(2, 6))
    stay = Bed(
        admitted_at=_at(admitted_on, chance, 7, 20),
        discharged_at=_at(left_on, chance, 10, 19),
        disposition={Outcome.DIED_INSIDE: DIED_INSIDE, Outcome.WENT_ON: NURSING_HOME}.get(
            outcome, HOME
        ),
    )
    one = Afterwards(number=number, outcome=outcome, is_high_risk=chance.random() < 0.3, stay=stay)
    if outcome in (Outcome.NOT_ADMITTED, Outcome.STILL_INSIDE):
        return replace(one, stay=replace(stay, discharged_at=None, disposition=""))
    if outcome is Outcome.TAKEN_BACK:
        one = replace(one, taken_back_at=_at(left_on - timedelta(days=1), chance, 10, 13))
    if outcome in _TO_HOSPITAL_ALONE:
        return one
    if outcome in _BACK_AFTER:
        one = replace(one, again=_again(chance, outcome, left_on))
    if outcome is Outcome.DIED:
        one = replace(
            one, died_at=_at(left_on + timedelta(days=chance.randint(1, 24)), chance, 1, 22)
        )
    said = "1" if chance.random() < 0.5 else ""
    return _until_gone(
        replace(
            one,
            calls=tuple(_calls(chance, outcome, left_on)),
            follow_up=_follow_up(chance, outcome, left_on),
            says=_SAYS.get(outcome, "" if outcome is Outcome.REFUSED_MESSAGES else said),
        )
    )


def _again(chance: random.Random, outcome: Outcome, left_on: date) -> Bed:
    """Back in hospital: a stay that ends elsewhere, so that what follows is known."""
    least, most = _BACK_AFTER[outcome]
    back_on = left_on + timedelta(days=chance.choice((least, most, chance.randint(least, most))))
    return Bed(
        admitted_at=_at(back_on, chance, 7, 20),
        discharged_at=_at(back_on + timedelta(days=chance.randint(2, 5)), chance, 10, 19),
        disposition=chance.choice((NURSING_HOME, NURSING_HOME, DIED_INSIDE)),
        admission_type=ELECTIVE if outcome is Outcome.CAME_AS_PLANNED else URGENT,
    )


def _calls(chance: random.Random, outcome: Outcome, left_on: date) -> Iterator[Call]:
    """Calls in their order, the last of them the one that reaches somebody, if any does."""

    def call(day: int, result: Result, earliest: int = 10, latest: int = 19) -> Call:
        return Call(at=_at(left_on + timedelta(days=day), chance, earliest, latest), result=result)

    tried_twice = (call(1, Result.NO_ANSWER, 10, 12), call(1, Result.LEFT_MESSAGE, 15, 19))
    if outcome is Outcome.DECLINED:
        yield from chance.choice(((), tried_twice))
        return
    if outcome is Outcome.HARDLY_TRIED:
        yield call(1, Result.NO_ANSWER)
        yield call(2, Result.WRONG_NUMBER)
        yield call(9, Result.LEFT_MESSAGE)
        yield call(12, Result.REACHED)
    elif outcome is Outcome.NEVER_REACHED:
        yield from tried_twice
        yield call(4, Result.NO_ANSWER)
    elif outcome is Outcome.REACHED_LATE:
        yield from chance.choice((tried_twice[:1], tried_twice))
        yield call(chance.randint(3, 8), Result.REACHED)
    else:
        if chance.random() < 0.3:
            yield call(1, chance.choice((Result.NO_ANSWER, Result.WRONG_NUMBER)), 10, 11)
        yield call(chance.randint(1, 2), Result.REACHED, 13, 19)


def _follow_up(chance: random.Random, outcome: Outcome, left_on: date) -> FollowUp | None:
    if outcome in MISSED:
        day, hour = _weekday(left_on + timedelta(days=chance.randint(3, 5))), time(14, 0)
        return FollowUp(how=How.SLOT, at=datetime.combine(day, hour, HOSPITAL), comes=False)
    if outcome in (Outcome.DECLINED, Outcome.MOVED_AWAY) or chance.random() < 0.15:
        return None
    day = _weekday(left_on + timedelta(days=chance.choice((2, 3, 5, 7, 8, 10, 14, 15, 18))))
    # Of two records that a clerk made of one person nobody can tell whose a clinic's is: no clinic before the merge.
    how = chance.choice((How.SLOT, How.WALK_IN) if outcome is Outcome.MERGED else tuple(How))
    at = datetime.combine(day, chance.choice((time(9, 30), time(14, 0), time(14, 30))), HOSPITAL)
    return FollowUp(how=how, at=at)


def _until_gone(one: Afterwards) -> Afterwards:
    """Who has died or is in hospital again is not called, and comes to no visit."""
    gone_at = one.gone_at
    if gone_at is None:
        return one
    follow_up = one.follow_up if one.follow_up and one.follow_up.at < gone_at else None
    return replace(one, calls=tuple(c for c in one.calls if c.at < gone_at), follow_up=follow_up)


def _weekday(day: date) -> date:
    """The day itself, or the Monday after its weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() > 4 else day


def _at(day: date, chance: random.Random, earliest: int, latest: int) -> datetime:
    """Some minute of a day between two hours, by the clock of the hospital."""
    hour, minute = chance.randint(earliest, latest - 1), chance.randrange(60)
    return datetime.combine(day, time(hour, minute), HOSPITAL)
