"""What tasking keeps of the record: the newest snapshot of each patient and encounter."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from services.tasking.domain.labels import Labels, may_be_told_elsewhere
from services.tasking.domain.plan import EncounterFacts, GlassFacts, PatientFacts

NOBODY_KNOWN = PatientFacts(is_deceased=False, died_at=None, language="")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSnapshot:
    """A patient as registry told last. A retired record says where it lives on."""

    id: UUID
    version: int
    name: str = ""
    language: str = ""
    is_deceased: bool = False
    died_at: datetime | None = None
    merged_into_id: UUID | None = None
    facility_ids: tuple[UUID, ...] = ()

    @property
    def facts(self) -> PatientFacts:
        return PatientFacts(
            is_deceased=self.is_deceased, died_at=self.died_at, language=self.language
        )

    def differs_from(self, before: "PatientSnapshot | None") -> bool:
        """Whether planning could have another result than with what was known before."""
        known = before.facts if before else NOBODY_KNOWN
        merged_into_id = before.merged_into_id if before else None
        return (self.facts, self.merged_into_id) != (known, merged_into_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSnapshot:
    """What a program under 42 CFR Part 2 told of a patient: it counts in the program's own loops, and nowhere else."""

    id: UUID
    version: int
    patient_id: UUID
    facility_id: UUID
    name: str = ""
    language: str = ""
    is_deceased: bool = False
    died_at: datetime | None = None

    def with_shared(self, shared: PatientFacts) -> PatientFacts:
        return PatientFacts(
            is_deceased=self.is_deceased or shared.is_deceased,
            died_at=self.died_at or shared.died_at,
            language=self.language or shared.language,
        )

    def differs_from(self, before: "ProgramSnapshot | None") -> bool:
        """Whether planning could have another result than with what was known before."""
        known = before.with_shared(NOBODY_KNOWN) if before else NOBODY_KNOWN
        return self.with_shared(NOBODY_KNOWN) != known


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterSnapshot:
    """A visit as registry told last, and what has to be known before it can be planned."""

    id: UUID
    version: int
    patient_id: UUID
    facility_id: UUID
    visit_class: str
    state: str
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    disposition: str = ""
    diagnoses: tuple[str, ...] = ()
    admission_type: str = ""
    labels: Labels
    waits_for: str = "planning"

    def after(self, before: "EncounterSnapshot | None") -> Self:
        """What it waits for, given what was known: nothing new, where plans would find nothing that they look at changed."""
        if before is None or before.facts != self.facts:
            return self
        return replace(self, waits_for=before.waits_for)

    def may_count_at(self, facility_id: UUID) -> bool:
        """Whether loops of a facility may follow from it: what nobody else may know of closes nothing elsewhere."""
        return self.facility_id == facility_id or may_be_told_elsewhere(self.labels)

    @property
    def facts(self) -> EncounterFacts:
        return EncounterFacts(
            id=self.id,
            facility_id=self.facility_id,
            patient_id=self.patient_id,
            visit_class=self.visit_class,
            state=self.state,
            admitted_at=self.admitted_at,
            discharged_at=self.discharged_at,
            disposition=self.disposition,
            diagnoses=self.diagnoses,
            admission_type=self.admission_type,
            labels=self.labels,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassSnapshot:
    """An emergency access as identity told last, without its words; and what has to be known to plan its review."""

    id: UUID
    version: int
    patient_id: UUID
    facility_id: UUID
    opened_at: datetime
    is_part2_emergency: bool = False
    uses_in_30_days: int = 1
    reviewed_at: datetime | None = None
    reviewed_by_id: UUID | None = None
    waits_for: str = "planning"

    @property
    def facts(self) -> GlassFacts:
        return GlassFacts(
            id=self.id,
            facility_id=self.facility_id,
            patient_id=self.patient_id,
            opened_at=self.opened_at,
            is_part2_emergency=self.is_part2_emergency,
            uses_in_30_days=self.uses_in_30_days,
            reviewed_at=self.reviewed_at,
            reviewed_by_id=self.reviewed_by_id,
        )
