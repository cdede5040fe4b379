"""Who answers for something: people, teams, and the rule that finds an owner and never finds nobody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

FACILITY_ADMIN = "facility_admin"
NETWORK_ADMIN = "network_admin"
PRIVACY_OFFICER = "privacy_officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """A role, held at one facility or, without one, in the whole network."""

    role: str
    facility_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Somebody who works in the network, as identity told last."""

    id: UUID
    version: int
    display_name: str
    email: str = ""
    is_active: bool = True
    roles: tuple[HeldRole, ...] = ()

    def holds(self, role: str, facility_id: UUID) -> bool:
        """Whether they hold the role at the facility itself."""
        return any(held.role == role and held.facility_id == facility_id for held in self.roles)

    def holds_everywhere(self, role: str) -> bool:
        """Whether they hold the role in the whole network."""
        return any(held.role == role and held.facility_id is None for held in self.roles)

    @property
    def is_network_wide(self) -> bool:
        """Whether any role of theirs reaches every facility."""
        return any(held.facility_id is None for held in self.roles)

    def has_role_at(self, facility_id: UUID) -> bool:
        """Whether any role of theirs reaches the facility."""
        return any(held.facility_id in (None, facility_id) for held in self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People of one facility who share work, and the one who answers for it."""

    id: UUID
    version: int
    facility_id: UUID
    name: str
    role: str
    lead_id: UUID
    member_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """A place with one clock, one calendar and a duty team at the end of every ladder."""

    id: UUID
    version: int
    name: str
    time_zone: str
    holiday_calendar: str
    duty_team_id: UUID | None = None

    @property
    def clock(self) -> tuple[str, str]:
        """What deadlines are counted by."""
        return self.time_zone, self.holiday_calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A team, a person, or a person of a team; and who answers for it now, which is never nobody.

    `is_chosen`: somebody claimed, assigned or declined it. Otherwise the rule gave it, and gives it again when teams change.
    """

    team_id: UUID | None = None
    staff_id: UUID | None = None
    accountable_id: UUID
    is_chosen: bool = False


class Directory:
    """The people, teams and facilities that a decision needs, as they are now."""

    def __init__(
        self, facilities: Iterable[Facility], teams: Iterable[Team], staff: Iterable[Staff]
    ) -> None:
        self.facilities = {facility.id: facility for facility in facilities}
        self.teams = {team.id: team for team in teams}
        self._staff = {person.id: person for person in staff}
        self._owners: dict[tuple[UUID, str], Owner | None] = {}

    def person(self, staff_id: UUID | None) -> Staff | None:
        return None if staff_id is None else self._staff.get(staff_id)

    def is_active(self, staff_id: UUID | None) -> bool:
        person = self.person(staff_id)
        return person is not None and person.is_active

    def works_at(self, staff_id: UUID | None, facility_id: UUID) -> bool:
        """Whether they are active, and reach the facility by a role or a team."""
        person = self.person(staff_id)
        if person is None or not person.is_active:
            return False
        return person.has_role_at(facility_id) or any(
            person.id in team.member_ids
            for team in self.teams.values()
            if team.facility_id == facility_id
        )

    def accountable_of(self, team_id: UUID | None) -> UUID | None:
        """Who answers for a team: its lead; while that one is away, its first active member."""
        team = self.teams.get(team_id) if team_id else None
        if team is None:
            return None
        if self.is_active(team.lead_id):
            return team.lead_id
        return next(self._in_order(team.member_ids), None)

    def members_of(self, team_id: UUID | None) -> tuple[UUID, ...]:
        """The active members of a team, in a fixed order."""
        team = self.teams.get(team_id) if team_id else None
        return tuple(self._in_order(team.member_ids)) if team else ()

    def people_with(self, role: str, facility_id: UUID) -> tuple[UUID, ...]:
        """The active people who hold a role at the facility, in a fixed order."""
        return tuple(
            self._in_order(p.id for p in self._staff.values() if p.holds(role, facility_id))
        )

    def network_admins(self) -> tuple[UUID, ...]:
        return self._people_everywhere(NETWORK_ADMIN)

    def _people_everywhere(self, role: str) -> tuple[UUID, ...]:
        return tuple(self._in_order(p.id for p in self._staff.values() if p.holds_everywhere(role)))

    def _privacy_officers(self, facility_id: UUID) -> tuple[UUID, ...]:
        """Those of the facility, then those of the whole network."""
        here = self.people_with(PRIVACY_OFFICER, facility_id)
        return here + self._people_everywhere(PRIVACY_OFFICER)

    def owner_for(self, facility_id: UUID, role: str) -> Owner | None:
        """Whose work it is: the role's team, else the duty team, else somebody of the facility, else a network admin."""
        asked = (facility_id, role)
        if asked not in self._owners:  # a batch asks for each task of each patient
            self._owners[asked] = self._ruled(facility_id, role)
        return self._owners[asked]

    def _ruled(self, facility_id: UUID, role: str) -> Owner | None:
        # What privacy officers look into is not for a team that anybody may be in.
        if role == PRIVACY_OFFICER and (officers := self._privacy_officers(facility_id)):
            return Owner(staff_id=officers[0], accountable_id=officers[0])
        for team_id in self._teams_in_turn(facility_id, role):
            if accountable := self.accountable_of(team_id):
                return Owner(team_id=team_id, accountable_id=accountable)
        if person := self._anybody_for(facility_id, role):
            return Owner(staff_id=person, accountable_id=person)
        return None

    def kept_or_handed_over(self, owner: Owner, facility_id: UUID, role: str) -> Owner | None:
        """The owner as it has to be now: the same one while that works, else the team, else whom the rule finds."""
        if not owner.is_chosen:
            return self.owner_for(facility_id, role)
        team_answers = self.accountable_of(owner.team_id)
        if owner.staff_id and self.works_at(owner.staff_id, facility_id):
            team_id = owner.team_id if team_answers else None
            return replace(owner, team_id=team_id, accountable_id=owner.staff_id)
        if team_answers:
            return replace(owner, staff_id=None, accountable_id=team_answers)
        return self.owner_for(facility_id, role)

    def after_decline(self, owner: Owner, facility_id: UUID, role: str, by: UUID) -> Owner | None:
        """Who gets what somebody hands back: the team's lead, else whoever answers next. Never the same person."""
        team_id = owner.team_id
        if not self.accountable_of(team_id):
            ruled = self.owner_for(facility_id, role)
            team_id = ruled.team_id if ruled else None
        facility = self.facilities.get(facility_id)
        duty_team_id = facility.duty_team_id if facility else None
        chain = (
            (team_id, self.accountable_of(team_id)),
            (duty_team_id, self.accountable_of(duty_team_id)),
            *((None, person) for person in self.people_with(FACILITY_ADMIN, facility_id)),
            *((team_id, person) for person in self.members_of(team_id)),
            *((duty_team_id, person) for person in self.members_of(duty_team_id)),
            *((None, person) for person in self.network_admins()),
        )
        for team, person in chain:
            if person and person != by:
                return Owner(team_id=team, staff_id=person, accountable_id=person, is_chosen=True)
        return None

    def recipients(self, notify: str, owner: Owner, facility_id: UUID) -> tuple[UUID, ...]:
        """Whom a rung of a ladder tells: "owner", "lead", "duty_team" or a role. If that is nobody, the duty team.

        Privacy officers of the network hear of it together with those of the facility.
        """
        facility = self.facilities.get(facility_id)
        duty = self.members_of(facility.duty_team_id) if facility else ()
        lead = self.accountable_of(owner.team_id) or owner.accountable_id
        named = {"owner": (owner.accountable_id,), "lead": (lead,), "duty_team": duty}
        if notify == PRIVACY_OFFICER:
            named[notify] = self._privacy_officers(facility_id)
        people = named[notify] if notify in named else self.people_with(notify, facility_id)
        return people or duty or (owner.accountable_id,)

    def display_name(self, owner: Owner) -> str:
        """As the worklist shows it: "Transition nurses · lead D. Reyes", or the person's name."""
        team = self.teams.get(owner.team_id) if owner.team_id else None
        person = self.person(owner.staff_id or owner.accountable_id)
        name = person.display_name if person else ""
        if team is None or owner.staff_id:
            return name
        return f"{team.name} · lead {name}" if name else team.name

    def _teams_in_turn(self, facility_id: UUID, role: str) -> Iterator[UUID]:
        here = [team for team in self.teams.values() if team.facility_id == facility_id]
        here.sort(key=lambda team: (team.name, team.id))
        yield from (team.id for team in here if role and team.role == role)
        facility = self.facilities.get(facility_id)
        if facility and facility.duty_team_id:
            yield facility.duty_team_id
        yield from (team.id for team in here)

    def _anybody_for(self, facility_id: UUID, role: str) -> UUID | None:
        for someone in (role, FACILITY_ADMIN):
            if people := self.people_with(someone, facility_id):
                return people[0]
        if admins := self.network_admins():
            return admins[0]
        here = (p.id for p in self._staff.values() if p.has_role_at(facility_id))
        return next(self._in_order(here), None)

    def _in_order(self, staff_ids: Iterable[UUID]) -> Iterator[UUID]:
        people = [self._staff[i] for i in staff_ids if self.is_active(i)]
        return (p.id for p in sorted(people, key=lambda p: (p.display_name, p.id)))
