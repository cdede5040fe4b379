"""What registry tells of an encounter, as far as it shows that an appointment took place, or that nobody will come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.scheduling.domain.appointment import Appointment
from services.scheduling.domain.facility import Facility
from services.scheduling.domain.labels import Labels, may_be_told_elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The newest snapshot of an encounter. `began_at`: of one as an outpatient; `died_at`: of one that ended in death."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    began_at: datetime | None
    died_at: datetime | None
    labels: Labels

    @property
    def is_of_use(self) -> bool:
        return self.began_at is not None or self.died_at is not None

    def shows(self, appointment: Appointment, facility: Facility | None) -> bool:
        """Whether it is the visit that was agreed on: of that patient, there, on that day of the facility's calendar.

        A visit that had begun before anybody booked is another one.
        """
        if self.began_at is None or facility is None:
            return False
        booked_at = appointment.booked_at
        return (
            self.patient_id == appointment.patient_id
            and self.facility_id == appointment.facility_id
            and facility.day_of(self.began_at) == facility.day_of(appointment.start_at)
            and (booked_at is None or self.began_at >= booked_at)
        )

    def ends(self, appointment: Appointment) -> bool:
        """Whether the patient died before the appointment; elsewhere only if the other facility may know of it."""
        return (
            self.died_at is not None
            and self.patient_id == appointment.patient_id
            and self.died_at <= appointment.start_at
            and (self.facility_id == appointment.facility_id or may_be_told_elsewhere(self.labels))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A record that lives on in another one."""

    retired_id: UUID
    survivor_id: UUID


def weigh(
    appointment: Appointment, visits: Iterable[Visit], facility: Facility | None
) -> Appointment:
    """The appointment with the evidence that there is by now: the visit nearest to it, and a death before it.

    A pure function of the snapshots: whatever order they came in, and however often, it ends the same.
    """
    known = list(visits)
    shown = [visit for visit in known if visit.shows(appointment, facility)]
    nearest = min(shown, key=lambda visit: _distance(visit, appointment), default=None)
    deaths = (visit for visit in known if visit.ends(appointment))
    death = min(deaths, key=lambda visit: visit.id, default=None)
    return appointment.with_evidence(
        encounter_id=nearest.id if nearest else None,
        visit_labels=nearest.labels if nearest else (),
        death_id=death.id if death else None,
    )


def _distance(visit: Visit, appointment: Appointment) -> tuple[float, UUID]:
    if visit.began_at is None:
        raise ValueError("only what has begun is near to anything")
    return abs((visit.began_at - appointment.start_at).total_seconds()), visit.id
