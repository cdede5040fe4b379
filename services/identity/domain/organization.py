"""The members of the network: health systems, practices, community organizations."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.identity.domain.text import check_name


class OrganizationKind(StrEnum):
    PROVIDER = "PROVIDER"
    COMMUNITY = "COMMUNITY"
    PAYER = "PAYER"
    AGENCY = "AGENCY"


# Bound by HIPAA by what they are. Others are under a business associate agreement, or they are not.
COVERED = frozenset({OrganizationKind.PROVIDER, OrganizationKind.PAYER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    id: UUID
    name: str
    kind: OrganizationKind
    is_covered: bool
    version: int = 1

    def check(self) -> None:
        check_name("organization.name", self.name)
