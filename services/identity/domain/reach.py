"""How far somebody who administers the network may reach."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from libs.chassis.errors import PermissionDenied
from services.identity.domain.role import Role
from services.identity.domain.staff import RoleAssignment, StaffMember


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A network admin reaches everything; anybody else the facilities at which they hold the permission.

    Holding a permission at every facility of today is not the same as holding it in the network:
    only a network admin gives away what counts for the facilities of tomorrow as well.
    """

    subject: UUID
    facilities: frozenset[UUID]
    is_network_wide: bool

    @classmethod
    def of(cls, subject: UUID, roles: Collection[str], facilities: frozenset[UUID]) -> Self:
        return cls(
            subject=subject,
            facilities=facilities,
            is_network_wide=Role.NETWORK_ADMIN in roles,
        )

    def covers(self, facility_id: UUID | None) -> bool:
        return self.is_network_wide or facility_id in self.facilities

    def knows(self, member: StaffMember) -> bool:
        """Whether the person is one of theirs at all."""
        return self.is_network_wide or any(self.covers(role.facility_id) for role in member.roles)

    def check_network(self) -> None:
        if not self.is_network_wide:
            raise PermissionDenied("NETWORK_ADMIN_NEEDED", "Only a network admin may do this.")

    def check_hiring(self, member: StaffMember) -> None:
        """Refuse to add somebody whom one would not reach afterwards."""
        self.check_roles(member.roles)
        if not self.knows(member):
            raise PermissionDenied("ROLE_OUT_OF_REACH", "Give a role at one of your facilities.")

    def check_change(self, before: StaffMember, after: StaffMember) -> None:
        """Refuse to change a person further than this reaches, or one's own roles at all."""
        touched = before.roles_changed_by(after)
        if touched and before.id == self.subject:
            raise PermissionDenied("OWN_ROLES", "Nobody changes their own roles.")
        # Name, address and leaving concern everybody they work for.
        if replace(after, roles=before.roles, version=before.version) != before:
            touched |= frozenset(before.roles)
        self.check_roles(touched)

    def check_roles(self, roles: Iterable[RoleAssignment]) -> None:
        """Refuse to give, take or touch roles held where this reach ends."""
        if not all(self.covers(role.facility_id) for role in roles):
            raise PermissionDenied(
                "ROLE_OUT_OF_REACH", "A role is held in the network or at another facility."
            )
