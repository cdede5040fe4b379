"""A name planted in messages of every fate is nowhere but in the database."""

import logging

from prometheus_client import generate_latest

from libs.chassis.wire import CallFailed
from libs.telemetry.logs import JsonLines
from services.interop import ingest
from tests.component.interop.conftest import Peer, adt

PLANTED = "ZZPLANTED"


class Kept(logging.Handler):
    """What the log would say, in its own format."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


async def test_health_data_stays_in_the_database(interop, monkeypatch):
    kept = Kept()
    root = logging.getLogger()
    root.addHandler(kept)
    store = ingest.store

    async def fails_for_one(tx, arrivals):
        if any(arrival.verdict.control_id == "BUG" for arrival in arrivals):
            raise ValueError(arrivals[0].raw)
        return await store(tx, arrivals)

    monkeypatch.setattr(ingest, "store", fails_for_one)
    name = {"PID_5": f"{PLANTED}^{PLANTED}", "PID_3": f"{PLANTED}^^^{PLANTED}^MR"}
    messages = [
        adt("OK", **name),
        adt("QUARANTINED", **name, PID_7=PLANTED, PV1_2=PLANTED, PV1_44=PLANTED),
        adt("IGNORED", trigger="A60", **name),
        adt("REFUSED", MSH_11="T", **name),
        adt("BUG", **name),
        f"PID|1||{PLANTED}".encode(),
        adt("TORSO", **name)[:150],
    ]
    try:
        async with interop.listening() as server:
            peer = await Peer.connect(server)
            peer.send(*messages)
            answers = await peer.answers(len(messages))
        for message in messages:
            await interop.call("TryMessage", message=message.decode())
        for method, fields in (
            ("GetMessage", {"message_id": PLANTED}),
            ("SendMessage", {"feed_id": PLANTED}),
        ):
            try:
                await interop.call(method, **fields)
            except CallFailed as error:
                answers.append(error.reason)
        listed = await interop.call("ListMessages")
        refusals = await interop.call("ListRefusals", feed_id=interop.feed.id)
    finally:
        root.removeHandler(kept)
    told = [*answers, *kept.lines, generate_latest().decode()]
    told += [m.explanation for m in listed.messages] + [r.explanation for r in refusals.refusals]
    assert not [line for line in told if PLANTED in line]
    assert any("a batch was not stored" in line for line in kept.lines)
    headers = (
        "SELECT count(*) FROM outbox WHERE (subject || key || headers::text) LIKE '%ZZPLANTED%'"
    )
    assert await interop.count(headers) == 0
