"""What patients answer: read, told, acknowledged; and what a person has to read gets one, with a clock."""

from carehub.messaging.v1 import messaging_events_pb2 as events
from carehub.messaging.v1 import messaging_service_pb2 as rpc
from carehub.messaging.v1 import reply_pb2, thread_pb2
from carehub.registry.v1 import registry_events_pb2

from tests.component.messaging.conftest import PHONE, at
from tests.component.messaging.test_messages import FIRST
from tests.component.messaging.test_threads import refused

Reply, Thread = reply_pb2.Reply, thread_pb2.Thread


async def asked(m, **fields):
    """A patient who was told what happens next."""
    patient = await m.patient(language="en", **fields)
    await m.discharged(patient, at("2026-09-04 09:40"))
    m.hub.clock.move(FIRST)
    await m.received(patient, 1)
    return patient


async def threads(m, patient):
    found = await m.call("ListThreads", rpc.ListThreadsRequest(patient_id=str(patient)))
    return {thread.reason: thread for thread in found.threads}


async def consents(m, patient):
    contact = await m.call("GetContact", rpc.GetContactRequest(patient_id=str(patient)))
    return {each.channel: each.state for each in contact.consents}


async def refuse(m, patient):
    """The patient has told somebody: no texts, no calls."""
    request = rpc.UpdateContactRequest()
    request.contact.id = str(patient)
    for channel in ("sms", "voice"):
        request.contact.consents.add(channel=channel, state=3)
    await m.call("UpdateContact", request)


async def test_a_one_confirms_and_is_thanked_for(messaging):
    async with messaging() as m:
        patient = await asked(m)
        await m.answer("1")
        [told] = await m.told(events.ReplyReceived)
        assert told.reply.meaning == Reply.MEANING_CONFIRMED
        assert told.reply.loop_id
        assert (await m.received(patient, 2))[-1].text == "Thank you. We have noted it."
        message = (await m.messages(patient))["discharge-next"]
        assert [reply.text for reply in message.replies] == ["1"]
        assert await threads(m, patient) == {}


async def test_why_a_visit_was_missed_is_told_by_its_number(messaging):
    async with messaging(now="2026-09-14 09:45") as m:
        patient = await m.patient(language="en")
        visit = await m.appointment(patient, at("2026-09-14 09:30"), state="NO_SHOW")
        m.hub.clock.move(FIRST)
        await m.received(patient, 1)
        await m.answer("1")
        [told] = await m.told(events.ReplyReceived)
        assert told.reply.meaning == Reply.MEANING_BARRIER
        assert told.reply.barrier == Reply.BARRIER_TRANSPORT
        assert told.reply.appointment_id == str(visit)


async def test_stop_ends_everything_at_once_after_one_word(messaging):
    async with messaging() as m:
        patient = await asked(m)
        await m.appointment(patient, at("2026-09-14 09:30"))
        await m.answer("Stop.")
        last = (await m.received(patient, 2))[-1]
        assert "no more texts" in last.text
        m.hub.clock.set(at("2026-09-13 10:11"))
        await m.settled()
        await m.received(patient, 2)
        message = await m.state(patient, "appointment-1-day", "WITHDRAWN")
        assert message.reason == "NO_CONSENT"
        [told] = await m.told(events.ReplyReceived)
        assert told.reply.meaning == Reply.MEANING_STOP


async def test_cancel_ends_messages_and_somebody_frees_the_visit(messaging):
    async with messaging() as m:
        patient = await m.patient(language="en")
        await m.appointment(patient, at("2026-09-14 09:30"))
        m.hub.clock.move(FIRST)
        await m.received(patient, 1)
        await m.answer("Cancel")
        [told] = await m.told(events.ReplyReceived)
        assert told.reply.meaning == Reply.MEANING_STOP
        assert (await consents(m, patient))["sms"] == 3
        assert (await threads(m, patient))["REPLY"].accountable_staff_id == str(m.duty)
        assert "no more texts" in (await m.received(patient, 2))[-1].text


async def test_stop_holds_for_everybody_whom_the_number_reaches(messaging):
    async with messaging() as m:
        patient, other = await asked(m), await m.patient()
        await m.answer("STOP")
        assert await consents(m, other) == {"sms": 3, "email": 1, "voice": 3}
        await m.answer("START")
        assert await consents(m, other) == {"sms": 1, "email": 1, "voice": 1}
        assert await consents(m, patient) == {"sms": 2, "email": 1, "voice": 1}


async def test_start_opens_nothing_that_somebody_else_refused(messaging):
    async with messaging() as m:
        patient, other, late = await asked(m), await m.patient(), await m.patient()
        await refuse(m, other)
        await m.answer("STOP")
        await refuse(m, late)
        await m.answer("START")
        for each in (other, late):
            assert await consents(m, each) == {"sms": 3, "email": 1, "voice": 3}
        assert (await consents(m, patient))["sms"] == 2


async def test_other_words_get_a_person_with_a_clock_and_911(messaging):
    async with messaging() as m:
        patient = await asked(m)
        await m.answer("who is this")
        assert "call 911" in (await m.received(patient, 2))[-1].text
        thread = (await threads(m, patient))["REPLY"]
        assert (thread.state, thread.priority) == (Thread.STATE_WAITING, Thread.PRIORITY_HIGH)
        assert thread.accountable_staff_id == str(m.duty)
        assert thread.HasField("clock_time")
        await m.answer("hello?")
        whole = await m.call("GetThread", rpc.GetThreadRequest(thread_id=thread.id))
        assert [post.text for post in whole.posts] == ["who is this", "hello?"]


