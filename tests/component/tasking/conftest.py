"""tasking running for a test, with a hospital, its people, and a shorthand for its RPCs."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2, staff_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.fields import to_timestamp
from libs.testing.hub import caller_token
from services.tasking.consumers.invariants import check_invariants
from services.tasking.domain.protocol import shipped_protocols

CONTRACT = rpc.DESCRIPTOR.services_by_name["TaskingService"]
PERMISSIONS = ("tasks.read", "tasks.write", "protocols.read", "protocols.write")


def at(text, zone="America/Chicago"):
    """A local time, such as "2026-09-04 17:40"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


class Tasking:
    """A hospital in Chicago with nurses under a lead, a duty team and an administrator; and tasking's RPCs."""

    def __init__(self, hub):
        self.hub = hub
        self.here = uuid4()
        self.lead, self.nurse, self.other, self.duty, self.admin, self.network = (
            uuid4() for _ in range(6)
        )
        self.nurses, self.duty_team = uuid4(), uuid4()
        self.as_nurse = self.token(self.nurse)

    def token(self, subject=None, *facilities, permissions=PERMISSIONS, **claims):
        return caller_token(
            permissions=permissions,
            facilities=facilities or [self.here],
            subject=subject,
            roles=["nurse"],
            **claims,
        )

    async def call(self, method, request, token=None):
        kind = GetMessageClass(CONTRACT.methods_by_name[method].output_type)
        return await self.hub.call(CONTRACT, method, request, kind, token=token or self.as_nurse)

    async def facility(self, version=1, **fields):
        fields = {
            "id": str(self.here),
            "name": "Mercy",
            "time_zone": "America/Chicago",
            "holiday_calendar": "us-federal",
            "duty_team_id": str(self.duty_team),
        } | fields
        event = identity_events_pb2.FacilityChanged(version=version)
        for name, value in fields.items():
            setattr(event.facility, name, value)
        await self.hub.publish(event, key=fields["id"], version=version)

    async def staff(self, staff_id, name, role, facility=None, *, version=1, is_active=True):
        state = staff_pb2.StaffMember.STATE_ACTIVE if is_active else 2
        member = staff_pb2.StaffMember(
            id=str(staff_id),
            account=name.lower(),
            display_name=name,
            email=f"{name.lower().replace(' ', '.')}@mercy.example",
            state=state,
        )
        place = str(self.here if facility is None else facility)
        member.roles.append(staff_pb2.RoleAssignment(role=role, facility_id=place or ""))
        event = identity_events_pb2.StaffChanged(staff_member=member, version=version)
        await self.hub.publish(event, key=staff_id, version=version)

    async def team(self, team_id, name, role, lead, *others, version=1, facility=None):
        event = identity_events_pb2.TeamChanged(version=version)
        event.team.id = str(team_id)
        event.team.facility_id = str(facility or self.here)
        event.team.name, event.team.role, event.team.lead_id = name, role, str(lead)
        event.team.member_ids.extend(str(each) for each in (lead, *others))
        await self.hub.publish(event, key=team_id, version=version)

    async def people(self):
        """Everybody, as identity tells it."""
        await self.facility()
        await self.people_but_not_facility()
        await self.until_rows("SELECT count(*) FROM staff", 5)
        await self.until_rows("SELECT count(*) FROM teams", 2)
        await self.until_rows("SELECT count(*) FROM facilities", 1)
        await self.until_rows("SELECT count(*) FROM protocols", len(shipped_protocols()))

    async def people_but_not_facility(self):
        await self.staff(self.lead, "D Reyes", "nurse")
        await self.staff(self.nurse, "N Nurse", "nurse")
        await self.staff(self.other, "O Other", "nurse")
        await self.staff(self.duty, "E Duty", "coordinator")
        await self.staff(self.admin, "A Admin", "facility_admin")
        await self.team(
            self.nurses, "Transition nurses", "nurse", self.lead, self.nurse, self.other
        )
        await self.team(self.duty_team, "Duty", "", self.duty)

    async def merge(self, survivor, retired, version=9):
        event = registry_events_pb2.PatientsMerged(
            survivor_id=str(survivor), retired_id=str(retired), version=version
        )
        await self.hub.publish(event, key=retired, version=version)

    async def patient(self, patient, version=1, **fields):
        event = registry_events_pb2.PatientChanged(version=version)
        event.patient.id = str(patient)
        event.patient.names.add(family="Ejemplo", given=["Marisol"])
        event.patient.facility_ids.append(str(self.here))
        for name, value in fields.items():
            setattr(event.patient, name, value)
        await self.hub.publish(event, key=patient, version=version)

    def visit(self, encounter, patient, version=1, *, discharged=None, **fields):
        event = registry_events_pb2.EncounterChanged(version=version)
        told = event.encounter
        told.id, told.patient_id, told.facility_id = str(encounter), str(patient), str(self.here)
        told.admit_time.CopyFrom(to_timestamp(at(fields.pop("admitted", "2026-09-01 08:00"))))
        told.state = encounter_pb2.Encounter.STATE_IN_PROGRESS
        told.labels.append(access_pb2.LABEL_NORMAL)
        setattr(told, "class", encounter_pb2.Encounter.CLASS_INPATIENT)
        if discharged:
            told.discharge_time.CopyFrom(to_timestamp(at(discharged)))
            told.discharge_disposition = "01"
            told.state = encounter_pb2.Encounter.STATE_FINISHED
        for name, value in fields.items():
            setattr(told, name, value)
        return event

    async def tell(self, event):
        await self.hub.publish(event, key=event.encounter.id, version=event.version)

    async def discharged(self, patient=None, encounter=None, **fields):
        """A patient who went home on the Friday before Labor Day; and the tasks that this makes."""
        patient, encounter = patient or uuid4(), encounter or uuid4()
        await self.patient(patient)
        await self.tell(self.visit(encounter, patient, discharged="2026-09-04 17:40", **fields))
        await self.until_rows(
            "SELECT count(*) FROM patients JOIN tasks ON patient_id = patients.id "
            "WHERE step = 'contact' AND patient_id = $1",
            1,
            patient,
        )
        return patient

    async def rows(self, text, *values):
        async with self.hub.system("tasking") as tx:
            return await tx._connection.fetch(text, *values)

    async def until_rows(self, text, count, *values):
        async def settled():
            return (await self.rows(text, *values))[0][0] == count

        await self.hub.until(settled, what=f"{text} = {count}")

    async def tasks(self, patient, token=None, **fields):
        request = rpc.ListTasksRequest(patient_id=str(patient), **fields)
        answer = await self.call("ListTasks", request, token)
        return {task.step: task for task in answer.tasks}

    async def loops(self, patient, token=None):
        request = rpc.ListLoopsRequest(patient_id=str(patient))
        return list((await self.call("ListLoops", request, token)).loops)

    async def told(self, kind):
        """The events of one kind in the outbox, in order."""
        found = await self.rows(
            "SELECT payload FROM outbox WHERE subject = $1 ORDER BY position",
            kind.DESCRIPTOR.full_name,
        )
        return [kind.FromString(row["payload"]) for row in found]

    async def caught_up(self):
        """Whatever was due has been done: nothing changes between two looks."""
        due = "SELECT count(*) FROM timers WHERE due_at <= $1"
        await self.until_rows(due, 0, self.hub.clock())

    async def promise_is_kept(self):
        """Nothing breaks the promise, once the timers have caught up with a clock that tests move by days."""

        async def is_kept():
            async with self.hub.system("tasking") as tx:
                return await check_invariants(tx) == []

        await self.hub.until(is_kept, what="the promise")


@pytest.fixture
def tasking(hub):
    @asynccontextmanager
    async def running(*, people=True, **env):
        async with hub("tasking", env=env, now=at("2026-09-04 18:00")) as running_hub:
            tasking = Tasking(running_hub)
            if people:
                await tasking.people()
            yield tasking

    return running
