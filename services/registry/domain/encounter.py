"""One visit of one patient to one facility."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.registry.domain.labels import Label
from services.registry.domain.report import Diagnosis


class EncounterClass(StrEnum):
    INPATIENT = "INPATIENT"
    OUTPATIENT = "OUTPATIENT"
    EMERGENCY = "EMERGENCY"
    PREADMIT = "PREADMIT"
    OBSERVATION = "OBSERVATION"
    RECURRING = "RECURRING"
    PARTIAL = "PARTIAL"
    OTHER = "OTHER"


class EncounterState(StrEnum):
    PLANNED = "PLANNED"
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


# HL7 table 0004, and what facilities write instead of it.
_CLASSES = {
    "I": EncounterClass.INPATIENT,
    "IP": EncounterClass.INPATIENT,
    "INPATIENT": EncounterClass.INPATIENT,
    "B": EncounterClass.INPATIENT,
    "O": EncounterClass.OUTPATIENT,
    "OP": EncounterClass.OUTPATIENT,
    "OUTPATIENT": EncounterClass.OUTPATIENT,
    "E": EncounterClass.EMERGENCY,
    "ED": EncounterClass.EMERGENCY,
    "ER": EncounterClass.EMERGENCY,
    "EMERGENCY": EncounterClass.EMERGENCY,
    "P": EncounterClass.PREADMIT,
    "PREADMIT": EncounterClass.PREADMIT,
    "R": EncounterClass.RECURRING,
    "RECURRING": EncounterClass.RECURRING,
    "V": EncounterClass.OBSERVATION,
    "OBS": EncounterClass.OBSERVATION,
    "OBSERVATION": EncounterClass.OBSERVATION,
    "PH": EncounterClass.PARTIAL,
    "PHP": EncounterClass.PARTIAL,
    "PARTIAL": EncounterClass.PARTIAL,
}
# Table 0004: U is unknown, N is not applicable.
_SAYS_NOTHING = frozenset({"", "U", "N"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the patient was, from when until when."""

    place: str
    start_at: datetime | None
    end_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """One visit, as its messages together tell it.

    `is_void` marks one that a late message showed to be part of another: the others hear that it was cancelled, and
    nobody is shown it. `listed_at` is the instant by which it is sorted.
    """

    id: UUID
    stream_id: UUID
    facility_id: UUID
    patient_id: UUID
    visit_number: str
    encounter_class: EncounterClass | None
    state: EncounterState
    admit_at: datetime | None
    discharge_at: datetime | None
    discharge_disposition: str
    locations: tuple[Location, ...]
    diagnoses: tuple[Diagnosis, ...]
    attending: str
    admit_reason: str
    admission_type: str
    listed_at: datetime
    labels: tuple[Label, ...]
    label_version: int
    is_void: bool = False
    version: int = 1

    @property
    def began_at(self) -> datetime:
        return self.admit_at or self.listed_at


def to_class(said: str) -> EncounterClass | None:
    """The class that a facility's code means; None if it says nothing."""
    code = said.strip().upper()
    return _CLASSES.get(code, EncounterClass.OTHER) if code not in _SAYS_NOTHING else None
