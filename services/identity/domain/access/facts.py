"""What is known about one patient and decides who may see what: one class for each sort of fact."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.identity.domain.access.terms import DataClass, Label, Purpose
from services.identity.domain.access.window import Window, earliest


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """`person_id` is the account they sign in with. Retired: merged into another record."""

    id: UUID
    born_on: date | None = None
    person_id: UUID | None = None
    is_retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """`covered` organizations are bound by HIPAA, or by a business associate agreement."""

    jurisdiction: str
    organization_of: Mapping[UUID, UUID] = field(default_factory=dict)
    teams: frozenset[UUID] = frozenset()
    covered: frozenset[UUID] = frozenset()
    deactivated: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The patient has a chart at a facility."""

    id: UUID
    facility_id: UUID
    from_at: datetime
    until_at: datetime | None = None

    @property
    def window(self) -> Window:
        return Window(self.from_at, self.until_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """A visit, planned, going on or over, that was not taken back."""

    id: UUID
    facility_id: UUID
    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person or a team on the care team, and the facility for which they are."""

    id: UUID
    grantee_id: UUID
    facility_id: UUID
    from_at: datetime
    until_at: datetime | None = None

    @property
    def window(self) -> Window:
        return Window(self.from_at, self.until_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """Sent by a facility to another one, or to an organization; `ended_at` once it was answered or taken back."""

    id: UUID
    from_facility_id: UUID
    to_id: UUID
    classes: frozenset[DataClass]
    sent_at: datetime
    ended_at: datetime | None = None

    @property
    def window(self) -> Window:
        return Window(self.sent_at, self.ended_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What organizations have signed: each may see what the others know, for these purposes, as far as these classes.

    `patient_ids` None: of all patients. `needs_consent`: of those only who opted in.
    """

    id: UUID
    parties: frozenset[UUID]
    purposes: frozenset[Purpose]
    classes: frozenset[DataClass]
    from_at: datetime
    until_at: datetime | None = None
    patient_ids: frozenset[UUID] | None = None
    needs_consent: bool = False

    @property
    def window(self) -> Window:
        return Window(self.from_at, self.until_at)

    def includes(self, patient_id: UUID) -> bool:
        return self.patient_ids is None or patient_id in self.patient_ids


class ConsentDecision(StrEnum):
    PERMIT = "PERMIT"
    DENY = "DENY"


class ConsentForm(StrEnum):
    ELECTRONIC = "ELECTRONIC"
    VERBAL = "VERBAL"
    PAPER = "PAPER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the patient, or somebody for them, allows or forbids.

    Nobody named as recipient means, in a PERMIT, those who treat the patient; in a DENY, everybody. Other sets that
    are empty allow nothing and forbid everything. `evidence_id` is the signature, the witness or the scan.
    """

    id: UUID
    version: int = 1
    decision: ConsentDecision
    recipients: frozenset[UUID] = frozenset()
    sources: frozenset[UUID] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    labels: frozenset[Label] = frozenset()
    classes: frozenset[DataClass] = frozenset()
    given_at: datetime
    from_at: datetime
    until_at: datetime | None = None
    withdrawn_at: datetime | None = None
    form: ConsentForm = ConsentForm.ELECTRONIC
    evidence_id: UUID | None = None
    given_by: UUID | None = None

    @property
    def is_permit(self) -> bool:
        return self.decision is ConsentDecision.PERMIT

    @property
    def window(self) -> Window:
        """In force: never before it was given."""
        return Window(max(self.given_at, self.from_at), earliest(self.until_at, self.withdrawn_at))

    def check(self) -> None:
        """Refuse to record a permission that could never release anything, or has no form."""
        if not self.is_permit:
            return
        if not (self.purposes and self.labels and self.classes):
            raise InvalidArgument(
                "CONSENT_NAMES_NOTHING",
                "A permission names purposes, labels and classes of data.",
                field="consent",
            )
        if self.evidence_id is None:
            raise InvalidArgument(
                "CONSENT_WITHOUT_EVIDENCE",
                "A permission needs its signature, its witness or its scan.",
                field="consent.evidence_id",
            )

    def changed_to(self, wanted: Self) -> Self:
        """The next version, saying what `wanted` says; this one if that is nothing new."""
        if self.withdrawn_at is not None:
            raise FailedPrecondition("CONSENT_WITHDRAWN", "Ask for a new one.")
        wanted = replace(wanted, id=self.id, version=self.version, withdrawn_at=None)
        if wanted == self:
            return self
        wanted.check()
        return replace(wanted, version=self.version + 1)

    def withdraw(self, *, at: datetime) -> Self:
        """The next version, without effect from `at` on; what was shown before stays shown. This one if it was already."""
        if self.withdrawn_at is not None:
            return self
        return replace(self, withdrawn_at=at, version=self.version + 1)


class ProxyKind(StrEnum):
    PARENT = "PARENT"
    GUARDIAN = "GUARDIAN"
    ATTORNEY = "ATTORNEY"  # health-care power of attorney
    CAREGIVER = "CAREGIVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Somebody who acts for the patient, as far as `classes`. Barred: abuse or endangerment (164.502(g)(5))."""

    id: UUID
    person_id: UUID
    kind: ProxyKind
    classes: frozenset[DataClass]
    from_at: datetime
    until_at: datetime | None = None
    evidence_id: UUID | None = None
    is_barred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Somebody without a relationship needs to see one patient now, and says why."""

    id: UUID
    person_id: UUID
    opened_at: datetime
    reauthenticated_at: datetime
    reason: str
    ended_at: datetime | None = None
    is_part2_emergency: bool = False
    is_medical: bool = False


class Exemption(StrEnum):
    """45 CFR 171: what excuses keeping something from the patient for a while."""

    PREVENTING_HARM = "PREVENTING_HARM"
    PRIVACY = "PRIVACY"
    SECURITY = "SECURITY"
    INFEASIBILITY = "INFEASIBILITY"
    HEALTH_IT_PERFORMANCE = "HEALTH_IT_PERFORMANCE"
    MANNER = "MANNER"
    FEES = "FEES"
    LICENSING = "LICENSING"
    TEFCA_MANNER = "TEFCA_MANNER"
    PROTECTING_CARE_ACCESS = "PROTECTING_CARE_ACCESS"


EXCEPTIONS = frozenset(map(str, Exemption))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Something that the patient is not shown yet, by a documented exception. Without one, or without an end, it holds nothing."""

    id: UUID
    classes: frozenset[DataClass]
    from_at: datetime
    until_at: datetime | None
    exception: str

    @property
    def window(self) -> Window:
        return Window(self.from_at, self.until_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything about one patient. `known_at` are the facilities that may hold rows of theirs. No order matters.

    `programs` are those of them that nobody else may know of: Part 2 programs, which the record itself does not mention.
    """

    patient: Patient
    network: Network
    known_at: frozenset[UUID] = frozenset()
    programs: frozenset[UUID] = frozenset()
    registrations: tuple[Registration, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    memberships: tuple[Membership, ...] = ()
    referrals: tuple[Referral, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    consents: tuple[Consent, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    emergencies: tuple[BreakGlass, ...] = ()
    holds: tuple[Hold, ...] = ()

    def newest_consents(self) -> tuple[Consent, ...]:
        """Of each consent what it says now."""
        newest: dict[UUID, Consent] = {}
        for consent in self.consents:
            known = newest.get(consent.id)
            if known is None or known.version < consent.version:
                newest[consent.id] = consent
        return tuple(newest.values())

    def organization_of(self, facility_id: UUID) -> UUID | None:
        return self.network.organization_of.get(facility_id)

    def facilities_among(self, places: frozenset[UUID]) -> frozenset[UUID]:
        """The facilities that are named, themselves or by their organization."""
        return places | {
            facility
            for facility, organization in self.network.organization_of.items()
            if organization in places
        }
