"""Where else a patient is known, and who works there: of whom a plan can ask what its own facility does not do."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.careplans.domain.neighbor import Facility, Owner, Seen

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
            each
            for each in self.seen.get(patient_id, ())
            if each.counts
            and each.facility_id != here
            and before - KNOWN_FOR <= each.began_at < before
            and self._is(where, each.facility_id)
        ]
        last = max(fits, key=lambda each: (each.began_at, each.encounter_id), default=None)
        return last.facility_id if last else None

    def who(self, facility_id: UUID, role: str) -> UUID | None:
        """Who does such work there: the team of the role, else the duty team; None: nobody was told of."""
        theirs = [t.id for t in self.teams if t.facility_id == facility_id and t.role == role]
        if role and theirs:
            return min(theirs)
        place = self.facilities.get(facility_id)
        return place.duty_team_id if place else None

    def _is(self, where: Where, facility_id: UUID) -> bool:
        place = self.facilities.get(facility_id)
        if place is None or place.organization_id not in self.organizations:
            return False
        return (place.organization_id in self.community) is (where is Where.COMMUNITY)


NOWHERE = Around()


def by_patient(seen: Iterable[Seen]) -> dict[UUID, tuple[Seen, ...]]:
    found: dict[UUID, list[Seen]] = {}
    for each in seen:
        found.setdefault(each.patient_id, []).append(each)
    return {patient_id: tuple(theirs) for patient_id, theirs in found.items()}
