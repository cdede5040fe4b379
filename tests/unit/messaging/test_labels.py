"""Messages are as sensitive as their cause is now, not as it was when they were planned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.messaging.domain.contact import Channel, Way
from services.messaging.domain.hours import Hours
from services.messaging.domain.labels import inherit
from services.messaging.domain.message import MessageState
from services.messaging.domain.plan import Appointment, for_appointment, reconcile

AT = datetime(2026, 9, 7, 15, tzinfo=UTC)
HOURS = Hours(zone="America/Chicago")
WAY = Way(channel=Channel.SMS, address="+12175550148")
NORMAL, PART2 = ("NORMAL",), ("PART2",)
VISIT = Appointment(
    id=UUID(int=1), version=1, facility_id=UUID(int=2), patient_id=UUID(int=3), state="BOOKED",
    start_at=AT + timedelta(days=7), labels=NORMAL,
)  # fmt: skip
SENSITIVE = replace(VISIT, version=2, labels=PART2)


def planned(visit, stored=()):
    return reconcile(visit, for_appointment(visit, HOURS, AT), stored, visit.patient_id, AT)


def written(message):
    return message.written(WAY, "Prairie Clinic: your visit …", "en", AT)


def test_what_waits_is_as_sensitive_as_its_cause_has_become():
    new = planned(VISIT).new
    changed = planned(SENSITIVE, new).changed
    assert len(new) == len(changed) == 3
    for before, after in zip(new, changed, strict=True):
        assert after == replace(before, version=2, labels=PART2)
    assert planned(SENSITIVE, changed).changed == ()


def test_what_is_written_and_has_not_left_is_written_anew():
    [changed] = planned(SENSITIVE, [written(planned(VISIT).new[0])]).changed
    assert (changed.state, changed.text, changed.labels) == (MessageState.PENDING, "", PART2)
    assert changed.version == 3


def test_what_left_stays_but_for_its_labels():
    sent = written(planned(VISIT).new[0]).sent(AT)
    [changed] = planned(SENSITIVE, [sent]).changed
    assert changed == replace(sent, version=sent.version + 1, labels=PART2)


@pytest.mark.parametrize(("first", "then"), [("BOOKED", "CANCELLED"), ("CANCELLED", "BOOKED")])
def test_what_is_withdrawn_or_wanted_again_is_labeled_in_the_same_step(first, then):
    stored = planned(VISIT).new
    if first == "CANCELLED":
        stored = planned(replace(VISIT, state="CANCELLED"), stored).changed
    changed = planned(replace(SENSITIVE, state=then), stored).changed
    assert {message.labels for message in changed} == {PART2}
    assert [m.version for m in changed] == [m.version + 1 for m in stored]


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        ([NORMAL, NORMAL], NORMAL), ([NORMAL, PART2], PART2), ([("HIV",), PART2], ("HIV", "PART2")),
        ([PART2, ("WITHHELD",)], ("WITHHELD",)), ([], ("WITHHELD",)),
    ],
)  # fmt: skip
def test_what_is_made_of_rows_is_as_sensitive_as_all_of_them(rows, labels):
    assert inherit(rows) == labels
