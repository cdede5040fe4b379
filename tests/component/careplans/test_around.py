"""A plan of three organizations: the hospital's, the clinic's and the neighbors', who each saw the patient before."""

from datetime import date, timedelta
from uuid import uuid4

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2, organization_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2

from libs.chassis.fields import to_timestamp
from tests.component.careplans.conftest import NORMAL, NOW, SUD

Organization, Encounter = organization_pb2.Organization, encounter_pb2.Encounter


class Neighborhood:
    """A clinic and a community organization, as identity and registry tell of them."""

    def __init__(self, c):
        self.c = c
        self.clinic, self.ridge, self.visitors, self.ridge_duty, self.clinic_duty = (
            uuid4() for _ in range(5)
        )

    async def told(self):
        await self.place(self.clinic, self.clinic_duty, Organization.KIND_PROVIDER)
        await self.place(self.ridge, self.ridge_duty, Organization.KIND_COMMUNITY)
        event = identity_events_pb2.TeamChanged(version=1)
        event.team.id, event.team.facility_id = str(self.visitors), str(self.ridge)
        event.team.role = "community_health_worker"
        await self.c.hub.publish(event, key=self.visitors)
        await self.c.until_rows("SELECT count(*) FROM organizations", 2)
        await self.c.until_rows("SELECT count(*) FROM facilities", 3)
        await self.c.until_rows("SELECT count(*) FROM owners", 5)

    async def place(self, facility, duty, kind):
        whose = uuid4()
        member = identity_events_pb2.OrganizationChanged(version=1)
        member.organization.id, member.organization.kind = str(whose), kind
        await self.c.hub.publish(member, key=whose)
        event = identity_events_pb2.FacilityChanged(version=1)
        event.facility.id, event.facility.organization_id = str(facility), str(whose)
        event.facility.time_zone, event.facility.duty_team_id = "America/Denver", str(duty)
        await self.c.hub.publish(event, key=facility)

    async def visit(self, facility, version=1, *, id=None, labels=(NORMAL,), **fields):
        id = id or uuid4()
        event = registry_events_pb2.EncounterChanged(version=version)
        told = event.encounter
        told.id, told.facility_id = str(id), str(facility)
        told.patient_id = str(fields.get("patient", self.c.patient))
        told.state = fields.get("state", Encounter.STATE_FINISHED)
        setattr(told, "class", fields.get("kind", Encounter.CLASS_OUTPATIENT))
        told.labels.extend(labels)
        told.admit_time.CopyFrom(to_timestamp(NOW - timedelta(days=10)))
        await self.c.hub.publish(event, key=id, version=version)
        return id

    async def denied(self, *whom, version=1):
        """What the patient forbids now: that these see anything of elsewhere; None: that anybody does."""
        event = identity_events_pb2.AccessChanged()
        event.access.patient_id, event.access.version = str(self.c.patient), version
        for each in whom:
            box = event.access.denials.add(grantee_id=str(each or ""), is_from_anywhere=True)
            box.purposes.append(access_pb2.PURPOSE_TREATMENT)
            box.data_classes.extend(access_pb2.DataClass.values()[1:])
            box.labels.extend(access_pb2.Label.values()[1:])
            box.weight = 2 if each else 1
        await self.c.hub.publish(event, key=self.c.patient, version=version)


def places(plan):
    return {each.facility_id for each in plan.activities}


async def test_whoever_saw_the_patient_before_has_something_to_do_and_is_on_the_team(careplans):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        await around.visit(around.clinic)
        await around.visit(around.ridge)
        await c.until_handled("careplans-record", 2)
        loop, _ = await c.discharged()
        plan = await c.plan(loop)
        owners = {each.facility_id: each.owner_id for each in plan.activities}
        assert owners[str(around.clinic)] == str(around.clinic_duty), "no nurses' team is there"
        assert owners[str(around.ridge)] == str(around.visitors)
        assert {each.member_id for each in plan.team} >= {
            str(around.clinic_duty),
            str(around.visitors),
        }
        assert [m.member_id for m in plan.team if m.is_coordinator] == [plan.coordinator_id]


async def test_a_visit_that_is_told_after_the_stay_counts_as_well_and_one_taken_back_does_not(
    careplans,
):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        loop, _ = await c.discharged()
        assert places(await c.plan(loop)) == {str(c.here)}
        visit = await around.visit(around.clinic)
        await c.until_plan(loop, lambda p: str(around.clinic) in places(p))
        await around.visit(around.clinic, 2, id=visit, state=Encounter.STATE_CANCELLED)
        await c.until_plan(loop, lambda p: places(p) == {str(c.here)})


