"""Feeds: whose messages they take, when their silence counts; and what may be replayed."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.interop.domain.feed import FeedState, Quirks
from services.interop.domain.message import Message, MessageState
from tests.unit.interop.conftest import EVN, FACILITY, NOW, PID, PV1, message, sender, verdict_on

HOUR = timedelta(hours=1)


def test_a_feed_that_never_sent_is_silent_counted_from_its_creation():
    feed = sender().feed
    assert not feed.is_silent(None, NOW + 2 * HOUR)
    assert feed.is_silent(None, NOW + 2 * HOUR + timedelta(seconds=1))
    assert not feed.is_silent(NOW + HOUR, NOW + 3 * HOUR)


def test_a_paused_feed_raises_no_alarm():
    assert not sender(state=FeedState.PAUSED).feed.is_silent(None, NOW + 99 * HOUR)


def test_a_feed_takes_messages_of_its_sender():
    assert sender().feed.is_of("MERCY", "ANY")
    assert not sender().feed.is_of("OTHER", "ANY")
    assert not sender(sending_application="ADT").feed.is_of("MERCY", "LAB")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"sending_facility": ""},
        {"silence_after": timedelta(0)},
        {"quirks": Quirks(time_zone="Mars/Olympus")},
        {"quirks": Quirks(time_zone="../etc/passwd")},
        {"quirks": Quirks(charset="utf-16")},
        {"quirks": Quirks(patient_classes={"INP": "IN"})},
    ],
)
def test_what_could_not_work_is_refused(wrong):
    with pytest.raises(InvalidArgument):
        replace(sender().feed, **wrong).check()


def stored(**fields):
    fields = {"state": MessageState.QUARANTINED, "reason": "PATIENT_CLASS_UNKNOWN"} | fields
    return Message(
        id=UUID(int=9),
        feed_id=UUID(int=1),
        facility_id=FACILITY,
        sending_application="ADT",
        control_id="C1",
        content_hash=b"1",
        event_type="ADT^A01",
        received_at=NOW,
        message_at=NOW,
        patient_id=UUID(int=3),
        **fields,
    )


def test_a_replay_is_the_next_reading_of_the_same_message():
    again = stored(outcome_version=1).replayed(verdict_on(message(EVN, PID, PV1)))
    assert (again.state, again.reason, again.replay) == (MessageState.PENDING, "", 1)
    assert (again.patient_id, again.outcome_version) == (None, 1)


def test_a_pending_message_is_not_replayed():
    with pytest.raises(FailedPrecondition):
        stored(state=MessageState.PENDING).check_replayable()


def test_a_message_that_would_be_refused_today_stays_as_it_is():
    refused = verdict_on(message(EVN, PID, PV1).replace(b"MERCY", b"OTHER"))
    with pytest.raises(FailedPrecondition, match="not those of this feed"):
        stored().replayed(refused)
