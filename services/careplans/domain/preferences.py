"""How a patient wants to be met, as one facility wrote it down."""

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID, uuid5

from libs.chassis.errors import InvalidArgument
from services.careplans.domain.labels import Labels

# The root of ids that follow from patient and facility; never change it.
_ROOT = UUID("5b0d6f0c-2f0e-5c7e-9d0f-0f7f5a0c9a44")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
TIMES = ("best_from", "best_until", "sleeps_from", "sleeps_until")
MOST_TEXT = 200


class Telephone(StrEnum):
    UNSPECIFIED = "UNSPECIFIED"
    CALLS_AND_TEXTS = "CALLS_AND_TEXTS"
    CALLS_ONLY = "CALLS_ONLY"
    NONE = "NONE"


class Reading(StrEnum):
    UNSPECIFIED = "UNSPECIFIED"
    FLUENT = "FLUENT"
    SIMPLE = "SIMPLE"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What somebody said about themselves; empty where nobody asked. Times are those of where the patient lives."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    language: str = ""
    needs_interpreter: bool = False
    telephone: Telephone = Telephone.UNSPECIFIED
    best_from: str = ""
    best_until: str = ""
    works_nights: bool = False
    sleeps_from: str = ""
    sleeps_until: str = ""
    food: str = ""
    faith: str = ""
    reading: Reading = Reading.UNSPECIFIED
    updated_at: datetime
    labels: Labels

    def checked(self) -> Self:
        """As it is, if it can be: INVALID_ARGUMENT for a time or a language that is none, and for half a span of time."""
        for name in TIMES:
            told = getattr(self, name)
            if told and not _TIME.fullmatch(told):
                raise InvalidArgument(
                    "TIME_OF_DAY_INVALID", "Write it as 09:00.", field=f"preferences.{name}"
                )
        for first, last in (TIMES[:2], TIMES[2:]):
            if bool(getattr(self, first)) is not bool(getattr(self, last)):
                raise InvalidArgument(
                    "TIME_SPAN_HALF", "Say from when and until when.", field=f"preferences.{last}"
                )
        check_language(self.language, "preferences.language")
        return self

    def says_the_same(self, other: Self) -> bool:
        """Whether nothing that the patient said differs."""
        said = [f.name for f in fields(self) if f.name not in _ABOUT_THE_ROW]
        return all(getattr(self, name) == getattr(other, name) for name in said)

    def at(self, id: UUID, facility_id: UUID, labels: Labels, when: datetime, version: int) -> Self:
        """As this facility writes it down now."""
        return replace(
            self,
            id=id,
            facility_id=facility_id,
            labels=labels,
            updated_at=when,
            version=version,
        )


_ABOUT_THE_ROW = frozenset({"id", "version", "facility_id", "patient_id", "updated_at", "labels"})


def preferences_id(patient_id: UUID, facility_id: UUID) -> UUID:
    return uuid5(_ROOT, f"{patient_id}/{facility_id}")


def check_language(language: str, field: str) -> None:
    """INVALID_ARGUMENT for what has not the form of a BCP 47 tag; nothing is no tag, and lets through."""
    if language and not _LANGUAGE.fullmatch(language):
        raise InvalidArgument("LANGUAGE_INVALID", "Write it as en or es-MX.", field=field)
