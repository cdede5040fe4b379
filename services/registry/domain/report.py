"""What facilities report: of persons, of visits, appointments and results, and of records that are one person's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from services.registry.domain.labels import NOTHING_KNOWN, Provenance

V = TypeVar("V")


class Sex(StrEnum):
    FEMALE = "FEMALE"
    MALE = "MALE"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A number that an authority gave somebody. The assigner is in upper case."""

    assigner: str
    value: str
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    family: str = ""
    given: tuple[str, ...] = ()
    use: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    lines: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    use: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telecom:
    value: str
    is_email: bool = False
    use: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as one message describes them, or as all messages together do.

    Empty says nothing. `cleared` names the fields that the sender wants deleted. A day of birth is
    "1980-04-30", "1980-04", "1980" or "".
    """

    identifiers: tuple[Identifier, ...] = ()
    names: tuple[PersonName, ...] = ()
    birth_on: str = ""
    sex: Sex | None = None
    addresses: tuple[Address, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    language: str = ""
    is_deceased: bool | None = None
    died_at: datetime | None = None
    cleared: tuple[str, ...] = ()
    _worked_out: dict[object, Any] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def once(self, work_out: "Callable[[Person], V]") -> V:
        """What a pure function makes of the person, worked out once: a batch asks the same again and again."""
        if work_out not in self._worked_out:
            self._worked_out[work_out] = work_out(self)
        found: V = self._worked_out[work_out]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    code: str
    system: str = ""
    text: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSaid:
    """What one message says of a visit. Empty says nothing; `cleared` names what is to be deleted."""

    visit_number: str = ""
    patient_class: str = ""
    location: str = ""
    admission_type: str = ""
    attending: str = ""
    discharge_disposition: str = ""
    admit_at: datetime | None = None
    discharge_at: datetime | None = None
    admit_reason: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()
    cleared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which message, of which facility, and when it happened; what is known of its feed, and how it restricts access."""

    message_id: UUID
    feed_id: str
    facility_id: UUID
    trigger: str
    event_at: datetime
    message_at: datetime
    content_hash: str
    version: int = 1
    provenance: Provenance = NOTHING_KNOWN
    sent: tuple[str, ...] = ()

    @property
    def stamp(self) -> str:
        """Sorts as (event time, message time, content, replay): of two that speak of one thing, the later counts."""
        return stamp(self.event_at, self.message_at, f"{self.content_hash}|{self.version:06d}")


def stamp(event_at: datetime, message_at: datetime, tie: str) -> str:
    """Times in a form whose order as text is their order in time."""
    times = (at.astimezone(UTC).isoformat(timespec="microseconds") for at in (event_at, message_at))
    return "|".join((*times, tie))


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReport:
    source: Source
    person: Person
    visit: VisitSaid


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReport:
    source: Source
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """The retired numbers belong to the survivor."""

    survivor: Person
    retired: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    source: Source
    merges: tuple[Merge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentSaid:
    """What one message says of an appointment. Empty says nothing."""

    number: str
    start_at: datetime | None = None
    end_at: datetime | None = None
    status: str = ""
    reason: str = ""
    practitioner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentReport:
    source: Source
    person: Person
    appointment: AppointmentSaid


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationSaid:
    """What one message says of one result. Empty says nothing."""

    number: str
    code: str
    code_system: str = ""
    sub_id: str = ""
    name: str = ""
    panel: str = ""
    value: str = ""
    quantity: float | None = None
    comparator: str = ""
    unit: str = ""
    reference_range: str = ""
    flags: tuple[str, ...] = ()
    status: str
    observed_at: datetime | None = None
    reported_at: datetime
    orderer: str = ""
    laboratory: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReport:
    source: Source
    person: Person
    observations: tuple[ObservationSaid, ...]


Report = VisitReport | PersonReport | MergeReport | AppointmentReport | ResultReport


class Outcome(StrEnum):
    APPLIED = "APPLIED"
    NO_OP = "NO_OP"
    PARKED = "PARKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What became of one message: exactly one of these per message, and a newer one only after a replay."""

    message_id: UUID
    version: int
    feed_id: str
    facility_id: UUID
    trigger: str
    content_hash: str
    outcome: Outcome
    reason: str
    patient_id: UUID | None
    encounter_id: UUID | None


def answer(
    source: Source,
    outcome: Outcome,
    reason: str = "",
    *,
    patient_id: UUID | None = None,
    encounter_id: UUID | None = None,
) -> Handled:
    """What became of the message of a report."""
    return Handled(
        message_id=source.message_id,
        version=source.version,
        feed_id=source.feed_id,
        facility_id=source.facility_id,
        trigger=source.trigger,
        content_hash=source.content_hash,
        outcome=outcome,
        reason=reason,
        patient_id=patient_id,
        encounter_id=encounter_id,
    )
