"""What really took place in one life: written by whoever lives it, never read from the hub. The truth to hold the hub against."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from libs.simulator.afterwards import DIED_INSIDE, NURSING_HOME, Afterwards, Bed, Call, Outcome


@dataclass(slots=True)
class Asked:
    """That a partner was asked for a ride, and whether it drove."""

    service_id: str
    has_driven: bool = False


@dataclass(slots=True)
class Diary:
    """Of one of the thousand."""

    plan: Afterwards
    stays: list[Bed] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    visits: list[datetime] = field(default_factory=list)
    missed: int = 0
    asked: list[Asked] = field(default_factory=list)
    # Replies that a person has to read.
    words: int = 0
    # From when on nothing may be sent to them at all.
    stopped_at: datetime | None = None
    patient_id: str = ""

    @property
    def died_at(self) -> datetime | None:
        return self.plan.died_at

    def ends(self) -> list[frozenset[str]]:
        """Of each stay that wants a transition loop: how it may have ended. OPEN: it must not have."""
        plan, first = self.plan, self._first_end()
        if plan.again is None:
            return [first]
        second = "DECEASED" if plan.again.disposition == DIED_INSIDE else "NOT_ELIGIBLE"
        return [first, frozenset({second})]

    def _first_end(self) -> frozenset[str]:
        plan = self.plan
        said = {
            Outcome.NOT_ADMITTED: "ADMISSION_CANCELLED",
            Outcome.STILL_INSIDE: "OPEN",
            Outcome.LEFT_ALONE: "OPEN",
            Outcome.DIED: "DECEASED",
        }.get(plan.outcome)
        if said:
            return frozenset({said})
        if plan.stay.disposition == NURSING_HOME:
            return frozenset({"NOT_ELIGIBLE"})
        if plan.stay.disposition == DIED_INSIDE:
            return frozenset({"DECEASED"})
        if plan.outcome in (Outcome.READMITTED, Outcome.CAME_AS_PLANNED):
            # What was complete on the 28th day may stay so.
            return frozenset({"READMITTED", *(["COMPLETED"] if self._is_back_late() else [])})
        return frozenset({"COMPLETED"})

    def _is_back_late(self) -> bool:
        left, again = self.plan.stay.discharged_at, self.plan.again
        return bool(left and again and (again.admitted_at - left).days >= 27)


def outcomes(diaries: Iterable[Diary]) -> Counter[str]:
    return Counter(str(diary.plan.outcome) for diary in diaries)
