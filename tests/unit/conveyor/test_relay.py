"""What travels beside an event, and what becomes of the broker's answers."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from carehub.identity.v1.identity_events_pb2 import TeamChanged
from nats.js.api import PubAck

from libs.chassis.ids import new_id
from libs.conveyor import relay
from libs.conveyor.restores import STEP, Standing, epoch_in, id_in
from libs.conveyor.streams import stream_of

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
        "Carehub-Epoch": "0",
        "Carehub-Key": "k",
        "Carehub-Version": "2",
        "Carehub-Facility": str(FACILITY),
    }
    assert "Carehub-Facility" not in waiting(1).nats_headers()


def test_in_a_later_epoch_it_is_another_message_to_the_broker_and_lifted_another_to_all() -> None:
    told_again = waiting(1).nats_headers(Standing(epoch=3))
    assert told_again["Nats-Msg-Id"] == f"{ID}.3"
    assert id_in(told_again["Nats-Msg-Id"]) == ID
    assert epoch_in(told_again["Carehub-Epoch"]) == 3
    assert told_again["Carehub-Version"] == "2"
    standing = Standing(epoch=4, lift=3 * STEP)
    lifted = waiting(1).nats_headers(standing)
    assert id_in(lifted["Nats-Msg-Id"]) not in (ID, id_in(told_again["Nats-Msg-Id"]))
    assert standing.told_as(id_in(lifted["Nats-Msg-Id"])) == ID
    assert int(lifted["Carehub-Version"]) == 2 + 3 * STEP


def test_a_lifted_event_says_its_version_itself() -> None:
    changed = TeamChanged(version=7)
    changed.team.id = "x"
    lift = Standing(epoch=1, lift=STEP)
    lifted = TeamChanged.FromString(
        lift.lifted(TeamChanged.DESCRIPTOR.full_name, changed.SerializeToString())
    )
    assert (lifted.version, lifted.team.id) == (7 + STEP, "x")


def test_ids_that_are_lifted_keep_their_time_and_version() -> None:
    id = new_id()
    told_as = Standing(epoch=1, lift=STEP).told_as(id)
    assert told_as != id
    assert told_as.version == 7
    assert told_as.int >> 80 == id.int >> 80


def test_what_names_no_epoch_is_of_none() -> None:
    assert epoch_in(None) is None
    assert epoch_in("soon") is None


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
