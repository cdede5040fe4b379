"""The results that a batch of reports touches, in memory: each message changes the rows of its patient, and those of whom a
result was posted to before.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from uuid import UUID

from services.registry.domain.difference import next_versions
from services.registry.domain.minors import of_age
from services.registry.domain.observation import Observation, learn, result_id, weighed
from services.registry.domain.report import ResultReport


class Results:
    def __init__(self, known: Mapping[UUID, Observation], born_on: Callable[[UUID], str]) -> None:
        self._known = known
        self._born_on = born_on
        self.rows = dict(known)
        self._of_result: dict[UUID, set[UUID]] = {}
        for row in known.values():
            self._of_result.setdefault(row.result_id, set()).add(row.id)

    def take(
        self,
        report: ResultReport,
        patient_id: UUID,
        person_key: UUID,
        current: Callable[[UUID], UUID],
    ) -> bool:
        """Keep what a report says. Whether any of it was news."""
        before = dict(self.rows)
        for said in report.observations:
            which = result_id(report.source.facility_id, said)
            ids = self._of_result.setdefault(which, set())
            theirs = [r for i in ids if current((r := self.rows[i]).patient_id) == patient_id]
            last = max(theirs, key=lambda row: (row.standing.stamp, row.id), default=None)
            now = learn(last, said, report.source, patient_id=patient_id, person_key=person_key)
            self.rows[now.id] = now
            ids.add(now.id)
            self.rows |= {row.id: row for row in weighed(self.rows[i] for i in ids)}
        return self.rows != before

    def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        """What belonged to a record that was merged is the survivor's."""
        for row in self.rows.values():
            if row.patient_id == retired_id:
                self.rows[row.id] = replace(row, patient_id=survivor_id)

    def changes(self) -> tuple[Observation, ...]:
        """Those that are new or differ, labeled for their patients' age."""
        aged = {
            row.id: of_age(row, partial(self._born_on, row.patient_id))
            for row in self.rows.values()
        }
        return next_versions(self._known, aged)
