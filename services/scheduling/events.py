"""What scheduling tells: a change, the time that it takes, its timer and the event that tells of it commit together."""

from dataclasses import replace

from carehub.scheduling.v1 import scheduling_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor import outbox
from libs.conveyor.timers import clear_timer, set_timer
from services.scheduling.convert import appointment_to_proto, schedule_to_proto
from services.scheduling.domain.appointment import Appointment, State
from services.scheduling.domain.schedule import Schedule
from services.scheduling.store import AppointmentStore, ScheduleStore

MISSED = "missed"  # key: an appointment's id; due when it counts as missed, and once it is booked


async def save_appointment(
    tx: Transaction, before: Appointment | None, after: Appointment
) -> Appointment:
    """Save what changed, and tell. A time that was given up meanwhile is not taken from whoever has it now."""
    if after.holds_slot and not await ScheduleStore(tx).take(after):
        after = after.lose_slot(tx.at)
    if not after.holds_slot and after.schedule_id:
        await ScheduleStore(tx).give_back(after)
    if before is None:
        after = replace(after, version=1)
        await AppointmentStore(tx).add(after)
    elif after == before:
        return before
    else:
        after = replace(after, version=before.version + 1)
        await AppointmentStore(tx).save(before, after)
    await set_clock(tx, after)
    await appointment_changed(tx, after)
    return after


async def set_clock(tx: Transaction, appointment: Appointment) -> None:
    """Have it weighed once it counts as missed, as long as it can be."""
    if appointment.state is State.BOOKED:
        await set_timer(tx, MISSED, str(appointment.id), appointment.missed_at)
    else:
        await clear_timer(tx, MISSED, str(appointment.id))


async def appointment_changed(tx: Transaction, appointment: Appointment) -> None:
    event = scheduling_events_pb2.AppointmentChanged(
        appointment=appointment_to_proto(appointment), version=appointment.version
    )
    await outbox.add(
        tx,
        event,
        key=appointment.id,
        version=appointment.version,
        facility_id=appointment.facility_id,
    )


async def schedule_changed(tx: Transaction, schedule: Schedule) -> None:
    event = scheduling_events_pb2.ScheduleChanged(
        schedule=schedule_to_proto(schedule), version=schedule.version
    )
    await outbox.add(
        tx, event, key=schedule.id, version=schedule.version, facility_id=schedule.facility_id
    )
