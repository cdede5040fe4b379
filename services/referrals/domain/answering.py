"""By when a partner has to have answered: dated rules, the hours that a service promised, and the ride that will not wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.referrals.domain.calendar import Calendar


class Priority(StrEnum):
    ROUTINE = "ROUTINE"
    URGENT = "URGENT"
    EMERGENT = "EMERGENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """So long a partner has. Either business days or hours. A change is another rule with its day; none is ever edited."""

    priority: Priority
    effective_on: date
    business_days: int = 0
    hours: int = 0
    source: str


_OURS = (
    "CareHub's own choice, shorter than what is customary: a specialist acknowledges an urgent referral within 1 business day "
    "and a routine one within 2 (28 CCR 1300.67.2.2 gives urgent appointments 48 hours)"
)
RULES: tuple[AnswerRule, ...] = (
    AnswerRule(
        priority=Priority.ROUTINE, effective_on=date(2026, 1, 1), business_days=1, source=_OURS
    ),
    AnswerRule(priority=Priority.URGENT, effective_on=date(2026, 1, 1), hours=4, source=_OURS),
    AnswerRule(priority=Priority.EMERGENT, effective_on=date(2026, 1, 1), hours=1, source=_OURS),
)


@dataclass(frozen=True, slots=True)
class Due:
    """When, and how it was counted."""

    at: datetime
    explanation: str


def answer_due(
    priority: Priority,
    calendar: Calendar,
    sent_at: datetime,
    *,
    promised_hours: int = 0,
    needed_at: datetime | None = None,
    rules: Sequence[AnswerRule] = RULES,
) -> Due:
    """When the answer is due: by the rule or sooner, if the service promised so; and never after it is needed."""
    due = _by_rule(rule_for(priority, calendar.local_date(sent_at), rules), calendar, sent_at)
    if promised_hours:
        promised = Due(
            sent_at + timedelta(hours=promised_hours),
            f"{_hours(promised_hours)} after it was sent, as the service promised",
        )
        due = promised if priority is Priority.ROUTINE else min(due, promised, key=lambda d: d.at)
    if needed_at and sent_at < needed_at < due.at:
        return Due(needed_at, "when it is needed, which is sooner than the usual time")
    return due


def rule_for(priority: Priority, on: date, rules: Sequence[AnswerRule] = RULES) -> AnswerRule:
    """The newest rule that is in effect on a day; before the first of them, the first."""
    own = sorted((r for r in rules if r.priority is priority), key=lambda r: r.effective_on)
    return ([rule for rule in own if rule.effective_on <= on] or own[:1])[-1]


def _by_rule(rule: AnswerRule, calendar: Calendar, sent_at: datetime) -> Due:
    if rule.hours:
        return Due(sent_at + timedelta(hours=rule.hours), f"{_hours(rule.hours)} after it was sent")
    local = calendar.local(sent_at).replace(tzinfo=None)
    count = calendar.business_days_after(local.date(), rule.business_days)
    at = calendar.at_wall_clock(datetime.combine(count.on, local.time()))
    return Due(at, count.explanation)


def _hours(n: int) -> str:
    return f"{n} hour" if n == 1 else f"{n} hours"
