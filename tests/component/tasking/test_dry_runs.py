"""Dry runs: real dates and owners without a trace, and what is wrong with the text or the example."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from carehub.tasking.v1 import dry_run_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc
from google.rpc import error_details_pb2

from libs.chassis.wire import CallFailed

KEY = "discharge-transition"
FRIDAY = dry_run_pb2.ExampleEncounter(
    local_admit_time="2026-09-03T08:00",
    local_discharge_time="2026-09-04T17:40",
    discharge_disposition="01",
)


async def run_dry(t, text=None, *, facility=None, token=None, **fields):
    if text is None:
        text = (await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=KEY))).text
    request = rpc.DryRunProtocolRequest(text=text, facility_id=str(facility or t.here), **fields)
    return await t.call("DryRunProtocol", request, token)


def fields_of(error):
    found = error_details_pb2.BadRequest()
    assert any(each.Unpack(found) for each in error.details.details)
    return [each.field for each in found.field_violations]


async def trace(t):
    """How much there is of what a dry run must not write."""
    tables = ("loops", "tasks", "notifications", "outbox", "protocols", "timers")
    return [(await t.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in tables]


async def test_it_has_dates_reasons_owners_and_ladders_and_leaves_no_trace(tasking):
    async with tasking() as t:
        before = await trace(t)
        found = await run_dry(t, encounter=FRIDAY)
        contact = next(each for each in found.tasks if each.task.step == "contact")
        due = datetime(2026, 9, 10, 4, 59, 59, tzinfo=UTC)
        assert contact.task.due_time.ToDatetime(tzinfo=UTC) == due
        assert "2026-09-07 (Labor Day) do not count" in contact.task.due_explanation
        assert contact.task.owner.display_name == "Transition nurses · lead D Reyes"
        assert [(each.notify, list(each.recipients)) for each in contact.levels] == [
            ("lead", ["D Reyes"]),
            ("facility_admin", ["A Admin"]),
            ("duty_team", ["E Duty"]),
        ]
        assert (found.version, found.problems, found.none_reason) == (1, [], "")
        assert "ROLE_WITHOUT_TEAM" in {each.reason for each in found.notices}
        (labor_day,) = (each for each in found.days if each.holiday)
        assert (labor_day.date.day, labor_day.is_business_day) == (7, False)
        assert await trace(t) == before


async def test_a_real_discharge_gets_what_the_dry_run_said(tasking):
    async with tasking() as t:
        said = await run_dry(t, encounter=FRIDAY)
        patient = await t.discharged(admitted="2026-09-03 08:00")
        real = await t.tasks(patient)
        said_open = {each.task.step: each.task for each in said.tasks if each.task.state == 1}
        assert {s: (x.due_time, x.due_explanation, x.owner) for s, x in said_open.items()} == {
            s: (x.due_time, x.due_explanation, x.owner) for s, x in real.items()
        }


async def test_without_an_example_it_takes_the_friday_before_a_holiday(tasking):
    async with tasking() as t:
        found = await run_dry(t)
        assert found.encounter.local_discharge_time == "2026-10-09T17:40"  # before Columbus Day
        assert found.loop.why.startswith("Left the hospital on 2026-10-09.")


async def test_a_changed_text_would_be_the_next_version(tasking):
    async with tasking() as t:
        text = (await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=KEY))).text
        changed = await run_dry(t, text.replace("business_days: 2", "business_days: 3"))
        assert changed.version == 2
        other = await run_dry(t, text.replace(f"key: {KEY}", "key: another"))
        assert other.version == 1


async def test_what_happens_next_ends_it(tasking):
    async with tasking() as t:
        again = dry_run_pb2.ExampleEncounter(local_admit_time="2026-09-07T10:00")
        found = await run_dry(t, encounter=FRIDAY, others=[again])
        assert found.loop.close_reason == "READMITTED"
        died = dry_run_pb2.ExamplePatient(local_death_time="2026-09-06T03:00")
        found = await run_dry(t, encounter=FRIDAY, patient=died)
        assert found.loop.close_reason == "DECEASED"
        emergency = dry_run_pb2.ExampleEncounter(
            visit_class="EMERGENCY", local_admit_time="2026-09-04T10:00"
        )
        found = await run_dry(t, encounter=emergency)
        assert not found.HasField("loop")
        assert found.none_reason == "NOT_TRIGGERED"


async def test_what_is_wrong_with_the_text_is_named_with_its_line(tasking):
    async with tasking() as t:
        text = (await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=KEY))).text
        found = await run_dry(t, text.replace("role: nurse", "role: nurze"))
        (problem,) = found.problems
        assert problem.path == "steps.contact.role"
        assert "nurze" in text.replace("role: nurse", "role: nurze").split("\n")[problem.line - 1]
        assert "Did you mean nurse?" in problem.help
        assert not found.HasField("loop")


WRONG = [
    ({"local_discharge_time": "Friday"}, "encounter.local_discharge_time"),
    ({"local_discharge_time": "2026-09-04T17:40+02:00"}, "encounter.local_discharge_time"),
    ({"visit_class": "STAY"}, "encounter.visit_class"),
    ({"state": "DONE"}, "encounter.state"),
    (
        {"local_admit_time": "2026-09-04T08:00", "local_discharge_time": "2026-09-03T08:00"},
        "encounter.local_discharge_time",
    ),
]


async def test_what_is_wrong_with_the_example_is_named_with_its_field(tasking):
    async with tasking() as t:
        for fields, field in WRONG:
            with pytest.raises(CallFailed) as error:
                await run_dry(t, encounter=dry_run_pb2.ExampleEncounter(**fields))
            assert error.value.code == "INVALID_ARGUMENT"
            assert fields_of(error.value) == [field]


async def test_only_for_a_facility_at_which_the_permission_is_held(tasking):
    async with tasking() as t:
        with pytest.raises(CallFailed) as error:
            await run_dry(t, facility=uuid4())
        assert error.value.reason == "FACILITY_NOT_FOUND"
        elsewhere = t.token(t.nurse, uuid4())
        with pytest.raises(CallFailed) as error:
            await run_dry(t, token=elsewhere)
        assert error.value.reason == "FACILITY_NOT_FOUND"
        none = t.token(t.nurse, permissions=("tasks.read",))
        with pytest.raises(CallFailed) as error:
            await run_dry(t, "key: x", token=none)
        assert error.value.code == "PERMISSION_DENIED"
