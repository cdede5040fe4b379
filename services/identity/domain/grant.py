"""The decider: facts about patients become grants, which facility may see whom and why."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

# Never changed: a grant has the same id for ever, here and in every projection.
_NAMESPACE = UUID("6f0a7a4e-6d0e-5d0e-9a51-5b0f4c1f3a10")


class FactKind(StrEnum):
    PATIENT = "PATIENT"
    ENCOUNTER = "ENCOUNTER"


class Reason(StrEnum):
    REGISTERED = "REGISTERED"
    TREATED = "TREATED"


_REASON_OF = {FactKind.PATIENT: Reason.REGISTERED, FactKind.ENCOUNTER: Reason.TREATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFact:
    """What registry last said: where a patient is known, or where a visit took place.

    It does not hold of a patient who was merged into another, or of a visit that was taken back.
    """

    kind: FactKind
    id: UUID
    version: int
    patient_id: UUID
    facility_ids: tuple[UUID, ...]
    is_holding: bool

    def says_the_same_as(self, other: "AccessFact") -> bool:
        return replace(self, version=other.version) == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A facility may see a patient, for one reason. An ended grant stays, as a tombstone with a version."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    reason: Reason
    expires_at: datetime | None = None
    is_active: bool


def grant_id(facility_id: UUID, patient_id: UUID, reason: Reason) -> UUID:
    return uuid5(_NAMESPACE, f"{facility_id}/{patient_id}/{reason}")


def decide(patient_id: UUID, facts: Iterable[AccessFact]) -> frozenset[tuple[UUID, Reason]]:
    """Which facilities may see the patient, and why.

    Nobody sees a retired record: what belonged to it arrives under the survivor, visits and facilities alike.
    """
    theirs = [fact for fact in facts if fact.patient_id == patient_id]
    if any(fact.kind is FactKind.PATIENT and not fact.is_holding for fact in theirs):
        return frozenset()
    return frozenset(
        (facility_id, _REASON_OF[fact.kind])
        for fact in theirs
        if fact.is_holding
        for facility_id in fact.facility_ids
    )


def reconcile(
    patient_id: UUID, facts: Iterable[AccessFact], grants: Collection[Grant]
) -> Sequence[Grant]:
    """The next versions of the grants that the facts give or end; nothing for those that stay as they are."""
    wanted = decide(patient_id, facts)
    known = {(grant.facility_id, grant.reason): grant for grant in grants}
    given = [
        _given(patient_id, facility_id, reason, known.get((facility_id, reason)))
        for facility_id, reason in sorted(wanted)
        if not ((grant := known.get((facility_id, reason))) and grant.is_active)
    ]
    ended = [
        replace(grant, is_active=False, version=grant.version + 1)
        for key, grant in sorted(known.items())
        if grant.is_active and key not in wanted
    ]
    return [*given, *ended]


def _given(patient_id: UUID, facility_id: UUID, reason: Reason, before: Grant | None) -> Grant:
    if before:
        return replace(before, is_active=True, version=before.version + 1)
    return Grant(
        id=grant_id(facility_id, patient_id, reason),
        version=1,
        facility_id=facility_id,
        patient_id=patient_id,
        reason=reason,
        is_active=True,
    )
