"""What registry says about patients, kept as it was told, and what the decider is asked about with it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

from services.identity.domain.access.facts import (
    Agreement,
    BreakGlass,
    Consent,
    Facts,
    Hold,
    Membership,
    Network,
    Patient,
    Proxy,
    Referral,
    Registration,
    Treatment,
)
from services.identity.domain.access.terms import ALL_CLASSES, RELATION_PURPOSES

# Nobody tells since when a patient has a chart somewhere, or when a visit began that has no day.
SINCE_EVER = datetime(1900, 1, 1, tzinfo=UTC)
# The terms that every organization agreed to when it joined. Never changed: the agreement has the same id for ever.
NETWORK_AGREEMENT_ID = UUID("0d9d2a51-3f6a-5b1e-8a53-6a1b0c7e4f21")


class FactKind(StrEnum):
    PATIENT = "PATIENT"
    ENCOUNTER = "ENCOUNTER"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFact:
    """What registry last said: where a patient is known, or where and when a visit took place.

    It does not hold of a patient who was merged into another, or of a visit that was taken back. A fact of the kind PATIENT
    with another id than the patient's is the chart of a Part 2 program, which the record itself does not mention.
    """

    kind: FactKind
    id: UUID
    version: int
    patient_id: UUID
    facility_ids: tuple[UUID, ...]
    is_holding: bool
    began_at: datetime | None = None
    ended_at: datetime | None = None
    born_on: date | None = None

    def says_the_same_as(self, other: "AccessFact") -> bool:
        return replace(self, version=other.version) == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An agreement as it is kept. `parties` None: every organization of the network, also those that join later."""

    id: UUID
    parties: tuple[UUID, ...] | None
    purposes: tuple[str, ...]
    classes: tuple[str, ...]
    needs_consent: bool
    from_at: datetime
    until_at: datetime | None

    def among(self, organizations: frozenset[UUID]) -> Agreement:
        return Agreement(
            id=self.id,
            parties=organizations if self.parties is None else frozenset(self.parties),
            purposes=frozenset(p for p in RELATION_PURPOSES if p in self.purposes),
            classes=frozenset(c for c in ALL_CLASSES if c in self.classes),
            needs_consent=self.needs_consent,
            from_at=self.from_at,
            until_at=self.until_at,
        )


def network_agreement(at: datetime) -> Signed:
    """What the members of a network share by being members: everything that giving and arranging care needs."""
    return Signed(
        id=NETWORK_AGREEMENT_ID,
        parties=None,
        purposes=tuple(sorted(RELATION_PURPOSES)),
        classes=tuple(sorted(ALL_CLASSES)),
        needs_consent=False,
        from_at=at,
        until_at=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What people have recorded about a patient, besides what registry tells."""

    person_id: UUID | None = None
    memberships: tuple[Membership, ...] = ()
    referrals: tuple[Referral, ...] = ()
    consents: tuple[Consent, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    emergencies: tuple[BreakGlass, ...] = ()
    holds: tuple[Hold, ...] = ()


def concerns_others(facts: Iterable[AccessFact]) -> bool:
    """Whether more than one place knows the patient. At one alone there is nothing to show to anybody, now or later."""
    return len({facility_id for fact in facts for facility_id in fact.facility_ids}) > 1


def facts_about(
    patient_id: UUID,
    told: Iterable[AccessFact],
    network: Network,
    agreements: tuple[Agreement, ...],
    recorded: Recorded | None = None,
) -> Facts:
    """What the decider is told of a patient."""
    told, recorded = tuple(told), recorded or Recorded()
    known = [fact for fact in told if fact.kind is FactKind.PATIENT]
    record = next((fact for fact in known if fact.id == patient_id), None)
    born_on = (fact.born_on for fact in sorted(known, key=lambda fact: fact is not record))
    return Facts(
        patient=Patient(
            id=patient_id,
            born_on=next((day for day in born_on if day), None),
            person_id=recorded.person_id,
            is_retired=record is not None and not record.is_holding,
        ),
        network=network,
        known_at=frozenset(place for fact in told for place in fact.facility_ids),
        registrations=tuple(
            Registration(id=patient_id, facility_id=place, from_at=SINCE_EVER)
            for place in sorted({place for fact in known for place in fact.facility_ids})
        ),
        treatments=tuple(
            Treatment(
                id=fact.id,
                facility_id=place,
                began_at=fact.began_at or SINCE_EVER,
                ended_at=fact.ended_at,
            )
            for fact in told
            if fact.kind is FactKind.ENCOUNTER and fact.is_holding
            for place in fact.facility_ids
        ),
        memberships=recorded.memberships,
        referrals=recorded.referrals,
        agreements=agreements,
        consents=recorded.consents,
        proxies=recorded.proxies,
        emergencies=recorded.emergencies,
        holds=recorded.holds,
    )
