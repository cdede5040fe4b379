"""What really happened: the events of visits and of people, each with everything as it was afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from libs.simulator.people import Person, Registration
from libs.simulator.places import Site

# So many results, and one of them is critical.
CRITICAL_ONE_IN = 5


class Trigger(StrEnum):
    """HL7's name for what happened."""

    ADMITTED = "A01"
    TRANSFERRED = "A02"
    DISCHARGED = "A03"
    REGISTERED = "A04"
    PREADMITTED = "A05"
    MADE_INPATIENT = "A06"
    MADE_OUTPATIENT = "A07"
    UPDATED = "A08"
    ADMISSION_CANCELLED = "A11"
    TRANSFER_CANCELLED = "A12"
    DISCHARGE_CANCELLED = "A13"
    PERSON_ADDED = "A28"
    PERSON_UPDATED = "A31"
    MERGED = "A40"
    RESULT = "R01"
    BOOKED = "S12"


class VisitClass(StrEnum):
    """HL7 table 0004."""

    INPATIENT = "I"
    OUTPATIENT = "O"
    EMERGENCY = "E"
    PREADMIT = "P"


class VisitState(StrEnum):
    PLANNED = "PLANNED"
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    code: str
    text: str
    # A admitting, W working, F final.
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit as it stands after an event."""

    number: str
    visit_class: VisitClass
    state: VisitState
    admit_at: datetime | None = None
    discharge_at: datetime | None = None
    disposition: str = ""
    # Where the patient is, and everywhere they were, oldest first.
    place: str = ""
    places: tuple[str, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    attending: str = ""
    reason: str = ""
    admission_type: str = ""
    expected_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened at a site. `number` counts them in the order in which they became known."""

    number: int
    trigger: Trigger
    site: Site
    at: datetime
    recorded_at: datetime
    person: Person
    registration: Registration
    visit: Visit | None = None
    # Of a merge: the number that is given up.
    retired: Registration | None = None

    @property
    def has_critical_result(self) -> bool:
        """Whether the potassium is so high that somebody has to be told at once: drawn by the number, so that it costs no
        other chance.
        """
        return self.trigger is Trigger.RESULT and self.number % CRITICAL_ONE_IN == 0
