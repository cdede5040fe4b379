"""Messages by the hour, who is told of a silence, who mutes it, and replaying what is alike."""

import math
from datetime import timedelta
from uuid import uuid4

import pytest
from carehub.identity.v1 import staff_pb2
from carehub.identity.v1.identity_events_pb2 import StaffChanged
from carehub.interop.v1.message_pb2 import FeedMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from libs.chassis.wire import CallFailed
from libs.mail.server import NotSent
from libs.telemetry.figures import Shown
from services.interop.clients import write
from services.interop.consumers import SILENT_NOW, send_due, watch_silence
from services.interop.store.feeds import AccountStore
from tests.component.interop.conftest import adt

QUARANTINED, PARKED = FeedMessage.STATE_QUARANTINED, FeedMessage.STATE_PARKED
HOUR = timedelta(hours=1)


class Mail:
    """Takes letters, or is away."""

    def __init__(self, *, is_away=False):
        self.is_away = is_away
        self.letters = []

    async def send(self, letter):
        if self.is_away:
            raise NotSent("ConnectionRefusedError")
        self.letters.append(letter)


async def refused(awaitable):
    with pytest.raises(CallFailed) as failed:
        await awaitable
    return failed.value.reason


async def get(interop):
    return await interop.call("GetFeed", feed_id=interop.feed.id)


async def fold(interop):
    async with interop.hub.system("interop") as tx:
        await AccountStore(tx).fold(tx.at)


async def watch(interop):
    async with interop.hub.system("interop") as tx:
        await watch_silence(tx)


async def staff(interop, name, role, facility=None):
    member = staff_pb2.StaffMember(
        id=str(uuid4()),
        display_name=name,
        email=f"{name.lower()}@mercy.example",
        state=staff_pb2.StaffMember.STATE_ACTIVE,
    )
    member.roles.append(staff_pb2.RoleAssignment(role=role, facility_id=str(facility or "")))
    event = StaffChanged(staff_member=member, version=1)
    before = await interop.count("SELECT count(*) FROM people")
    await interop.hub.publish(event, key=member.id, version=1)

    async def is_known():
        return await interop.count("SELECT count(*) FROM people") == before + 1

    await interop.hub.until(is_known, what="the person")
    return member


async def mute(interop, **fields):
    return await interop.call("MuteFeed", feed_id=interop.feed.id, **fields)


async def test_each_hour_has_its_messages_folded_or_not(interop):
    """A message is counted once: while it is an arrival, and when it is part of its hour."""
    clock = interop.hub.clock
    # At half past, so that no hour ends between two messages.
    clock.move(timedelta(minutes=(30 - clock().minute) % 60))
    await interop.send(adt("C1"))
    await interop.send(adt("C2"))
    before = await get(interop)
    clock.move(3 * HOUR)
    await interop.send(adt("C3"))
    feed = await get(interop)
    assert len(feed.messages_by_hour) == 24
    assert [n for n in feed.messages_by_hour if n] == [2, 1]
    assert (feed.messages_by_hour[20], feed.messages_by_hour[23]) == (2, 1)
    moved = feed.hours_since_time.ToDatetime() - before.hours_since_time.ToDatetime()
    assert moved == 3 * HOUR
    for _ in range(2):
        await fold(interop)
        assert (await get(interop)).messages_by_hour == feed.messages_by_hour
    assert await interop.count("SELECT sum(count) FROM arrivals_by_hour") == 2
    clock.move(21 * HOUR)
    assert sum((await get(interop)).messages_by_hour) == 1
    clock.move(timedelta(days=40))
    await fold(interop)
    assert await interop.count("SELECT count(*) FROM arrivals_by_hour") == 0


async def test_silent_feeds_are_counted_also_where_there_is_no_feed(interop):
    """For the operations page: "none" as soon as somebody has looked, and before that nothing."""
    count = Shown(metric=SILENT_NOW)
    SILENT_NOW.set(math.nan)
    assert count.read() == {}
    await watch(interop)
    assert count.read() == {"": 0}
    interop.hub.clock.move(3 * HOUR)
    await watch(interop)
    assert count.read() == {"": 1}
    await mute(interop, duration=Duration(seconds=3600), reason="Upgrade")
    await watch(interop)
    assert count.read() == {"": 0}
    SILENT_NOW.set(math.nan)
    async with interop.hub.system("interop") as tx:
        await tx._connection.execute("DELETE FROM silences")
        await tx._connection.execute("DELETE FROM feeds")
        await watch_silence(tx)
    assert count.read() == {"": 0}


async def test_who_connects_systems_is_told_once_of_each_silence(interop):
    await staff(interop, "Iris", "integration", interop.facility_id)
    await staff(interop, "Elsewhere", "integration", uuid4())
    await staff(interop, "Ada", "facility_admin", interop.facility_id)
    interop.hub.clock.move(3 * HOUR)
    for _ in range(2):
        await watch(interop)
    feed = await get(interop)
    assert [n.staff_name for n in feed.silence_notices] == ["Iris"]
    assert not feed.silence_notices[0].HasField("time")
    assert feed.HasField("alarm_time")
    runtime = interop.hub.host.runtimes["interop"]
    await send_due(runtime.database, Mail(is_away=True), runtime.now)
    post = Mail()
    interop.hub.clock.move(timedelta(minutes=5))
    for _ in range(2):
        await send_due(runtime.database, post, runtime.now)
    (letter,) = post.letters
    assert letter.email == "iris@mercy.example"
    text = write(letter, "carehub@localhost", "https://hub.example").get_content()
    assert "Mercy ADT is silent" in text
    assert f"https://hub.example/feeds?feed={interop.feed.id}" in text
    assert (await get(interop)).silence_notices[0].HasField("time")
    await interop.send(adt())
    await watch(interop)
    assert not (await get(interop)).silence_notices


