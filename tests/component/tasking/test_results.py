"""From results that laboratories tell of to somebody who has read them back: once, in any order, and by the clock."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.registry.v1.observation_pb2 import Observation
from carehub.registry.v1.registry_events_pb2 import ResultReceived
from carehub.tasking.v1 import loop_pb2, task_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from tests.component.tasking.conftest import at

NIGHT = "2026-09-05 02:10"
OPEN, DONE = task_pb2.Task.STATE_OPEN, task_pb2.Task.STATE_COMPLETED


class Laboratory:
    def __init__(self, t, patient=None):
        self.t = t
        self.patient, self.id = patient or uuid4(), uuid4()

    def result(
        self,
        version=1,
        state=Observation.STATE_FINAL,
        *,
        critical=True,
        when=NIGHT,
        id=None,
        quantity=6.8,
        kind=Observation.CRITICALITY_HIGH,
    ):
        event = ResultReceived(version=version)
        told = event.observation
        told.id, told.patient_id = str(id or self.id), str(self.patient)
        told.facility_id, told.state, told.analyte = str(self.t.here), state, "potassium"
        told.value, told.name, told.quantity = "Canary", "Canary", quantity
        told.report_time.CopyFrom(to_timestamp(at(when)))
        told.labels.append(access_pb2.LABEL_NORMAL)
        if critical:
            told.criticality = kind
        return event

    async def tell(self, *events):
        for event in events:
            await self.t.hub.publish(event, key=event.observation.id, version=event.version)

    async def loop(self):
        found = await self.t.loops(self.patient)
        return found[0] if found else None

    async def closed_as(self, reason, count=1):
        await self.t.until_rows("SELECT count(*) FROM loops WHERE close_reason = $1", count, reason)


def read_back(name="Dr. A. Quill", when="2026-09-05 02:30"):
    return task_pb2.ReadBack(told_name=name, time=to_timestamp(at(when)))


async def acknowledged(t, patient, step="acknowledge", **fields):
    task = (await t.tasks(patient))[step]
    request = rpc.CompleteTaskRequest(task_id=task.id, outcome="read_back", **fields)
    return await t.call("CompleteTask", request)


async def alarmed(t, lab=None):
    t.hub.clock.set(at("2026-09-05 02:11"))
    lab = lab or Laboratory(t)
    await t.patient(lab.patient)
    await lab.tell(lab.result())
    await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'acknowledge' AND patient_id = $1", 1, lab.patient)  # fmt: skip
    return lab


async def test_it_climbs_until_somebody_has_read_it_back(tasking):
    async with tasking() as t:
        lab = await alarmed(t)
        task = (await t.tasks(lab.patient))["acknowledge"]
        assert (task.role, task.owner.team_id) == ("physician", str(t.duty_team))
        assert list(task.read_back_outcomes) == ["read_back"]
        assert (await lab.loop()).result_id == str(lab.id)
        for minute, level in ((26, 2), (41, 3), (56, 4), (71, 5)):
            t.hub.clock.set(at("2026-09-05 02:00") + timedelta(minutes=minute))
            await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'acknowledge' AND escalation_level = $1", 1, level)  # fmt: skip
        with pytest.raises(CallFailed, match="EVIDENCE_MISSING"):
            await acknowledged(t, lab.patient)
        with pytest.raises(CallFailed, match="READ_BACK_TIME_INVALID"):
            await acknowledged(t, lab.patient, read_back=read_back(when="2026-09-05 01:30"))
        with pytest.raises(CallFailed, match="TEXT_MISSING"):
            await acknowledged(t, lab.patient, read_back=read_back(" "))
        with pytest.raises(CallFailed, match="READ_BACK_TIME_MISSING"):
            await acknowledged(t, lab.patient, read_back=task_pb2.ReadBack(told_name="Q"))
        done = await acknowledged(t, lab.patient, read_back=read_back(), note="Calcium given.")
        assert (done.state, done.read_back.told_name) == (DONE, "Dr. A. Quill")
        await lab.closed_as("READ_BACK")
        loop = await lab.loop()
        assert loop.state == loop_pb2.Loop.STATE_CLOSED
        assert loop.evidence[-1].staff_id == str(t.nurse)
        assert loop.close_time == read_back().time
        await t.promise_is_kept()


async def test_in_any_order_and_twice_there_is_one_loop(tasking):
    async with tasking() as t:
        t.hub.clock.set(at("2026-09-05 02:40"))
        for seed in range(4):
            lab = Laboratory(t)
            told = [
                lab.result(1, Observation.STATE_PRELIMINARY),
                lab.result(2),
                lab.result(3, when="2026-09-05 02:20"),
            ] * 2
            random.Random(seed).shuffle(told)
            await lab.tell(*told)
            await t.until_rows("SELECT count(*) FROM inbox WHERE consumer = 'tasking-results'", 6 * (seed + 1))  # fmt: skip
            (loop,) = await t.loops(lab.patient)
            assert loop.state == loop_pb2.Loop.STATE_OPEN
            assert (await t.tasks(lab.patient))["acknowledge"].due_time == to_timestamp(at("2026-09-05 03:10"))  # fmt: skip
        await t.promise_is_kept()


async def test_the_same_again_raises_no_second_alarm_and_much_worse_does(tasking):
    async with tasking() as t:
        lab = await alarmed(t)
        again, worse = uuid4(), uuid4()
        await lab.tell(
            lab.result(id=again, when="2026-09-05 06:00", quantity=6.9),
            lab.result(id=worse, when="2026-09-05 08:00", quantity=7.9),
        )
        await t.until_rows("SELECT count(*) FROM loops WHERE state = 'OPEN'", 2)
        assert {loop.result_id for loop in await t.loops(lab.patient)} == {str(lab.id), str(worse)}
        await t.promise_is_kept()


async def test_what_is_taken_back_or_corrected_ends_it_with_the_reason(tasking):
    async with tasking() as t:
        withdrawn, corrected = await alarmed(t), await alarmed(t)
        await withdrawn.tell(withdrawn.result(2, Observation.STATE_ENTERED_IN_ERROR, critical=False, when="2026-09-05 02:20"))  # fmt: skip
        await withdrawn.closed_as("RESULT_WITHDRAWN")
        await corrected.tell(corrected.result(2, Observation.STATE_CORRECTED, critical=False, when="2026-09-05 02:20"))  # fmt: skip
        await corrected.closed_as("RESULT_CORRECTED")
        await t.promise_is_kept()


async def test_whoever_read_back_what_is_taken_back_later_is_told(tasking):
    async with tasking() as t:
        lab = await alarmed(t)
        t.hub.clock.set(at("2026-09-05 02:31"))
        await acknowledged(t, lab.patient, read_back=read_back())
        await lab.closed_as("READ_BACK")
        t.hub.clock.set(at("2026-09-05 05:01"))
        await lab.tell(lab.result(2, Observation.STATE_ENTERED_IN_ERROR, critical=False, when="2026-09-05 05:00"))  # fmt: skip
        await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'tell_correction' AND state = 'OPEN'", 1)  # fmt: skip
        assert (await lab.loop()).state == loop_pb2.Loop.STATE_OPEN
        await t.promise_is_kept()


async def test_whoever_read_back_what_is_critical_otherwise_later_is_told_again_each_time(tasking):
    async with tasking() as t:
        lab = await alarmed(t)
        t.hub.clock.set(at("2026-09-05 02:31"))
        await acknowledged(t, lab.patient, read_back=read_back())
        await lab.closed_as("READ_BACK")
        low = {"kind": Observation.CRITICALITY_LOW, "quantity": 2.1}
        for version, (hour, said) in enumerate([(5, low), (7, {"quantity": 6.8}), (9, {"quantity": 7.9})], 2):  # fmt: skip
            when = f"2026-09-05 0{hour}:00"
            t.hub.clock.set(at(when) + timedelta(minutes=1))
            corrected = lab.result(version, Observation.STATE_CORRECTED, when=when, **said)
            await lab.tell(corrected, corrected)
            await t.until_rows("SELECT count(*) FROM tasks WHERE step = 'tell_change' AND state = 'OPEN'", 1)  # fmt: skip
            assert (await lab.loop()).state == loop_pb2.Loop.STATE_OPEN
            when = f"2026-09-05 0{hour}:30"
            t.hub.clock.set(at(when) + timedelta(minutes=1))
            await acknowledged(t, lab.patient, "tell_change", read_back=read_back(when=when))
            await lab.closed_as("CHANGE_TOLD")
            await t.until_rows("SELECT count(*) FROM loops WHERE state = 'CLOSED'", 1)
        assert len((await t.rows("SELECT heard FROM results"))[0]["heard"]) > 0
        await t.promise_is_kept()


async def test_a_result_that_is_somebody_elses_takes_its_alarm_back_and_a_merge_takes_it_along(
    tasking,
):
    async with tasking() as t:
        lab, survivor = await alarmed(t), uuid4()
        await t.merge(survivor, lab.patient)
        await t.until_rows("SELECT count(*) FROM loops WHERE patient_id = $1", 1, survivor)
        await t.until_rows("SELECT count(*) FROM results WHERE patient_id = $1", 1, survivor)
        # Told under the retired id still, it is the survivor's.
        await lab.tell(lab.result(2, Observation.STATE_ENTERED_IN_ERROR, critical=False))
        await lab.closed_as("RESULT_WITHDRAWN")
        await t.promise_is_kept()


async def test_of_a_result_no_name_and_no_word_is_kept_and_of_an_ordinary_one_no_number(tasking):
    async with tasking() as t:
        lab, other = await alarmed(t), uuid4()
        await lab.tell(lab.result(id=other, critical=False, quantity=4.2))
        await t.until_rows("SELECT count(*) FROM results", 2)
        rows = await t.rows("SELECT row_to_json(r)::text AS row, quantity, id FROM results r")
        assert not any("Canary" in row["row"] for row in rows)
        assert {row["id"]: row["quantity"] for row in rows} == {lab.id: 6.8, other: None}
        assert len(await t.loops(lab.patient)) == 1
