"""What may leave the network: the decider with the recipient as the caller, what has to go with it, and what is kept of it.

Not legal advice: a network's counsel checks the notices and the years.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from libs.chassis.errors import FailedPrecondition
from services.identity.domain.access.boxes import Access, Question, may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Consent, ConsentDecision, ConsentForm, Facts
from services.identity.domain.access.terms import OWN_PURPOSES, DataClass, Label, Purpose

# 45 CFR 164.528(a)(1): what has left in the six years before the patient asks.
ACCOUNTED_YEARS = 6
# 42 CFR 2.24: an intermediary lists to whom it disclosed in the past three years.
PART2_YEARS = 3
# 45 CFR 164.528(a)(1)(i): treatment, payment and operations are not accounted for; care is arranged and given in
# emergencies as treatment.
_UNACCOUNTED = OWN_PURPOSES | {
    Purpose.TREATMENT,
    Purpose.EMERGENCY,
    Purpose.CARE_COORDINATION,
    Purpose.PAYMENT,
    Purpose.OPERATIONS,
}


class RecipientKind(StrEnum):
    FACILITY = "FACILITY"
    ORGANIZATION = "ORGANIZATION"
    PERSON = "PERSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who gets it. A facility gets it with its organization.

    Whom only the sender knows answers to an organization that only the sender knows: what is forbidden that one is forbidden
    them, and it gives them nothing.
    """

    id: UUID
    kind: RecipientKind
    organization_id: UUID | None = None
    answers_to: UUID | None = None

    def question(self, item: "Item", purpose: Purpose, at: datetime) -> Question:
        is_facility = self.kind is RecipientKind.FACILITY
        belongs = self.organization_id or (
            self.id if self.kind is RecipientKind.ORGANIZATION else None
        )
        return Question(
            person_id=self.id,
            facility_ids=frozenset({self.id}) if is_facility else frozenset(),
            organization_ids=frozenset({belongs}) if belongs else frozenset(),
            purpose=purpose,
            source_id=item.source_id,
            labels=item.labels,
            data_class=item.data_class,
            at=at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    patient_id: UUID
    source_id: UUID
    data_class: DataClass
    labels: frozenset[Label]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What a service would like to send to somebody at once."""

    id: UUID
    recipient: Recipient
    purpose: Purpose
    items: Sequence[Item]
    service: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """An item that may leave, by which consents; none where it leaves without."""

    index: int
    item: Item
    consent_ids: frozenset[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A statement that accompanies what leaves. A change of the law is a new one with its day; none is ever edited."""

    code: str
    effective_on: date
    text: str
    source: str


NOTICES = (
    Notice(
        code="PART2",
        effective_on=date(2018, 2, 2),
        text="42 CFR part 2 prohibits unauthorized disclosure of these records.",
        source="42 CFR 2.32(a)(2), 83 FR 251",
    ),
    Notice(
        code="PART2",
        effective_on=date(2024, 4, 16),
        text="42 CFR part 2 prohibits unauthorized use or disclosure of these records.",
        source="42 CFR 2.32(a)(2), 89 FR 12472",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What has left of one patient at once. Its sorts and places, not what it said."""

    id: UUID
    patient_id: UUID
    recipient_id: UUID
    recipient_kind: str
    purpose: str
    source_ids: tuple[UUID, ...]
    classes: tuple[str, ...]
    consent_ids: tuple[UUID, ...]
    is_accountable: bool
    is_part2: bool
    service: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A patient's permission for one sending, which the sender has recorded and keeps with its evidence."""

    id: UUID
    patient_id: UUID
    form: ConsentForm
    given_at: datetime
    labels: frozenset[Label]
    classes: frozenset[DataClass]


def authorized(
    facts: Mapping[UUID, Facts], authorizations: Collection[Authorization], sending: Sending
) -> dict[UUID, Facts]:
    """The facts with what patients permitted the sender: it names the recipient and the purpose, and weighs as any consent."""
    after = dict(facts)
    for one in authorizations:
        if known := after.get(one.patient_id):
            consents = (*known.consents, _as_consent(one, sending))
            after[one.patient_id] = replace(known, consents=consents)
    return after


def _as_consent(one: Authorization, sending: Sending) -> Consent:
    return Consent(
        id=one.id,
        decision=ConsentDecision.PERMIT,
        recipients=frozenset({sending.recipient.id}),
        purposes=frozenset({sending.purpose}),
        labels=one.labels,
        classes=one.classes,
        given_at=one.given_at,
        from_at=one.given_at,
        form=one.form,
        evidence_id=one.id,
    )


def released(facts: Mapping[UUID, Facts], sending: Sending) -> list[Released]:
    """The items that may leave. Nothing leaves of a patient of whom nothing is known."""
    access = {patient_id: decide(known, sending.at) for patient_id, known in facts.items()}
    found = []
    for index, item in enumerate(sending.items):
        question = sending.recipient.question(item, sending.purpose, sending.at)
        known = access.get(item.patient_id)
        if known is not None and _may_leave(known, question, sending.recipient):
            consent_ids = _consents(known, question)
            found.append(Released(index=index, item=item, consent_ids=consent_ids))
    return found


def _may_leave(access: Access, question: Question, recipient: Recipient) -> bool:
    above = recipient.answers_to
    is_forbidden = above is not None and access.forbids(above, question)
    return may(access, question) and not is_forbidden


def _consents(access: Access, question: Question) -> frozenset[UUID]:
    """The consents that it leaves by; none if there is a way without, such as the recipient's own row."""
    if question.is_about_own_row and not access.stopping_own(question):
        return frozenset()
    ways = [
        grant.consent_id
        for grant in access.grants_to(question)
        if grant.covers(question) and not access.stopping(grant, question)
    ]
    return frozenset() if None in ways else frozenset(way for way in ways if way)


def notices(found: Collection[Released], at: datetime) -> list[Notice]:
    """What has to go with it: the statement about Part 2 records, wherever such records leave by a consent."""
    if not any(Label.PART2 in one.item.labels and one.consent_ids for one in found):
        return []
    in_effect = [one for one in NOTICES if one.effective_on <= at.date()]
    return [max(in_effect, key=lambda one: one.effective_on)]


def to_be_kept(sending: Sending, found: Collection[Released]) -> list[Disclosure]:
    """For each patient what has left, for the accounting."""
    patients = sorted({one.item.patient_id for one in found})
    return [
        _kept(sending, patient_id, [one for one in found if one.item.patient_id == patient_id])
        for patient_id in patients
    ]


def _kept(sending: Sending, patient_id: UUID, found: Collection[Released]) -> Disclosure:
    is_unauthorized = any(not one.consent_ids for one in found)
    return Disclosure(
        id=sending.id,
        patient_id=patient_id,
        recipient_id=sending.recipient.id,
        recipient_kind=str(sending.recipient.kind),
        purpose=str(sending.purpose),
        source_ids=tuple(sorted({one.item.source_id for one in found})),
        classes=tuple(sorted({str(one.item.data_class) for one in found})),
        consent_ids=tuple(sorted({consent for one in found for consent in one.consent_ids})),
        is_accountable=sending.purpose not in _UNACCOUNTED and is_unauthorized,
        is_part2=any(Label.PART2 in one.item.labels for one in found),
        service=sending.service,
        at=sending.at,
    )


def check_same(before: Collection[Disclosure], now: Collection[Disclosure]) -> None:
    """Refuse to let something else leave under an id that something has left under."""
    at = min((one.at for one in before), default=None)
    if at is None or set(before) != {replace(one, at=at) for one in now}:
        raise FailedPrecondition(
            "DISCLOSURE_CHANGED", "Something else may leave by now. Ask with a new id."
        )


def years_before(at: datetime, years: int) -> datetime:
    try:
        return at.replace(year=at.year - years)
    except ValueError:  # 29 February
        return at.replace(year=at.year - years, day=28)
