"""Visits, and results, that a minor may consent to alone: a parent is not the representative for them, then or later (164.502(g)(3)).

Which those are is for the states to say. Data by jurisdiction: counsel of a network adds its state's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

from services.registry.domain.encounter import Encounter
from services.registry.domain.labels import Label
from services.registry.domain.observation import Observation

Labeled = TypeVar("Labeled", Encounter, Observation)

# Whose law decides, as for access (services/identity/deciding.py); a network will choose it in its file.
JURISDICTION = "US"
_OWN = Label.MINOR_CONFIDENTIAL
_ORDINARY = frozenset({Label.NORMAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class MinorsOwn:
    """From which age and until when a minor decides alone about a visit that bears one of `categories`."""

    jurisdiction: str
    effective_on: date
    from_age: int
    until_age: int
    categories: frozenset[Label]
    source: str


_SENSITIVE = frozenset(
    {Label.SUD, Label.PART2, Label.MENTAL_HEALTH, Label.HIV, Label.STD, Label.REPRODUCTIVE}
)
# A change of the law is a new entry with its day; no entry is ever edited. The first is also the default of ours for times
# before it: labels close, they open nothing.
MINORS_OWN = (
    MinorsOwn(
        jurisdiction="US",
        effective_on=date(2024, 4, 16),
        from_age=12,
        until_age=18,
        categories=_SENSITIVE,
        source="45 CFR 164.502(g)(3): for what a minor may consent to alone, a parent is not the representative. From which "
        "age and for what is for the states, which differ; 12 and these categories are a default of ours",
    ),
)
# Of a jurisdiction that nobody has looked up: whatever a minor of any age may decide somewhere.
STRICTEST = MinorsOwn(
    jurisdiction="",
    effective_on=date.min,
    from_age=0,
    until_age=18,
    categories=_SENSITIVE,
    source="ours: fail closed",
)


def minors_own(jurisdiction: str, on: date) -> MinorsOwn:
    """What is in effect on a day; before the first entry of a jurisdiction, that one."""
    entries = [each for each in MINORS_OWN if each.jurisdiction == jurisdiction]
    in_effect = [each for each in entries if each.effective_on <= on] or entries[:1]
    return max(in_effect, key=lambda each: each.effective_on, default=STRICTEST)


def is_minors_own(
    labels: Iterable[Label], born_on: str, at: datetime, jurisdiction: str = JURISDICTION
) -> bool:
    """Whether the patient was a minor, at the time of the visit, who decides alone about one that bears these labels.

    Without a whole day of birth it is not said: a patient of unknown age is guarded as a teenager until it is known.
    """
    rule = minors_own(jurisdiction, at.date())
    if rule.categories.isdisjoint(labels):
        return False
    try:
        born = date.fromisoformat(born_on)
    except ValueError:
        return False
    return rule.from_age <= _age(born, at.date()) < rule.until_age


def of_age(row: Labeled, born_on: Callable[[], str]) -> Labeled:
    """The visit or the result with the label that it bears for its patient's age, and without it where it bears none."""
    labels = frozenset(row.labels) - {_OWN}
    if labels != _ORDINARY and is_minors_own(labels, born_on(), row.began_at):
        labels |= {_OWN}
    now = tuple(sorted(labels))
    return row if now == row.labels else replace(row, labels=now)


def _age(born: date, on: date) -> int:
    """In whole years. Born on 29 February, one is older from 1 March on in other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
