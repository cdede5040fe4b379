"""What patients are told: planned by what is told of appointments and loops, decided and written when it leaves."""

from datetime import timedelta
from uuid import uuid4

from carehub.messaging.v1 import messaging_events_pb2 as events
from carehub.messaging.v1 import messaging_service_pb2 as rpc
from carehub.registry.v1 import registry_events_pb2

from tests.component.messaging.conftest import at

FIRST = timedelta(minutes=11)  # longer than any jitter


async def test_who_goes_home_is_told_in_their_language_what_happens_next(messaging):
    async with messaging(now="2026-09-04 17:40") as m:
        patient = await m.patient()
        loop = await m.discharged(patient, at("2026-09-04 17:40"))
        m.hub.clock.move(FIRST)
        [message] = await m.received(patient, 1)
        assert message.text.startswith("Prairie Clinic: su equipo de salud le llamará")
        assert "217-555-0100" in message.text
        [sent] = await m.told(events.MessageSent)
        assert (sent.template, sent.loop_id, sent.channel) == ("discharge-next", str(loop), "sms")
        assert message.text not in str(sent)


async def test_the_same_told_again_says_nothing_twice(messaging):
    async with messaging() as m:
        patient = await m.patient()
        loop = await m.discharged(patient, at("2026-09-04 09:40"))
        m.hub.clock.move(FIRST)
        await m.received(patient, 1)
        for version in (2, 3):
            await m.discharged(patient, at("2026-09-04 09:45"), loop=loop, version=version)
        m.hub.clock.move(FIRST)
        await m.settled()
        await m.received(patient, 1)


async def test_who_does_not_go_home_after_all_is_told_nothing(messaging):
    async with messaging() as m:
        patient = await m.patient()
        loop = await m.discharged(patient, at("2026-09-04 09:40"))
        await m.discharged(patient, None, loop=loop, version=2)
        withdrawn = await m.state(patient, "discharge-next", "WITHDRAWN")
        assert withdrawn.reason == "CHANGED"
        m.hub.clock.move(FIRST)
        await m.settled()
        assert await m.told(events.MessageSent) == []


async def test_what_is_due_in_the_evening_waits_for_the_morning_and_is_written_then(messaging):
    async with messaging(now="2026-09-04 21:30") as m:
        patient = await m.patient(language="es")
        await m.discharged(patient, at("2026-09-04 21:00"))
        m.hub.clock.move(FIRST)
        await m.settled()
        waiting = await m.state(patient, "discharge-next", "PENDING")
        assert at("2026-09-05 08:00") <= waiting.due_time.ToDatetime(
            tzinfo=at("2026-09-05 08:00").tzinfo
        )
        await m.patient(patient, 2, language="en", phone="+12175550199")
        m.hub.clock.set(at("2026-09-05 08:11"))
        [message] = await m.received(patient, 1)
        assert message.phone == "+12175550199"
        assert "your care team will call you" in message.text


async def test_an_appointment_is_confirmed_and_reminded_of_twice(messaging):
    async with messaging(now="2026-09-07 10:00") as m:
        patient = await m.patient(language="en")
        await m.appointment(patient, at("2026-09-14 09:30"))
        m.hub.clock.move(FIRST)
        [booked] = await m.received(patient, 1)
        assert "Monday, September 14 at 9:30 AM" in booked.text
        m.hub.clock.set(at("2026-09-11 10:11"))
        await m.received(patient, 2)
        m.hub.clock.set(at("2026-09-13 10:11"))
        last = (await m.received(patient, 3))[-1]
        assert "Reply 1 to confirm, 2 to cancel, R for a new time." in last.text


async def test_a_cancelled_appointment_withdraws_what_waits(messaging):
    async with messaging() as m:
        patient = await m.patient()
        visit = await m.appointment(patient, at("2026-09-14 09:30"))
        await m.appointment(patient, at("2026-09-14 09:30"), id=visit, version=2, state="CANCELLED")
        for template in ("appointment-booked", "appointment-3-days", "appointment-1-day"):
            message = await m.state(patient, template, "WITHDRAWN")
            assert message.reason == "CHANGED"
        await m.appointment(patient, at("2026-09-14 09:30"), id=visit, version=3)
        await m.state(patient, "appointment-booked", "PENDING")


