"""Visits and results that older value sets labeled, or for another day of birth, as those of today do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.registry.domain.encounter import Encounter
from services.registry.domain.labels import VERSION, Label
from services.registry.domain.minors import Labeled, of_age
from services.registry.domain.observation import Observation, relabeled
from services.registry.domain.told import VisitMessage
from services.registry.domain.visit import fold

# A process of another version, which labels by its own value sets, says so at least every few minutes. Whoever has not been
# heard of for so long has ended, and all that it labeled is there to be seen.
SETTLES_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeling:
    """By which value sets a database is labeled. `since`: when a process first said so after one that has others."""

    version: int
    since: datetime
    is_settled: bool

    def settles(self, began_at: datetime) -> bool:
        """Whether a look through all rows that began at that time has seen the last that another version labeled."""
        return began_at - self.since >= SETTLES_AFTER


def relabel(
    visits: Iterable[Encounter], messages: Iterable[VisitMessage], births: Mapping[UUID, str]
) -> list[Encounter]:
    """The visits as the value sets of today label them. Of a void one no message is left: it keeps what it has.

    `births` are their patients' days of birth.
    """
    streams: dict[UUID, list[VisitMessage]] = {}
    for message in messages:
        streams.setdefault(message.stream_id, []).append(message)
    now = {
        encounter.id: encounter.labels
        for stream in streams.values()
        for encounter in fold(stream, lambda patient_id: patient_id).encounters
    }
    return [_anew(visit, now.get(visit.id, visit.labels), births) for visit in visits]


def relabel_results(
    results: Iterable[Observation], births: Mapping[UUID, str]
) -> list[Observation]:
    """The same of results."""
    return [_aged_anew(result, births) for result in results]


def aged(rows: Iterable[Labeled], born_on: str) -> list[Labeled]:
    """Those of one patient's visits, or results, that another day of birth labels otherwise, each in its next version."""
    now = ((row, of_age(row, lambda: born_on)) for row in rows)
    return [replace(after, version=before.version + 1) for before, after in now if after != before]


def _anew(visit: Encounter, labels: tuple[Label, ...], births: Mapping[UUID, str]) -> Encounter:
    after = replace(visit, labels=labels, label_version=VERSION, version=visit.version + 1)
    return of_age(after, lambda: births.get(visit.patient_id, ""))


def _aged_anew(result: Observation, births: Mapping[UUID, str]) -> Observation:
    after = replace(relabeled(result), version=result.version + 1)
    return of_age(after, lambda: births.get(result.patient_id, ""))
