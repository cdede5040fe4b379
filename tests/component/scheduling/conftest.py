"""scheduling running for a test, with a clinic, a schedule, and a shorthand for its RPCs."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.scheduling.v1 import appointment_pb2, schedule_pb2, scheduling_events_pb2
from carehub.scheduling.v1 import scheduling_service_pb2 as rpc
from google.protobuf.message_factory import GetMessageClass
from google.type import date_pb2

from libs.chassis.fields import to_datetime, to_timestamp
from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token

CONTRACT = rpc.DESCRIPTOR.services_by_name["SchedulingService"]
PERMISSIONS = ("appointments.read", "appointments.write", "schedules.read", "schedules.write")
A = appointment_pb2.Appointment
BOOKED, ARRIVED, FULFILLED, NO_SHOW, CANCELLED = (
    A.STATE_BOOKED, A.STATE_ARRIVED, A.STATE_FULFILLED, A.STATE_NO_SHOW, A.STATE_CANCELLED,
)  # fmt: skip
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text, zone="America/Chicago"):
    """A local time, such as "2026-09-08 09:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


class Scheduling:
    """A clinic in Chicago that is open on weekdays from nine to noon; it is the Friday before, at six in the evening."""

    def __init__(self, hub):
        self.hub = hub
        self.here, self.elsewhere, self.scheduler = uuid4(), uuid4(), uuid4()
        self.token = self.token_for()

    def token_for(self, subject=None, *facilities, permissions=PERMISSIONS, **claims):
        return caller_token(
            permissions=permissions,
            facilities=facilities or [self.here],
            subject=subject or self.scheduler,
            roles=["scheduler"],
            **claims,
        )

    async def call(self, method, request, token=None):
        kind = GetMessageClass(CONTRACT.methods_by_name[method].output_type)
        return await self.hub.call(CONTRACT, method, request, kind, token=token or self.token)

    async def refused(self, method, request, token=None):
        """The reason for which a call is refused."""
        with pytest.raises(CallFailed) as failed:
            await self.call(method, request, token)
        return failed.value.reason

    async def facility(self, zone="America/Chicago", version=1, facility=None):
        event = identity_events_pb2.FacilityChanged(version=version)
        event.facility.id, event.facility.time_zone = str(facility or self.here), zone
        await self.hub.publish(event, key=event.facility.id, version=version)
        await self.until_rows("SELECT count(*) FROM facilities WHERE time_zone = $1", 1, zone)

    def hours(self, **fields):
        schedule = schedule_pb2.Schedule(
            facility_id=str(self.here),
            practitioner="Ada Quill",
            slot_minutes=30,
            start_date=date_pb2.Date(year=2026, month=9, day=1),
            hours=[
                schedule_pb2.WeeklyHours(day=day, opens="09:00", closes="12:00")
                for day in range(1, 6)
            ],
        )
        for name, value in fields.items():
            setattr(schedule, name, value)
        return schedule

    async def schedule(self, token=None, **fields):
        request = rpc.CreateScheduleRequest(schedule=self.hours(**fields))
        return await self.call("CreateSchedule", request, token)

    async def free(self, token=None, **fields):
        answer = await self.call("ListFreeSlots", rpc.ListFreeSlotsRequest(**fields), token)
        return [to_datetime(slot.start_time) for slot in answer.slots]

    def booking(self, schedule, start, patient=None, **fields):
        return rpc.BookAppointmentRequest(
            schedule_id=schedule.id,
            start_time=to_timestamp(at(start)),
            patient_id=str(patient or uuid4()),
            **fields,
        )

    async def book(self, schedule, start, patient=None, token=None, **fields):
        request = self.booking(schedule, start, patient, **fields)
        return await self.call("BookAppointment", request, token)

    async def get(self, appointment_id, token=None):
        request = rpc.GetAppointmentRequest(appointment_id=str(appointment_id))
        return await self.call("GetAppointment", request, token)

    async def do(self, method, appointment, token=None, **fields):
        kind = GetMessageClass(CONTRACT.methods_by_name[method].input_type)
        return await self.call(method, kind(appointment_id=appointment.id, **fields), token)

    async def of_patient(self, patient, token=None, **fields):
        request = rpc.ListAppointmentsRequest(patient_id=str(patient), **fields)
        return list((await self.call("ListAppointments", request, token)).appointments)

    async def until_state(self, appointment_id, state):
        async def settled():
            rows = await self.rows(
                "SELECT state FROM appointments WHERE id = $1", str(appointment_id)
            )
            return rows and rows[0]["state"] == A.State.Name(state).removeprefix("STATE_")

        await self.hub.until(settled, what=f"{A.State.Name(state)} of {appointment_id}")
        return await self.get(appointment_id)

    def visit(self, patient, began, encounter=None, version=1, **fields):
        event = registry_events_pb2.EncounterChanged(version=version)
        told = event.encounter
        told.id, told.patient_id = str(encounter or uuid4()), str(patient)
        told.facility_id = str(fields.pop("facility", self.here))
        told.admit_time.CopyFrom(to_timestamp(at(began)))
        told.state = encounter_pb2.Encounter.STATE_IN_PROGRESS
        told.labels.append(fields.pop("label", access_pb2.LABEL_NORMAL))
        if died := fields.pop("died", ""):
            told.discharge_time.CopyFrom(to_timestamp(at(died)))
            told.discharge_disposition = "20"
            told.state = encounter_pb2.Encounter.STATE_FINISHED
        kind = fields.pop("kind", "OUTPATIENT")
        setattr(told, "class", encounter_pb2.Encounter.Class.Value(f"CLASS_{kind}"))
        for name, value in fields.items():
            setattr(told, name, value)
        return event

    async def tell(self, event):
        key = event.encounter.id if hasattr(event, "encounter") else event.id
        await self.hub.publish(event, key=key, version=event.version)

    def told(self, patient, start="", status="BOOKED", id=None, version=1, **fields):
        return registry_events_pb2.AppointmentTold(
            id=str(id or uuid4()),
            facility_id=str(self.here),
            patient_id=str(patient),
            number="A-1",
            event_time=to_timestamp(at("2026-09-04 17:00")),
            start_time=to_timestamp(at(start)) if start else None,
            status=status,
            practitioner="Ada Quill",
            labels=fields.pop("labels", [access_pb2.LABEL_NORMAL]),
            version=version,
            **fields,
        )

    async def merge(self, survivor, retired, version=9):
        event = registry_events_pb2.PatientsMerged(
            survivor_id=str(survivor), retired_id=str(retired), version=version
        )
        await self.hub.publish(event, key=retired, version=version)
        await self.until_rows("SELECT count(*) FROM merges WHERE retired_id = $1", 1, retired)

    async def program(self):
        """The clinic is a program's under 42 CFR Part 2."""
        event = interop_events_pb2.FeedChanged(version=1)
        event.feed.id, event.feed.facility_id = str(uuid4()), str(self.here)
        event.feed.provenance.is_part2_program = True
        await self.hub.publish(event, key=event.feed.id)
        await self.until_rows("SELECT count(*) FROM feeds", 1)

    async def heard(self, version):
        """Everything that was published of encounters up to now has been followed: a marker comes last."""
        marker = self.visit(uuid4(), "2026-01-01 08:00", version=version)
        await self.tell(marker)
        await self.until_rows("SELECT count(*) FROM visits WHERE id = $1", 1, marker.encounter.id)

    async def rows(self, text, *values):
        async with self.hub.system("scheduling") as tx:
            return await tx._connection.fetch(text, *values)

    async def until_rows(self, text, count, *values):
        async def settled():
            return (await self.rows(text, *values))[0][0] == count

        await self.hub.until(settled, what=f"{text} = {count}")

    async def published(self):
        """What was told of appointments, in order: (id, version, state)."""
        kind = scheduling_events_pb2.AppointmentChanged
        found = await self.rows(
            "SELECT payload FROM outbox WHERE subject = $1 ORDER BY position",
            kind.DESCRIPTOR.full_name,
        )
        events = [kind.FromString(row["payload"]) for row in found]
        return [(e.appointment.id, e.version, e.appointment.state) for e in events]


@pytest.fixture
def scheduling(hub):
    @asynccontextmanager
    async def running(*, is_known=True):
        async with hub("scheduling", now=at("2026-09-04 18:00")) as running_hub:
            one = Scheduling(running_hub)
            if is_known:
                await one.facility()
            yield one

    return running