async def test_a_moved_appointment_is_reminded_of_at_its_new_time(messaging):
    async with messaging() as m:
        patient = await m.patient(language="en")
        visit = await m.appointment(patient, at("2026-09-14 09:30"))
        await m.appointment(patient, at("2026-09-16 14:00"), id=visit, version=2)
        m.hub.clock.set(at("2026-09-15 10:11"))
        shown = [one.text for one in await m.received(patient, 1)]
        assert all("September 14" not in text for text in shown)


async def test_a_missed_visit_is_asked_about_within_fifteen_minutes(messaging):
    async with messaging(now="2026-09-14 09:45") as m:
        patient = await m.patient(language="en")
        await m.discharged(patient, at("2026-09-14 09:00"))  # counts; the question does not
        visit = await m.appointment(patient, at("2026-09-14 09:30"), state="NO_SHOW")
        m.hub.clock.move(FIRST)
        texts = [one.text for one in await m.received(patient, 2)]
        assert any("Reply 1 no ride" in text for text in texts)
        assert str(visit) in {sent.appointment_id for sent in await m.told(events.MessageSent)}


async def test_one_automatic_message_a_day_and_the_next_one_waits(messaging):
    async with messaging() as m:
        patient = await m.patient()
        await m.discharged(patient, at("2026-09-04 09:40"))
        await m.appointment(patient, at("2026-09-20 09:30"))
        m.hub.clock.move(FIRST)
        await m.settled()
        await m.received(patient, 1)
        m.hub.clock.set(at("2026-09-05 08:11"))
        await m.received(patient, 2)


async def test_nobody_is_written_to_who_was_not_asked_unless_the_network_says_so(messaging):
    async with messaging(consent="refuse") as m:
        patient = await m.patient()
        await m.discharged(patient, at("2026-09-04 09:40"))
        m.hub.clock.move(FIRST)
        message = await m.state(patient, "discharge-next", "WITHDRAWN")
        assert message.reason == "NO_CONSENT"
        assert await m.told(events.MessageSent) == []


async def test_who_said_yes_is_written_to(messaging):
    async with messaging(consent="refuse") as m:
        patient = await m.patient()
        request = rpc.UpdateContactRequest()
        request.contact.id = str(patient)
        request.contact.consents.add(channel="sms", state=2)
        await m.call("UpdateContact", request)
        await m.discharged(patient, at("2026-09-04 09:40"))
        m.hub.clock.move(FIRST)
        await m.received(patient, 1)


async def test_who_has_died_and_who_has_no_number_gets_nothing(messaging):
    async with messaging() as m:
        dead = await m.patient(is_deceased=True)
        unknown = await m.patient(phone="")
        for patient in (dead, unknown):
            await m.discharged(patient, at("2026-09-04 09:40"))
        m.hub.clock.move(FIRST)
        assert (await m.state(dead, "discharge-next", "WITHDRAWN")).reason == "DECEASED"
        assert (await m.state(unknown, "discharge-next", "WITHDRAWN")).reason == "NO_ADDRESS"


async def test_a_shared_telephone_and_a_sensitive_visit_name_no_place(messaging):
    async with messaging() as m:
        shared = await m.patient(language="en")
        request = rpc.UpdateContactRequest()
        request.contact.id, request.contact.is_shared_phone = str(shared), True
        await m.call("UpdateContact", request)
        sensitive = await m.patient(language="en", phone="+12175550177")
        await m.discharged(shared, at("2026-09-04 09:40"))
        await m.appointment(sensitive, at("2026-09-20 09:30"), label="MENTAL_HEALTH")
        m.hub.clock.move(FIRST)
        for patient in (shared, sensitive):
            [message] = await m.received(patient, 1)
            assert "Prairie" not in message.text


