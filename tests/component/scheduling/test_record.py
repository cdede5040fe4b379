"""What the record and the feeds tell of appointments, in any order and more than once."""

import random
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.registry.v1 import encounter_pb2

from tests.component.scheduling.conftest import (
    ARRIVED,
    BOOKED,
    CANCELLED,
    FULFILLED,
    NO_SHOW,
    at,
)

TAKEN_BACK = {"state": encounter_pb2.Encounter.STATE_CANCELLED}


async def test_a_visit_on_the_day_fulfills_it_and_is_taken_back(scheduling):
    async with scheduling() as s:
        patient, encounter = uuid4(), uuid4()
        booked = await s.book(await s.schedule(), "2026-09-07 09:00", patient)
        s.hub.clock.set(at("2026-09-07 16:00"))
        await s.until_state(booked.id, NO_SHOW)
        label = access_pb2.LABEL_HIV
        await s.tell(s.visit(patient, "2026-09-07 15:55", encounter, label=label))
        kept = await s.until_state(booked.id, FULFILLED)
        assert (kept.encounter_id, list(kept.labels)) == (str(encounter), [label])
        await s.tell(s.visit(patient, "2026-09-07 15:55", encounter, 2, **TAKEN_BACK))
        back = await s.until_state(booked.id, NO_SHOW)
        assert (back.encounter_id, list(back.labels)) == ("", [access_pb2.LABEL_NORMAL])
        assert [version for _, version, _ in await s.published()] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "INPATIENT"},
        {"kind": "EMERGENCY"},
        {"state": encounter_pb2.Encounter.STATE_PLANNED},
        {"facility": uuid4()},
        {"began": "2026-09-08 00:00"},
        {"began": "2026-09-06 23:59"},
    ],
)
async def test_what_is_not_the_visit(scheduling, other):
    async with scheduling() as s:
        patient = uuid4()
        booked = await s.book(await s.schedule(), "2026-09-07 09:00", patient)
        began = other.get("began", "2026-09-07 09:00")
        await s.tell(s.visit(patient, began, **{k: v for k, v in other.items() if k != "began"}))
        await s.heard(2)
        assert (await s.get(booked.id)).state == BOOKED
        await s.tell(s.visit(patient, "2026-09-07 23:59", kind="RECURRING"))
        await s.until_state(booked.id, FULFILLED)


async def test_any_order_and_twice_end_the_same(scheduling):
    """A visit with its versions, a merge and what the feed tells, shuffled: always the same appointments."""
    rng = random.Random(7)
    async with scheduling() as s:
        s.hub.clock.set(at("2026-09-07 16:00"))
        ends = set()
        for _ in range(6):
            patient, retired = uuid4(), uuid4()
            encounter, first, second = uuid4(), uuid4(), uuid4()
            events = [
                s.visit(retired, "2026-09-07 09:05", encounter, 1),
                s.visit(retired, "2026-09-07 09:05", encounter, 2, kind="INPATIENT"),
                s.visit(retired, "2026-09-07 10:05", encounter, 3),
                s.told(retired, "2026-09-07 09:00", id=first),
                s.told(patient, "2026-09-07 10:00", id=first, version=2),
                s.told(retired, "2026-09-08 10:00", id=second),
                s.told(retired, "2026-09-08 10:00", "CANCELLED", id=second, version=2),
            ]
            deliveries = [*events, *events, None]
            rng.shuffle(deliveries)
            for event in deliveries:
                if event is None:
                    await s.merge(patient, retired)
                else:
                    await s.tell(event)
            await s.heard(3)
            await s.until_rows(
                "SELECT count(*) FROM appointments WHERE patient_id = $1 AND told_version = 2",
                2,
                patient,
            )

            async def listed(patient=patient):
                found = await s.of_patient(patient)
                return len(found) == 2 and found[1].state == FULFILLED and found

            found = await s.hub.until(listed, what="both")
            ends.add(
                tuple(
                    (each.state, each.start_time.seconds, each.encounter_id == str(encounter))
                    for each in found
                )
            )
        assert len(ends) == 1
        assert [state for state, _, _ in next(iter(ends))] == [CANCELLED, FULFILLED]


async def test_what_a_feed_tells_becomes_an_appointment(scheduling):
    async with scheduling() as s:
        patient, id = uuid4(), uuid4()
        labels = [access_pb2.LABEL_PART2]
        await s.tell(s.told(patient, "2026-09-08 10:00", id=id, labels=labels))
        told = await s.until_state(id, BOOKED)
        assert (told.external_number, told.practitioner) == ("A-1", "Ada Quill")
        assert (told.schedule_id, told.booked_by_id, list(told.labels)) == ("", "", labels)
        await s.tell(s.told(patient, "2026-09-09 10:00", id=id, version=3, labels=labels))
        await s.tell(s.told(patient, "2026-09-10 10:00", id=id, version=2, labels=labels))
        await s.tell(s.told(patient, "", "STARTED", id=id, version=4, labels=labels))
        arrived = await s.until_state(id, ARRIVED)
        assert arrived.start_time.seconds == int(at("2026-09-09 10:00").timestamp())
        for version, (status, state) in enumerate(
            [("COMPLETE", FULFILLED), ("NOSHOW", NO_SHOW), ("DELETED", CANCELLED), ("BOOKED", BOOKED)], 5
        ):  # fmt: skip
            await s.tell(s.told(patient, "", status, id=id, version=version, labels=labels))
            after = await s.until_state(id, state)
            assert after.cancel_reason == ("FEED" if state == CANCELLED else "")


