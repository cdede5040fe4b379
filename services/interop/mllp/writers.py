"""Stores what arrives in small batches, one commit for all, and answers only after it."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prometheus_client import Counter, Histogram

from libs.chassis.faults import is_weather, whereabouts
from libs.process.app import Runtime
from services.interop import ingest
from services.interop.domain.classify import AckCode
from services.interop.domain.reading import ErrorCode
from services.interop.ingest import Arrival, Receipt

log = logging.getLogger(__name__)

BATCH = 64
BATCH_BYTES = 4 * 1024 * 1024
QUEUE_BYTES = 16 * 1024 * 1024
# A sender waits about ten seconds for its answer; a store that takes longer is as good as away.
STORE_SECONDS = 8.0
# So many messages in a row that cannot be stored by themselves are not the messages' fault.
_HOPELESS = 3

MESSAGES = Counter("carehub_mllp_messages", "Messages answered over MLLP.", ["code", "reason"])
STORE_TIME = Histogram("carehub_mllp_store_seconds", "Time to store and commit one batch.")
BATCH_SIZE = Histogram(
    "carehub_mllp_batch_messages", "Messages per commit.", buckets=(1, 2, 4, 8, 16, 32, 64)
)


@dataclass(slots=True)
class Work:
    """One message on its way to the store; its answer is set after the commit."""

    arrival: Arrival
    answer: asyncio.Future[bytes]


class Writer:
    """Stores messages one batch at a time, so that those of one connection stay in their order."""

    def __init__(self, runtime: Runtime, queue_size: int) -> None:
        self._runtime = runtime
        self._queue: asyncio.Queue[Work] = asyncio.Queue(queue_size)
        self._queued_bytes = 0
        self._has_room = asyncio.Event()

    async def take(self, work: Work) -> None:
        """Have something stored. Waits while there is too much to store: nothing more is read then."""
        try:
            while self._queued_bytes > QUEUE_BYTES:
                self._has_room.clear()
                await self._has_room.wait()
            await self._queue.put(work)
        except asyncio.CancelledError:
            self._turn_away([work])
            raise
        self._queued_bytes += len(work.arrival.raw)

    async def run(self) -> None:
        """Store whatever is there, for ever."""
        while True:
            batch = [await self._queue.get()]
            size = len(batch[0].arrival.raw)
            while len(batch) < BATCH and size < BATCH_BYTES and not self._queue.empty():
                batch.append(self._queue.get_nowait())
                size += len(batch[-1].arrival.raw)
            self._queued_bytes -= size
            self._has_room.set()
            await self._store(batch)

    async def _store(self, batch: Sequence[Work]) -> None:
        """Store a batch; if it fails for something in it, one by one."""
        if await self._try(batch) or len(batch) == 1:
            return
        failures = 0
        for position, work in enumerate(batch):
            failures = 0 if await self._try([work]) else failures + 1
            if failures == _HOPELESS:
                self._turn_away(batch[position + 1 :])
                return

    async def _try(self, batch: Sequence[Work]) -> bool:
        """Store a batch and answer it. False if that failed and might succeed for a part of it."""
        try:
            receipts = await self._commit([work.arrival for work in batch])
        except Exception as error:  # noqa: BLE001 - a listener outlives whatever it is sent
            reason = whereabouts(error)
            log.warning("a batch was not stored", extra={"reason": reason, "count": len(batch)})
            is_hopeless = is_weather(error) or isinstance(error, TimeoutError)
            if is_hopeless or len(batch) == 1:
                self._turn_away(batch)
            return is_hopeless
        for work, receipt in zip(batch, receipts, strict=True):
            self._answer(work, receipt)
        return True

    async def _commit(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        began = time.monotonic()
        async with (
            asyncio.timeout(STORE_SECONDS),
            self._runtime.database.system(timeout=STORE_SECONDS) as tx,
        ):
            receipts = await ingest.store(tx, arrivals)
        STORE_TIME.observe(time.monotonic() - began)
        BATCH_SIZE.observe(len(arrivals))
        return receipts

    def _turn_away(self, batch: Sequence[Work]) -> None:
        """AR 207 for what should have been stored: the sender keeps it and sends it again."""
        for work in batch:
            if work.arrival.verdict.state is not None:
                work.arrival = store_away(work.arrival)
            ingest.count_refused(work.arrival)
            self._answer(work, Receipt())

    def _answer(self, work: Work, receipt: Receipt) -> None:
        verdict = work.arrival.verdict
        MESSAGES.labels(verdict.code.value, verdict.reason).inc()
        if work.answer.done():  # the connection is gone
            return
        try:
            work.answer.set_result(receipt.acknowledgement(work.arrival, self._runtime.now()))
        except Exception as error:  # noqa: BLE001 - a bug ends that connection and no other
            work.answer.set_exception(error)


def store_away(arrival: Arrival) -> Arrival:
    """The arrival with the verdict that we cannot keep it now."""
    verdict = replace(
        arrival.verdict,
        code=AckCode.REJECTED,
        error_code=ErrorCode.APPLICATION,
        reason="STORE_AWAY",
        explanation="The message cannot be stored now. Send it again.",
        state=None,
        report=None,
    )
    return replace(arrival, verdict=verdict)
