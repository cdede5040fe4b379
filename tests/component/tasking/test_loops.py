"""From registry's events to loops and tasks, with the deadlines of the calendar."""

import random
from datetime import date
from uuid import uuid4

from carehub.registry.v1 import encounter_pb2
from carehub.tasking.v1 import loop_pb2, task_pb2

from services.tasking.consumers.invariants import check_invariants
from services.tasking.domain.promise import Rule


def due(task):
    return date(task.due_date.year, task.due_date.month, task.due_date.day)


async def test_a_discharge_becomes_a_loop_and_tasks_with_the_right_deadlines(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        tasks = await t.tasks(patient)
        assert due(tasks["contact"]) == date(2026, 9, 9)
        assert "Labor Day" in tasks["contact"].due_explanation
        assert due(tasks["visit"]) == date(2026, 9, 18)
        assert tasks["contact"].owner.display_name == "Transition nurses · lead D Reyes"
        assert tasks["contact"].owner.accountable_staff_id == str(t.lead)
        assert tasks["contact"].patient_name == "Marisol Ejemplo"
        priority = tasks["contact"].priority
        assert priority.score == sum(term.points for term in priority.terms) > 0
        (loop,) = await t.loops(patient)
        assert loop.state == loop_pb2.Loop.STATE_OPEN
        assert loop.HasField("clock_time")
        assert {key.key: key.date.day for key in loop.key_dates}["contact_due"] == 9
        await t.promise_is_kept()


async def test_any_order_with_duplicates_ends_in_the_same_loop_and_tasks(tasking):
    async with tasking() as t:
        outcomes = []
        for seed in range(3):
            patient, encounter = uuid4(), uuid4()
            history = [
                t.visit(encounter, patient, 1),
                t.visit(encounter, patient, 2, discharged="2026-09-03 12:00"),
                t.visit(encounter, patient, 3),
                t.visit(encounter, patient, 4, discharged="2026-09-04 17:40"),
            ]
            history += history[:2]
            random.Random(seed).shuffle(history)
            for event in history:
                await t.tell(event)
            await t.until_rows(
                "SELECT count(*) FROM encounters WHERE version = 4 AND id = $1", 1, encounter
            )
            await t.until_rows("SELECT count(*) FROM inbox", 8 + len(history) * (seed + 1))
            tasks = await t.tasks(patient)
            opened = {
                step: (task.due_time.seconds, task.owner.display_name)
                for step, task in tasks.items()
                if task.state == task_pb2.Task.STATE_OPEN
            }
            outcomes.append(opened)
            assert len(await t.loops(patient)) == 1
        assert outcomes[0] == outcomes[1] == outcomes[2]
        assert "contact" in outcomes[0]
        await t.promise_is_kept()


async def test_what_comes_before_its_facility_is_planned_when_the_facility_is_known(tasking):
    async with tasking(people=False) as t:
        patient, encounter = uuid4(), uuid4()
        await t.tell(t.visit(encounter, patient, discharged="2026-09-04 17:40"))
        await t.until_rows("SELECT count(*) FROM encounters WHERE waits_for = 'facility'", 1)
        assert await t.loops(patient) == []
        await t.facility()
        await t.until_rows("SELECT count(*) FROM encounters WHERE waits_for = 'owner'", 1)
        await t.staff(t.network, "W Wide", "network_admin", facility="")
        await t.until_rows("SELECT count(*) FROM loops", 1)
        (loop,) = await t.loops(patient)
        assert loop.owner.accountable_staff_id == str(t.network)
        await t.people_but_not_facility()
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'contact' AND team_id = $1", 1, t.nurses
        )
        await t.promise_is_kept()


async def test_a_merge_moves_loops_and_tasks_to_the_survivor(tasking):
    async with tasking() as t:
        retired, survivor = await t.discharged(), uuid4()
        await t.patient(survivor)
        await t.merge(survivor, retired)
        await t.until_rows("SELECT count(*) FROM loops WHERE patient_id = $1", 1, survivor)
        await t.until_rows("SELECT count(*) FROM tasks WHERE patient_id = $1", 0, retired)
        assert "contact" in await t.tasks(survivor)
        # What is told late about the retired one belongs to the survivor too.
        late = uuid4()
        await t.tell(t.visit(late, retired, admitted="2026-10-20 10:00"))
        await t.until_rows("SELECT count(*) FROM loops WHERE encounter_id = $1", 1, late)
        assert {loop.patient_id for loop in await t.loops(survivor)} == {str(survivor)}
        assert len(await t.loops(survivor)) == 2


async def test_a_readmission_a_death_and_a_cancelled_admission_end_loops_with_evidence(tasking):
    async with tasking() as t:
        back, dead, never = await t.discharged(), await t.discharged(), uuid4()
        encounter = uuid4()
        await t.tell(t.visit(uuid4(), back, admitted="2026-09-10 10:00"))
        await t.patient(dead, version=2, is_deceased=True)
        await t.tell(t.visit(encounter, never))
        await t.until_rows("SELECT count(*) FROM loops", 4)
        cancelled = encounter_pb2.Encounter.STATE_CANCELLED
        await t.tell(t.visit(encounter, never, 2, state=cancelled))
        await t.until_rows("SELECT count(*) FROM loops WHERE state <> 'OPEN'", 3)
        reasons = {
            loop.close_reason: loop
            for patient in (back, dead, never)
            for loop in await t.loops(patient)
        }
        assert {"READMITTED", "DECEASED", "ADMISSION_CANCELLED", ""} == set(reasons)
        assert all(loop.evidence for reason, loop in reasons.items() if reason)
        await t.promise_is_kept()


async def test_the_promise_counts_what_breaks_it(tasking):
    async with tasking() as t:
        await t.discharged()
        async with t.hub.system("tasking") as tx:
            await tx._connection.execute("UPDATE tasks SET accountable_id = gen_random_uuid()")
            await tx._connection.execute("UPDATE encounters SET waits_for = 'owner'")
            broken = {each.rule for each in await check_invariants(tx)}
        assert broken - {Rule.LADDER_STUCK} == {Rule.TASK_WITHOUT_OWNER, Rule.ENCOUNTER_WAITS}
