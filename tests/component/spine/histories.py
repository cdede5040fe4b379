"""Invented histories of patients as interop reports them, and the same histories retold to other patients."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid5

from carehub.interop.v1 import interop_events_pb2 as events
from carehub.interop.v1 import report_pb2
from google.type.date_pb2 import Date

from libs.chassis.fields import to_timestamp

Reported = events.VisitReported | events.PersonReported
FIRST = datetime(2026, 8, 20, 14, tzinfo=UTC)
TRIGGERS = ("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A12", "A13", "A31")
_LIKELY = (20, 10, 20, 6, 4, 4, 4, 12, 3, 3, 4, 6)
_WARDS = ("", "3W^312^1", "ICU^2^1", "5E^501^1")
_CODES = ("I50.9", "J44.1", "I10", "E11.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a history, before it is told of anybody in particular."""

    patient: int
    number: int
    trigger: str
    event_at: datetime
    message_at: datetime
    has_second_number: bool
    visit: dict
    diagnoses: tuple[str, ...]
    died_at: datetime | None


def histories(rng: random.Random, *, patients: int) -> list[Said]:
    """The messages of some patients, each patient's in the order of time; times repeat now and then."""
    return [said for patient in range(patients) for said in _history(rng, patient)]


def _history(rng: random.Random, patient: int) -> Iterator[Said]:
    at = FIRST + timedelta(hours=rng.randint(0, 200))
    has_visit_number = rng.random() < 0.75
    visits = rng.choice((1, 1, 2))
    length = rng.randint(3, 9)
    for number in range(length):
        at += rng.choice((timedelta(), timedelta(minutes=20), timedelta(hours=rng.randint(1, 30))))
        visit = number * visits // length
        trigger = "A01" if number == 0 else rng.choices(TRIGGERS, _LIKELY)[0]
        yield Said(
            patient=patient,
            number=number,
            trigger=trigger,
            event_at=at,
            message_at=at + rng.choice((timedelta(), timedelta(minutes=rng.randint(0, 90)))),
            has_second_number=rng.random() < 0.5,
            visit=_visit(rng, trigger, at, f"V{visit}" if has_visit_number else ""),
            diagnoses=tuple(rng.sample(_CODES, k=rng.choice((0, 0, 1, 2)))),
            died_at=at if trigger == "A31" and rng.random() < 0.2 else None,
        )


def _visit(rng: random.Random, trigger: str, at: datetime, number: str) -> dict:
    said = {
        "visit_number": number,
        "patient_class": rng.choice(("I", "I", "I", "O", "E", "")),
        "location": rng.choice(_WARDS),
        "attending": rng.choice(("", "Dr. Osei", "Dr. Blum")),
        "admission_type": rng.choice(("", "E", "R")),
        "admit_reason": rng.choice(("", "Fall", "Cough")),
    }
    if rng.random() < 0.5:
        said["admit_time"] = to_timestamp(at - timedelta(hours=rng.randint(0, 48)))
    if trigger == "A03":
        said["discharge_disposition"] = rng.choice(("01", "01", "03", "20", ""))
        if rng.random() < 0.7:
            said["discharge_time"] = to_timestamp(at)
    if rng.random() < 0.05:
        said["cleared_fields"] = [rng.choice(("attending", "admit_reason", "location"))]
    return said


def told(said: Said, telling: int, facility: UUID, *, replay: int = 0) -> Reported:
    """A message as it is told in one telling: other people and other numbers, and nothing else is different."""
    who = f"P{said.patient}T{telling}"
    message_id = uuid5(facility, f"{who}/{said.number}")
    # The hash is the last tie-break of the order: it must put the messages of each telling in the same order.
    content = sha256(f"{said.patient}/{said.number}".encode()).hexdigest()
    source = report_pb2.ReportSource(
        message_id=str(message_id),
        feed_id=str(UUID(int=9)),
        facility_id=str(facility),
        trigger=said.trigger,
        event_time=to_timestamp(said.event_at),
        message_time=to_timestamp(said.message_at),
        content_hash=f"{content}{telling:04}",
        replay=replay,
    )
    person = _person(said, who)
    if said.trigger == "A31":
        return events.PersonReported(source=source, person=person)
    visit = report_pb2.ReportedVisit(**said.visit)
    visit.visit_number = f"{said.visit['visit_number']}{who}" if said.visit["visit_number"] else ""
    for code in said.diagnoses:
        visit.diagnoses.add(code=code, system="ICD10CM", text="", type="F")
    return events.VisitReported(source=source, person=person, visit=visit)


def _person(said: Said, who: str) -> report_pb2.ReportedPerson:
    number = report_pb2.ReportedIdentifier(assigner="MERCY", value=who, type="MR")
    second = report_pb2.ReportedIdentifier(assigner="STATE", value=f"S{who}", type="MC")
    return report_pb2.ReportedPerson(
        identifiers=[number, second] if said.has_second_number else [number],
        names=[report_pb2.ReportedName(family=f"Family{who}", given=[f"Given{who}"])],
        birth_date=Date(year=1950, month=1 + said.patient % 12, day=1 + said.patient),
        sex="F",
        death_indicator="Y" if said.died_at else "",
        death_time=to_timestamp(said.died_at),
    )
