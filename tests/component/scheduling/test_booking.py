"""Schedules, what is free, and that no time is promised twice."""

import asyncio
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.scheduling.v1 import scheduling_service_pb2 as rpc
from google.type import date_pb2

from libs.chassis.fields import to_timestamp
from libs.chassis.pages import encode_cursor
from libs.chassis.wire import CallFailed
from libs.conveyor.timers import set_timer
from tests.component.scheduling.conftest import BOOKED, CANCELLED, DAY, HOUR, NO_SHOW, at


async def test_what_is_free_is_what_nobody_has(scheduling):
    async with scheduling() as s:
        monday = await s.schedule()
        first = await s.free(page_size=3)
        assert first == [at("2026-09-07 09:00"), at("2026-09-07 09:30"), at("2026-09-07 10:00")]
        booked = await s.book(monday, "2026-09-07 09:30")
        assert await s.free(page_size=2) == [at("2026-09-07 09:00"), at("2026-09-07 10:00")]
        await s.do("CancelAppointment", booked)
        assert await s.free(page_size=3) == first
        assert await s.free(end_time=to_timestamp(at("2026-09-07 09:30"))) == first[:1]


async def test_what_is_free_page_by_page(scheduling):
    async with scheduling() as s:
        for name in ("Ada Quill", "Bo Reed"):
            await s.schedule(practitioner=name)
        request, found = rpc.ListFreeSlotsRequest(page_size=5), []
        request.end_time.CopyFrom(to_timestamp(at("2026-09-08 00:00")))
        while True:
            page = await s.call("ListFreeSlots", request)
            found += [(slot.start_time.seconds, slot.schedule_id) for slot in page.slots]
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        assert len(found) == len(set(found)) == 12
        assert [start for start, _ in found] == sorted(start for start, _ in found)


