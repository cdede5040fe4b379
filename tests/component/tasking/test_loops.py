"""From registry's events to loops and tasks, with the deadlines of the calendar."""

import random
from datetime import date
from uuid import uuid4

from carehub.registry.v1 import encounter_pb2
from carehub.tasking.v1 import loop_pb2, task_pb2

from tests.component.tasking.conftest import at


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
