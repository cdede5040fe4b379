"""A process of the conveyor's tests: teller, relay, listener and timers in one, to be killed at any moment."""

import asyncio
from typing import Any

from libs.chassis import ids
from libs.chassis.database import Database, open_pool
from libs.conveyor import crashpoints
from libs.conveyor.inbox import run_consumer
from libs.conveyor.relay import run_relay
from libs.conveyor.streams import connect
from libs.conveyor.timers import run_timers
from tests.component.conveyor.conftest import until
from tests.component.conveyor.story import BELL, COUNTER, HEARD, LISTENER, TELLER, tell_once


def work(plan: dict[str, Any]) -> None:
    asyncio.run(_work(plan))


async def _work(plan: dict[str, Any]) -> None:
    crashpoints.arm(plan["crashpoint"])
    wake, stopping = asyncio.Event(), asyncio.Event()
    conveyor = await connect(plan["nats"], "worker", max_bytes=64 * 1024**2)
    teller = Database(None, await open_pool(plan[TELLER], 6, TELLER), ids.now, wake.set)
    listener = Database(None, await open_pool(plan[LISTENER], 6, LISTENER), ids.now)

    async def telling() -> None:
        last = plan["events"] - 1

        async def all_others_heard() -> bool:
            async with listener.system() as tx:
                return await tx.one(HEARD) == last

        for n in range(plan["events"]):
            if plan["crashpoint"] and n == last:
                # A batch of its own, so that each point is passed a second time, however slow the machine is.
                await until(all_others_heard, what="hearing all but the last")
            await tell_once(teller, f"f{n}")
            crashpoints.crashpoint("outbox.after_commit")

    await asyncio.gather(
        telling(),
        run_relay("identity", teller, conveyor, wake, stopping),
        run_consumer(LISTENER, COUNTER, listener, conveyor, stopping, ack_wait=1.0),
        run_timers([BELL], teller, stopping, ids.now),
    )
