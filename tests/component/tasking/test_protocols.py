"""Protocols: the shipped ones are there, and publishing counts versions and finds mistakes."""

from uuid import uuid4

import pytest
from carehub.tasking.v1 import tasking_events_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.wire import CallFailed

KEY = "discharge-transition"


async def publish(t, text, **fields):
    request = rpc.PublishProtocolRequest()
    request.protocol.text = text
    for name, value in fields.items():
        setattr(request.protocol, name, value)
    return await t.call("PublishProtocol", request)


async def test_the_shipped_protocol_is_there_and_a_changed_text_is_the_next_version(tasking):
    async with tasking() as t:
        shipped = await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=KEY))
        assert (shipped.version, shipped.published_by_id) == (1, "")
        assert shipped.title
        assert shipped.sources
        again = await publish(t, shipped.text)
        assert again.version == 1
        changed = await publish(t, f"{shipped.text}\n# Changed here.\n", id=KEY)
        assert (changed.version, changed.published_by_id) == (2, str(t.nurse))
        newest = await t.call("ListProtocols", rpc.ListProtocolsRequest())
        versions = {each.id: each.version for each in newest.protocols}
        assert versions.pop(KEY) == 2
        assert set(versions.values()) == {1}
        first = await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=KEY, version=1))
        assert first.text == shipped.text
        told = await t.told(tasking_events_pb2.ProtocolPublished)
        assert [each.protocol.version for each in told if each.protocol.id == KEY] == [1, 2]


async def test_open_loops_keep_the_version_that_they_began_with(tasking):
    async with tasking() as t:
        before = await t.discharged()
        shipped = await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=KEY))
        await publish(t, shipped.text.replace("business_days: 2", "business_days: 3"))
        after = await t.discharged()
        await t.patient(before, version=2)
        await t.until_rows("SELECT max(version) FROM patients", 2)
        assert [loop.protocol_version for loop in await t.loops(before)] == [1]
        assert [loop.protocol_version for loop in await t.loops(after)] == [2]
        assert (await t.tasks(before))["contact"].due_date.day == 9
        assert (await t.tasks(after))["contact"].due_date.day == 10


async def test_mistakes_are_named_with_their_place(tasking):
    async with tasking() as t:
        answer = await t.call("ValidateProtocol", rpc.ValidateProtocolRequest(text="key: x\n"))
        assert answer.problems
        assert all(each.problem and each.help for each in answer.problems)
        with pytest.raises(CallFailed) as error:
            await publish(t, "key: x\n")
        assert error.value.code == "INVALID_ARGUMENT"
        shipped = await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=KEY))
        assert (
            await t.call("ValidateProtocol", rpc.ValidateProtocolRequest(text=shipped.text))
        ).problems == []
        with pytest.raises(CallFailed) as error:
            await publish(t, shipped.text, id="other")
        assert error.value.reason == "PROTOCOL_KEY_DIFFERS"
        with pytest.raises(CallFailed) as error:
            await t.call("GetProtocol", rpc.GetProtocolRequest(protocol_id=str(uuid4())))
        assert error.value.code == "NOT_FOUND"
