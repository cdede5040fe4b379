"""Ladders climb by themselves, tell people off-screen, and whoever leaves hands over."""

import asyncio
import email
from datetime import timedelta
from uuid import uuid4

import pytest
from aiosmtpd.controller import UnthreadedController
from carehub.tasking.v1 import tasking_events_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from services.tasking.consumers.invariants import mend_owners
from tests.component.tasking.conftest import at


class Mailbox:
    """A mail server that keeps what it gets, after refusing as often as it is told to."""

    def __init__(self):
        self.mails = []
        self.refusals = 0
        self.port = 0

    async def handle_DATA(self, _server, _session, envelope):
        if self.refusals:
            self.refusals -= 1
            return "451 later"
        self.mails.append(email.message_from_bytes(envelope.content))
        self.mails[-1]["X-To"] = envelope.rcpt_tos[0]
        return "250 OK"


@pytest.fixture
async def mailbox():
    box = Mailbox()
    controller = UnthreadedController(
        box, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop()
    )
    server = await controller._create_server()
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()


async def contact_of(t, patient):
    return (await t.tasks(patient))["contact"]


async def test_a_ladder_climbs_by_its_clock_and_ends_at_the_duty_team(tasking, mailbox):
    async with tasking(TASKING_SMTP_PORT=str(mailbox.port)) as t:
        patient = await t.discharged()
        contact = await contact_of(t, patient)
        assert contact.escalation_level == 0
        for level, when in enumerate(
            ("2026-09-08 16:30", "2026-09-10 00:00", "2026-09-10 04:00"), start=1
        ):
            t.hub.clock.set(at(when))
            await t.until_rows(
                "SELECT max(escalation_level) FROM tasks WHERE step = 'contact'", level
            )
        told = await t.rows(
            "SELECT n.level, n.staff_id FROM notifications n JOIN tasks ON tasks.id = n.task_id "
            "WHERE step = 'contact' ORDER BY n.level"
        )
        assert [tuple(row) for row in told] == [(1, t.lead), (2, t.admin), (3, t.duty)]
        await t.until_rows(
            "SELECT count(*) FROM notifications n JOIN tasks ON tasks.id = n.task_id "
            "WHERE step = 'contact' AND n.sent_at IS NOT NULL",
            3,
        )
        contact = await contact_of(t, patient)
        assert contact.HasField("next_escalation_time")  # its top repeats each day
        (loop,) = await t.loops(patient)
        assert loop.escalation_level == 3
        await t.promise_is_kept()


async def test_a_service_that_was_away_fires_each_level_once_and_in_order(tasking, mailbox):
    async with tasking(TASKING_SMTP_PORT=str(mailbox.port)) as t:
        patient = await t.discharged()
        t.hub.clock.set(at("2026-09-20 12:00"))
        await t.until_rows("SELECT max(escalation_level) FROM tasks WHERE step = 'contact'", 3)
        contact = await contact_of(t, patient)
        rows = await t.rows(
            "SELECT level FROM notifications n JOIN tasks ON tasks.id = n.task_id "
            "WHERE step = 'contact' ORDER BY level"
        )
        assert [row["level"] for row in rows] == [1, 2, 3]
        changed = [
            each.task.escalation_level
            for each in await t.told(tasking_events_pb2.TaskChanged)
            if each.task.id == contact.id
        ]
        assert changed == sorted(changed)
        assert changed[-1] == 3


async def test_letters_are_tried_again_and_say_nothing_about_the_patient(tasking, mailbox):
    mailbox.refusals = 2
    async with tasking(TASKING_SMTP_PORT=str(mailbox.port)) as t:
        patient = await t.discharged()
        t.hub.clock.set(at("2026-09-08 16:30"))

        async def arrived():
            t.hub.clock.move(timedelta(seconds=20))
            return [mail for mail in mailbox.mails if "Role: nurse" in mail.get_payload()]

        (mail,) = await t.hub.until(arrived, what="a letter")
        assert mail["Subject"] == "CareHub: a task is late"
        assert mail["X-To"] == "d.reyes@mercy.example"
        contact = await contact_of(t, patient)
        assert f"/tasks/{contact.id}" in mail.get_payload()
        whole = mail.as_string()
        for hidden in ("Marisol", "Ejemplo", str(patient), "discharge", "Call the patient"):
            assert hidden not in whole
        row = (await t.rows("SELECT id, tries FROM notifications WHERE sent_at IS NOT NULL"))[0]
        assert row["tries"] >= 1


