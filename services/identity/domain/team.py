"""The teams: people of one facility who share work, and the one who answers for it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.identity.domain.role import Role
from services.identity.domain.text import check_name

MOST_MEMBERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A member who has left the network stays listed, and counts for nothing: only active members do."""

    id: UUID
    facility_id: UUID
    name: str
    role: Role | None = None
    lead_id: UUID
    member_ids: tuple[UUID, ...]
    version: int = 1

    def check(self, *, active: Collection[UUID]) -> None:
        """`active` are the active people among the members."""
        check_name("team.name", self.name)
        members = set(self.member_ids)
        if len(self.member_ids) > MOST_MEMBERS or len(members) != len(self.member_ids):
            raise InvalidArgument(
                "MEMBERS_INVALID",
                f"At most {MOST_MEMBERS} members, none of them twice.",
                field="team.member_ids",
            )
        if self.lead_id not in members or self.lead_id not in active:
            raise InvalidArgument(
                "LEAD_NOT_ACTIVE_MEMBER",
                "The lead must be an active member of the team.",
                field="team.lead_id",
            )

    def check_joining(self, joining: Collection[UUID], *, active: Collection[UUID]) -> None:
        """Nobody joins who is unknown or has left: one answer for both, it names no one."""
        if any(person not in active for person in joining):
            raise InvalidArgument(
                "MEMBER_NOT_ACTIVE",
                "Everybody who joins a team is an active member of staff.",
                field="team.member_ids",
            )

    def changed_to(self, wanted: Self, *, active: Collection[UUID], is_on_duty: bool) -> Self:
        """The next version, saying what `wanted` says; this one if that is nothing new."""
        wanted = replace(wanted, id=self.id, version=self.version)
        if wanted.facility_id != self.facility_id:
            raise InvalidArgument(
                "TEAM_FACILITY_FIXED", "A team stays at its facility.", field="team.facility_id"
            )
        if wanted == self:
            return self
        if is_on_duty and not set(active).intersection(wanted.member_ids):
            raise FailedPrecondition(
                "DUTY_TEAM_EMPTY", "A duty team keeps at least one active member."
            )
        wanted.check_joining(set(wanted.member_ids) - set(self.member_ids), active=active)
        wanted.check(active=active)
        return replace(wanted, version=self.version + 1)

    def check_duty(self, facility_id: UUID, *, active: Collection[UUID]) -> None:
        """Refuse to be the duty team of a facility that is not ours, or with nobody there."""
        if self.facility_id != facility_id:
            raise duty_team_unknown()
        if not set(active).intersection(self.member_ids):
            raise FailedPrecondition("DUTY_TEAM_EMPTY", "A duty team has an active member.")

    def without(
        self, leaver: UUID, *, successor: UUID | None, active: Collection[UUID], is_on_duty: bool
    ) -> Self:
        """The team once `leaver` has left the network: the same version if they did not lead it."""
        staying = set(active).intersection(self.member_ids) - {leaver}
        if is_on_duty and not staying:
            raise FailedPrecondition(
                "LAST_OF_DUTY_TEAM",
                "They are the last active member of a duty team. Add somebody first.",
                team_id=str(self.id),
            )
        if self.lead_id != leaver:
            return self
        if successor is None:
            raise FailedPrecondition(
                "LEADS_TEAM", "They lead a team. Name a successor.", team_id=str(self.id)
            )
        if successor not in staying:
            raise FailedPrecondition(
                "SUCCESSOR_NOT_MEMBER",
                "The successor must be an active member of each team that is led.",
                team_id=str(self.id),
            )
        return replace(self, lead_id=successor, version=self.version + 1)


def duty_team_unknown() -> InvalidArgument:
    return InvalidArgument(
        "DUTY_TEAM_UNKNOWN",
        "The duty team must be a team of this facility.",
        field="facility.duty_team_id",
    )
