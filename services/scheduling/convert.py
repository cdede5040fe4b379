"""Scheduling's domain and its contract, and what its neighbors tell of."""

from collections.abc import Iterable
from datetime import date, datetime, time
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import facility_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.scheduling.v1 import appointment_pb2, schedule_pb2
from carehub.scheduling.v1 import scheduling_service_pb2 as rpc
from google.protobuf.message import Message
from google.type import date_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_datetime, to_timestamp, to_uuid
from libs.chassis.ids import to_id
from services.scheduling.domain.appointment import Appointment, Reason, State, Told
from services.scheduling.domain.facility import Facility, KnownFeed
from services.scheduling.domain.labels import Label, Labels, inherit
from services.scheduling.domain.rules import DIED
from services.scheduling.domain.schedule import MOST_TEXT, Purpose, Schedule, Slot, WeeklyHours
from services.scheduling.domain.visit import Merge, Visit

_Encounter = encounter_pb2.Encounter
_OUTPATIENT = frozenset({_Encounter.CLASS_OUTPATIENT, _Encounter.CLASS_RECURRING})
_BEGUN = frozenset({_Encounter.STATE_IN_PROGRESS, _Encounter.STATE_FINISHED})
# HL7 table 0278. What is no agreed time (a waiting list, a block) is none of an appointment.
_STATUSES = {
    "PENDING": State.BOOKED,
    "BOOKED": State.BOOKED,
    "OVERBOOK": State.BOOKED,
    "STARTED": State.ARRIVED,
    "COMPLETE": State.FULFILLED,
    "NOSHOW": State.NO_SHOW,
}
_CANCELLED_BY = {
    rpc.CancelAppointmentRequest.BY_UNSPECIFIED: Reason.PATIENT,
    rpc.CancelAppointmentRequest.BY_PATIENT: Reason.PATIENT,
    rpc.CancelAppointmentRequest.BY_CLINIC: Reason.CLINIC,
}


# Out: appointments, schedules, slots.


def appointment_to_proto(appointment: Appointment) -> appointment_pb2.Appointment:
    return appointment_pb2.Appointment(
        id=str(appointment.id),
        etag=etag(appointment.version),
        facility_id=str(appointment.facility_id),
        patient_id=str(appointment.patient_id),
        schedule_id=_id(appointment.schedule_id),
        state=appointment_pb2.Appointment.State.Value(f"STATE_{appointment.state}"),
        purpose=purpose_to_proto(appointment.purpose),
        start_time=to_timestamp(appointment.start_at),
        end_time=to_timestamp(appointment.end_at),
        practitioner=appointment.practitioner,
        external_number=appointment.external_number,
        booked_by_id=_id(appointment.booked_by_id),
        arrive_time=to_timestamp(appointment.shown_arrived_at),
        encounter_id=_id(appointment.encounter_id if _took_place(appointment) else None),
        cancel_reason=appointment.cancel_reason,
        rebooked_from_id=_id(appointment.rebooked_from_id),
        labels=[access_pb2.Label.Value(f"LABEL_{label}") for label in appointment.labels],
        is_late_cancel=appointment.is_late_cancel,
        cancel_time=to_timestamp(appointment.cancelled_at),
    )


def _took_place(appointment: Appointment) -> bool:
    return appointment.state is State.FULFILLED


def schedule_to_proto(schedule: Schedule) -> schedule_pb2.Schedule:
    return schedule_pb2.Schedule(
        id=str(schedule.id),
        etag=etag(schedule.version),
        facility_id=str(schedule.facility_id),
        practitioner=schedule.practitioner,
        hours=[
            schedule_pb2.WeeklyHours(
                day=schedule_pb2.WeeklyHours.Day.Name(hours.weekday),  # type: ignore[arg-type]
                opens=f"{hours.opens:%H:%M}",
                closes=f"{hours.closes:%H:%M}",
            )
            for hours in schedule.hours
        ],
        slot_minutes=schedule.slot_minutes,
        start_date=_date(schedule.start_on),
        end_date=_date(schedule.end_on) if schedule.end_on else None,
        purposes=[purpose_to_proto(purpose) for purpose in schedule.purposes],
        closed_dates=[_date(on) for on in schedule.closed_on],
    )


def slot_to_proto(slot: Slot) -> schedule_pb2.Slot:
    return schedule_pb2.Slot(
        schedule_id=str(slot.schedule_id),
        facility_id=str(slot.facility_id),
        practitioner=slot.practitioner,
        start_time=to_timestamp(slot.start_at),
        end_time=to_timestamp(slot.end_at),
        purposes=[purpose_to_proto(purpose) for purpose in slot.purposes],
    )


def purpose_to_proto(purpose: Purpose) -> "appointment_pb2.Appointment.Purpose.ValueType":
    return appointment_pb2.Appointment.Purpose.Value(f"PURPOSE_{purpose}")


def _date(on: date) -> date_pb2.Date:
    return date_pb2.Date(year=on.year, month=on.month, day=on.day)


def _id(value: UUID | None) -> str:
    return str(value) if value else ""


# In: requests.


