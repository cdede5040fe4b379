"""How a patient wants to be reached, as somebody wrote it down when a care plan was made."""

import re
from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.messaging.domain.hours import touched_hours, whole_hours

# Whose and where what is not kept was: no facility's and no patient's.
NOBODY = UUID(int=0)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Telephone(StrEnum):
    """What a telephone is good for, in the words of `carehub.careplans.v1.Preferences.Telephone`."""

    UNSPECIFIED = "UNSPECIFIED"
    CALLS_AND_TEXTS = "CALLS_AND_TEXTS"
    CALLS_ONLY = "CALLS_ONLY"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Of one patient at one facility, as careplans told last: only what messages need, empty where nobody asked."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    language: str = ""
    telephone: str = Telephone.UNSPECIFIED
    best_from: str = ""
    best_until: str = ""
    sleeps_from: str = ""
    sleeps_until: str = ""
    updated_at: datetime

    @property
    def is_readable(self) -> bool:
        """Whether its times of day are some, such as 09:00."""
        told = (self.best_from, self.best_until, self.sleeps_from, self.sleeps_until)
        return all(_TIME.fullmatch(each) for each in told if each)

    @property
    def has_no_texts(self) -> bool:
        """Whether nothing is to be written to their telephone. That is no refusal."""
        return self.telephone in (Telephone.CALLS_ONLY, Telephone.NONE)

    @property
    def has_no_calls(self) -> bool:
        return self.telephone == Telephone.NONE

    @property
    def best(self) -> Set[int]:
        """The hours that are wholly welcome."""
        return whole_hours(self.best_from, self.best_until)

    @property
    def asleep(self) -> Set[int]:
        """The hours in which they sleep, if only for a part."""
        return touched_hours(self.sleeps_from, self.sleeps_until)

    def dropped(self) -> "Wish":
        """That there was one, so that nothing older comes back; not whose, where, and what."""
        return Wish(
            id=self.id,
            version=self.version,
            facility_id=NOBODY,
            patient_id=NOBODY,
            updated_at=self.updated_at,
        )

    def of(self, patient_id: UUID) -> "Wish":
        """As that of the record that the patient lives on in."""
        return self if self.patient_id == NOBODY else replace(self, patient_id=patient_id)
