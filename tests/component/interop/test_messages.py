"""Messages through the RPCs: stored once, accounted for, set aside, replayed, tried."""

from uuid import UUID, uuid4

import pytest
from carehub.interop.v1.feed_pb2 import Feed, FeedAccounts, Quirks
from carehub.interop.v1.message_pb2 import FeedMessage
from carehub.registry.v1.registry_events_pb2 import ReportHandled

from libs.chassis.wire import CallFailed
from tests.component.interop.conftest import EVENTS, adt, code_of, error_of


async def events_of(interop):
    async with interop.hub.system("interop") as tx:
        rows = await tx.fetch(EVENTS)
    return [row.removeprefix("carehub.interop.v1.") for row in rows if "FeedChanged" not in row]


async def handled(interop, message_id, outcome, version=1, **fields):
    event = ReportHandled(
        message_id=message_id,
        feed_id=interop.feed.id,
        facility_id=str(interop.facility_id),
        outcome=outcome,
        version=version,
        **fields,
    )
    await interop.hub.publish(event, key=message_id, version=version)


async def state_of(interop, message_id):
    return (await interop.call("GetMessage", message_id=message_id)).state


async def becomes(interop, message_id, state):
    async def is_there():
        return await state_of(interop, message_id) == state

    await interop.hub.until(is_there)


async def test_a_message_is_stored_with_its_report_and_found_again(interop):
    answer = await interop.send(adt())
    assert answer.code == "AA"
    assert code_of(answer.acknowledgement) == "AA"
    message = await interop.call("GetMessage", message_id=answer.message_id)
    assert message.state == FeedMessage.STATE_PENDING
    assert (message.control_id, message.event_type) == ("C1", "ADT^A01")
    assert message.raw == adt().decode()
    (listed,) = (await interop.call("ListMessages", feed_id=interop.feed.id)).messages
    assert listed.id == message.id
    assert not listed.raw
    assert await events_of(interop) == ["VisitReported 1"]


async def test_a_duplicate_is_acknowledged_without_effect(interop):
    first = await interop.send(adt())
    again = await interop.send(adt())
    assert (again.code, again.message_id) == ("AA", first.message_id)
    assert not error_of(again.acknowledgement)
    accounts = await interop.accounts()
    assert (accounts.received, accounts.duplicates) == (1, 1)
    assert len(await events_of(interop)) == 1


async def test_a_known_control_id_with_other_content_is_stored_and_flagged(interop):
    await interop.send(adt())
    other = await interop.send(adt(PID_8="M"))
    assert error_of(other.acknowledgement) == "205"
    message = await interop.call("GetMessage", message_id=other.message_id)
    assert message.is_control_id_reused
    assert (await interop.accounts()).received == 2


async def test_what_is_refused_is_counted_and_listed_but_no_message(interop):
    answer = await interop.send(adt(MSH_11="T"))
    assert (answer.code, answer.message_id) == ("AR", "")
    assert (await interop.send(adt(facility="ELSEWHERE"))).code == "AE"
    refusals = (await interop.call("ListRefusals", feed_id=interop.feed.id)).refusals
    assert [r.reason for r in refusals] == ["SENDER_NOT_THE_FEED", "PROCESSING_ID_NOT_ACCEPTED"]
    accounts = await interop.accounts()
    assert (accounts.received, accounts.refused) == (0, 2)


async def test_outcomes_of_the_record_move_the_accounts(interop):
    sent = [(await interop.send(adt(f"C{n}"))).message_id for n in range(3)]
    patient_id = str(uuid4())
    outcomes = (
        (ReportHandled.OUTCOME_APPLIED, FeedMessage.STATE_APPLIED),
        (ReportHandled.OUTCOME_NO_OP, FeedMessage.STATE_NO_OP),
        (ReportHandled.OUTCOME_PARKED, FeedMessage.STATE_PARKED),
    )
    for id, (outcome, _) in zip(sent, outcomes, strict=True):
        await handled(interop, id, outcome, patient_id=patient_id, reason="EVENT_IS_OLDER")
    for id, (_, state) in zip(sent, outcomes, strict=True):
        await becomes(interop, id, state)
    wanted = FeedAccounts(received=3, applied=1, no_op=1, parked=1)
    assert await interop.accounts() == wanted
    message = await interop.call("GetMessage", message_id=sent[2])
    assert (message.patient_id, message.reason) == (patient_id, "EVENT_IS_OLDER")
    listed = (await interop.call("ListMessages")).messages
    assert {m.patient_id for m in listed} == {patient_id}
    operator = interop.token_at(interop.facility_id, permissions=("feeds.read",))
    blank = (await interop.call("ListMessages", operator)).messages
    assert [(m.state, m.patient_id) for m in blank] == [(m.state, "") for m in listed]
    assert message.explanation == "The record: event is older."


async def test_an_older_outcome_never_undoes_a_newer_one(interop):
    id = (await interop.send(adt())).message_id
    await handled(interop, id, ReportHandled.OUTCOME_APPLIED, version=2)
    await becomes(interop, id, FeedMessage.STATE_APPLIED)
    await handled(interop, id, ReportHandled.OUTCOME_PARKED, version=1)
    marker = (await interop.send(adt("MARKER"))).message_id
    await handled(interop, marker, ReportHandled.OUTCOME_NO_OP)
    await becomes(interop, marker, FeedMessage.STATE_NO_OP)
    assert await state_of(interop, id) == FeedMessage.STATE_APPLIED


