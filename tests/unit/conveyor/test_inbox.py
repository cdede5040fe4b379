"""What a consumer makes of messages, before any database is asked."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import identity_events_pb2 as identity
from carehub.tasking.v1 import tasking_events_pb2 as tasking

from libs.chassis.database import Transaction
from libs.conveyor import crashpoints
from libs.conveyor.inbox import Consumer, Delivery, Unprocessable

ID = UUID("01936c3a-0000-7000-8000-000000000001")
FACILITY = UUID("01936c3a-0000-7000-8000-000000000002")
SUBJECT = "carehub.identity.v1.FacilityChanged"
HEADERS = {"Carehub-Key": "k", "Carehub-Version": "3", "Carehub-Facility": str(FACILITY)}


async def nothing(tx: Transaction, deliveries: Sequence[Delivery]) -> None: ...


CONSUMER = Consumer("a-b", (identity.FacilityChanged, identity.TeamChanged), nothing)


def delivery(key: str, version: int, event: type = identity.FacilityChanged) -> Delivery:
    return Delivery(uuid4(), event(version=version), key, version, None)


def test_a_consumer_listens_to_one_service_only() -> None:
    with pytest.raises(ValueError, match="exactly one service"):
        Consumer("a-b", (identity.FacilityChanged, tasking.TaskChanged), nothing)
    with pytest.raises(ValueError, match="exactly one service"):
        Consumer("a-b", (), nothing)


def test_an_event_is_read_as_its_type() -> None:
    payload = identity.FacilityChanged(version=3).SerializeToString()
    read = CONSUMER.read(ID, SUBJECT, payload, HEADERS)
    assert read == Delivery(ID, identity.FacilityChanged(version=3), "k", 3, FACILITY)


@pytest.mark.parametrize(
    ("subject", "payload", "headers"),
    [
        ("carehub.identity.v1.StaffChanged", b"", HEADERS),
        (SUBJECT, b"\xff\xff", HEADERS),
        (SUBJECT, b"", {}),
        (SUBJECT, b"", HEADERS | {"Carehub-Version": "new"}),
        (SUBJECT, b"", HEADERS | {"Carehub-Facility": "here"}),
    ],
)
def test_what_cannot_be_read_is_a_content_error(
    subject: str, payload: bytes, headers: dict[str, str]
) -> None:
    with pytest.raises(Unprocessable) as caught:
        CONSUMER.read(ID, subject, payload, headers)
    assert caught.value.reason == "UNREADABLE"


def test_of_each_type_and_key_the_highest_version_is_kept_sorted_by_key() -> None:
    batch = [
        delivery("b", 2),
        delivery("a", 1),
        delivery("b", 3),
        delivery("b", 1),
        delivery("b", 7, identity.TeamChanged),
    ]
    kept = CONSUMER.in_order(batch)
    assert [(type(d.event).__name__, d.key, d.version) for d in kept] == [
        ("FacilityChanged", "a", 1),
        ("FacilityChanged", "b", 3),
        ("TeamChanged", "b", 7),
    ]


def test_without_newest_only_everything_is_kept_in_the_order_of_arrival_within_a_key() -> None:
    consumer = Consumer("a-b", (identity.FacilityChanged,), nothing, newest_only=False)
    kept = consumer.in_order([delivery("b", 2), delivery("a", 1), delivery("b", 1)])
    assert [(d.key, d.version) for d in kept] == [("a", 1), ("b", 2), ("b", 1)]


def test_an_unknown_crash_point_is_refused() -> None:
    with pytest.raises(ValueError, match=r"relay\.nowhere"):
        crashpoints.arm("relay.nowhere")
    crashpoints.arm("")
    crashpoints.crashpoint("relay.after_mark")