async def test_an_arrival_stays_with_the_time_that_it_was_for(scheduling):
    async with scheduling() as s:
        patient, id = uuid4(), uuid4()
        await s.tell(s.told(patient, "2026-09-04 17:30", "STARTED", id=id))
        assert (await s.until_state(id, ARRIVED)).HasField("arrive_time")
        await s.tell(s.told(patient, "2026-09-04 17:30", "COMPLETE", id=id, version=2))
        assert (await s.until_state(id, FULFILLED)).HasField("arrive_time")
        await s.tell(s.told(patient, "2026-09-16 10:00", "BOOKED", id=id, version=3))
        await s.until_state(id, BOOKED)
        await s.tell(s.told(patient, "2026-09-16 10:00", "COMPLETE", id=id, version=4))
        assert not (await s.until_state(id, FULFILLED)).HasField("arrive_time")


async def test_one_that_never_said_when_is_none(scheduling):
    async with scheduling() as s:
        patient, id = uuid4(), uuid4()
        await s.tell(s.told(patient, "", "CANCELLED", id=id))
        await s.tell(s.told(patient, "2026-09-08 10:00"))
        await s.until_rows("SELECT count(*) FROM appointments", 1)
        await s.tell(s.told(patient, "2026-09-08 11:00", "CANCELLED", id=id, version=2))
        await s.until_state(id, CANCELLED)


async def test_the_dead_keep_no_time_from_others(scheduling):
    async with scheduling() as s:
        schedule, patient, encounter = await s.schedule(), uuid4(), uuid4()
        booked = [await s.book(schedule, f"2026-09-0{day} 09:00", patient) for day in (7, 8)]
        there = {"facility": uuid4(), "kind": "INPATIENT", "died": "2026-09-07 12:00"}
        await s.tell(s.visit(patient, "2026-09-06 08:00", encounter, **there))
        after = await s.until_state(booked[1].id, CANCELLED)
        assert after.cancel_reason == "DECEASED"
        assert (await s.get(booked[0].id)).state == BOOKED
        assert at("2026-09-08 09:00") in await s.free()
        # It was a mistake; meanwhile somebody else has the time.
        other = await s.book(schedule, "2026-09-08 09:00")
        there = {"facility": uuid4(), "kind": "INPATIENT"}
        await s.tell(s.visit(patient, "2026-09-06 08:00", encounter, 2, **there))
        await s.heard(4)
        lost = await s.get(booked[1].id)
        assert (lost.state, lost.cancel_reason) == (CANCELLED, "CLINIC")
        assert (await s.get(other.id)).state == BOOKED


async def test_who_is_known_to_have_died_keeps_no_time_that_is_booked_afterwards(scheduling):
    async with scheduling() as s:
        schedule, patient = await s.schedule(), uuid4()
        there = {"facility": uuid4(), "kind": "INPATIENT", "died": "2026-09-04 12:00"}
        await s.tell(s.visit(patient, "2026-09-02 08:00", **there))
        await s.heard(2)
        booked = await s.book(schedule, "2026-09-07 09:00", patient)
        assert booked.state == BOOKED
        after = await s.until_state(booked.id, CANCELLED)
        assert after.cancel_reason == "DECEASED"
        assert at("2026-09-07 09:00") in await s.free()
        assert await s.rows("SELECT 1 FROM timers WHERE kind = 'missed'") == []


async def test_a_merged_record_is_booked_under_the_one_that_it_lives_on_in(scheduling):
    async with scheduling() as s:
        schedule, first, middle, last = await s.schedule(), uuid4(), uuid4(), uuid4()
        early = await s.book(schedule, "2026-09-07 09:00", first)
        await s.merge(last, middle)
        await s.merge(middle, first)
        late = await s.book(schedule, "2026-09-07 09:30", first)
        assert late.patient_id == str(last)

        async def moved():
            return len(await s.of_patient(last)) == 2

        await s.hub.until(moved, what="both under the last")
        assert (await s.get(early.id)).etag == '"2"'
        encounter = uuid4()
        await s.tell(s.visit(middle, "2026-09-07 09:05", encounter))
        await s.until_state(early.id, FULFILLED)


async def test_another_clock_is_another_day(scheduling):
    async with scheduling(is_known=False) as s:
        patient, id = uuid4(), uuid4()
        await s.tell(s.visit(patient, "2026-09-07 23:30"))
        await s.tell(s.told(patient, "2026-09-07 09:00", id=id))
        await s.until_state(id, BOOKED)
        await s.facility("America/New_York")
        await s.heard(2)
        assert (await s.get(id)).state == BOOKED  # it is past midnight there
        await s.facility("America/Denver", version=2)
        await s.until_state(id, FULFILLED)