async def test_quarantine_ends_with_a_replay_once_the_quirk_is_known(interop):
    answer = await interop.send(adt(PV1_2="INP"))
    assert (answer.code, error_of(answer.acknowledgement)) == ("AA", "103")
    message = await interop.call("GetMessage", message_id=answer.message_id)
    assert message.state == FeedMessage.STATE_QUARANTINED
    assert message.reason == "PATIENT_CLASS_UNKNOWN"
    assert message.explanation.startswith("PV1-2: ")
    assert "INP" not in message.explanation
    assert await events_of(interop) == []

    feed = Feed(id=interop.feed.id, quirks=Quirks(patient_classes={"INP": "I"}))
    await interop.call("UpdateFeed", feed=feed)
    replayed = await interop.call("ReplayMessage", message_id=message.id)
    assert replayed.state == FeedMessage.STATE_PENDING
    assert not replayed.reason
    assert await events_of(interop) == ["VisitReported 2"]
    assert await interop.accounts() == FeedAccounts(received=1, pending=1)
    with pytest.raises(CallFailed, match="MESSAGE_PENDING"):
        await interop.call("ReplayMessage", message_id=message.id)


async def test_what_is_not_followed_is_kept_and_accounted_for(interop):
    answer = await interop.send(adt(trigger="A60"))
    assert (answer.code, error_of(answer.acknowledgement)) == ("AA", "201")
    listed = await interop.call("ListMessages", state=FeedMessage.STATE_IGNORED)
    assert [m.reason for m in listed.messages] == ["EVENT_NOT_FOLLOWED"]
    assert await interop.accounts() == FeedAccounts(received=1, ignored=1)


async def test_pages_of_messages_hold_each_once(interop):
    sent = [(await interop.send(adt(f"C{n}"))).message_id for n in range(5)]
    for fields in ({}, {"feed_id": interop.feed.id}, {"state": FeedMessage.STATE_PENDING}):
        found, token = [], ""
        while True:
            page = await interop.call("ListMessages", page_size=2, page_token=token, **fields)
            found += [message.id for message in page.messages]
            token = page.next_page_token
            if not token:
                break
        assert found == sent[::-1]


async def test_messages_are_invisible_to_other_facilities(interop):
    answer = await interop.send(adt())
    stranger = interop.token_at(uuid4())
    assert not (await interop.call("ListMessages", stranger)).messages
    with pytest.raises(CallFailed, match="MESSAGE_NOT_FOUND"):
        await interop.call("GetMessage", stranger, message_id=answer.message_id)
    with pytest.raises(CallFailed, match="FEED_NOT_FOUND"):
        await interop.call("SendMessage", stranger, feed_id=interop.feed.id, message="MSH")


async def test_a_feed_that_speaks_for_several_stores_with_the_right_one(interop):
    north = uuid4()
    await interop.add_facility(north)
    token = interop.token_at(interop.facility_id, north)
    feed = Feed(id=interop.feed.id, quirks=Quirks(facilities={"NORTH": str(north)}))
    await interop.call("UpdateFeed", token, feed=feed)
    message = adt(PV1_3="4W^401^A^NORTH").decode()
    sent = await interop.call("SendMessage", token, feed_id=feed.id, message=message)
    stored = await interop.call("GetMessage", token, message_id=sent.message_id)
    assert UUID(stored.facility_id) == north
    with pytest.raises(CallFailed, match="FACILITY_NOT_YOURS"):
        await interop.send(adt("C2", PV1_3="4W^401^A^NORTH"))


async def test_a_trial_says_what_would_happen_and_stores_nothing(interop):
    tried = await interop.call("TryMessage", message=adt(trigger="A03").decode())
    assert (tried.code, tried.state) == ("AA", FeedMessage.STATE_PENDING)
    assert tried.feed_id == interop.feed.id
    assert "would find or create the patient by MR of MERCY" in tried.effects
    assert "would end visit V100, discharged 2026-09-01 10:00" in tried.effects
    assert "the discharge would start the clocks of the transition of care" in tried.effects
    patient = next(s for s in tried.segments if s.segment == "PID")
    assert (patient.line, "Name: JANE Q DOE" in patient.readings) == (3, True)
    assert await interop.accounts() == FeedAccounts()


async def test_a_trial_says_how_to_mend_what_is_wrong(interop):
    tried = await interop.call("TryMessage", message=adt(PID_7="soon", PV1_2="INP").decode())
    assert tried.state == FeedMessage.STATE_QUARANTINED
    problems = {s.segment: list(s.problems) for s in tried.segments if s.problems}
    assert problems["PID"] == ["PID-7: not a date. Send YYYYMMDD."]
    assert "map of patient classes" in problems["PV1"][0]


async def test_a_trial_of_anything_answers(interop):
    for message in ("MSH", "hello", "MSH|^~\\&|\r", "\x00", adt(facility="NOBODY").decode()):
        tried = await interop.call("TryMessage", message=message)
        assert tried.code == "AE"
        assert tried.effects[0].startswith("would be refused with AE")


async def test_only_who_looks_after_all_sees_refusals_of_unknown_senders(interop):
    await interop.add_facility(uuid4())
    with pytest.raises(CallFailed, match="NETWORK_WIDE_ONLY"):
        await interop.call("ListRefusals")
