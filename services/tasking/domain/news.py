"""What any other service told of a patient last: the newest version that was heard, and what stays true of older ones."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from services.tasking.domain.labels import Labels, may_be_told_elsewhere

PLANNING = "planning"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What all of them have. `waits_for`: what has to be known before a loop about it can be planned; nothing if it can,
    or if it gives no reason for one.
    """

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    labels: Labels
    told_at: datetime
    waits_for: str = ""

    def may_count_at(self, facility_id: UUID) -> bool:
        """Whether loops of a facility may follow from it: what nobody else may know of closes nothing elsewhere."""
        return self.facility_id == facility_id or may_be_told_elsewhere(self.labels)

    def after(self, before: Self | None) -> Self:
        """What is known now, given what was. Itself only if it says something new: an older version does not, nor does one
        that differs in nothing that plans look at.
        """
        if before is None:
            return self
        if self.version <= before.version:
            return before.recalling(self)
        heard = self.knowing(before)
        kept = replace(heard, told_at=before.told_at, waits_for=before.waits_for)
        return kept if replace(before, version=self.version) == kept else heard

    def says_more_than(self, before: Self | None) -> bool:
        """Whether a plan could look otherwise because of it."""
        return before is None or replace(before, version=self.version) != self

    def knowing(self, before: Self) -> Self:
        """With what stays true of what it was."""
        return self

    def recalling(self, older: Self) -> Self:
        """With what stays true of an older version that came late."""
        return self

    @property
    def gives_reason(self) -> bool:
        """Whether a loop can be about it."""
        return False
