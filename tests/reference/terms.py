"""What the rules of the reference decider have in common: policies, weights, and time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from tests.reference.facts import LABELS, Question, World

HIDDEN_FROM_PARENTS = {
    "SUD", "PART2", "MENTAL_HEALTH", "HIV", "STD", "REPRODUCTIVE", "VIOLENCE", "MINOR_CONFIDENTIAL",
}  # fmt: skip
FREE = {
    "US": LABELS - {"PART2", "COUNSELING_NOTES", "WITHHELD"},
    "US-STRICT": {"NORMAL", "SUD", "STD", "VIOLENCE"},
}
FIRST_POLICY_DAY = date(2024, 4, 16)

# How much a permission stands, and how much an objection weighs: the heavier one wins, a tie shows.
RELATION, NAMED, FIRM, SELF = 0, 1, 2, 3
OF_ALL, OF_A_PLACE, IN_PERSON, HELD = 1, 2, 3, 4


@dataclass
class Way:
    """A reason to say yes to the question: whom it was given to, and in whose name it can be objected to."""

    reason: str
    grantee: str
    names: set[str | None]
    standing: int


@dataclass
class Objection:
    """A reason to say no: against one by name, or against everybody."""

    reason: str
    against: str | None
    weight: int


def holds(start: datetime, at: datetime, *ends: datetime | None) -> bool:
    return start <= at and all(end is None or at < end for end in ends)


def birthday(born_on: date, years: int) -> datetime:
    try:
        day = born_on.replace(year=born_on.year + years)
    except ValueError:
        day = date(born_on.year + years, 3, 1)
    return datetime.combine(day, time(), UTC)


def stage(world: World, at: datetime) -> str:
    born_on = world.patient.born_on
    if born_on is None:
        return "UNKNOWN"
    if at < birthday(born_on, 12):
        return "CHILD"
    if at < birthday(born_on, 18):
        return "ADOLESCENT"
    return "ADULT"


def acting_for(q: Question) -> set[str]:
    return {"EMERGENCY", "TREATMENT"} if q.purpose == "EMERGENCY" else {q.purpose}
