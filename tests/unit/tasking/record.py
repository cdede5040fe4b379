"""A record to plan from: an inpatient stay in Chicago, and whatever a test says about it."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.calendars.calendar import calendar_for
from services.tasking.domain.labels import ORDINARY
from services.tasking.domain.plan import (
    EncounterFacts,
    LoopPlan,
    PatientFacts,
    Subject,
    plan_loop,
)
from services.tasking.domain.protocol import parse_protocol, shipped_protocols

PROTOCOL = next(
    protocol
    for protocol in map(parse_protocol, shipped_protocols())
    if protocol.key == "discharge-transition"
)
CHICAGO = calendar_for("America/Chicago", "us-federal")
FACILITY, CLINIC, PATIENT = UUID(int=1), UUID(int=2), UUID(int=3)
ALIVE = PatientFacts(is_deceased=False, died_at=None, language="es")


def at(text: str, zone: str = "America/Chicago") -> datetime:
    """A local time, such as "2026-09-04 17:40"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def stay(
    admitted: str | None = "2026-09-01 08:00", discharged: str | None = None, **changes
) -> EncounterFacts:
    facts = {
        "id": UUID(int=10),
        "facility_id": FACILITY,
        "patient_id": PATIENT,
        "visit_class": "INPATIENT",
        "state": "FINISHED" if discharged else "IN_PROGRESS",
        "admitted_at": at(admitted) if admitted else None,
        "discharged_at": at(discharged) if discharged else None,
        "disposition": "01" if discharged else "",
        "diagnoses": ("E11.9",),
        "admission_type": "E",
        "labels": ORDINARY,
    }
    return EncounterFacts(**(facts | changes))


def planned(
    encounter: EncounterFacts, *others: EncounterFacts, patient=ALIVE, calendar=CHICAGO
) -> LoopPlan | None:
    return plan_loop(
        PROTOCOL, Subject(encounter=encounter, patient=patient, others=others), calendar
    )