async def test_a_hundred_at_once_and_one_gets_it(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        tokens = [s.token_for(uuid4()) for _ in range(100)]

        async def try_it(token):
            while True:
                try:
                    return (await s.book(schedule, "2026-09-07 09:00", token=token)).id
                except CallFailed as failed:
                    if failed.reason != "DATABASE_AWAY":  # too many for its few connections
                        return failed.reason

        answers = await asyncio.gather(*map(try_it, tokens))
        assert answers.count("SLOT_TAKEN") == 99
        assert len(await s.rows("SELECT 1 FROM appointments")) == 1
        assert len(await s.rows("SELECT 1 FROM taken")) == 1


async def test_the_database_itself_refuses_what_overlaps(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        await s.book(schedule, "2026-09-07 09:00")
        add = (
            "INSERT INTO taken (appointment_id, facility_id, schedule_id, start_at, end_at) "
            "SELECT gen_random_uuid(), facility_id, schedule_id, start_at + $1::interval, end_at + $1::interval FROM taken"
        )
        with pytest.raises(Exception, match="taken_once"):
            await s.rows(add, HOUR / 4)
        await s.rows(add, HOUR / 2)


async def test_the_same_request_books_once(scheduling):
    async with scheduling() as s:
        schedule, patient, key = await s.schedule(), uuid4(), str(uuid4())
        one, other = await asyncio.gather(
            *(s.book(schedule, "2026-09-07 09:00", patient, request_id=key) for _ in range(2))
        )
        assert one == other
        again = s.booking(schedule, "2026-09-07 09:30", patient, request_id=key)
        assert await s.refused("BookAppointment", again) == "BOOKING_EXISTS"
        assert await s.published() == [(one.id, 1, BOOKED)]


async def test_only_what_is_offered_can_be_booked(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        for start in ("2026-09-07 09:10", "2026-09-06 09:00", "2026-09-07 12:00", "2026-09-04 09:00"):  # fmt: skip
            assert await s.refused("BookAppointment", s.booking(schedule, start)) == "SLOT_NOT_OFFERED"  # fmt: skip
        elsewhere = s.token_for(None, s.elsewhere)
        booking = s.booking(schedule, "2026-09-07 09:00")
        assert await s.refused("BookAppointment", booking, elsewhere) == "BOOKING_ELSEWHERE"
        assert await s.free(elsewhere) == []
        booking.schedule_id = str(uuid4())
        assert await s.refused("BookAppointment", booking) == "SCHEDULE_NOT_FOUND"
        for_follow_ups = await s.schedule(practitioner="Bo Reed")
        changed = s.hours(id=for_follow_ups.id, practitioner="Bo Reed")
        changed.purposes.append(1)
        await s.call("UpdateSchedule", rpc.UpdateScheduleRequest(schedule=changed))
        other = s.booking(for_follow_ups, "2026-09-07 09:00", purpose=2)
        assert await s.refused("BookAppointment", other) == "SLOT_NOT_OFFERED"
        assert (await s.book(for_follow_ups, "2026-09-07 09:00", purpose=1)).purpose == 1


async def test_booked_again_gives_the_old_time_back(scheduling):
    async with scheduling() as s:
        schedule, patient = await s.schedule(), uuid4()
        old = await s.book(schedule, "2026-09-07 09:00", patient, purpose=1)
        new_time = to_timestamp(at("2026-09-08 09:00"))
        again = {"schedule_id": schedule.id, "start_time": new_time, "request_id": str(uuid4())}
        new = await s.do("RebookAppointment", old, **again)
        assert await s.do("RebookAppointment", old, **again) == new
        assert (new.rebooked_from_id, new.patient_id, new.purpose) == (old.id, str(patient), 1)
        given_up = await s.get(old.id)
        assert (given_up.state, given_up.cancel_reason) == (CANCELLED, "REBOOKED")
        assert not given_up.is_late_cancel
        assert at("2026-09-07 09:00") in await s.free()
        assert [each.id for each in await s.of_patient(patient)] == [new.id, old.id]
        once_more = rpc.RebookAppointmentRequest(
            appointment_id=old.id,
            schedule_id=schedule.id,
            start_time=to_timestamp(at("2026-09-09 09:00")),
        )
        assert await s.refused("RebookAppointment", once_more) == "APPOINTMENT_REBOOKED"


@pytest.mark.parametrize("ended", ["missed", "cancelled"])
async def test_in_the_place_of_what_was_missed_or_cancelled_one_is_booked_whoever_asks(
    scheduling, ended
):
    async with scheduling() as s:
        schedule = await s.schedule()
        old = await s.book(schedule, "2026-09-07 09:00")
        if ended == "cancelled":
            await s.do("CancelAppointment", old)
        else:
            s.hub.clock.set(at("2026-09-07 09:05"))
            await s.do("MarkMissed", old)

        async def again(start):
            fields = {"schedule_id": schedule.id, "start_time": to_timestamp(at(start))}
            try:
                return await s.do("RebookAppointment", old, **fields)
            except CallFailed as failed:
                return failed.reason

        starts = ("2026-09-08 09:00", "2026-09-08 09:30", "2026-09-08 10:00")
        answers = await asyncio.gather(*map(again, starts))
        booked = [each for each in answers if not isinstance(each, str)]
        assert [each.rebooked_from_id for each in booked] == [old.id]
        assert answers.count("APPOINTMENT_REBOOKED") == 2
        assert await again("2026-09-09 09:00") == "APPOINTMENT_REBOOKED"
        # Nothing is left of those that were refused, and the new one can be booked again.
        free = await s.free()
        assert sum(at(start) in free for start in starts) == 2
        (old,) = booked
        assert (await again("2026-09-09 09:00")).rebooked_from_id == old.id


async def test_two_who_swap_their_times_do_not_wait_for_each_other(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        times = ("2026-09-07 09:00", "2026-09-07 09:30")
        one, other = [await s.book(schedule, start) for start in times]

        async def take(old, start):
            fields = {"schedule_id": schedule.id, "start_time": to_timestamp(at(start))}
            try:
                return await s.do("RebookAppointment", old, **fields)
            except CallFailed as failed:
                return failed.reason

        swapped = await asyncio.gather(take(one, times[1]), take(other, times[0]))
        assert "SLOT_TAKEN" in swapped


async def test_schedules_are_made_by_people_of_the_place(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        same = rpc.CreateScheduleRequest(schedule=schedule)
        assert (await s.call("CreateSchedule", same)).id == schedule.id
        same.schedule.practitioner = "Bo Reed"
        assert await s.refused("CreateSchedule", same) == "SCHEDULE_EXISTS"
        elsewhere = s.token_for(None, s.elsewhere)
        change = rpc.UpdateScheduleRequest(schedule=s.hours(id=schedule.id, slot_minutes=60))
        change.update_mask.paths.append("slot_minutes")
        assert await s.refused("UpdateSchedule", change, elsewhere) == "SCHEDULE_NOT_YOURS"
        assert await s.refused("CreateSchedule", same, elsewhere) == "SCHEDULE_NOT_YOURS"
        change.schedule.etag = '"7"'
        assert await s.refused("UpdateSchedule", change) == "STALE_ETAG"
        change.schedule.etag = schedule.etag
        changed = await s.call("UpdateSchedule", change)
        assert (changed.slot_minutes, changed.etag, changed.hours) == (60, '"2"', schedule.hours)
        listed = await s.call("ListSchedules", rpc.ListSchedulesRequest(), elsewhere)
        assert list(listed.schedules) == [changed]
        assert await s.refused("GetSchedule", rpc.GetScheduleRequest(schedule_id=str(uuid4()))) == "SCHEDULE_NOT_FOUND"  # fmt: skip


async def test_schedules_page_by_page(scheduling):
    async with scheduling() as s:
        for name in ("C", "A", "B"):
            await s.schedule(practitioner=name)
        request, names = rpc.ListSchedulesRequest(page_size=2, facility_id=str(s.here)), []
        while True:
            page = await s.call("ListSchedules", request)
            names += [each.practitioner for each in page.schedules]
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        assert names == ["A", "B", "C"]
        request.page_token = encode_cursor(["A"], request)
        assert await s.refused("ListSchedules", request) == "PAGE_TOKEN_INVALID"


async def test_the_day_of_a_facility_and_pages_of_it(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        booked = [
            await s.book(schedule, start)
            for start in ("2026-09-07 09:30", "2026-09-07 09:00", "2026-09-08 09:00")
        ]
        day = date_pb2.Date(year=2026, month=9, day=7)
        request = rpc.ListAppointmentsRequest(facility_id=str(s.here), date=day, page_size=1)
        first = await s.call("ListAppointments", request)
        assert [each.id for each in first.appointments] == [booked[1].id]
        request.page_token = first.next_page_token
        second = await s.call("ListAppointments", request)
        assert [each.id for each in second.appointments] == [booked[0].id]
        assert not second.next_page_token
        request.patient_id = str(uuid4())
        assert await s.refused("ListAppointments", request) == "APPOINTMENTS_OF_WHOM"
        assert await s.refused("ListAppointments", rpc.ListAppointmentsRequest()) == "APPOINTMENTS_OF_WHOM"  # fmt: skip


async def test_others_neither_see_nor_change_it(scheduling):
    async with scheduling() as s:
        booked = await s.book(await s.schedule(), "2026-09-07 09:00")
        elsewhere = s.token_for(None, s.elsewhere)
        request = rpc.GetAppointmentRequest(appointment_id=booked.id)
        assert await s.refused("GetAppointment", request, elsewhere) == "APPOINTMENT_NOT_FOUND"
        cancel = rpc.CancelAppointmentRequest(appointment_id=booked.id)
        assert await s.refused("CancelAppointment", cancel, elsewhere) == "APPOINTMENT_NOT_FOUND"
        assert await s.of_patient(booked.patient_id, elsewhere) == []
        cancel.etag = '"9"'
        assert await s.refused("CancelAppointment", cancel) == "STALE_ETAG"


async def test_a_late_cancel_is_recorded(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        in_time, late = [await s.book(schedule, f"2026-09-0{day} 09:00") for day in (7, 8)]
        s.hub.clock.set(at("2026-09-07 08:00"))
        cancelled = await s.do("CancelAppointment", late, by=2)
        assert (cancelled.cancel_reason, cancelled.is_late_cancel) == ("CLINIC", False)
        cancelled = await s.do("CancelAppointment", in_time, by=1)
        assert (cancelled.cancel_reason, cancelled.is_late_cancel) == ("PATIENT", True)


async def test_missed_by_the_clock_and_came_all_the_same(scheduling):
    async with scheduling() as s:
        booked = await s.book(await s.schedule(), "2026-09-07 09:00")
        s.hub.clock.set(at("2026-09-07 09:14"))
        assert (await s.get(booked.id)).state == BOOKED
        s.hub.clock.set(at("2026-09-07 09:15"))
        missed = await s.until_state(booked.id, NO_SHOW)
        cancel = rpc.CancelAppointmentRequest(appointment_id=booked.id)
        assert await s.refused("CancelAppointment", cancel) == "APPOINTMENT_STATE"
        arrived = await s.do("CheckInAppointment", missed)
        assert arrived.HasField("arrive_time")
        done = await s.do("CompleteAppointment", arrived)
        assert done.arrive_time == arrived.arrive_time
        assert [version for _, version, _ in await s.published()] == [1, 2, 3, 4]


async def test_a_clock_that_runs_out_too_early_is_wound_up_again(scheduling):
    async with scheduling() as s:
        booked = await s.book(await s.schedule(), "2026-09-07 09:00")
        ahead = "SELECT count(*) FROM timers WHERE kind = 'missed' AND key = $1 AND due_at = $2"
        missed_at = at("2026-09-07 09:15")
        await s.until_rows(ahead, 1, booked.id, missed_at)
        async with s.hub.system("scheduling") as tx:
            await set_timer(tx, "missed", booked.id, tx.at)
        await s.until_rows(ahead, 1, booked.id, missed_at)
        assert (await s.get(booked.id)).state == BOOKED
        s.hub.clock.set(missed_at)
        await s.until_state(booked.id, NO_SHOW)


async def test_the_clock_is_stopped_by_an_arrival(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        here, away = [await s.book(schedule, f"2026-09-07 {hour}") for hour in ("09:00", "09:30")]
        early = rpc.CheckInAppointmentRequest(appointment_id=here.id)
        assert await s.refused("CheckInAppointment", early) == "APPOINTMENT_OF_ANOTHER_DAY"
        s.hub.clock.set(at("2026-09-07 08:55"))
        await s.do("CheckInAppointment", here)
        s.hub.clock.set(at("2026-09-07 09:31"))
        marked = await s.do("MarkMissed", away)
        assert marked.state == NO_SHOW
        assert await s.rows("SELECT 1 FROM timers WHERE kind = 'missed'") == []


async def test_what_a_program_agrees_on_is_the_programs(scheduling):
    async with scheduling() as s:
        schedule = await s.schedule()
        await s.program()
        booked = await s.book(schedule, "2026-09-07 09:00")
        assert list(booked.labels) == [access_pb2.LABEL_PART2]


async def test_without_a_clock_nothing_is_free(scheduling):
    async with scheduling(is_known=False) as s:
        schedule = await s.schedule()
        assert await s.free() == []
        booking = s.booking(schedule, "2026-09-07 09:00")
        assert await s.refused("BookAppointment", booking) == "CLOCK_UNKNOWN"
        long = rpc.ListFreeSlotsRequest(end_time=to_timestamp(at("2026-09-04 18:00") + 70 * DAY))
        assert await s.refused("ListFreeSlots", long) == "WINDOW_TOO_LONG"
