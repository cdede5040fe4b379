"""SchedulingService. The contract, its paths and its permissions: protos/carehub/scheduling/v1."""

from collections.abc import Callable
from uuid import UUID

from carehub.scheduling.v1 import appointment_pb2, schedule_pb2
from carehub.scheduling.v1 import scheduling_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import to_uuid
from services.scheduling.convert import (
    appointment_to_proto,
    schedule_to_proto,
    slot_to_proto,
    to_cancel_reason,
)
from services.scheduling.service.lists import list_appointments, list_free, list_schedules
from services.scheduling.service.planning import add_schedule, change_schedule
from services.scheduling.service.work import Booking, book_slot, put_back, rebook_slot, take_up
from services.scheduling.store import AppointmentStore, Programs, ScheduleStore


class SchedulingService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change. The guard does the rest.

    A change takes up an appointment (alone with its patient), does one thing to it, and puts it back (work.py).
    """

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self._new_id = new_id
        self._programs = Programs()

    async def CreateSchedule(
        self, request: rpc.CreateScheduleRequest, call: Call
    ) -> schedule_pb2.Schedule:
        return schedule_to_proto(await add_schedule(request, call, self._new_id))

    async def UpdateSchedule(
        self, request: rpc.UpdateScheduleRequest, call: Call
    ) -> schedule_pb2.Schedule:
        return schedule_to_proto(await change_schedule(request, call))

    async def ListSchedules(
        self, request: rpc.ListSchedulesRequest, call: Call
    ) -> rpc.ListSchedulesResponse:
        schedules, token = await list_schedules(request, call)
        return rpc.ListSchedulesResponse(
            schedules=map(schedule_to_proto, schedules), next_page_token=token
        )

    async def GetSchedule(
        self, request: rpc.GetScheduleRequest, call: Call
    ) -> schedule_pb2.Schedule:
        schedule_id = to_uuid("schedule_id", request.schedule_id)
        return schedule_to_proto(await ScheduleStore(call.tx).get(schedule_id))

    async def ListFreeSlots(
        self, request: rpc.ListFreeSlotsRequest, call: Call
    ) -> rpc.ListFreeSlotsResponse:
        return rpc.ListFreeSlotsResponse(slots=map(slot_to_proto, await list_free(request, call)))

    async def BookAppointment(
        self, request: rpc.BookAppointmentRequest, call: Call
    ) -> appointment_pb2.Appointment:
        return appointment_to_proto(await book_slot(request, self._booking(call)))

    async def RebookAppointment(
        self, request: rpc.RebookAppointmentRequest, call: Call
    ) -> appointment_pb2.Appointment:
        return appointment_to_proto(await rebook_slot(request, self._booking(call)))

    async def CancelAppointment(
        self, request: rpc.CancelAppointmentRequest, call: Call
    ) -> appointment_pb2.Appointment:
        reason = to_cancel_reason(request.by)
        work = await take_up(call, request.appointment_id, request.etag)
        return await put_back(call, work, work.appointment.cancel(reason, call.tx.at))

    async def CheckInAppointment(
        self, request: rpc.CheckInAppointmentRequest, call: Call
    ) -> appointment_pb2.Appointment:
        work = await take_up(call, request.appointment_id, request.etag)
        return await put_back(
            call, work, work.appointment.check_in(await work.facility(), call.tx.at)
        )

    async def CompleteAppointment(
        self, request: rpc.CompleteAppointmentRequest, call: Call
    ) -> appointment_pb2.Appointment:
        work = await take_up(call, request.appointment_id, request.etag)
        return await put_back(
            call, work, work.appointment.complete(await work.facility(), call.tx.at)
        )

    async def MarkMissed(
        self, request: rpc.MarkMissedRequest, call: Call
    ) -> appointment_pb2.Appointment:
        work = await take_up(call, request.appointment_id, request.etag)
        return await put_back(call, work, work.appointment.miss(call.tx.at))

    async def GetAppointment(
        self, request: rpc.GetAppointmentRequest, call: Call
    ) -> appointment_pb2.Appointment:
        appointment_id = to_uuid("appointment_id", request.appointment_id)
        appointment = await AppointmentStore(call.tx).get(appointment_id)
        call.show(appointment.patient_id)
        return appointment_to_proto(appointment)

    async def ListAppointments(
        self, request: rpc.ListAppointmentsRequest, call: Call
    ) -> rpc.ListAppointmentsResponse:
        appointments, token = await list_appointments(request, call)
        call.show(*(each.patient_id for each in appointments))
        return rpc.ListAppointmentsResponse(
            appointments=map(appointment_to_proto, appointments), next_page_token=token
        )

    def _booking(self, call: Call) -> Booking:
        return Booking(call=call, programs=self._programs, new_id=self._new_id)