async def test_what_is_sensitive_and_a_stay_show_nobody(careplans):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        loop, _ = await c.discharged()
        await around.visit(around.clinic, labels=(SUD,))
        await around.visit(around.ridge, kind=Encounter.CLASS_INPATIENT)
        await c.until_handled("careplans-record", 2)
        assert places(await c.plan(loop)) == {str(c.here)}


async def test_a_visit_that_becomes_a_stay_shows_nobody_any_more_in_whatever_order_it_is_told(
    careplans,
):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        loop, _ = await c.discharged()
        visit = await around.visit(around.clinic)
        await c.until_plan(loop, lambda p: str(around.clinic) in places(p))
        await around.visit(around.clinic, 2, id=visit, kind=Encounter.CLASS_INPATIENT)
        await c.until_plan(loop, lambda p: places(p) == {str(c.here)})
        handled = len(await c.rows("SELECT FROM inbox WHERE consumer = 'careplans-record'"))
        late = await around.visit(around.clinic, 2, kind=Encounter.CLASS_EMERGENCY)
        await c.until_handled("careplans-record", handled + 1)
        await around.visit(around.clinic, 1, id=late)
        await c.until_handled("careplans-record", handled + 2)
        assert places(await c.plan(loop)) == {str(c.here)}


async def test_a_visit_that_was_another_patients_is_asked_for_by_that_one_no_more(careplans):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        loop, _ = await c.discharged()
        visit = await around.visit(around.clinic)
        await c.until_plan(loop, lambda p: str(around.clinic) in places(p))
        await around.visit(around.clinic, 2, id=visit, patient=uuid4())
        await c.until_plan(loop, lambda p: places(p) == {str(c.here)})


async def test_nobody_is_asked_of_whom_the_patient_denied_that_they_know_of_each_other(careplans):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        loop, _ = await c.discharged()
        await around.visit(around.clinic)
        await around.visit(around.ridge)
        both = {str(c.here), str(around.clinic), str(around.ridge)}
        await c.until_plan(loop, lambda p: places(p) == both)
        await around.denied(around.clinic)
        await c.until_plan(loop, lambda p: places(p) == both - {str(around.clinic)})
        await around.denied(None, version=2)
        await c.until_plan(loop, lambda p: places(p) == {str(c.here)})
        await around.denied(version=3)
        await c.until_plan(loop, lambda p: places(p) == both)


async def test_visits_of_a_retired_record_are_those_of_the_one_that_it_lives_on_in(careplans):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        retired = uuid4()
        await around.visit(around.clinic, patient=retired)
        await c.until_handled("careplans-record", 1)
        await c.merge(c.patient, retired)
        await c.until_handled("careplans-record", 2)
        loop, _ = await c.discharged()
        assert str(around.clinic) in places(await c.plan(loop))


async def coordinated(c):
    """A loop whose first step the coordinator took, and its plan."""
    loop, _ = await c.discharged()
    first = c.task(loop=loop, step="admission_notice", role="coordinator", due=date(2026, 9, 6))
    first.task.owner.accountable_staff_id = str(c.coordinator)
    await c.tell(first)
    return loop, await c.until_plan(loop, lambda p: p.coordinator_id == str(c.coordinator))


async def test_the_lead_of_the_coordinators_coordinates_by_name_and_another_can(careplans):
    async with careplans() as c:
        _, plan = await coordinated(c)
        assert (plan.team[0].role, plan.team[0].is_coordinator) == ("coordinator", True)
        named = {"care_plan_id": plan.id, "coordinator_id": str(c.pharmacist)}
        after = await c.call("NameCoordinator", **named)
        assert after.team[0].member_id == str(c.pharmacist)


async def test_who_has_left_does_not_come_back_with_the_next_that_is_told_of_the_loop(careplans):
    async with careplans() as c:
        loop, _ = await coordinated(c)
        await c.staff(c.coordinator, 2, is_active=False)
        await c.until_plan(loop, lambda p: p.coordinator_id == str(c.duty))
        await c.tell(c.task(loop=loop, step="contact", role="nurse", due=date(2026, 9, 9)))
        plan = await c.until_plan(loop, lambda p: "Do contact" in {a.title for a in p.activities})
        assert plan.coordinator_id == str(c.duty)
        assert str(c.coordinator) not in {goal.owner_id for goal in plan.goals}


async def test_an_activity_that_people_add_is_that_of_the_team_there(careplans):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        loop, _ = await c.discharged()
        plan = await c.plan(loop)
        activity = type(plan.activities[0])(
            title="Bring a scale", facility_id=str(around.ridge), role="community_health_worker"
        )
        activity.due_time.CopyFrom(to_timestamp(NOW + timedelta(days=3)))
        activity.owner_id = str(uuid4())  # nobody says whose it is
        after = await c.call("AddActivity", care_plan_id=plan.id, activity=activity)
        (added,) = [each for each in after.activities if each.title == "Bring a scale"]
        assert added.owner_id == str(around.visitors)
