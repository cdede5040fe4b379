"""What a message says, in plain words of our own: the normalized report."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.interop.domain.feed import Provenance


@dataclass(frozen=True, slots=True)
class Identifier:
    assigner: str
    value: str
    type: str


@dataclass(frozen=True, slots=True)
class Name:
    family: str
    given: tuple[str, ...]
    use: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Address:
    lines: tuple[str, ...]
    city: str
    state: str
    postal_code: str
    use: str


@dataclass(frozen=True, slots=True)
class Telecom:
    value: str
    is_email: bool
    use: str


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A day, or what is known of one: unknown parts are 0."""

    year: int
    month: int
    day: int


@dataclass(slots=True, kw_only=True)
class Person:
    """What a message says of a person. Empty: nothing said. `cleared` names what the sender deletes."""

    identifiers: tuple[Identifier, ...] = ()
    names: tuple[Name, ...] = ()
    birth_on: PartialDate | None = None
    sex: str = ""
    addresses: tuple[Address, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    language: str = ""
    death_indicator: str = ""
    died_at: datetime | None = None
    cleared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    code: str
    system: str
    text: str
    type: str


@dataclass(slots=True, kw_only=True)
class Visit:
    """What a message says of a visit. Empty: nothing said. `cleared` names what the sender deletes."""

    visit_number: str = ""
    patient_class: str = ""
    location: str = ""
    admission_type: str = ""
    attending: str = ""
    discharge_disposition: str = ""
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    admit_reason: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()
    cleared: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Appointment:
    """What a message says of an appointment. Empty: nothing said."""

    number: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    status: str = ""
    reason: str = ""
    practitioner: str = ""
    location: str = ""


@dataclass(slots=True, kw_only=True)
class Observation:
    """What a message says of one result of a laboratory. Empty: nothing said."""

    number: str
    code: str
    code_system: str = ""
    sub_id: str = ""
    name: str = ""
    panel: str = ""
    value_type: str = ""
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


@dataclass(frozen=True, slots=True)
class Merge:
    """One survivor and the numbers that are retired for it."""

    survivor: Person
    retired: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing that a facility told of: a visit, an appointment, results, a person, or merges; and how it restricts access to that, in
    its codes.
    """

    trigger: str
    facility_id: UUID
    event_at: datetime
    message_at: datetime
    person: Person | None = None
    visit: Visit | None = None
    appointment: Appointment | None = None
    observations: tuple[Observation, ...] | None = None
    merges: tuple[Merge, ...] = ()
    provenance: Provenance
    confidentiality: tuple[str, ...]
