"""One stay of a patient, with what was known before it: what scores and measures look at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

# HL7 table 0007, and the digits of the uniform bill (UB-04, form locator 14), which many hospitals send in its place: what is
# no planned admission, and what is one. 9 is unknown.
URGENT_TYPES = frozenset({"A", "E", "U", "1", "2", "5"})
PLANNED_TYPES = frozenset({"C", "L", "N", "R", "3", "4"})
SIX_MONTHS = 6
TWELVE_MONTHS = 12
# From an emergency visit to the bed that it led to, at most. CareHub's choice.
LEADS_WITHIN = timedelta(hours=24)


class VisitClass(StrEnum):
    INPATIENT = "INPATIENT"
    OBSERVATION = "OBSERVATION"
    EMERGENCY = "EMERGENCY"
    OUTPATIENT = "OUTPATIENT"
    RECURRING = "RECURRING"
    PARTIAL = "PARTIAL"
    PREADMIT = "PREADMIT"
    OTHER = "OTHER"
    UNSPECIFIED = "UNSPECIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One encounter, as far as scores and measures look at it."""

    id: UUID
    patient_id: UUID
    facility_id: UUID
    visit_class: VisitClass
    admitted_at: datetime
    discharged_at: datetime | None
    admission_type: str = ""
    disposition: str = ""
    diagnoses: tuple[str, ...] = ()

    @property
    def category(self) -> str:
        """The category of ICD-10-CM of what it was about: of the first diagnosis that was told. Empty without one."""
        return self.diagnoses[0].strip().upper()[:3] if self.diagnoses else ""

    @property
    def is_urgent(self) -> bool | None:
        """Whether it was no planned admission. None: nobody told, or in a code that the table does not have."""
        if self.admission_type in URGENT_TYPES:
            return True
        return False if self.admission_type in PLANNED_TYPES else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A stay, in the time zone of its hospital, and the patient's visits that are known from before it."""

    index: Visit
    before: tuple[Visit, ...]
    time_zone: str

    @classmethod
    def of(cls, index: Visit, visits: Iterable[Visit], time_zone: str) -> Self:
        """The stay, with those of the patient's visits that began before it."""
        before = (v for v in visits if v.id != index.id and v.admitted_at < index.admitted_at)
        ordered = sorted(before, key=lambda v: (v.admitted_at, v.id))
        return cls(index=index, before=tuple(ordered), time_zone=time_zone)

    @property
    def nights(self) -> int | None:
        """Midnights between admission and discharge on the hospital's calendar. None while it lasts."""
        if self.index.discharged_at is None:
            return None
        return (self._day(self.index.discharged_at) - self._day(self.index.admitted_at)).days

    @property
    def looked_at(self) -> tuple[Visit, ...]:
        """The visits before it that anything about it is told by."""
        return tuple(self._within(TWELVE_MONTHS))

    @property
    def emergency_visits(self) -> int:
        """Emergency visits in the six months before, without the one that led to this stay."""
        led_here = {v.id for v in self.before if self._leads_here(v)}
        return sum(
            v.visit_class is VisitClass.EMERGENCY and v.id not in led_here
            for v in self._within(SIX_MONTHS)
        )

    @property
    def earlier_admissions(self) -> int:
        """Admissions to a bed in the twelve months before."""
        return sum(v.visit_class is VisitClass.INPATIENT for v in self._within(TWELVE_MONTHS))

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """The codes of this stay and of the twelve months before it."""
        codes = [*self.index.diagnoses]
        for visit in self._within(TWELVE_MONTHS):
            codes += visit.diagnoses
        return tuple(dict.fromkeys(codes))

    def _leads_here(self, visit: Visit) -> bool:
        """An emergency visit whose patient went straight to this bed: it ended no longer than a day before.

        Where nobody told the end, the beginning says it: an end that was never told must not make an old visit new.
        """
        if visit.visit_class is not VisitClass.EMERGENCY:
            return False
        last = visit.discharged_at or visit.admitted_at
        return self.index.admitted_at - last <= LEADS_WITHIN

    def _within(self, months: int) -> Iterable[Visit]:
        first = _months_before(self._day(self.index.admitted_at), months)
        return (v for v in self.before if self._day(v.admitted_at) >= first)

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.time_zone)).date()


def _months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the last of the month where there is no such day."""
    count = day.year * 12 + day.month - 1 - months
    year, month = count // 12, count % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
