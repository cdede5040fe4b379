"""By when a partner has to have answered: dated rules, the hours that a service promised, and the ride that will not wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from libs.calendars.calendar import Calendar


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRule:
    """So long before something is needed the answer is due, that another partner can be found. Never edited either."""

    effective_on: date
    hours: int
    source: str


_Rule = TypeVar("_Rule", AnswerRule, LeadRule)
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
LEADS: tuple[LeadRule, ...] = (
    LeadRule(
        effective_on=date(2026, 1, 1),
        hours=2,
        source="CareHub's own choice: time to ask one more ride service, which promises an answer within hours",
    ),
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
) -> Due:
    """When the answer is due: by the rule or sooner, if the service promised so; and while there is time to ask another."""
    due = _by_rule(rule_for(priority, calendar.local_date(sent_at)), calendar, sent_at)
    if promised_hours:
        promised = Due(
            sent_at + timedelta(hours=promised_hours),
            f"{_hours(promised_hours)} after it was sent, as the service promised",
        )
        due = promised if priority is Priority.ROUTINE else min(due, promised, key=lambda d: d.at)
    if needed_at and sent_at < needed_at:
        return min(due, _before(needed_at, calendar, sent_at), key=lambda d: d.at)
    return due


def _before(needed_at: datetime, calendar: Calendar, sent_at: datetime) -> Due:
    """So long before it is needed as the rule says, or half of what is left if that is less."""
    lead = timedelta(hours=_in_effect(LEADS, calendar.local_date(sent_at)).hours)
    half = (needed_at - sent_at) / 2
    if half < lead:
        return Due(needed_at - half, "halfway to when it is needed, to leave time to ask another")
    hours = _hours(lead // timedelta(hours=1))
    return Due(needed_at - lead, f"{hours} before it is needed, to leave time to ask another")


def rule_for(priority: Priority, on: date, rules: Sequence[AnswerRule] = RULES) -> AnswerRule:
    """The newest rule that is in effect on a day; before the first of them, the first."""
    return _in_effect([rule for rule in rules if rule.priority is priority], on)


def _in_effect(rules: Sequence[_Rule], on: date) -> _Rule:
    known = sorted(rules, key=lambda rule: rule.effective_on)
    return ([rule for rule in known if rule.effective_on <= on] or known[:1])[-1]


def _by_rule(rule: AnswerRule, calendar: Calendar, sent_at: datetime) -> Due:
    if rule.hours:
        return Due(sent_at + timedelta(hours=rule.hours), f"{_hours(rule.hours)} after it was sent")
    local = calendar.local(sent_at).replace(tzinfo=None)
    count = calendar.business_days_after(local.date(), rule.business_days)
    at = calendar.at_wall_clock(datetime.combine(count.on, local.time()))
    return Due(at, count.explanation)


def _hours(n: int) -> str:
    return f"{n} hour" if n == 1 else f"{n} hours"
