"""The people who work in the network and sign in."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.identity.domain.role import Role
from services.identity.domain.text import check_account, check_email, check_name, check_reason

MOST_ROLES = 200


class StaffState(StrEnum):
    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """A role at one facility, or, without one, everywhere in the network."""

    role: Role
    facility_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """`id` is the subject of the identity provider's tokens for this person."""

    id: UUID
    account: str
    display_name: str
    email: str = ""
    roles: tuple[RoleAssignment, ...] = ()
    state: StaffState = StaffState.ACTIVE
    left_at: datetime | None = None
    left_because: str = ""
    version: int = 1

    @property
    def is_active(self) -> bool:
        return self.state is StaffState.ACTIVE

    @property
    def is_network_admin(self) -> bool:
        return self.is_active and any(held.role is Role.NETWORK_ADMIN for held in self.roles)

    @property
    def facility_ids(self) -> frozenset[UUID]:
        """The facilities named in the roles."""
        return frozenset(held.facility_id for held in self.roles if held.facility_id)

    def works_at(self, facility_id: UUID) -> bool:
        """Whether any role of theirs is held there, or in the whole network."""
        return any(held.facility_id in (None, facility_id) for held in self.roles)

    def check(self) -> None:
        check_account("staff_member.account", self.account)
        check_name("staff_member.display_name", self.display_name)
        check_email("staff_member.email", self.email)
        if len(self.roles) > MOST_ROLES or len(set(self.roles)) != len(self.roles):
            raise InvalidArgument(
                "ROLES_INVALID",
                f"At most {MOST_ROLES} roles, none of them twice.",
                field="staff_member.roles",
            )
        if any(held.role is Role.NETWORK_ADMIN and held.facility_id for held in self.roles):
            raise InvalidArgument(
                "ROLE_IS_NETWORK_WIDE",
                "A network admin is one everywhere: leave the facility empty.",
                field="staff_member.roles",
            )

    def check_facilities(self, known: Collection[UUID]) -> None:
        if unknown := self.facility_ids - frozenset(known):
            raise InvalidArgument(
                "FACILITY_UNKNOWN",
                "A role is held at a facility that does not exist.",
                field="staff_member.roles",
                facility_id=str(min(unknown)),
            )

    def changed_to(self, wanted: Self) -> Self:
        """The next version with the name, e-mail and roles of `wanted`; this one if that is nothing new."""
        if wanted.account != self.account:
            raise InvalidArgument(
                "ACCOUNT_FIXED", "An account is never renamed.", field="staff_member.account"
            )
        changed = replace(
            self, display_name=wanted.display_name, email=wanted.email, roles=wanted.roles
        )
        if changed == self:
            return self
        if not self.is_active:
            raise FailedPrecondition("STAFF_DEACTIVATED", "This person has left.")
        changed.check()
        return replace(changed, version=self.version + 1)

    def roles_changed_by(self, other: Self) -> frozenset[RoleAssignment]:
        """The roles that one of the two holds and the other does not."""
        return frozenset(self.roles) ^ frozenset(other.roles)

    def deactivate(self, *, because: str, at: datetime) -> Self:
        """The next version: one who has left; this one if they already had."""
        if not self.is_active:
            return self
        check_reason("reason", because)
        return replace(
            self,
            state=StaffState.DEACTIVATED,
            left_at=at,
            left_because=because,
            version=self.version + 1,
        )


def check_network_keeps_admin(
    before: StaffMember, after: StaffMember, *, network_admins: int
) -> None:
    """Refuse to take away the last network admin: nobody could appoint another."""
    if before.is_network_admin and not after.is_network_admin and network_admins <= 1:
        raise FailedPrecondition("LAST_NETWORK_ADMIN", "Appoint another network admin first.")
