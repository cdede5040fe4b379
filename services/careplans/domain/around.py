"""Where else a patient is known, and who works there: of whom a plan can ask what its own facility does not do."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from services.careplans.domain.neighbor import Denial, Facility, Owner, Seen

T = TypeVar("T", Seen, Denial)

# As long as a treatment counts (services/identity, rules of access): whoever saw the patient since then knows them.
KNOWN_FOR = timedelta(days=365)


class Where(StrEnum):
    """Where a template wants something done: here, at the patient's clinic, or at a neighbor of theirs."""

    HERE = ""
    CLINIC = "clinic"
    COMMUNITY = "community"


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The neighborhood of some patients, as far as it was told."""

    seen: Mapping[UUID, tuple[Seen, ...]] = field(default_factory=dict)
    denials: Mapping[UUID, tuple[Denial, ...]] = field(default_factory=dict)
    facilities: Mapping[UUID, Facility] = field(default_factory=dict)
    # Organizations that are known, and those of them that are of the community.
    organizations: Collection[UUID] = ()
    community: Collection[UUID] = ()
    teams: Collection[Owner] = ()

    def place(self, where: Where, patient_id: UUID, here: UUID, before: datetime) -> UUID | None:
        """The facility of that sort that saw the patient last, in the year before; None: nobody of that sort did.

        Nothing is guessed: where nobody knows the patient, nobody is asked.
        """
        if where is Where.HERE:
            return here
        fits = [
            (each.began_at, each.encounter_id, each.facility_id)
            for each in self.seen.get(patient_id, ())
            if each.counts
            and each.began_at
            and each.facility_id != here
            and before - KNOWN_FOR <= each.began_at < before
            and self._is(where, each.facility_id)
            and not self._is_denied(patient_id, here, each.facility_id)
        ]
        return max(fits)[2] if fits else None

    def who(self, facility_id: UUID, role: str) -> UUID | None:
        """Who does such work there: the team of the role, else the duty team; None: nobody was told of."""
        theirs = [t.id for t in self.teams if t.facility_id == facility_id and t.role == role]
        if role and theirs:
            return min(theirs)
        place = self.facilities.get(facility_id)
        return place.duty_team_id if place else None

    def _is_denied(self, patient_id: UUID, here: UUID, there: UUID) -> bool:
        """Whether the patient wants one of the two not to know of the other: that they were seen there, or of the plan here.

        An authorization by name that is stronger is not looked for: then a person asks, and no template.
        """
        return any(
            each.stops("VISITS", there, self._readers(here))
            or each.stops("COORDINATION", here, self._readers(there))
            for each in self.denials.get(patient_id, ())
        )

    def _readers(self, facility_id: UUID) -> tuple[UUID | None, ...]:
        place = self.facilities.get(facility_id)
        return (facility_id, place.organization_id if place else None)

    def _is(self, where: Where, facility_id: UUID) -> bool:
        place = self.facilities.get(facility_id)
        if place is None or place.organization_id not in self.organizations:
            return False
        return (place.organization_id in self.community) is (where is Where.COMMUNITY)


NOWHERE = Around()


def by_patient(told: Iterable[T]) -> dict[UUID, tuple[T, ...]]:
    found: dict[UUID, list[T]] = {}
    for each in told:
        found.setdefault(each.patient_id, []).append(each)
    return {patient_id: tuple(theirs) for patient_id, theirs in found.items()}