def to_schedule(schedule: schedule_pb2.Schedule, schedule_id: UUID) -> Schedule:
    purposes = dict.fromkeys(map(to_purpose, schedule.purposes))
    return Schedule(
        id=schedule_id,
        facility_id=to_uuid("schedule.facility_id", schedule.facility_id),
        practitioner=schedule.practitioner.strip(),
        hours=tuple(
            WeeklyHours(
                weekday=hours.day,
                opens=_clock("opens", hours.opens),
                closes=_clock("closes", hours.closes),
            )
            for hours in schedule.hours
        ),
        slot_minutes=schedule.slot_minutes,
        start_on=to_date("schedule.start_date", schedule.start_date),
        end_on=to_date("schedule.end_date", schedule.end_date)
        if schedule.HasField("end_date")
        else None,
        purposes=tuple(p for p in purposes if p is not Purpose.UNSPECIFIED),
        closed_on=tuple(
            sorted({to_date("schedule.closed_dates", on) for on in schedule.closed_dates})
        ),
    )


def to_purpose(number: int) -> Purpose:
    try:
        name = appointment_pb2.Appointment.Purpose.Name(number)  # type: ignore[arg-type]
    except ValueError as error:
        raise InvalidArgument(
            "APPOINTMENT_PURPOSE_UNKNOWN", "Use one of the documented purposes.", field="purpose"
        ) from error
    return Purpose(name.removeprefix("PURPOSE_"))


def to_cancel_reason(by: int) -> Reason:
    if by not in _CANCELLED_BY:
        raise InvalidArgument("CANCELLED_BY_UNKNOWN", "Say who wants it so.", field="by")
    return _CANCELLED_BY[by]  # type: ignore[index]


def to_date(field: str, day: date_pb2.Date) -> date:
    try:
        return date(day.year, day.month, day.day)
    except ValueError as error:
        raise InvalidArgument("DAY_INVALID", f"{field} must be a day.", field=field) from error


def to_instant(field: str, message: Message) -> datetime:
    """The instant in a field that is required."""
    value = getattr(message, field)
    try:
        if message.HasField(field):
            return to_datetime(value)
    except (ValueError, OverflowError):
        pass
    raise InvalidArgument("INSTANT_INVALID", f"{field} must be a time.", field=field)


def _clock(part: str, text: str) -> time:
    try:
        hours, minutes = text.split(":")
        if len(hours) == len(minutes) == 2:
            return time(int(hours), int(minutes))
    except ValueError:
        pass
    raise InvalidArgument(
        "CLOCK_INVALID", f'{part} must be a time like "08:30".', field=f"schedule.hours.{part}"
    )


# In: the events of neighbors.


def to_facility(facility: facility_pb2.Facility, version: int) -> Facility:
    return Facility(id=to_id(facility.id), version=version, time_zone=facility.time_zone)


def to_feed(event: interop_events_pb2.FeedChanged) -> KnownFeed:
    feed = event.feed
    places = {feed.facility_id, *feed.quirks.facilities.values()}
    return KnownFeed(
        id=to_id(feed.id),
        version=event.version,
        facility_ids=tuple(sorted(to_id(place) for place in places)),
        is_program=feed.provenance.is_part2_program,
    )


def to_visit(event: registry_events_pb2.EncounterChanged) -> Visit:
    encounter = event.encounter
    is_visit = getattr(encounter, "class") in _OUTPATIENT and encounter.state in _BEGUN
    has_died = (
        encounter.state == _Encounter.STATE_FINISHED and encounter.discharge_disposition in DIED
    )
    return Visit(
        id=to_id(encounter.id),
        version=event.version,
        facility_id=to_id(encounter.facility_id),
        patient_id=to_id(encounter.patient_id),
        began_at=_instant(encounter, "admit_time") if is_visit else None,
        died_at=_instant(encounter, "discharge_time") if has_died else None,
        labels=_labels(encounter.labels),
    )


def to_merge(event: registry_events_pb2.PatientsMerged) -> Merge:
    return Merge(retired_id=to_id(event.retired_id), survivor_id=to_id(event.survivor_id))


def to_told(event: registry_events_pb2.AppointmentTold) -> Told:
    start_at, end_at = _instant(event, "start_time"), _instant(event, "end_time")
    return Told(
        id=to_id(event.id),
        version=event.version,
        facility_id=to_id(event.facility_id),
        patient_id=to_id(event.patient_id),
        number=event.number,
        at=to_datetime(event.event_time),
        start_at=start_at,
        end_at=end_at if start_at and end_at and end_at > start_at else None,
        state=_STATUSES.get(event.status, State.CANCELLED),
        practitioner=event.practitioner[:MOST_TEXT],
        labels=_labels(event.labels),
    )


def _instant(message: Message, field: str) -> datetime | None:
    return to_datetime(getattr(message, field)) if message.HasField(field) else None


def _labels(numbers: Iterable["access_pb2.Label.ValueType"]) -> Labels:
    """Without any, or with one that this version does not know, it never leaves its facility."""
    try:
        named = [access_pb2.Label.Name(number).removeprefix("LABEL_") for number in numbers]
        return inherit(tuple(map(Label, named)))
    except ValueError:
        return (Label.WITHHELD,)
