"""A result as its laboratory tells it: of all that was told the newest counts, whatever order it came in.

Of one result (facility, number, code, sub-id) there is a row for each patient to whom it was ever posted. Who has it is
who was named last; for the others it was posted in error.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from services.registry.domain.critical import VERSION as CRITICAL_VERSION
from services.registry.domain.critical import Criticality, analyte_of, judge
from services.registry.domain.labels import NOTHING_KNOWN, Label, inherit, label
from services.registry.domain.labels import VERSION as LABEL_VERSION
from services.registry.domain.report import ObservationSaid, ResultReport, Source, stamp

# The root of ids that must be the same for ever; never change it.
OBSERVATIONS = UUID("4b0f6a0c-93d7-5c1e-8e0a-6f5b2c9d7e31")
FOLLOWED = frozenset({"R01"})
_ORDINARY = frozenset({Label.NORMAL})
# A code that names no system is no diagnosis.
_NO_SYSTEM = "LOCAL"


class ObservationState(StrEnum):
    REGISTERED = "REGISTERED"
    PRELIMINARY = "PRELIMINARY"
    FINAL = "FINAL"
    CORRECTED = "CORRECTED"
    CANCELLED = "CANCELLED"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"


# HL7 table 0085, in the order in which of two that were told for the same instant the later counts.
_STATES = {
    "I": ObservationState.REGISTERED,
    "R": ObservationState.REGISTERED,
    "P": ObservationState.PRELIMINARY,
    "S": ObservationState.PRELIMINARY,
    "F": ObservationState.FINAL,
    "U": ObservationState.FINAL,
    "V": ObservationState.FINAL,
    "B": ObservationState.FINAL,
    "A": ObservationState.CORRECTED,
    "C": ObservationState.CORRECTED,
    "X": ObservationState.CANCELLED,
    "D": ObservationState.ENTERED_IN_ERROR,
    "W": ObservationState.ENTERED_IN_ERROR,
}
STATUSES = frozenset(_STATES)
_RANKS = {status: rank for rank, status in enumerate(_STATES)}
# They tell what became of a result, and not what it is: a withdrawal does not say anew what was wrong.
_WITHOUT_VALUE = frozenset("UXDW")
_COUNTS_FOR_NOBODY = frozenset({ObservationState.CANCELLED, ObservationState.ENTERED_IN_ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a result was told to be last, and since when it is."""

    state: ObservationState
    reported_at: datetime
    stamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a result was told to say last. `comparator`: where the quantity is a bound ("> 450")."""

    name: str
    panel: str
    value: str
    quantity: float | None
    unit: str
    reference_range: str
    flags: tuple[str, ...]
    observed_at: datetime | None
    orderer: str
    laboratory: str
    note: str
    stamp: str
    comparator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One result of one patient. `is_elsewhere`: it turned out to be somebody else's, or another row of theirs has it."""

    id: UUID
    result_id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    number: str
    code: str
    code_system: str
    sub_id: str
    standing: Standing
    content: Content
    is_elsewhere: bool = False
    labels: tuple[Label, ...]
    label_version: int = LABEL_VERSION
    listed_at: datetime

    @property
    def state(self) -> ObservationState:
        return ObservationState.ENTERED_IN_ERROR if self.is_elsewhere else self.standing.state

    @property
    def began_at(self) -> datetime:
        return self.listed_at

    @property
    def counts(self) -> bool:
        return self.standing.state not in _COUNTS_FOR_NOBODY

    @property
    def criticality(self) -> Criticality | None:
        said = self.content
        return judge(
            self.code_system, self.code, said.quantity, said.unit, said.flags, said.comparator
        )

    @property
    def critical_version(self) -> int:
        return CRITICAL_VERSION

    @property
    def analyte(self) -> str:
        return analyte_of(self.code_system, self.code)


def order_id(facility_id: UUID, number: str) -> UUID:
    """What no two batches may have in hand at once: the results of one order."""
    return uuid5(OBSERVATIONS, f"{facility_id}|{number}")


def result_id(facility_id: UUID, said: ObservationSaid) -> UUID:
    """The same for the same facility, number, code and sub-id, for ever, whoever it was posted to."""
    named = "\x1f".join((said.number, said.code_system, said.code, said.sub_id))
    return uuid5(order_id(facility_id, said.number), named)


def result_ids(report: ResultReport) -> frozenset[UUID]:
    return frozenset(result_id(report.source.facility_id, said) for said in report.observations)


def learn(
    before: Observation | None,
    said: ObservationSaid,
    source: Source,
    *,
    patient_id: UUID,
    person_key: UUID,
) -> Observation:
    """What is known of a result of a patient after one message more; the version is the store's."""
    standing, content = _standing(said, source), _content(said, source)
    labels = label(
        [(said.code_system or _NO_SYSTEM, said.code)], source.provenance, sent=source.sent
    )
    if before is None:
        which = result_id(source.facility_id, said)
        return Observation(
            id=uuid5(which, str(person_key)),
            result_id=which,
            facility_id=source.facility_id,
            patient_id=patient_id,
            number=said.number,
            code=said.code,
            code_system=said.code_system,
            sub_id=said.sub_id,
            standing=standing,
            content=content,
            labels=tuple(sorted(labels)),
            listed_at=content.observed_at or standing.reported_at,
        )
    standing = max(standing, before.standing, key=lambda each: each.stamp)
    content = max(content, before.content, key=lambda each: each.stamp)
    known = frozenset(before.labels) - {Label.MINOR_CONFIDENTIAL} or _ORDINARY
    return replace(
        before,
        standing=standing,
        content=content,
        labels=tuple(sorted(inherit(known, labels))),
        label_version=LABEL_VERSION,
        listed_at=content.observed_at or standing.reported_at,
    )


def weighed(rows: Iterable[Observation]) -> tuple[Observation, ...]:
    """All rows of one result: of those that count, the one that was told of last has it."""
    rows = tuple(rows)
    newest = max(
        (row for row in rows if row.counts),
        key=lambda row: (row.standing.stamp, row.id),
        default=None,
    )
    return tuple(
        replace(row, is_elsewhere=newest is not None and row.counts and row.id != newest.id)
        for row in rows
    )


def relabeled(observation: Observation) -> Observation:
    """The result as the value sets of today label it. What its messages said of it otherwise is in what it bears: that stays."""
    code = [(observation.code_system or _NO_SYSTEM, observation.code)]
    known = frozenset(observation.labels) - {Label.MINOR_CONFIDENTIAL} or _ORDINARY
    labels = inherit(known, label(code, NOTHING_KNOWN))
    return replace(observation, labels=tuple(sorted(labels)), label_version=LABEL_VERSION)


def _standing(said: ObservationSaid, source: Source) -> Standing:
    return Standing(
        state=_STATES[said.status],
        reported_at=said.reported_at,
        stamp=_stamp(said, source),
    )


def _content(said: ObservationSaid, source: Source) -> Content:
    weight = 0 if said.status in _WITHOUT_VALUE else 1
    return Content(
        name=said.name,
        panel=said.panel,
        value=said.value,
        quantity=said.quantity,
        unit=said.unit,
        reference_range=said.reference_range,
        flags=said.flags,
        observed_at=said.observed_at,
        orderer=said.orderer,
        laboratory=said.laboratory,
        note=said.note,
        comparator=said.comparator,
        stamp=f"{weight}|{_stamp(said, source)}",
    )


def _stamp(said: ObservationSaid, source: Source) -> str:
    rank = _RANKS[said.status]
    tie = f"{rank:02}|{source.content_hash}|{source.version:06d}"
    return stamp(said.reported_at, source.message_at, tie)
