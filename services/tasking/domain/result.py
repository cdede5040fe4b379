"""Results of laboratories: since when one is critical, whether it says something else than whoever was told of it was told,
and whether it is an alarm that was raised already.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Self

from services.tasking.domain.news import PLANNING, News
from services.tasking.domain.protocol_parts import About

VERIFIED, WITHDRAWN = (
    frozenset({"FINAL", "CORRECTED"}),
    frozenset({"ENTERED_IN_ERROR", "CANCELLED"}),
)
HIGH = "HIGH"
# The same again within so long, and worse by less than such a part, is the same alarm: CareHub's choice.
AGAIN, MUCH = timedelta(hours=24), 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a version of a result is: critical in a direction, or not; and when it was heard here first."""

    version: int
    at: datetime
    criticality: str = ""
    quantity: float | None = None

    def is_like(self, other: Self) -> bool:
        return (self.criticality, self.quantity) == (other.criticality, other.quantity)

    def is_news_after(self, told: Self) -> bool:
        """Whether who knows the other one has to be told: it is another alarm, or none, or much worse."""
        return self.criticality != told.criticality or _is_much_worse(self, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(News):
    """A result of a laboratory. `critical_at`: since when it was known to be critical, also if it is not any more; `heard`:
    what it was known to be from then on, the oldest version first, each that says something else than the one before.
    """

    state: str
    analyte: str
    criticality: str = ""
    quantity: float | None = None
    verified_at: datetime
    critical_at: datetime | None = None
    heard: tuple[Heard, ...] = ()

    @property
    def about(self) -> About:
        return About.RESULT

    @property
    def gives_reason(self) -> bool:
        return self.critical_at is not None

    @property
    def is_critical(self) -> bool:
        return self.state in VERIFIED and bool(self.criticality)

    @property
    def is_withdrawn(self) -> bool:
        return self.state in WITHDRAWN

    def says_more_than(self, before: Self | None) -> bool:
        """No plan looks at one that never was critical: an ordinary result costs its row and no planning."""
        if not self.gives_reason and not (before and before.gives_reason):
            return False
        return News.says_more_than(self, before)

    def knowing(self, before: Self) -> Self:
        heard = _in_turn(*before.heard, before.now, self.now)
        return replace(self._critical_since(before), heard=heard)

    def recalling(self, older: Self) -> Self:
        heard = _in_turn(older.now, *self.heard, self.now)
        return replace(self._critical_since(older), heard=heard)

    @property
    def now(self) -> Heard:
        """What it is heard to be with this version."""
        is_critical = self.is_critical
        return Heard(
            version=self.version,
            at=self.told_at,
            criticality=self.criticality if is_critical else "",
            quantity=self.quantity if is_critical else None,
        )

    @property
    def all_heard(self) -> tuple[Heard, ...]:
        return _in_turn(*self.heard, self.now) or (self.now,)

    def untold_since(self, told_at: datetime) -> datetime | None:
        """Since when whoever was told of it at a moment would have to be told again: it is critical in another direction, or
        much worse; is so again; or is not any more. None: what it was known to be then is what there is to know.
        """
        told = [each for each in self.all_heard if each.at <= told_at] or [self.all_heard[0]]
        later = [each for each in self.all_heard if each.version > told[-1].version]
        news = takewhile(lambda each: each.is_news_after(told[-1]), reversed(later))
        return min((each.at for each in news), default=None)

    def _critical_since(self, other: Self) -> Self:
        """Known to be critical since the first time: telling it again, or worse, moves no clock."""
        known = [each.critical_at for each in (self, other) if each.critical_at]
        since = min(known, default=None)
        if since == self.critical_at:
            return self
        return replace(self, critical_at=since, waits_for=PLANNING)

    def is_worse_than(self, other: Self) -> bool:
        """Whether it is so much further off that somebody has to be told again."""
        return _is_much_worse(self.now, other.now)


def _in_turn(*heard: Heard) -> tuple[Heard, ...]:
    """In the order of versions, from the first critical one on. Those alike, one after the other, are one, and known since the
    first of them was heard, whichever that was.
    """
    turns = list[Heard]()
    for each in sorted(heard, key=lambda one: (one.version, one.at)):
        if turns and each.is_like(turns[-1]):
            turns[-1] = replace(turns[-1], at=min(turns[-1].at, each.at))
        elif turns or each.criticality:
            turns.append(each)
    return tuple(turns)


def _is_much_worse(now: Heard, before: Heard) -> bool:
    if now.quantity is None or before.quantity is None:
        return False
    change = now.quantity - before.quantity
    return (change if now.criticality == HIGH else -change) >= abs(before.quantity) * MUCH


def is_repeat(result: Result, results: Iterable[Result]) -> bool:
    """Whether it is the alarm that was raised already: the same analyte in the same direction, not long after and not worse.

    Counted from alarm to alarm, so that a series of repeats does not go on for ever.
    """
    if not result.is_critical:
        return False
    alike = (
        (each.critical_at, each.id, each)
        for each in {each.id: each for each in (*results, result)}.values()
        if each.is_critical and each.critical_at and _is_alike(each, result)
    )
    raised: Result | None = None
    for at, _, each in sorted(alike, key=lambda one: one[:2]):
        is_again = raised is not None and _is_again(each, at, raised)
        if each.id == result.id:
            return is_again
        raised = raised if is_again else each
    return False


def _is_alike(one: Result, other: Result) -> bool:
    """Told to the same people: those of another facility have heard nothing."""
    return (one.facility_id, one.analyte, one.criticality) == (
        other.facility_id,
        other.analyte,
        other.criticality,
    )


def _is_again(each: Result, at: datetime, raised: Result) -> bool:
    since = raised.critical_at
    return since is not None and at - since < AGAIN and not each.is_worse_than(raised)
