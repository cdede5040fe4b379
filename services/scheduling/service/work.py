"""Appointments booked; and one taken up to be changed, alone with its patient, and put back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from carehub.scheduling.v1 import appointment_pb2
from carehub.scheduling.v1 import scheduling_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import Aborted, FailedPrecondition, PermissionDenied
from libs.chassis.fields import check_etag, to_uuid
from libs.conveyor.timers import set_timer
from services.scheduling.convert import appointment_to_proto, to_instant, to_purpose
from services.scheduling.domain.appointment import Appointment, book
from services.scheduling.domain.facility import Facility
from services.scheduling.domain.schedule import Purpose, Slot
from services.scheduling.events import MISSED, save_appointment
from services.scheduling.store import (
    AppointmentStore,
    DirectoryStore,
    Programs,
    RecordStore,
    ScheduleStore,
)

# The root of ids of appointments whose booking may be retried; never change it.
_BOOKED = UUID("0d9a3f5e-7c55-5d2b-8f0a-6b1c7b8f4e21")
_NOT_AT_WORK = frozenset({"PATIENT_REQUEST", "FAMILY_REQUEST"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An appointment as it was stored, and as it is at this instant."""

    call: Call
    stored: Appointment
    appointment: Appointment

    async def facility(self) -> Facility:
        return await _facility(self.call, self.stored.facility_id)


async def take_up(call: Call, appointment_id: str, etag: str = "") -> Work:
    """The appointment, to be changed by a person of its facility, if it is still what they saw."""
    store = AppointmentStore(call.tx)
    found = await store.get(to_uuid("appointment_id", appointment_id))
    # Who asks as the patient or their family is shown it by a grant, and a grant lets nobody write.
    if found.facility_id not in call.facilities or call.capacity.purposes & _NOT_AT_WORK:
        raise PermissionDenied(
            "APPOINTMENT_ELSEWHERE", "Only people of the appointment's facility can change it."
        )
    await RecordStore(call.tx).alone_with([found.patient_id])
    (stored,) = await store.hold([found.id])
    check_etag(etag, stored.version)
    return Work(call=call, stored=stored, appointment=stored.settled(call.tx.at))


async def put_back(call: Call, work: Work, after: Appointment) -> appointment_pb2.Appointment:
    """Save it, and show it."""
    saved = await save_appointment(call.tx, work.stored, after)
    call.show(saved.patient_id)
    return appointment_to_proto(saved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What is needed to book."""

    call: Call
    programs: Programs
    new_id: Callable[[], UUID]

    def appointment_id(self, request_id: str) -> UUID:
        """The same for the same request of the same caller."""
        if not request_id:
            return self.new_id()
        return uuid5(_BOOKED, f"{self.call.caller.subject}|{to_uuid('request_id', request_id)}")

    async def wanted(
        self, appointment_id: UUID, slot: Slot, patient_id: UUID, purpose: Purpose
    ) -> Appointment:
        """The appointment that would be booked."""
        appointment = book(
            slot,
            id=appointment_id,
            patient_id=patient_id,
            purpose=purpose,
            by=self.call.caller.subject,
            now=self.call.tx.at,
        )
        is_program = await self.programs.include(slot.facility_id, self.call.tx)
        return appointment.of_program() if is_program else appointment


async def book_slot(request: rpc.BookAppointmentRequest, booking: Booking) -> Appointment:
    """Book what is asked for, once however often the request comes."""
    call = booking.call
    patient_id = to_uuid("patient_id", request.patient_id)
    purpose, start_at = to_purpose(request.purpose), to_instant("start_time", request)
    appointment_id = booking.appointment_id(request.request_id)
    survivors = await RecordStore(call.tx).alone_with([patient_id])
    patient_id = survivors[patient_id]
    if same := await AppointmentStore(call.tx).find(appointment_id):
        asked = (to_uuid("schedule_id", request.schedule_id), start_at, patient_id)
        return _repeated(call, same, asked)
    slot = await _slot(call, request.schedule_id, start_at, purpose)
    return await _book(call, await booking.wanted(appointment_id, slot, patient_id, purpose))


async def rebook_slot(request: rpc.RebookAppointmentRequest, booking: Booking) -> Appointment:
    """Book another time before the old one is given up, so that two who swap theirs do not wait for each other."""
    call = booking.call
    start_at = to_instant("start_time", request)
    appointment_id = booking.appointment_id(request.request_id)
    if same := await AppointmentStore(call.tx).find(appointment_id):
        asked = (to_uuid("schedule_id", request.schedule_id), start_at, same.patient_id)
        return _repeated(call, same, asked)
    work = await take_up(call, request.appointment_id, request.etag)
    old = work.appointment
    given_up = old.rebooked(call.tx.at)
    slot = await _slot(call, request.schedule_id, start_at, old.purpose)
    wanted = await booking.wanted(appointment_id, slot, old.patient_id, old.purpose)
    booked = await _book(call, replace(wanted, rebooked_from_id=old.id))
    await save_appointment(call.tx, work.stored, given_up)
    return booked


async def _book(call: Call, wanted: Appointment) -> Appointment:
    if not await ScheduleStore(call.tx).take(wanted):
        raise Aborted("SLOT_TAKEN", "Somebody else has it by now. Choose another one.")
    call.show(wanted.patient_id)
    booked = await save_appointment(call.tx, None, wanted.settled(call.tx.at))
    # What is known of the patient's visits no person may see: it is weighed against that by the clock, at once.
    await set_timer(call.tx, MISSED, str(booked.id), call.tx.at)
    return booked


def _repeated(call: Call, same: Appointment, asked: tuple[UUID, datetime, UUID]) -> Appointment:
    """What the same request booked before."""
    if (same.schedule_id, same.start_at, same.patient_id) != asked:
        raise FailedPrecondition(
            "BOOKING_EXISTS", "This request_id has booked something else. Choose a new one."
        )
    call.show(same.patient_id)
    return same


async def _slot(call: Call, schedule_id: str, start_at: datetime, purpose: Purpose) -> Slot:
    """The slot that is asked for, if the schedule offers it."""
    schedule = await ScheduleStore(call.tx).get(to_uuid("schedule_id", schedule_id))
    if schedule.facility_id not in call.facilities:
        raise PermissionDenied("BOOKING_ELSEWHERE", "Only people of the facility can book there.")
    facility = await _facility(call, schedule.facility_id)
    slot = schedule.slot_at(start_at, facility.zone)
    if slot is None or start_at < call.tx.at or not schedule.is_for(purpose):
        raise FailedPrecondition(
            "SLOT_NOT_OFFERED", "That is no time that can be booked. Ask for what is free."
        )
    return slot


async def _facility(call: Call, facility_id: UUID) -> Facility:
    found = await DirectoryStore(call.tx).facilities([facility_id])
    if facility_id not in found:
        raise FailedPrecondition(
            "CLOCK_UNKNOWN", "The clock of the facility is not known here yet. Try again."
        )
    return found[facility_id]
