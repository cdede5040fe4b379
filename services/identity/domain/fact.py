"""What registry says about patients, kept as it was told, and what the decider is asked about with it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument
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
from services.identity.domain.access.window import Window, earliest
from services.identity.domain.text import check_name

# Nobody tells since when a patient has a chart somewhere, or when a visit began that has no day.
SINCE_EVER = datetime(1900, 1, 1, tzinfo=UTC)
# The terms that every organization agreed to when it joined. Never changed: the agreement has the same id for ever.
NETWORK_AGREEMENT_ID = UUID("0d9d2a51-3f6a-5b1e-8a53-6a1b0c7e4f21")


_FEWEST = 2


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
    merged_into: UUID | None = None

    def says_the_same_as(self, other: "AccessFact") -> bool:
        return replace(self, version=other.version) == other


class AgreementState(StrEnum):
    PENDING = "PENDING"
    IN_FORCE = "IN_FORCE"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An agreement as it is kept. `parties` None: every organization of the network, also those that join later.

    `roster` None: about all patients; else about those who were listed with that version of it.
    """

    id: UUID
    title: str = ""
    parties: tuple[UUID, ...] | None
    purposes: tuple[str, ...]
    classes: tuple[str, ...]
    needs_consent: bool
    from_at: datetime
    until_at: datetime | None
    ended_at: datetime | None = None
    roster: int | None = None
    patient_count: int = 0
    version: int = 1

    def among(
        self, organizations: frozenset[UUID], listed: frozenset[UUID] = frozenset()
    ) -> Agreement:
        """As the decider is told it: `listed` are those on its list of whom is decided."""
        return Agreement(
            id=self.id,
            parties=organizations if self.parties is None else frozenset(self.parties),
            purposes=frozenset(p for p in RELATION_PURPOSES if p in self.purposes),
            classes=frozenset(c for c in ALL_CLASSES if c in self.classes),
            needs_consent=self.needs_consent,
            from_at=self.from_at,
            until_at=earliest(self.until_at, self.ended_at),
            patient_ids=None if self.roster is None else listed,
        )

    def state(self, at: datetime) -> AgreementState:
        window = Window(self.from_at, earliest(self.until_at, self.ended_at))
        if window.has_ended(at):
            return AgreementState.ENDED
        return AgreementState.IN_FORCE if window.holds(at) else AgreementState.PENDING

    def check(self) -> None:
        check_name("agreement.title", self.title)
        if self.parties is not None and len(set(self.parties)) < _FEWEST:
            raise InvalidArgument(
                "PARTIES_MISSING", "It takes two organizations.", field="agreement.party_ids"
            )
        if not self.purposes or not frozenset(self.purposes) <= RELATION_PURPOSES:
            raise InvalidArgument(
                "AGREEMENT_PURPOSES",
                "Organizations agree on treatment and care coordination; for the rest, ask the patient.",
                field="agreement.purposes",
            )
        if not self.classes:
            raise InvalidArgument(
                "AGREEMENT_CLASSES", "Say which sorts of data.", field="agreement.data_classes"
            )
        if self.until_at is not None and self.until_at <= self.from_at:
            raise InvalidArgument(
                "AGREEMENT_NEVER_HOLDS", "It ends before it begins.", field="agreement.end_time"
            )

    def check_parties(self, organizations: frozenset[UUID]) -> None:
        if not organizations.issuperset(self.parties or ()):
            raise InvalidArgument(
                "PARTY_UNKNOWN",
                "A party is an organization of the network.",
                field="agreement.party_ids",
            )

    def changed_to(self, wanted: Self, *, at: datetime) -> Self:
        """The next version, saying what `wanted` says; this one if that is nothing new. A new list is always new."""
        if self.state(at) is AgreementState.ENDED:
            raise FailedPrecondition("AGREEMENT_ENDED", "It has ended. Make another one.")
        wanted = replace(wanted, id=self.id, version=self.version, ended_at=self.ended_at)
        if wanted == self:
            return self
        wanted.check()
        return replace(wanted, version=self.version + 1)

    def with_list(self, patients: Collection[UUID], *, is_listed: bool) -> Self:
        """About the patients on a list, if it is: a new one, or, of nobody, the one that it has, which may be empty."""
        if not is_listed:
            return replace(self, roster=None, patient_count=0)
        if self.roster is not None and not patients:
            return self
        return replace(self, roster=self.version + 1, patient_count=len(patients))

    def end(self, *, at: datetime) -> Self:
        """The version that has ended; this one if it has."""
        if self.state(at) is AgreementState.ENDED:
            return self
        return replace(self, ended_at=at, version=self.version + 1)


def network_agreement(at: datetime) -> Signed:
    """What the members of a network share by being members: everything that giving and arranging care needs."""
    return Signed(
        id=NETWORK_AGREEMENT_ID,
        title="Terms of the network",
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
    charted = {place for fact in known if fact is not record for place in fact.facility_ids}
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
        programs=frozenset(charted.difference(record.facility_ids if record else ())),
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
