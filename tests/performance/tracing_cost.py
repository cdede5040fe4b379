"""What a trace costs: CPU of a process per request, with tracing off, with one trace in a hundred kept, and with all.

`python -m tests.performance.tracing_cost` runs interop's guarded methods behind the gateway's outermost layer in this
process, over real servers, with a collector in another. The ways take turns, so that a busy machine is fair to each.
"""

import asyncio
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from carehub.interop.v1 import feed_pb2, interop_service_pb2

from gateway.api.edge import Edge
from libs.chassis import ids
from libs.telemetry import tracing
from libs.testing.hub import Hub, caller_token, running_hub
from libs.testing.servers import running_servers
from tests.e2e.collector import collecting
from tests.e2e.region import Person, adt, days_ago

REQUESTS, ROUNDS = 150, 7
CONTRACT = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]
Ask = Callable[[], Awaitable[object]]


async def _collect() -> None:
    async with collecting() as collector:
        print(collector.endpoint, flush=True)
        await asyncio.Event().wait()


class Ways:
    """Off, one in a hundred, all; made once, and put where the process has its tracer."""

    def __init__(self, endpoint: str) -> None:
        off = (tracing._tracer, tracing._ratio)
        self._ways = {"off": off, "off, ids carried": off}
        for name, share in (("1 %", 0.01), ("100 %", 1.0)):
            tracing.start("cost", endpoint, share)
            self._ways[name] = (tracing._tracer, tracing._ratio)

    def __iter__(self) -> "list[str]":
        return iter(self._ways)

    def take(self, name: str) -> None:
        tracing._tracer, tracing._ratio = self._ways[name]


async def _through_the_edge(ask: Ask, traced: bool) -> None:
    async def app(_scope, _receive, send):
        await ask()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def nothing(*_message):
        return None

    trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00".encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/x",
        "headers": [(b"traceparent", trace)] if traced else [],
    }
    await Edge(app, is_https=False, new_id=ids.new_id, now=ids.now)(scope, nothing, nothing)


async def _measure(ways: Ways, ask: Ask) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name in ways:
            ways.take(name)
            began = time.process_time()
            for _ in range(REQUESTS):
                await _through_the_edge(ask, traced=name != "off")
            spent[name].append((time.process_time() - began) / REQUESTS * 1e6)
    return spent


async def _asks(hub: Hub) -> dict[str, Ask]:
    facility = ids.new_id()
    token = caller_token(
        permissions=("feeds.read", "feeds.write", "feeds.send"), facilities=[facility]
    )

    async def call(method: str, request, kind):
        return await hub.call(CONTRACT, method, request, kind, token=token)

    feed = feed_pb2.Feed(facility_id=str(facility), name="Mercy", sending_facility="MERCY")
    made = await call("CreateFeed", interop_service_pb2.CreateFeedRequest(feed=feed), feed_pb2.Feed)
    got = interop_service_pb2.GetFeedRequest(feed_id=made.id)

    async def read():
        await call("GetFeed", got, feed_pb2.Feed)

    async def write():
        person = Person(mrn="COST1", family="Doe", given="Ana")
        message = adt("A01", person, days_ago(1), admit=days_ago(1)).decode()
        sent = interop_service_pb2.SendMessageRequest(feed_id=made.id, message=message)
        await call("SendMessage", sent, interop_service_pb2.SendMessageResponse)

    return {"read": read, "write with its event": write}


async def main() -> None:
    collector = subprocess.Popen(
        [sys.executable, "-m", __spec__.name, "collect"], stdout=subprocess.PIPE, text=True
    )
    try:
        async with running_servers() as servers, running_hub(servers, ["interop"]) as hub:
            ways = Ways(collector.stdout.readline().strip())
            for what, ask in (await _asks(hub)).items():
                ways.take("off")
                for _ in range(200):
                    await ask()
                for name, spent in (await _measure(ways, ask)).items():
                    middle, least = statistics.median(spent), min(spent)
                    print(f"{what}: {name}: {middle:,.0f} us CPU a request (least {least:,.0f})")
    finally:
        collector.terminate()


if __name__ == "__main__":
    asyncio.run(_collect() if sys.argv[1:] == ["collect"] else main())
