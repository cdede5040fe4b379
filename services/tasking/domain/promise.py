"""What would break the promise that a loop is."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

# Escalation has to fire within a minute, also after a restart; this long after, something is stuck.
LATE_LADDER = timedelta(minutes=5)


class Rule(StrEnum):
    LOOP_WITHOUT_OWNER = "LOOP_WITHOUT_OWNER"
    LOOP_WITHOUT_CLOCK = "LOOP_WITHOUT_CLOCK"
    LOOP_WITHOUT_EVIDENCE = "LOOP_WITHOUT_EVIDENCE"
    TASK_WITHOUT_OWNER = "TASK_WITHOUT_OWNER"
    TASK_OF_CLOSED_LOOP = "TASK_OF_CLOSED_LOOP"
    LADDER_STUCK = "LADDER_STUCK"
    ENCOUNTER_WAITS = "ENCOUNTER_WAITS"
    BREAK_GLASS_WAITS = "BREAK_GLASS_WAITS"
    SOMETHING_WAITS = "SOMETHING_WAITS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One loop, task or encounter that breaks one rule."""

    rule: Rule
    id: UUID