async def test_words_of_danger_are_urgent_at_once(messaging):
    async with messaging() as m:
        patient = await asked(m)
        await m.answer("I want to die")
        assert "988" in (await m.received(patient, 2))[-1].text
        thread = (await threads(m, patient))["CRISIS"]
        assert thread.priority == Thread.PRIORITY_URGENT
        m.later(minutes=15, seconds=1)
        await m.settled("thread-clock")
        thread = (await threads(m, patient))["CRISIS"]
        assert (thread.escalation_level, thread.accountable_staff_id) == (1, str(m.admin))


async def test_a_reply_at_night_is_answered_at_night(messaging):
    async with messaging() as m:
        patient = await asked(m)
        m.hub.clock.set(at("2026-09-05 02:00"))
        await m.answer("help")
        await m.received(patient, 2)


async def test_three_questions_without_an_answer_and_a_person_takes_over(messaging):
    async with messaging() as m:
        patient = await asked(m)
        await m.appointment(patient, at("2026-09-14 09:30"))
        for day, count in (
            ("2026-09-05 08:11", 2),
            ("2026-09-11 10:11", 3),
            ("2026-09-13 10:11", 4),
        ):
            m.hub.clock.set(at(day))
            await m.received(patient, count)
        await m.appointment(patient, at("2026-09-13 09:30"), state="NO_SHOW")
        m.hub.clock.move(FIRST)
        message = await m.state(patient, "appointment-missed", "WITHDRAWN")
        assert message.reason == "UNANSWERED"
        assert (await threads(m, patient))["UNANSWERED"].accountable_staff_id == str(m.duty)


async def test_a_day_after_the_third_question_a_person_takes_over_by_itself(messaging):
    async with messaging() as m:
        patient = await asked(m)
        await m.appointment(patient, at("2026-09-14 09:30"))
        for day, count in (
            ("2026-09-05 08:11", 2),
            ("2026-09-11 10:11", 3),
            ("2026-09-13 10:11", 4),
        ):
            m.hub.clock.set(at(day))
            await m.received(patient, count)
        m.later(hours=25)
        await m.until_rows("SELECT count(*) FROM threads WHERE reason = 'UNANSWERED'", 1)


async def merge(m, retired, survivor):
    event = registry_events_pb2.PatientsMerged(
        survivor_id=str(survivor), retired_id=str(retired), version=9
    )
    await m.hub.publish(event, key=retired, version=9)
    await m.until_rows("SELECT count(*) FROM contacts WHERE merged_into_id = $1", 1, survivor)


async def test_questions_of_two_records_that_became_one_are_counted_together(messaging):
    async with messaging() as m:
        retired, survivor = await asked(m), await m.patient(language="en", phone="+12175550177")
        await m.appointment(survivor, at("2026-09-14 09:30"))
        for day, count in (
            ("2026-09-04 10:30", 1), ("2026-09-11 10:11", 2), ("2026-09-13 10:11", 3),
        ):  # fmt: skip
            m.hub.clock.set(at(day))
            await m.received(survivor, count)
        await m.until_rows("SELECT count(*) FROM timers WHERE kind = 'unanswered'", 0)
        await merge(m, retired, survivor)
        m.later(hours=23)
        await m.settled("unanswered")
        await m.until_rows("SELECT count(*) FROM threads", 0)
        m.later(hours=2)
        await m.until_rows("SELECT count(*) FROM threads WHERE patient_id = $1", 1, survivor)


async def test_a_person_takes_over_as_soon_as_there_is_one(messaging):
    async with messaging() as m:
        patient = await asked(m)
        await m.appointment(patient, at("2026-09-14 09:30"))
        for day, count in (
            ("2026-09-05 08:11", 2), ("2026-09-11 10:11", 3), ("2026-09-13 10:11", 4),
        ):  # fmt: skip
            m.hub.clock.set(at(day))
            await m.received(patient, count)
        await m.staff(m.duty, "D Duty", version=2, is_active=False)
        await m.staff(m.admin, "A Admin", role="facility_admin", version=2, is_active=False)
        await m.until_rows("SELECT count(*) FROM staff WHERE is_active", 3)
        m.later(hours=25)
        await m.settled("unanswered")
        await m.until_rows("SELECT count(*) FROM threads", 0)
        await m.staff(m.admin, "A Admin", role="facility_admin", version=3)
        await m.until_rows("SELECT count(*) FROM staff WHERE is_active", 4)
        m.later(minutes=6)
        await m.until_rows("SELECT count(*) FROM threads WHERE accountable_id = $1", 1, m.admin)


async def test_a_hub_without_telephones_shows_none_and_answers_on_none(messaging):
    async with messaging(MESSAGING_TELEPHONE="") as m:
        await refused(m.call("ListTelephone", rpc.ListTelephoneRequest()), "NO_TELEPHONE")
        answer = rpc.AnswerAsPatientRequest(phone=PHONE, text="1")
        await refused(m.call("AnswerAsPatient", answer), "NO_TELEPHONE")


async def test_nobody_answers_on_a_telephone_that_others_wrote_to(messaging):
    async with messaging() as m:
        await asked(m)
        request = rpc.AnswerAsPatientRequest(phone=PHONE, text="1")
        river = m.token(m.other, m.there)
        await refused(m.call("AnswerAsPatient", request, river), "NOTHING_RECEIVED")
