"""What the care team says among itself: who sees it, who answers, and that nothing stays unanswered."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.messaging.v1 import messaging_events_pb2 as events
from carehub.messaging.v1 import messaging_service_pb2 as rpc
from carehub.messaging.v1 import thread_pb2

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed

Thread = thread_pb2.Thread


async def start(m, patient, token=None, **fields):
    thread = Thread(
        **{"facility_id": str(m.here), "patient_id": str(patient), "title": "Ride on Monday", "priority": Thread.PRIORITY_URGENT}
        | fields
    )  # fmt: skip
    return await m.call(
        "StartThread", rpc.StartThreadRequest(thread=thread, text="Who drives?"), token
    )


async def refused(awaitable, *reasons):
    with pytest.raises(CallFailed) as failed:
        await awaitable
    assert failed.value.reason in reasons


async def may_see(m, patient, *facilities, version=1):
    """Identity lets these facilities see everything of a patient, and is heard."""
    event = identity_events_pb2.AccessChanged()
    event.access.patient_id, event.access.version = str(patient), version
    for facility in facilities:
        event.access.grants.add(
            grantee_id=str(facility), is_from_anywhere=True, purposes=[access_pb2.PURPOSE_TREATMENT],
            data_classes=[access_pb2.DATA_CLASS_MESSAGES, access_pb2.DATA_CLASS_DEMOGRAPHICS],
            labels=[access_pb2.LABEL_NORMAL], reason="TREATED",
        )  # fmt: skip
    await m.hub.publish(event, key=patient, version=version)
    beat = identity_events_pb2.AccessBeat(position=1)
    beat.beat_time.CopyFrom(to_timestamp(datetime.now(UTC)))
    await m.hub.publish(beat, key="beat")
    await m.until_rows("SELECT count(*) FROM access_heartbeat", 1)
    await m.until_rows(
        "SELECT count(*) FROM grants WHERE patient_id = $1", len(facilities), patient
    )


async def test_a_thread_waits_for_the_team_and_is_taken_by_name(messaging):
    async with messaging() as m:
        patient = await m.patient()
        thread = await start(m, patient, team_id=str(m.team))
        assert (thread.state, thread.accountable_name) == (Thread.STATE_WAITING, "L Lead")
        assert [post.text for post in thread.posts] == ["Who drives?"]
        taken = await m.call(
            "AcceptThread", rpc.AcceptThreadRequest(thread_id=thread.id, etag=thread.etag)
        )
        assert (taken.state, taken.staff_id) == (Thread.STATE_ACCEPTED, str(m.nurse))
        lead = m.token(m.lead)
        await refused(
            m.call("AcceptThread", rpc.AcceptThreadRequest(thread_id=thread.id), lead),
            "THREAD_TAKEN",
        )
        stale = rpc.CloseThreadRequest(thread_id=thread.id, etag=thread.etag)
        await refused(m.call("CloseThread", stale), "STALE_ETAG")
        closed = await m.call("CloseThread", rpc.CloseThreadRequest(thread_id=thread.id))
        assert closed.state == Thread.STATE_CLOSED
        await refused(
            m.call("PostMessage", rpc.PostMessageRequest(thread_id=thread.id, text="x")),
            "THREAD_CLOSED",
        )
        states = [told.state for told in await m.told(events.ThreadChanged)]
        assert states == [Thread.STATE_WAITING, Thread.STATE_ACCEPTED, Thread.STATE_CLOSED]


async def test_what_nobody_answers_goes_up_and_up(messaging):
    async with messaging() as m:
        thread = await start(m, await m.patient(), team_id=str(m.team))
        people = []
        for _ in range(3):
            m.later(minutes=15, seconds=1)
            await m.settled("thread-clock")
            now = await m.call("GetThread", rpc.GetThreadRequest(thread_id=thread.id))
            people.append(now.accountable_staff_id)
        assert people == [str(m.duty), str(m.admin), str(m.admin)]
        assert [told.escalation_level for told in await m.told(events.ThreadChanged)] == [
            0,
            1,
            2,
            3,
        ]


async def test_who_leaves_hands_over(messaging):
    async with messaging() as m:
        thread = await start(m, await m.patient(), team_id=str(m.team))
        await m.call("AcceptThread", rpc.AcceptThreadRequest(thread_id=thread.id))
        await m.staff(m.nurse, "N Nurse", version=2, is_active=False)
        await m.until_rows(
            "SELECT count(*) FROM threads WHERE state = 'WAITING' AND accountable_id = $1",
            1,
            m.lead,
        )


async def test_facilities_talk_about_a_patient_whom_both_may_see(messaging):
    async with messaging() as m:
        patient = await m.patient(facilities=[m.here, m.there])
        thread = await start(m, patient, answering_facility_id=str(m.there))
        river = m.token(m.other, m.there)
        await refused(
            m.call("GetThread", rpc.GetThreadRequest(thread_id=thread.id), river),
            "THREAD_NOT_FOUND",
        )
        await may_see(m, patient, m.there)
        assert (
            await m.call("GetThread", rpc.GetThreadRequest(thread_id=thread.id), river)
        ).unread_count == 1
        await m.call("AcceptThread", rpc.AcceptThreadRequest(thread_id=thread.id), river)
        await m.call(
            "PostMessage", rpc.PostMessageRequest(thread_id=thread.id, text="We do."), river
        )
        await m.settled("thread-hear")
        await m.call("MarkRead", rpc.MarkReadRequest(thread_id=thread.id))
        whole = await m.call("GetThread", rpc.GetThreadRequest(thread_id=thread.id), river)
        assert [(post.text, post.staff_name) for post in whole.posts] == [
            ("Who drives?", "N Nurse"),
            ("We do.", "O Other"),
        ]
        assert list(whole.posts[1].read_by_ids) == [str(m.nurse)]
        assert not whole.HasField("clock_time")


async def test_what_was_asked_of_people_who_cannot_see_it_comes_back(messaging):
    async with messaging() as m:
        thread = await start(m, await m.patient(), answering_facility_id=str(m.there))
        assert thread.accountable_staff_id == str(m.other)
        people = []
        for _ in range(3):
            m.later(minutes=15, seconds=1)
            await m.settled("thread-clock")
            now = await m.call("GetThread", rpc.GetThreadRequest(thread_id=thread.id))
            people.append(now.accountable_staff_id)
        assert people == [str(m.duty), str(m.admin), str(m.admin)]
        duty = m.token(m.duty)
        await m.call("AcceptThread", rpc.AcceptThreadRequest(thread_id=thread.id), duty)
        await m.call("CloseThread", rpc.CloseThreadRequest(thread_id=thread.id), duty)


async def test_who_sees_a_thread_by_a_grant_alone_speaks_in_it_and_changes_nothing(messaging):
    async with messaging() as m:
        patient = await m.patient()
        thread = await start(m, patient)
        await may_see(m, patient, m.there)
        river = m.token(m.other, m.there)
        await m.call(
            "PostMessage", rpc.PostMessageRequest(thread_id=thread.id, text="Ask us."), river
        )
        for method, request in (
            ("AcceptThread", rpc.AcceptThreadRequest(thread_id=thread.id)),
            ("CloseThread", rpc.CloseThreadRequest(thread_id=thread.id)),
        ):
            await refused(m.call(method, request, river), "NOT_YOUR_THREAD")
        change = rpc.UpdateContactRequest()
        change.contact.id, change.contact.language = str(patient), "en"
        await refused(m.call("UpdateContact", change, river), "NOT_YOUR_PATIENT")


async def test_who_may_not_see_the_patient_is_told_that_there_is_none(messaging):
    async with messaging() as m:
        patient = await m.patient()
        thread = await start(m, patient)
        river = m.token(m.other, m.there)
        for method, request in (
            ("GetThread", rpc.GetThreadRequest(thread_id=thread.id)),
            ("PostMessage", rpc.PostMessageRequest(thread_id=thread.id, text="x")),
            ("AcceptThread", rpc.AcceptThreadRequest(thread_id=thread.id)),
            ("MarkRead", rpc.MarkReadRequest(thread_id=thread.id)),
            ("GetContact", rpc.GetContactRequest(patient_id=str(patient))),
            ("ListMessages", rpc.ListMessagesRequest(patient_id=str(patient))),
            (
                "SendMessage",
                rpc.SendMessageRequest(patient_id=str(patient), facility_id=str(m.there), text="x"),
            ),
        ):
            await refused(m.call(method, request, river), "THREAD_NOT_FOUND", "CONTACT_NOT_FOUND")
        listed = await m.call("ListThreads", rpc.ListThreadsRequest(patient_id=str(patient)), river)
        assert list(listed.threads) == []
        await refused(start(m, patient, river, facility_id=str(m.there)), "CONTACT_NOT_FOUND")


async def test_a_thread_is_as_sensitive_as_the_loop_that_it_is_about(messaging):
    async with messaging() as m:
        patient, other = await m.patient(), await m.patient(phone="")
        left = m.hub.clock()
        plain = await m.discharged(patient, left)
        sensitive = await m.discharged(patient, left, label="MENTAL_HEALTH")
        of_other = await m.discharged(other, left)

        async def labels(**fields):
            return list((await start(m, patient, **fields)).labels)

        assert await labels() == [access_pb2.LABEL_NORMAL]
        assert await labels(loop_id=str(plain)) == [access_pb2.LABEL_NORMAL]
        assert await labels(loop_id=str(sensitive)) == [access_pb2.LABEL_MENTAL_HEALTH]
        for unknown in (of_other, uuid4()):
            assert await labels(loop_id=str(unknown)) == [access_pb2.LABEL_WITHHELD]


async def test_threads_are_listed_by_patient_by_place_and_by_who_answers(messaging):
    async with messaging() as m:
        patient = await m.patient()
        for _ in range(3):
            await start(m, patient, team_id=str(m.team))
        page = await m.call("ListThreads", rpc.ListThreadsRequest(page_size=2))
        rest = await m.call(
            "ListThreads", rpc.ListThreadsRequest(page_size=2, page_token=page.next_page_token)
        )
        assert (len(page.threads), len(rest.threads), rest.next_page_token) == (2, 1, "")
        mine = rpc.ListThreadsRequest(is_mine=True)
        assert len((await m.call("ListThreads", mine)).threads) == 0
        assert len((await m.call("ListThreads", mine, m.token(m.lead))).threads) == 3


async def test_a_place_where_nobody_works_cannot_be_asked(messaging):
    async with messaging() as m:
        patient = await m.patient()
        await refused(start(m, patient, answering_facility_id=str(uuid4())), "NOBODY_TO_ANSWER")
        await refused(start(m, patient, team_id=str(m.other_team)), "TEAM_NOT_THERE")


async def test_what_could_tell_of_an_illness_needs_a_second_look(messaging):
    async with messaging() as m:
        patient = await m.patient()
        words = rpc.SendMessageRequest(
            patient_id=str(patient), facility_id=str(m.here), text="Your insulin is ready."
        )
        await refused(m.call("SendMessage", words), "WORDS_NEED_A_LOOK")
        words.is_checked = True
        await m.call("SendMessage", words)
        nobody = await m.patient(phone="")
        words.patient_id = str(nobody)
        await refused(m.call("SendMessage", words), "CANNOT_BE_REACHED")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"phone": "555-0148"}, "PHONE_INVALID"),
        ({"email": "nobody"}, "EMAIL_INVALID"),
        ({"preferred_channel": "fax"}, "CONTACT_CHANNEL_UNKNOWN"),
        ({"best_from_hour": 19, "best_until_hour": 9}, "HOURS_INVALID"),
    ],
)
async def test_what_cannot_be_is_refused(messaging, fields, reason):
    async with messaging() as m:
        request = rpc.UpdateContactRequest()
        request.contact.id = str(await m.patient())
        for name, value in fields.items():
            setattr(request.contact, name, value)
        await refused(m.call("UpdateContact", request), reason)
