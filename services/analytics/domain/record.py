"""What neighbors told, newest only, and what is computed from it for one patient."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self, TypeVar
from uuid import UUID, uuid5

from services.analytics.domain import measures
from services.analytics.domain.labels import ORDINARY, Labels, inherit
from services.analytics.domain.measures import (
    CriticalResult,
    FollowedDischarge,
    SentReferral,
    Zones,
)
from services.analytics.domain.rate import Status, Unit
from services.analytics.domain.risk import Band, Findings, Score, Term, hospital, lace
from services.analytics.domain.stay import Stay, Visit, VisitClass

_SPACE = UUID("6f1f3c2e-58b7-5d6e-9a41-6d6f3d0a7c11")
_SCORED = frozenset({VisitClass.INPATIENT, VisitClass.OBSERVATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    id: UUID
    version: int
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Which record lives on in which."""

    retired_id: UUID
    survivor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVisit(Visit):
    """A visit as registry told it last. One that has not begun, or no longer, is taken back: it counts nowhere."""

    version: int
    is_taken_back: bool
    labels: Labels

    def is_known_at(self, facility_id: UUID) -> bool:
        """Whether what is computed at a facility may stand on it.

        Of elsewhere only what is not sensitive at all: who sees a score where it was computed sees it whatever its
        labels are, and nobody asks there what the patient has said about the rest.
        """
        return self.facility_id == facility_id or self.labels == ORDINARY


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDischarge:
    """A transition loop as tasking told it last. Without `discharged_at` the patient is still in hospital."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    encounter_id: UUID
    discharged_at: datetime | None
    contact_due_at: datetime | None
    contacted_at: datetime | None
    contact_evidence_id: UUID | None
    close_reason: str
    closed_at: datetime | None
    labels: Labels

    def followed(self, stay: Visit | None) -> FollowedDischarge | None:
        if self.discharged_at is None or self.contact_due_at is None:
            return None
        return FollowedDischarge(
            loop_id=self.id,
            encounter_id=self.encounter_id,
            patient_id=self.patient_id,
            facility_id=self.facility_id,
            discharged_at=self.discharged_at,
            contact_due_at=self.contact_due_at,
            contacted_at=self.contacted_at,
            contact_evidence_id=self.contact_evidence_id,
            close_reason=self.close_reason,
            closed_at=self.closed_at,
            stay=stay,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReferral:
    """A referral as referrals told it last. Without `sent_at` it was never sent."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    sent_at: datetime | None
    ended_at: datetime | None
    is_completed: bool
    state_reason: str
    labels: Labels

    def sent(self) -> SentReferral | None:
        if self.sent_at is None:
            return None
        return SentReferral(
            id=self.id,
            patient_id=self.patient_id,
            facility_id=self.facility_id,
            sent_at=self.sent_at,
            ended_at=self.ended_at,
            is_completed=self.is_completed,
            state_reason=self.state_reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCriticalResult:
    """The loop of a critical result as tasking told it last."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    result_id: UUID
    verified_at: datetime
    read_back_at: datetime | None
    read_back_evidence_id: UUID | None
    close_reason: str
    closed_at: datetime | None
    labels: Labels

    def told(self) -> CriticalResult:
        return CriticalResult(
            id=self.result_id,
            patient_id=self.patient_id,
            facility_id=self.facility_id,
            verified_at=self.verified_at,
            read_back_at=self.read_back_at,
            read_back_evidence_id=self.read_back_evidence_id,
            close_reason=self.close_reason,
            closed_at=self.closed_at,
        )


Known = TypeVar("Known", KnownVisit, KnownDischarge, KnownReferral, KnownCriticalResult)


def is_news(told: Known, known: Known | None) -> bool:
    """Whether it says anything that counts and that was not known, or was known otherwise."""
    if _is_gone(told) and (known is None or _is_gone(known)):
        return False
    if known is None:
        return True
    return told.version > known.version and replace(known, version=told.version) != told


def _is_gone(each: object) -> bool:
    return isinstance(each, KnownVisit) and each.is_taken_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A stay's score by one instrument."""

    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    encounter_id: UUID
    instrument: str
    variant: str
    score: int
    band: Band
    is_partial: bool
    terms: tuple[Term, ...]
    admitted_at: datetime
    computed_at: datetime
    labels: Labels

    def is_as(self, other: Self) -> bool:
        """Whether it says the same, whenever it was computed."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in self.__dataclass_fields__
            if name not in ("version", "computed_at")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredUnit:
    """A unit of a measure as a row. `day` is the day that it counts for, where the facility is; `took`, how long until it
    was done.
    """

    id: UUID
    facility_id: UUID
    patient_id: UUID
    measure: str
    subject_id: UUID
    day: date
    status: Status
    reason: str
    settles_at: datetime
    evidence_id: UUID | None
    took: timedelta | None
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that is known of one patient."""

    visits: Sequence[KnownVisit]
    discharges: Sequence[KnownDischarge]
    referrals: Sequence[KnownReferral]
    critical_results: Sequence[KnownCriticalResult]

    @property
    def facility_ids(self) -> frozenset[UUID]:
        return frozenset(
            [visit.facility_id for visit in self.visits]
            + [discharge.facility_id for discharge in self.discharges]
            + [referral.facility_id for referral in self.referrals]
            + [result.facility_id for result in self.critical_results]
        )

    def standing(self, facility_id: UUID) -> list[KnownVisit]:
        """The visits that took place and that a facility may know of."""
        return [v for v in self.visits if not v.is_taken_back and v.is_known_at(facility_id)]


def risks_of(history: History, zones: Zones, now: datetime) -> list[Risk]:
    """The scores of every stay, by the visits that its facility may know of."""
    found = list[Risk]()
    for visit in history.visits:
        if visit.visit_class not in _SCORED or visit.is_taken_back:
            continue
        stay = Stay.of(visit, history.standing(visit.facility_id), zones[visit.facility_id])
        labels = inherit(visit.labels, *_labels(stay.looked_at))
        for score in (lace(stay), hospital(stay, Findings())):
            found.append(_risk(visit, score, labels, now))
    return found


def _labels(visits: Iterable[Visit]) -> list[Labels]:
    return [visit.labels for visit in visits if isinstance(visit, KnownVisit)]


def _risk(visit: KnownVisit, score: Score, labels: Labels, now: datetime) -> Risk:
    return Risk(
        id=uuid5(_SPACE, f"risk {score.instrument} {visit.id}"),
        facility_id=visit.facility_id,
        patient_id=visit.patient_id,
        encounter_id=visit.id,
        instrument=score.instrument,
        variant=score.variant,
        score=score.score,
        band=score.band,
        is_partial=score.is_partial,
        terms=score.terms,
        admitted_at=visit.admitted_at,
        computed_at=now,
        labels=labels,
    )


def units_of(history: History, zones: Zones) -> list[MeasuredUnit]:
    """The units of every measure, each as sensitive as all that it was made of."""
    found = dict[UUID, MeasuredUnit]()
    for facility_id in sorted(history.facility_ids):
        for unit in _at(history, facility_id, zones):
            found[unit.id] = unit
    return list(found.values())


def _at(history: History, facility_id: UUID, zones: Zones) -> Iterable[MeasuredUnit]:
    """Of one facility, by what it may know of others."""
    visits = history.standing(facility_id)
    loops = {d.encounter_id: d for d in history.discharges if d.facility_id == facility_id}
    stays = {visit.id: visit for visit in visits}
    followed = [f for key, d in loops.items() if (f := d.followed(stays.get(key)))]
    seen = {each.patient_id: visits for each in followed}
    sent = {r.id: r for r in history.referrals if r.facility_id == facility_id}
    asked = [s for r in sent.values() if (s := r.sent())]
    results = {r.result_id: r for r in history.critical_results if r.facility_id == facility_id}
    by_id: dict[UUID, Labels] = {visit.id: visit.labels for visit in visits}
    by_id |= {key: inherit(loop.labels, by_id.get(key, ORDINARY)) for key, loop in loops.items()}
    by_id |= {key: referral.labels for key, referral in sent.items()}
    by_id |= {key: result.labels for key, result in results.items()}
    told: Mapping[str, Iterable[Unit]] = {
        measures.CONTACT: measures.contacts(followed, zones),
        measures.WEEK: measures.follow_ups(followed, seen, zones, measures.WEEK),
        measures.FORTNIGHT: measures.follow_ups(followed, seen, zones, measures.FORTNIGHT),
        measures.READMISSION: measures.readmissions(visits, zones),
        measures.REFERRAL: measures.referrals_closed(asked, zones),
        measures.CRITICAL_RESULT: measures.results_read_back(
            [each.told() for each in results.values()], zones
        ),
    }
    for measure, units in told.items():
        for unit in units:
            if unit.facility_id == facility_id:
                yield _measured(measure, unit, by_id)


def _measured(measure: str, unit: Unit, labels: Mapping[UUID, Labels]) -> MeasuredUnit:
    evidence = labels.get(unit.evidence_id) if unit.evidence_id else None
    made_of = [labels[unit.id], *([evidence] if evidence else [])]
    return MeasuredUnit(
        id=uuid5(_SPACE, f"unit {measure} {unit.id}"),
        facility_id=unit.facility_id,
        patient_id=unit.patient_id,
        measure=measure,
        subject_id=unit.id,
        day=unit.on,
        status=unit.status,
        reason=unit.reason,
        settles_at=unit.settles_at,
        evidence_id=unit.evidence_id,
        took=unit.took,
        labels=inherit(*made_of),
    )
