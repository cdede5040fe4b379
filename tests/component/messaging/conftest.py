"""messaging running for a test, with a clinic in Chicago, its people, a patient with a telephone; and its RPCs."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2, staff_pb2
from carehub.messaging.v1 import messaging_service_pb2 as rpc
from carehub.registry.v1 import patient_pb2, registry_events_pb2
from carehub.scheduling.v1 import appointment_pb2, scheduling_events_pb2
from carehub.tasking.v1 import loop_pb2, tasking_events_pb2
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.fields import to_timestamp
from libs.testing.feeds import feed_changed
from libs.testing.hub import caller_token

CONTRACT = rpc.DESCRIPTOR.services_by_name["MessagingService"]
PERMISSIONS = ("threads.read", "threads.write", "contacts.write")
PHONE = "+12175550148"


def at(text, zone="America/Chicago"):
    """A local time, such as "2026-09-04 17:40"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


class Messaging:
    """What the neighbors tell, what patients do, and what people ask."""

    def __init__(self, hub):
        self.hub = hub
        self.here, self.there = uuid4(), uuid4()
        self.lead, self.nurse, self.duty, self.admin, self.other = (uuid4() for _ in range(5))
        self.team, self.duty_team, self.other_team = uuid4(), uuid4(), uuid4()
        self.as_nurse = self.token(self.nurse)

    def token(self, subject=None, *facilities, permissions=PERMISSIONS, **claims):
        return caller_token(
            permissions=permissions, facilities=facilities or [self.here], subject=subject, roles=["nurse"], **claims
        )  # fmt: skip

    async def call(self, method, request, token=None):
        kind = GetMessageClass(CONTRACT.methods_by_name[method].output_type)
        return await self.hub.call(CONTRACT, method, request, kind, token=token or self.as_nurse)

    async def people(self):
        await self.facility(self.here, "Prairie Clinic", self.duty_team)
        await self.facility(self.there, "River Hospital", self.other_team)
        await self.staff(self.lead, "L Lead")
        await self.staff(self.nurse, "N Nurse")
        await self.staff(self.duty, "D Duty")
        await self.staff(self.admin, "A Admin", role="facility_admin")
        await self.staff(self.other, "O Other", facility=self.there)
        await self.team_of(self.team, "Nurses", self.lead, self.nurse)
        await self.team_of(self.duty_team, "Duty", self.duty)
        await self.team_of(self.other_team, "River duty", self.other, facility=self.there)
        await self.until_rows("SELECT count(*) FROM staff", 5)
        await self.until_rows("SELECT count(*) FROM teams", 3)
        await self.until_rows("SELECT count(*) FROM facilities", 2)

    async def facility(self, id, name, duty_team, version=1, zone="America/Chicago"):
        event = identity_events_pb2.FacilityChanged(version=version)
        event.facility.id, event.facility.name = str(id), name
        event.facility.time_zone, event.facility.phone = zone, "+12175550100"
        event.facility.duty_team_id = str(duty_team)
        await self.hub.publish(event, key=id, version=version)

    async def staff(self, id, name, *, role="nurse", facility=None, version=1, is_active=True):
        state = staff_pb2.StaffMember.STATE_ACTIVE if is_active else 2
        member = staff_pb2.StaffMember(id=str(id), display_name=name, state=state)
        member.roles.append(
            staff_pb2.RoleAssignment(role=role, facility_id=str(facility or self.here))
        )
        event = identity_events_pb2.StaffChanged(staff_member=member, version=version)
        await self.hub.publish(event, key=id, version=version)

    async def team_of(self, id, name, lead, *others, facility=None):
        event = identity_events_pb2.TeamChanged(version=1)
        event.team.id, event.team.facility_id = str(id), str(facility or self.here)
        event.team.name, event.team.lead_id = name, str(lead)
        event.team.member_ids.extend(str(each) for each in (lead, *others))
        await self.hub.publish(event, key=id)

    async def feed(self, *facilities, id=None, version=1, is_program=True):
        """A feed that speaks for these facilities; its id, once it is heard."""
        id = id or uuid4()
        event = feed_changed(id, *facilities, version=version, is_program=is_program)
        await self.hub.publish(event, key=id, version=version)
        await self.until_rows(
            "SELECT count(*) FROM feeds WHERE id = $1 AND version >= $2", 1, id, version
        )
        return id

    async def patient(
        self, patient=None, version=1, *, phone=PHONE, language="es", facilities=(), **fields
    ):
        """A patient with a telephone, as registry tells it."""
        patient = patient or uuid4()
        event = registry_events_pb2.PatientChanged(version=version)
        event.patient.id, event.patient.language = str(patient), language
        event.patient.facility_ids.extend(map(str, facilities or [self.here]))
        if phone:
            kind = patient_pb2.Telecom.SYSTEM_PHONE
            event.patient.telecoms.add(system=kind, value=phone, use="PRN")
        for name, value in fields.items():
            setattr(event.patient, name, value)
        await self.hub.publish(event, key=patient, version=version)
        await self.until_rows(
            "SELECT count(*) FROM contacts WHERE patient_id = $1 AND told_version >= $2",
            1,
            patient,
            version,
        )
        return patient

    async def appointment(
        self, patient, start, *, id=None, version=1, state="BOOKED", label="NORMAL"
    ):
        id = id or uuid4()
        event = scheduling_events_pb2.AppointmentChanged(version=version)
        told = event.appointment
        told.id, told.patient_id, told.facility_id = str(id), str(patient), str(self.here)
        told.state = appointment_pb2.Appointment.State.Value(f"STATE_{state}")
        told.start_time.CopyFrom(to_timestamp(start))
        told.labels.append(access_pb2.Label.Value(f"LABEL_{label}"))
        await self.hub.publish(event, key=id, version=version)
        await self.until_rows(
            "SELECT count(*) FROM appointments WHERE id = $1 AND version >= $2", 1, id, version
        )
        return id

    async def discharged(
        self, patient, when, *, loop=None, version=1, state="OPEN", label="NORMAL"
    ):
        loop = loop or uuid4()
        event = tasking_events_pb2.LoopChanged(version=version)
        told = event.loop
        told.id, told.patient_id, told.facility_id = str(loop), str(patient), str(self.here)
        told.protocol, told.state = (
            "discharge-transition",
            loop_pb2.Loop.State.Value(f"STATE_{state}"),
        )
        if when:
            told.anchor_time.CopyFrom(to_timestamp(when))
        told.labels.append(access_pb2.Label.Value(f"LABEL_{label}"))
        await self.hub.publish(event, key=loop, version=version)
        await self.until_rows(
            "SELECT count(*) FROM transitions WHERE id = $1 AND version >= $2", 1, loop, version
        )
        return loop

    async def rows(self, text, *values):
        async with self.hub.system("messaging") as tx:
            return await tx._connection.fetch(text, *values)

    async def until_rows(self, text, count, *values):
        async def settled():
            return (await self.rows(text, *values))[0][0] == count

        await self.hub.until(settled, what=f"{text} = {count}")

    async def messages(self, patient, token=None):
        """By template; of what somebody wrote the key is empty."""
        answer = await self.call(
            "ListMessages", rpc.ListMessagesRequest(patient_id=str(patient)), token
        )
        return {each.template: each for each in answer.messages}

    async def received(self, patient, count):
        """What the patient's telephone shows, the oldest first, once there are so many."""

        async def shown():
            request = rpc.ListTelephoneRequest(patient_id=str(patient))
            found = (await self.call("ListTelephone", request)).entries
            received = [one for one in found if one.direction == one.DIRECTION_RECEIVED]
            return received[::-1] if len(received) >= count else None

        found = await self.hub.until(shown, what=f"{count} messages")
        assert len(found) == count
        return found

    async def state(self, patient, template, state):
        """The message, once it is in this state."""

        async def settled():
            message = (await self.messages(patient)).get(template)
            name = message and type(message).State.Name(message.state).removeprefix("STATE_")
            return message if name == state else None

        return await self.hub.until(settled, what=f"{template} {state}")

    async def answer(self, text, phone=PHONE):
        """The patient writes, and it is handled."""
        entry = await self.call(
            "AnswerAsPatient", rpc.AnswerAsPatientRequest(phone=phone, text=text)
        )
        await self.until_rows(
            "SELECT count(*) FROM timers WHERE kind = 'answer' AND key = $1", 0, entry.id
        )
        return entry

    async def told(self, kind):
        """The events of one kind in the outbox, in order."""
        found = await self.rows(
            "SELECT payload FROM outbox WHERE subject = $1 ORDER BY position",
            kind.DESCRIPTOR.full_name,
        )
        return [kind.FromString(row["payload"]) for row in found]

    async def settled(self, kind="leave"):
        """No timer of this kind is due any more."""

        async def none_due():
            now = self.hub.clock()
            rows = await self.rows(
                "SELECT count(*) FROM timers WHERE kind = $1 AND due_at <= $2", kind, now
            )
            return rows[0][0] == 0

        await self.hub.until(none_due, what=f"no {kind} is due")

    def later(self, **by):
        self.hub.clock.move(timedelta(**by))


@pytest.fixture
def messaging(hub):
    @asynccontextmanager
    async def running(*, now="2026-09-04 10:00", consent="allow", **env):
        settings = {"MESSAGING_TELEPHONE": "local", "MESSAGING_UNKNOWN_CONSENT": consent, **env}
        async with hub("messaging", env=settings, now=at(now)) as running_hub:
            messaging = Messaging(running_hub)
            await messaging.people()
            yield messaging

    return running
