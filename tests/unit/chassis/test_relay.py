"""What travels beside an event, and what becomes of the broker's answers."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from nats.js.api import PubAck

from libs.chassis import relay
from libs.chassis.streams import stream_of

ID = UUID("01936c3a-0000-7000-8000-000000000001")
FACILITY = UUID("01936c3a-0000-7000-8000-000000000002")


def waiting(position: int, facility_id: UUID | None = None) -> relay.Waiting:
    return relay.Waiting(
        position=position,
        id=ID,
        subject="carehub.identity.v1.FacilityChanged",
        key="k",
        version=2,
        facility_id=facility_id,
        payload=b"Jane Doe",
        headers={"traceparent": "00-1-2-01"},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_headers_carry_ids_and_the_trace() -> None:
    assert waiting(1, FACILITY).nats_headers() == {
        "traceparent": "00-1-2-01",
        "Nats-Msg-Id": str(ID),
        "Carehub-Key": "k",
        "Carehub-Version": "2",
        "Carehub-Facility": str(FACILITY),
    }
    assert "Carehub-Facility" not in waiting(1).nats_headers()


async def test_only_what_was_acknowledged_counts_as_published() -> None:
    loop = asyncio.get_running_loop()
    acknowledged, refused, silent = (loop.create_future() for _ in range(3))
    ack = PubAck(stream="identity", seq=7)
    acknowledged.set_result(ack)
    refused.set_exception(RuntimeError())
    events = [waiting(position) for position in (1, 2, 3)]
    acked, failures = relay._sort_out(events, [acknowledged, refused, silent])
    assert acked == [(events[0], ack)]
    assert [type(failure) for failure in failures] == [RuntimeError, TimeoutError]
    assert silent.cancelled()


def test_the_stream_is_named_after_the_service() -> None:
    assert stream_of("carehub.tasking.v1.TaskChanged") == "tasking"


def test_the_relay_never_asks_for_what_is_behind_a_position() -> None:
    assert "position >" not in relay.WAITING.text
    assert "published_at IS NULL ORDER BY outbox.position" in relay.WAITING.text
