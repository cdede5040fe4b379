"""People, teams and places as identity told last, and who is the next person up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

NETWORK_ADMIN, FACILITY_ADMIN = "network_admin", "facility_admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """A role, held at one facility or, without one, in the whole network."""

    role: str
    facility_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Somebody who works in the network."""

    id: UUID
    version: int
    display_name: str
    is_active: bool = True
    roles: tuple[HeldRole, ...] = ()

    def holds(self, role: str, facility_id: UUID | None) -> bool:
        return any(held.role == role and held.facility_id == facility_id for held in self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People of one facility, and the one who answers for it."""

    id: UUID
    version: int
    facility_id: UUID
    name: str
    lead_id: UUID
    member_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """A place with a clock, a telephone and a duty team."""

    id: UUID
    version: int
    name: str
    time_zone: str
    phone: str
    duty_team_id: UUID | None = None


class Directory:
    """Who is there to answer at some places, as it is now."""

    def __init__(
        self, facilities: Iterable[Facility], teams: Iterable[Team], staff: Iterable[Staff]
    ) -> None:
        self.facilities = {facility.id: facility for facility in facilities}
        self.teams = {team.id: team for team in teams}
        self._staff = {person.id: person for person in staff}

    def name(self, staff_id: UUID | None) -> str:
        person = self._staff.get(staff_id) if staff_id else None
        return person.display_name if person else ""

    def is_active(self, staff_id: UUID | None) -> bool:
        person = self._staff.get(staff_id) if staff_id else None
        return person is not None and person.is_active

    def ladder(self, facility_id: UUID, team_id: UUID | None) -> tuple[UUID, ...]:
        """Who answers, and who is the next one up, to the top: each once, and active."""
        facility = self.facilities.get(facility_id)
        duty_team_id = facility.duty_team_id if facility else None
        chain = (
            *self._of_team(team_id),
            *self._of_team(duty_team_id),
            *self._holding(FACILITY_ADMIN, facility_id),
            *self._holding(NETWORK_ADMIN, None),
        )
        return tuple(dict.fromkeys(person for person in chain if self.is_active(person)))

    def ladder_between(
        self, answering_id: UUID, asking_id: UUID, team_id: UUID | None
    ) -> tuple[UUID, ...]:
        """Who answers, and who is next. Asked of another place: its first one, then those up who ask, who see the patient."""
        answering = self.ladder(answering_id, team_id)
        if answering_id == asking_id:
            return answering
        return tuple(dict.fromkeys((*answering[:1], *self.ladder(asking_id, None))))

    def _of_team(self, team_id: UUID | None) -> Iterator[UUID]:
        """The lead answers for a team; who is in it does where the lead has gone."""
        team = self.teams.get(team_id) if team_id else None
        if team is None:
            return
        people = [team.lead_id, *sorted(team.member_ids)]
        yield from [person for person in people if self.is_active(person)][:1]

    def _holding(self, role: str, facility_id: UUID | None) -> Iterator[UUID]:
        people = [p for p in self._staff.values() if p.is_active and p.holds(role, facility_id)]
        yield from (p.id for p in sorted(people, key=lambda p: (p.display_name, p.id)))
