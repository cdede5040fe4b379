"""What messaging knows of a feed."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFeed:
    """As interop told last: the facilities that it speaks for, and whether it is one of a program under 42 CFR Part 2."""

    id: UUID
    version: int
    facility_ids: tuple[UUID, ...]
    is_program: bool