async def test_what_a_merge_told_holds_for_messages_and_a_refusal_stays(messaging):
    async with messaging() as m:
        retired, survivor = await m.patient(), await m.patient(phone="+12175550177")
        await m.discharged(retired, at("2026-09-04 09:40"))
        request = rpc.UpdateContactRequest()
        request.contact.id = str(retired)
        request.contact.consents.add(channel="sms", state=3)
        await m.call("UpdateContact", request)
        event = registry_events_pb2.PatientsMerged(
            survivor_id=str(survivor), retired_id=str(retired), version=9
        )
        await m.hub.publish(event, key=retired, version=9)
        await m.until_rows("SELECT count(*) FROM messages WHERE patient_id = $1", 1, survivor)
        m.hub.clock.move(FIRST)
        await m.settled()
        message = (await m.messages(retired))["discharge-next"]
        assert message.patient_id == str(survivor)
        contact = await m.call("GetContact", rpc.GetContactRequest(patient_id=str(retired)))
        assert {c.channel: c.state for c in contact.consents}["sms"] == 3
        assert message.channel != "sms"


async def test_a_visit_that_turns_out_to_be_of_somebody_else_is_told_to_them_alone(messaging):
    async with messaging() as m:
        wrong, right = await m.patient(), await m.patient(language="en", phone="+12175550177")
        visit = await m.appointment(wrong, at("2026-09-14 09:30"))
        await m.appointment(right, at("2026-09-14 09:30"), id=visit, version=2)
        m.hub.clock.move(FIRST)
        [message] = await m.received(right, 1)
        assert message.phone == "+12175550177"
        assert (await m.state(wrong, "appointment-booked", "WITHDRAWN")).reason == "CHANGED"
        await m.settled()
        assert [one.patient_id for one in await m.told(events.MessageSent)] == [str(right)]


async def test_a_merge_of_which_scheduling_heard_first_confirms_no_visit_twice(messaging):
    async with messaging() as m:
        retired, survivor = await m.patient(), await m.patient(phone="+12175550177")
        visit = await m.appointment(retired, at("2026-09-14 09:30"))
        m.hub.clock.move(FIRST)
        await m.received(retired, 1)
        await m.appointment(survivor, at("2026-09-14 09:30"), id=visit, version=2)
        await m.state(survivor, "appointment-booked", "PENDING")
        event = registry_events_pb2.PatientsMerged(
            survivor_id=str(survivor), retired_id=str(retired), version=9
        )
        await m.hub.publish(event, key=retired, version=9)
        await m.until_rows("SELECT count(*) FROM messages WHERE patient_id = $1", 0, retired)
        booked = await m.rows("SELECT state FROM messages WHERE template = 'appointment-booked'")
        assert sorted(row["state"] for row in booked) == ["SENT", "WITHDRAWN"]
        waiting = await m.rows("SELECT template FROM messages WHERE state = 'PENDING' ORDER BY 1")
        assert [row["template"] for row in waiting] == ["appointment-1-day", "appointment-3-days"]


async def test_who_goes_home_days_after_it_was_told_by_mistake_is_told_what_happens_next(messaging):
    async with messaging(now="2026-09-04 21:30") as m:
        patient = await m.patient()
        loop = await m.discharged(patient, at("2026-09-04 21:00"))
        m.hub.clock.move(FIRST)
        await m.settled()
        await m.discharged(patient, None, loop=loop, version=2)
        await m.state(patient, "discharge-next", "WITHDRAWN")
        m.hub.clock.set(at("2026-09-09 10:00"))
        await m.discharged(patient, at("2026-09-09 09:30"), loop=loop, version=3)
        m.hub.clock.move(FIRST)
        await m.received(patient, 1)


async def test_an_appointment_that_came_before_its_facility_is_planned_when_that_is_known(
    messaging,
):
    async with messaging() as m:
        patient, m.here, known = await m.patient(), uuid4(), m.here
        await m.appointment(patient, at("2026-09-20 09:30"))
        await m.until_rows("SELECT count(*) FROM messages", 0)
        await m.facility(m.here, "New Clinic", m.duty_team)
        await m.until_rows("SELECT count(*) FROM messages", 3)
        m.here = known


async def test_somebody_writes_and_in_quiet_hours_it_waits_and_says_so(messaging):
    async with messaging(now="2026-09-04 22:00") as m:
        patient = await m.patient()
        request = rpc.SendMessageRequest(
            patient_id=str(patient), facility_id=str(m.here), text="Please call us tomorrow."
        )
        written = await m.call("SendMessage", request)
        assert written.waits_for == "QUIET_HOURS"
        assert written.sent_by_id == str(m.nurse)
        m.hub.clock.set(at("2026-09-05 08:11"))
        [message] = await m.received(patient, 1)
        assert message.text == "Please call us tomorrow."
