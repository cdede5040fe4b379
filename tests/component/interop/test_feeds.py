"""Feeds through the RPCs: who sees them, how they change, and what they say of themselves."""

from datetime import timedelta
from uuid import uuid4

import pytest
from carehub.interop.v1.feed_pb2 import Feed, Provenance, Quirks
from carehub.interop.v1.interop_events_pb2 import VisitReported
from google.protobuf.field_mask_pb2 import FieldMask

from libs.chassis.wire import CallFailed
from services.interop.consumers import watch_silence
from tests.component.interop.conftest import adt


async def refused(awaitable):
    with pytest.raises(CallFailed) as failed:
        await awaitable
    return failed.value.reason


async def test_a_feed_is_invisible_to_other_facilities(interop):
    stranger = interop.token_at(uuid4())
    assert (
        await refused(interop.call("GetFeed", stranger, feed_id=interop.feed.id))
        == "FEED_NOT_FOUND"
    )
    assert not (await interop.call("ListFeeds", stranger)).feeds
    assert [f.id for f in (await interop.call("ListFeeds")).feeds] == [interop.feed.id]


async def test_a_sending_facility_belongs_to_one_feed_of_the_network(interop):
    other = uuid4()
    token = interop.token_at(other)
    feed = Feed(facility_id=str(other), name="Copy", sending_facility="MERCY")
    assert await refused(interop.call("CreateFeed", token, feed=feed)) == "SENDING_FACILITY_TAKEN"
    feed.sending_facility = "OTHER"
    added = await interop.call("CreateFeed", token, feed=feed)
    added.sending_facility = "MERCY"
    assert await refused(interop.call("UpdateFeed", token, feed=added)) == "SENDING_FACILITY_TAKEN"


async def test_a_feed_is_created_once_under_its_id(interop):
    id = str(uuid4())
    first = await interop.create_feed(id=id, sending_facility="TWICE")
    again = await interop.create_feed(id=id, sending_facility="TWICE")
    assert first == again
    differs = interop.create_feed(id=id, sending_facility="TWICE", name="Another")
    assert await refused(differs) == "FEED_EXISTS"


async def test_what_is_known_of_a_feed_goes_with_what_it_sends_from_then_on(interop):
    assert interop.feed.provenance == Provenance()
    await interop.call("SendMessage", feed_id=interop.feed.id, message=adt("C1").decode())
    wanted = Feed(id=interop.feed.id, etag=interop.feed.etag)
    wanted.provenance.is_part2_program = True
    mask = FieldMask(paths=["provenance"])
    changed = await interop.call("UpdateFeed", feed=wanted, update_mask=mask)
    assert changed.provenance == wanted.provenance
    restricted = adt("C2").decode() + "ARV|1|A|HIV"
    await interop.call("SendMessage", feed_id=interop.feed.id, message=restricted)
    async with interop.hub.system("interop") as tx:
        rows = await tx._connection.fetch(
            "SELECT payload FROM outbox WHERE subject = $1 ORDER BY position",
            VisitReported.DESCRIPTOR.full_name,
        )
    before, after = (VisitReported.FromString(row["payload"]).source for row in rows)
    assert (before.provenance, list(before.confidentiality_codes)) == (Provenance(), [])
    assert (after.provenance, list(after.confidentiality_codes)) == (wanted.provenance, ["HIV"])


async def test_an_update_changes_what_its_mask_names(interop):
    wanted = Feed(
        id=interop.feed.id, etag=interop.feed.etag, name="Renamed", state=Feed.STATE_PAUSED
    )
    wanted.quirks.CopyFrom(Quirks(time_zone="America/New_York", processing_ids=["P", "T"]))
    mask = FieldMask(paths=["name", "quirks"])
    changed = await interop.call("UpdateFeed", feed=wanted, update_mask=mask)
    assert (changed.name, changed.state) == ("Renamed", Feed.STATE_ACTIVE)
    assert changed.quirks.time_zone == "America/New_York"
    assert await refused(interop.call("UpdateFeed", feed=wanted)) == "STALE_ETAG"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "FEED_FIELD_INVALID"),
        ({"sending_facility": ""}, "FEED_FIELD_INVALID"),
        ({"quirks": Quirks(time_zone="Nowhere/At_All")}, "TIME_ZONE_UNKNOWN"),
        ({"quirks": Quirks(charset="ebcdic")}, "CHARSET_UNKNOWN"),
        ({"quirks": Quirks(patient_classes={"X": "XX"})}, "PATIENT_CLASS_UNKNOWN"),
        ({"quirks": Quirks(facilities={"NORTH": "no id"})}, "ID_INVALID"),
        ({"silence_after": timedelta(seconds=1)}, "SILENCE_TOO_SHORT"),
    ],
)
async def test_a_feed_that_could_not_work_is_refused(interop, fields, reason):
    assert await refused(interop.create_feed(**{"sending_facility": "NEW"} | fields)) == reason


async def test_a_feed_may_not_speak_for_a_facility_of_others(interop):
    quirks = Quirks(facilities={"NORTH": str(uuid4())})
    reason = await refused(interop.create_feed(sending_facility="NEW", quirks=quirks))
    assert reason == "FACILITY_NOT_YOURS"


async def test_silence_is_told_once_and_ends_with_a_message(interop, caplog):
    interop.hub.clock.move(timedelta(hours=3))
    for _ in range(2):
        async with interop.hub.system("interop") as tx:
            await watch_silence(tx)
    assert [r.message for r in caplog.records].count("a feed is silent") == 1
    assert (await interop.call("GetFeed", feed_id=interop.feed.id)).is_silent
    await interop.send(adt())
    feed = await interop.call("GetFeed", feed_id=interop.feed.id)
    assert not feed.is_silent
    assert feed.messages_last_hour == 1
    async with interop.hub.system("interop") as tx:
        await watch_silence(tx)
    assert await interop.count("SELECT count(*) FROM silences") == 0