async def test_a_letter_about_a_task_that_was_done_meanwhile_is_not_sent(tasking, mailbox):
    mailbox.refusals = many = 1_000_000
    async with tasking(TASKING_SMTP_PORT=str(mailbox.port)) as t:
        patient = await t.discharged()
        t.hub.clock.set(at("2026-09-08 16:30"))
        about = "notifications n JOIN tasks ON tasks.id = n.task_id WHERE step = 'contact'"
        await t.until_rows(f"SELECT count(*) FROM {about} AND n.tries > 0", 1)

        async def all_refused():
            """A try is counted before it is made."""
            tried = await t.rows("SELECT sum(tries) FROM notifications")
            return many - mailbox.refusals == tried[0][0]

        await t.hub.until(all_refused, what="the server's answer to each")
        contact = await contact_of(t, patient)
        await t.call("CompleteTask", rpc.CompleteTaskRequest(task_id=contact.id, outcome="reached"))
        mailbox.refusals = 0
        t.hub.clock.move(timedelta(hours=1))
        await t.until_rows(f"SELECT count(*) FROM {about} AND n.next_try_at IS NULL", 1)
        assert (await t.rows(f"SELECT n.sent_at FROM {about}"))[0]["sent_at"] is None


async def test_a_done_task_escalates_no_more(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        contact = await contact_of(t, patient)
        request = rpc.CompleteTaskRequest(task_id=contact.id, outcome="reached")
        await t.call("CompleteTask", request)
        t.hub.clock.set(at("2026-09-20 12:00"))
        await t.until_rows("SELECT max(escalation_level) FROM tasks WHERE step = 'visit'", 3)
        assert (await contact_of(t, patient)).escalation_level == 0


async def test_whoever_leaves_hands_over_every_open_task_and_loop(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        contact = await contact_of(t, patient)
        await t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id))
        assign = rpc.AssignTaskRequest(
            task_id=(await t.tasks(patient))["visit"].id, staff_id=str(t.nurse)
        )
        await t.call("AssignTask", assign)
        await t.staff(t.nurse, "N Nurse", "nurse", version=2, is_active=False)
        await t.until_rows("SELECT count(*) FROM tasks WHERE staff_id = $1", 0, t.nurse)
        contact = await contact_of(t, patient)
        assert contact.owner.display_name == "Transition nurses · lead D Reyes"
        assert contact.comments[-1].text.startswith("Handed over")
        assert contact.comments[-1].staff_id == ""
        told = await t.told(tasking_events_pb2.TaskChanged)
        assert told[-1].task.owner.staff_id != str(t.nurse)
        await t.promise_is_kept()


async def test_a_lead_who_leaves_is_followed_by_a_member_and_an_empty_team_by_the_duty_team(
    tasking,
):
    async with tasking() as t:
        patient = await t.discharged()
        await t.staff(t.lead, "D Reyes", "nurse", version=2, is_active=False)
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'contact' AND accountable_id = $1", 1, t.nurse
        )
        await t.staff(t.nurse, "N Nurse", "nurse", version=2, is_active=False)
        await t.staff(t.other, "O Other", "nurse", version=2, is_active=False)
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'contact' AND team_id = $1", 1, t.duty_team
        )
        assert (await t.tasks(patient, t.token(uuid4())))["contact"].owner.display_name == (
            "Duty · lead E Duty"
        )
        await t.promise_is_kept()


async def test_a_loop_without_an_open_step_is_reviewed_every_week(tasking):
    async with tasking() as t:
        patient = uuid4()
        await t.tell(t.visit(uuid4(), patient, admitted="2026-09-03 08:00"))
        await t.until_rows("SELECT count(*) FROM tasks", 4)
        for task in (await t.tasks(patient)).values():
            await t.call("CompleteTask", rpc.CompleteTaskRequest(task_id=task.id))
        (loop,) = await t.loops(patient)
        assert loop.HasField("clock_time")
        clock = loop.clock_time.seconds
        t.hub.clock.move(timedelta(days=8))
        await t.until_rows("SELECT count(*) FROM notifications WHERE task_id IS NULL", 1)
        (loop,) = await t.loops(patient)
        assert loop.clock_time.seconds > clock
        assert loop.owner.accountable_staff_id == str(t.duty)
        await t.promise_is_kept()


async def test_a_facility_that_corrects_its_clock_gets_new_deadlines(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        before = (await t.tasks(patient))["contact"]
        await t.facility(version=2, time_zone="America/Denver", holiday_calendar="none")
        await t.until_rows(
            "SELECT count(*) FROM tasks WHERE step = 'contact' AND due_on = '2026-09-08'", 1
        )
        after = (await t.tasks(patient))["contact"]
        assert after.due_time.seconds == before.due_time.seconds - 23 * 3600
        await t.promise_is_kept()


async def test_what_somebody_owned_who_left_in_that_moment_is_mended(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        async with t.hub.system("tasking") as tx:
            await tx._connection.execute(
                "UPDATE tasks SET accountable_id = gen_random_uuid() WHERE step = 'contact'"
            )
            await mend_owners(tx)
        contact = await contact_of(t, patient)
        assert contact.owner.accountable_staff_id == str(t.lead)
        await t.promise_is_kept()
