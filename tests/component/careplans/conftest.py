"""careplans running for a test, with a hospital, its people, what tasking and registry tell, and a shorthand for its RPCs."""

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.careplans.v1 import (
    careplans_service_pb2,
    reconciliation_pb2,
    reconciliation_service_pb2,
)
from carehub.identity.v1 import identity_events_pb2, staff_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.tasking.v1 import loop_pb2, task_pb2, tasking_events_pb2
from google.protobuf.message_factory import GetMessageClass
from google.type.date_pb2 import Date

from libs.chassis.fields import to_timestamp
from libs.testing.feeds import feed_changed
from libs.testing.hub import caller_token

PLANS = careplans_service_pb2.DESCRIPTOR.services_by_name["CareplansService"]
MEDICINES = reconciliation_service_pb2.DESCRIPTOR.services_by_name["ReconciliationService"]
PERMISSIONS = ("care_plans.read", "care_plans.write", "reconciliations.write")
NOW = datetime(2026, 9, 4, 23, 0, tzinfo=UTC)
BEFORE, AFTER = (
    reconciliation_pb2.MedicineList.SIDE_BEFORE,
    reconciliation_pb2.MedicineList.SIDE_AFTER,
)
NORMAL, SUD, WITHHELD = access_pb2.LABEL_NORMAL, access_pb2.LABEL_SUD, access_pb2.LABEL_WITHHELD
KEY_DATES = {
    "contact_due": date(2026, 9, 9),
    "visit_7_due": date(2026, 9, 11),
    "visit_14_due": date(2026, 9, 18),
    "period_end": date(2026, 10, 3),
}


def day(value):
    return Date(year=value.year, month=value.month, day=value.day)


def end_of(value):
    return datetime(value.year, value.month, value.day, 5, tzinfo=UTC) + timedelta(days=1)


