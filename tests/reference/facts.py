"""The facts about one patient as the reference decider reads them: plain words, no identifiers but names."""

from dataclasses import dataclass, field
from datetime import date, datetime


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PURPOSES = words(
    "TREATMENT EMERGENCY CARE_COORDINATION PAYMENT OPERATIONS PUBLIC_HEALTH RESEARCH LEGAL "
    "PATIENT_REQUEST FAMILY_REQUEST"
)
CLASSES = words(
    "DEMOGRAPHICS VISITS CLINICAL RESULTS COORDINATION REFERRALS APPOINTMENTS MESSAGES BILLING"
)
LABELS = words(
    "NORMAL SUD PART2 MENTAL_HEALTH HIV STD REPRODUCTIVE VIOLENCE GENETIC MINOR_CONFIDENTIAL "
    "COUNSELING_NOTES WITHHELD"
)
EXCEPTIONS = words(
    "PREVENTING_HARM PRIVACY SECURITY INFEASIBILITY HEALTH_IT_PERFORMANCE MANNER FEES LICENSING "
    "TEFCA_MANNER PROTECTING_CARE_ACCESS"
)
NOBODY: frozenset[str] = frozenset()


@dataclass
class Patient:
    name: str = "patient"
    born_on: date | None = None
    person: str | None = None
    retired: bool = False


@dataclass
class Network:
    jurisdiction: str = "US"
    organization_of: dict[str, str] = field(default_factory=dict)
    covered: frozenset[str] = NOBODY
    deactivated: frozenset[str] = NOBODY
    teams: frozenset[str] = NOBODY


@dataclass
class Registration:
    facility: str
    since: datetime
    until: datetime | None = None


@dataclass
class Treatment:
    facility: str
    began: datetime
    ended: datetime | None = None


@dataclass
class Membership:
    grantee: str
    facility: str
    since: datetime
    until: datetime | None = None


@dataclass
class Referral:
    sender: str
    receiver: str
    classes: frozenset[str]
    sent: datetime
    ended: datetime | None = None


@dataclass
class Agreement:
    parties: frozenset[str]
    purposes: frozenset[str]
    classes: frozenset[str]
    patients: frozenset[str] | None
    needs_consent: bool
    since: datetime
    until: datetime | None = None


@dataclass
class Consent:
    permits: bool
    given: datetime
    since: datetime
    until: datetime | None = None
    withdrawn: datetime | None = None
    recipients: frozenset[str] = NOBODY
    sources: frozenset[str] = NOBODY
    purposes: frozenset[str] = NOBODY
    labels: frozenset[str] = NOBODY
    classes: frozenset[str] = NOBODY
    form: str = "ELECTRONIC"
    evidence: str | None = "signature"
    giver: str | None = None
    name: str = "consent"
    version: int = 1


@dataclass
class Proxy:
    person: str
    kind: str
    classes: frozenset[str]
    since: datetime
    until: datetime | None = None
    evidence: str | None = "paper"
    barred: bool = False


@dataclass
class Glass:
    person: str
    opened: datetime
    reauthenticated: datetime
    reason: str = "unconscious on arrival"
    ended: datetime | None = None
    part2_emergency: bool = False
    medical: bool = False


@dataclass
class Hold:
    classes: frozenset[str]
    since: datetime
    until: datetime | None
    exception: str


@dataclass
class World:
    """All that is true about one patient, at every instant."""

    patient: Patient
    network: Network
    known_at: frozenset[str] = NOBODY
    registrations: list[Registration] = field(default_factory=list)
    treatments: list[Treatment] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    proxies: list[Proxy] = field(default_factory=list)
    glasses: list[Glass] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)


@dataclass
class Question:
    """May this caller, for this purpose, see one row with this source, class and labels at this instant?"""

    at: datetime
    purpose: str
    source: str
    data_class: str
    labels: frozenset[str]
    person: str
    teams: frozenset[str] = NOBODY
    facilities: frozenset[str] = NOBODY
    organizations: frozenset[str] = NOBODY
