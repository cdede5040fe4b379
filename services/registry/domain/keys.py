"""What a report may touch, as far as the report alone tells: the keys of people, the visit, the locks."""

from uuid import UUID

from services.registry.domain import identity
from services.registry.domain.appointment import appointment_id
from services.registry.domain.observation import order_id
from services.registry.domain.report import (
    AppointmentReport,
    MergeReport,
    PersonReport,
    Report,
    ResultReport,
    VisitReport,
)
from services.registry.domain.visit import stream_of


def keys_of(report: Report) -> frozenset[UUID]:
    """Every key that a report may look for or add."""
    if isinstance(report, MergeReport):
        keys = [
            identity.person_keys(m.survivor) + identity.own_keys(m.retired) for m in report.merges
        ]
        return frozenset(key for each in keys for key in each)
    stand_in = stand_in_of(report) if isinstance(report, VisitReport) else None
    return frozenset((*identity.person_keys(report.person), *((stand_in,) if stand_in else ())))


def locks_of(report: Report) -> frozenset[UUID]:
    """What no two batches may have in hand at once: the numbers that records are first known by, and the visit, the appointment
    or the orders.

    Few, since locks are; two batches that only share a second number of somebody meet at its unique key instead.
    """
    if isinstance(report, MergeReport):
        return keys_of(report)
    first = identity.person_keys(report.person)[:1]
    if isinstance(report, ResultReport):
        numbers = {said.number for said in report.observations}
        return frozenset((*first, *(order_id(report.source.facility_id, n) for n in numbers)))
    subject = subject_of(report)
    return frozenset((*first, *((subject,) if subject else ())))


def subject_of(report: VisitReport | PersonReport | AppointmentReport) -> UUID | None:
    """The visit or the appointment that a report is about; None if there is none."""
    if isinstance(report, AppointmentReport):
        return appointment_id(report.source.facility_id, report.appointment.number)
    return stream_id_of(report) if isinstance(report, VisitReport) else None


def stream_id_of(report: VisitReport) -> UUID | None:
    """The stream that a visit report belongs to; None if it says too little."""
    keys = identity.person_keys(report.person)
    key = keys[0] if keys else stand_in_of(report) or identity.described_key(report.person)
    return stream_of(report.source.facility_id, report.visit.visit_number, key) if key else None


def stand_in_of(report: VisitReport) -> UUID | None:
    """The visit number as what stands in for the person's."""
    number = report.visit.visit_number
    return identity.visit_key(report.source.facility_id, number) if number else None