async def test_without_them_the_administrator_is_told(interop):
    await staff(interop, "Ada", "facility_admin", interop.facility_id)
    interop.hub.clock.move(3 * HOUR)
    await watch(interop)
    assert [n.staff_name for n in (await get(interop)).silence_notices] == ["Ada"]


async def test_a_muted_alarm_does_not_sound_and_says_who_muted_it(interop):
    await staff(interop, "Iris", "integration")
    interop.hub.clock.move(3 * HOUR)
    feed = await mute(interop, duration=Duration(seconds=3600), reason=" Upgrade until noon. ")
    assert (feed.is_silent, feed.mute.reason) == (True, "Upgrade until noon.")
    assert feed.mute.until_time.seconds - feed.mute.time.seconds == 3600
    assert feed.mute.staff_name
    await watch(interop)
    assert not (await get(interop)).silence_notices
    feed.name = "Mercy"
    renamed = await interop.call("UpdateFeed", feed=feed, update_mask=FieldMask(paths=["name"]))
    assert renamed.mute.reason == "Upgrade until noon."
    interop.hub.clock.move(HOUR)
    await watch(interop)
    assert [n.staff_name for n in (await get(interop)).silence_notices] == ["Iris"]


async def test_a_mute_needs_a_reason_and_an_end_and_can_be_taken_back(interop):
    hour = Duration(seconds=3600)
    assert await refused(mute(interop, duration=hour, reason=" ")) == "MUTE_REASON_MISSING"
    week = Duration(seconds=8 * 86_400)
    assert await refused(mute(interop, duration=week, reason="x")) == "MUTE_TOO_LONG"
    await mute(interop, duration=hour, reason="x")
    assert not (await mute(interop)).HasField("mute")
    stale = mute(interop, duration=hour, reason="x", etag='"1"')
    assert await refused(stale) == "STALE_ETAG"
    reader = interop.token_at(interop.facility_id, permissions=("feeds.read",))
    with pytest.raises(CallFailed) as failed:
        await interop.call("MuteFeed", reader, feed_id=interop.feed.id, reason="x")
    assert failed.value.code == "PERMISSION_DENIED"
    told = await interop.count("SELECT count(*) FROM audit WHERE method LIKE '%MuteFeed'")
    assert told >= 2


async def test_what_is_alike_is_replayed_the_oldest_first_page_by_page(interop):
    for n in range(3):
        await interop.send(adt(f"Q{n}", PV1_2="QX"))
    await interop.send(adt("T1", PV1_44="soon"))
    ask = {"feed_id": interop.feed.id, "state": QUARANTINED, "reason": "PATIENT_CLASS_UNKNOWN"}
    again = await interop.call("ReplayMessages", **ask)
    assert (again.replayed, again.went_through, again.next_page_token) == (3, 0, "")
    feed = await get(interop)
    feed.quirks.patient_classes["QX"] = "I"
    await interop.call("UpdateFeed", feed=feed, update_mask=FieldMask(paths=["quirks"]))
    first = await interop.call("ReplayMessages", **ask, page_size=2)
    assert (first.replayed, first.went_through) == (2, 2)
    rest = await interop.call(
        "ReplayMessages", **ask, page_size=2, page_token=first.next_page_token
    )
    assert (rest.replayed, rest.went_through, rest.next_page_token) == (1, 1, "")
    assert (await interop.accounts()).quarantined == 1
    other = await interop.call("ReplayMessages", **ask, explanation="PV1-2: something else")
    assert other.replayed == 0


async def test_only_what_is_set_aside_for_a_reason_is_replayed_so(interop):
    ask = {"feed_id": interop.feed.id, "reason": "PATIENT_CLASS_UNKNOWN"}
    applied = FeedMessage.STATE_APPLIED
    assert await refused(interop.call("ReplayMessages", **ask)) == "STATE_NOT_SET_ASIDE"
    assert (
        await refused(interop.call("ReplayMessages", **ask, state=applied)) == "STATE_NOT_SET_ASIDE"
    )
    ask["reason"] = ""
    assert await refused(interop.call("ReplayMessages", **ask, state=PARKED)) == "REASON_MISSING"


async def test_messages_of_several_states_are_one_list(interop):
    await interop.send(adt("P1"))
    await interop.send(adt("Q1", PV1_2="QX"))
    await interop.send(adt("I1", trigger="A60"))
    await interop.send(adt("Q2", PV1_2="QX"))

    async def found(*states, **fields):
        answer = await interop.call("ListMessages", states=states, **fields)
        return [m.control_id for m in answer.messages], answer.next_page_token

    pending = FeedMessage.STATE_PENDING
    assert (await found(QUARANTINED, PARKED))[0] == ["Q2", "Q1"]
    first, token = await found(QUARANTINED, pending, page_size=2)
    assert first == ["Q2", "Q1"]
    assert (await found(QUARANTINED, pending, page_size=2, page_token=token)) == (["P1"], "")
    assert (await found(QUARANTINED, state=pending))[0] == ["Q2", "Q1", "P1"]
    assert len((await found())[0]) == 4