class Careplans:
    """A hospital in Chicago with a coordinator, a pharmacist and a duty team; and the RPCs of careplans."""

    def __init__(self, hub):
        self.hub = hub
        self.here, self.patient = uuid4(), uuid4()
        self.coordinator, self.pharmacist, self.duty, self.coordinators = (
            uuid4() for _ in range(4)
        )
        self.as_pharmacist = self.token(self.pharmacist)

    def token(self, subject=None, *facilities, permissions=PERMISSIONS, **claims):
        return caller_token(
            permissions=permissions,
            facilities=facilities or [self.here],
            subject=subject,
            roles=["pharmacist"],
            **claims,
        )

    async def call(self, method, token=None, headers=None, **fields):
        contract = PLANS if method in PLANS.methods_by_name else MEDICINES
        described = contract.methods_by_name[method]
        request = GetMessageClass(described.input_type)()
        for name, value in fields.items():
            _fill(request, name, value)
        kind = GetMessageClass(described.output_type)
        token = token or self.as_pharmacist
        return await self.hub.call(contract, method, request, kind, token=token, headers=headers)

    # What identity tells.

    async def people(self):
        event = identity_events_pb2.FacilityChanged(version=1)
        event.facility.id, event.facility.name = str(self.here), "Mercy"
        event.facility.time_zone, event.facility.duty_team_id = "America/Chicago", str(self.duty)
        await self.hub.publish(event, key=self.here)
        await self.staff(self.coordinator)
        await self.staff(self.pharmacist)
        await self.team(self.coordinators)
        await self.team(self.duty)
        await self.until_rows("SELECT count(*) FROM facilities", 1)
        await self.until_rows("SELECT count(*) FROM owners", 4)

    async def staff(self, id, version=1, *, is_active=True):
        member = staff_pb2.StaffMember(id=str(id), state=1 if is_active else 2)
        event = identity_events_pb2.StaffChanged(staff_member=member, version=version)
        await self.hub.publish(event, key=id, version=version)

    async def team(self, id):
        event = identity_events_pb2.TeamChanged(version=1)
        event.team.id, event.team.facility_id = str(id), str(self.here)
        await self.hub.publish(event, key=id)

    async def program_feed(self, facility):
        feed_id = uuid4()
        await self.hub.publish(feed_changed(feed_id, facility), key=feed_id)
        await self.until_rows("SELECT count(*) FROM feeds", 1)

    # What tasking tells.

    def loop(self, version=1, *, id, encounter, state="OPEN", is_discharged=True, **fields):
        event = tasking_events_pb2.LoopChanged(version=version)
        loop = event.loop
        loop.id, loop.encounter_id, loop.protocol = str(id), str(encounter), "discharge-transition"
        loop.facility_id, loop.patient_id = str(self.here), str(self.patient)
        loop.state = loop_pb2.Loop.State.Value(f"STATE_{state}")
        loop.owner.accountable_staff_id = str(self.coordinator)
        loop.open_time.CopyFrom(to_timestamp(NOW))
        if state != "OPEN":
            loop.close_time.CopyFrom(to_timestamp(NOW + timedelta(days=version)))
        if is_discharged:
            for key, on in KEY_DATES.items():
                loop.key_dates.add(key=key, date=day(on), time=to_timestamp(end_of(on)))
        loop.labels.append(NORMAL)
        for name, value in fields.items():
            _fill(loop, name, value)
        return event

    def task(self, version=1, *, loop, step, role, due, state="OPEN", owner=None, id=None):
        event = tasking_events_pb2.TaskChanged(version=version)
        task = event.task
        task.id, task.loop_id, task.step, task.role = str(id or uuid4()), str(loop), step, role
        task.facility_id, task.patient_id = str(self.here), str(self.patient)
        task.title = f"Do {step}"
        task.state = task_pb2.Task.State.Value(f"STATE_{state}")
        task.owner.team_id = str(owner or self.coordinators)
        task.due_time.CopyFrom(to_timestamp(end_of(due)))
        task.due_date.CopyFrom(day(due))
        return event

    async def tell(self, *events):
        for event in events:
            told = event.loop if event.DESCRIPTOR.name == "LoopChanged" else event.task
            await self.hub.publish(event, key=told.id, version=event.version)

    async def discharged(self, **fields):
        """A loop of a patient who went home; its id and that of the stay."""
        loop, encounter = uuid4(), uuid4()
        await self.tell(self.loop(id=loop, encounter=encounter, **fields))
        await self.until_rows("SELECT count(*) FROM care_plans WHERE loop_id = $1", 1, loop)
        return loop, encounter

    async def plan(self, loop, token=None):
        (found,) = [each for each in await self.plans(token) if each.loop_id == str(loop)]
        return found

    async def plans(self, token=None, patient=None):
        answer = await self.call("ListCarePlans", token, patient_id=str(patient or self.patient))
        return list(answer.care_plans)

    async def until_plan(self, loop, condition, what="the plan"):
        async def settled():
            plan = await self.plan(loop)
            return plan if condition(plan) else None

        return await self.hub.until(settled, what=what)

    # What registry tells.

    async def visit(self, encounter, version, labels=(NORMAL,), *, facility=None, **fields):
        event = registry_events_pb2.EncounterChanged(version=version)
        event.encounter.id = str(encounter)
        event.encounter.patient_id = str(fields.get("patient", self.patient))
        event.encounter.facility_id = str(facility or self.here)
        event.encounter.state = fields.get("state", encounter_pb2.Encounter.STATE_FINISHED)
        event.encounter.labels.extend(labels)
        if left := fields.get("left"):
            event.encounter.discharge_time.CopyFrom(to_timestamp(left))
        await self.hub.publish(event, key=encounter, version=version)

    async def merge(self, survivor, retired, version=9):
        event = registry_events_pb2.PatientsMerged(
            survivor_id=str(survivor), retired_id=str(retired), version=version
        )
        await self.hub.publish(event, key=retired, version=version)

    # Medicines.

    async def enter(self, encounter, before, after, token=None, **fields):
        for side, text in ((BEFORE, before), (AFTER, after)):
            given = {"encounter_id": str(encounter), "side": side, "text": text, **fields}
            await self.call("EnterMedicines", token, **given)

    async def reconcile(self, encounter, before, after):
        await self.enter(encounter, before, after)
        return await self.call("OpenReconciliation", encounter_id=str(encounter))

    async def decide(self, found, line, decision, token=None, **fields):
        given = {"reconciliation_id": found.id, "line_id": line.id, "decision": decision}
        return await self.call("DecideLine", token, **given, **fields)

    # What is there.

    async def rows(self, text, *values):
        async with self.hub.system("careplans") as tx:
            return await tx._connection.fetch(text, *values)

    async def until_rows(self, text, count, *values):
        async def settled():
            return (await self.rows(text, *values))[0][0] == count

        await self.hub.until(settled, what=f"{text} = {count}")

    async def until_handled(self, consumer, count):
        await self.until_rows("SELECT count(*) FROM inbox WHERE consumer = $1", count, consumer)

    async def told(self, kind):
        """The events of one kind in the outbox, in order."""
        found = await self.rows(
            "SELECT payload FROM outbox WHERE subject = $1 ORDER BY position",
            kind.DESCRIPTOR.full_name,
        )
        return [kind.FromString(row["payload"]) for row in found]


def _fill(message, name, value):
    if isinstance(value, (list, tuple)):
        getattr(message, name).extend(value)
    elif hasattr(value, "DESCRIPTOR"):
        getattr(message, name).CopyFrom(value)
    else:
        setattr(message, name, value)


@pytest.fixture
def careplans(hub):
    @asynccontextmanager
    async def running():
        async with hub("careplans", now=NOW) as running_hub:
            here = Careplans(running_hub)
            await here.people()
            yield here

    return running
