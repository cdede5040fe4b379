"""`carehub parked`, against a real database: what it lists and decides, and what it does not print."""

import argparse
from uuid import uuid4, uuid5

import pytest
from carehub.identity.v1 import facility_pb2, identity_events_pb2

from libs.conveyor import parked
from libs.local import parked as local_parked
from libs.local.parked import add_arguments, run
from libs.testing.hub import event_headers
from services.interop.app import build

CONSUMER = "interop-facilities"
HIDDEN = "Mercy of the canary"


async def set_aside(h, *, consumer=CONSUMER):
    """What a consumer leaves behind that could not handle this."""
    place = facility_pb2.Facility(id=str(uuid4()), name=HIDDEN, time_zone="America/Phoenix")
    event = identity_events_pb2.FacilityChanged(facility=place, version=1)
    message_id = uuid4()
    async with h.system("interop") as tx:
        entry = parked.Parked(
            id=uuid5(message_id, consumer), consumer=consumer, message_id=message_id,
            subject=event.DESCRIPTOR.full_name, key=place.id, version=1, facility_id=None,
            payload=event.SerializeToString(), headers=event_headers(message_id, uuid4(), 1, None),
            reason="FAILED_TOO_OFTEN", message="KeyError at store.py:7", attempts=8, parked_at=tx.at,
            state="PARKED", settled_at=None, settled_reason=None,
        )  # fmt: skip
        await parked.add(tx, entry)
    return str(entry.id)


@pytest.fixture
def command(servers):
    async def told(*argv):
        parser = argparse.ArgumentParser()
        add_arguments(parser, ["interop"])
        lines = []
        env = {"INTEROP_SYSTEM_DATABASE_URL": servers.url("interop", "system")}
        arguments = parser.parse_args(["interop", *argv])
        assert await run(arguments, env, lambda: build({}), lines.append) == 0
        return lines

    return told


async def test_what_was_set_aside_is_listed_and_what_it_holds_is_not(hub, command):
    async with hub("interop") as h:
        first, second = await set_aside(h), await set_aside(h)
        lines = await command("list")
        assert [line.split()[0] for line in lines] == [first, second]
        assert "PARKED FAILED_TOO_OFTEN: KeyError at store.py:7" in lines[0]
        assert await command("show", second) == lines[1:]
        assert HIDDEN not in "".join(lines)


async def test_a_list_that_goes_on_says_so(hub, command, monkeypatch):
    monkeypatch.setattr(local_parked, "MOST_LISTED", 2)
    async with hub("interop") as h:
        ids = [await set_aside(h) for _ in range(2)]
        assert [line.split()[0] for line in await command("list")] == ids
        await set_aside(h)
        *listed, last = await command("list")
        assert [line.split()[0] for line in listed] == ids
        assert last.startswith("and more")


async def test_a_replay_is_handled_as_if_it_came_now(hub, command):
    async with hub("interop") as h:
        (line,) = await command("replay", await set_aside(h))
        assert f"{CONSUMER} carehub.identity.v1.FacilityChanged REPLAYED" in line
        assert await command("list") == []


async def test_what_is_discarded_says_why(hub, command):
    async with hub("interop") as h:
        id = await set_aside(h)
        with pytest.raises(RuntimeError, match="say why"):
            await command("discard", id)
        assert len(await command("list")) == 1
        (line,) = await command("discard", id, "--reason", "sent twice")
        assert " DISCARDED " in line
        assert await command("discard", id, "--reason", "thought better of it") == [line]
        assert await command("list") == []


async def test_what_cannot_be_done_is_said_in_a_sentence(hub, command):
    async with hub("interop") as h:
        with pytest.raises(RuntimeError, match="say which"):
            await command("show")
        with pytest.raises(RuntimeError, match="no consumer interop-of-old any more"):
            await command("replay", await set_aside(h, consumer="interop-of-old"))
