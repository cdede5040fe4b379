"""One sender's connection: frames in, answers out in the same order, neither waiting for the other."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter, Histogram

from libs.chassis.faults import whereabouts
from services.interop.domain.classify import Verdict, classify, too_long
from services.interop.domain.mllp import Frame, Framer, wrap
from services.interop.ingest import Arrival
from services.interop.mllp.senders import Senders
from services.interop.mllp.writers import Work, Writer, store_away

log = logging.getLogger(__name__)

IN_WORK = 256
CHUNK = 64 * 1024
# A frame may be too long and still be read to its end, to be refused; but not without end.
HOPELESS_BYTES = 64 * 1024 * 1024

DISCARDED = Counter("carehub_mllp_discarded_bytes", "Bytes outside of frames.")
ACKNOWLEDGED = Histogram(
    "carehub_mllp_ack_seconds",
    "From a whole frame read to its acknowledgement written.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CLOSED = Counter("carehub_mllp_closed", "Connections that we closed, by why.", ["reason"])
for _reason in (
    "AUTHORITY_GONE",
    "FRAME_TOO_SLOW",
    "FRAME_WITHOUT_END",
    "GAVE_WAY",
    "NO_HANDSHAKE",
    "PEER_DOES_NOT_LISTEN",
    "TOO_MANY_CONNECTIONS",
):
    CLOSED.labels(_reason)  # there from the start: no rate of a count that is not there yet


@dataclass(frozen=True, slots=True)
class _Owed:
    """An answer that is being made, and when its message had arrived."""

    answer: asyncio.Future[bytes]
    read_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every connection works with."""

    senders: Senders
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    most_bytes: int
    # From the first byte of a frame to its last, and for a peer to take its answers.
    frame_seconds: float


class Connection:
    """Reads until the peer ends or breaks, or is told to stop; answers everything that it has read."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        desk: Desk,
        store: Writer,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._desk = desk
        self._store = store
        self._framer = Framer(desk.most_bytes)
        self._frame_began_at = 0.0
        self._in_work: asyncio.Queue[_Owed | None] = asyncio.Queue()
        self._places = asyncio.Semaphore(IN_WORK)
        self._reading: asyncio.Task[None] | None = None
        self._peer = _name_of(writer)
        self.heard_at = time.monotonic()
        # Whether it ever sent anything of a sender that we know.
        self.is_known = False
        self.is_stopped = False
        _keep_alive(writer)

    async def run(self) -> None:
        self._reading = asyncio.create_task(self._read())
        try:
            await self._answer()
        except (OSError, TimeoutError):
            CLOSED.labels("PEER_DOES_NOT_LISTEN").inc()
        finally:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._writer.wait_closed()

    def stop(self) -> None:
        """Read no more; what was read is still answered."""
        self.is_stopped = True
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self) -> None:
        try:
            while chunk := await self._next_chunk():
                self.heard_at = time.monotonic()
                was_mid_frame, discarded = self._framer.is_mid_frame, self._framer.discarded
                frames = self._framer.feed(chunk)
                DISCARDED.inc(self._framer.discarded - discarded)
                if frames:
                    await self._take(frames)
                if self._framer.is_mid_frame and (frames or not was_mid_frame):
                    self._frame_began_at = time.monotonic()
                if self._framer.pending_size > HOPELESS_BYTES:
                    self._give_up("FRAME_WITHOUT_END")
                    break
        except TimeoutError:
            self._give_up("FRAME_TOO_SLOW")
        except OSError:
            pass
        finally:
            self._in_work.put_nowait(None)

    async def _next_chunk(self) -> bytes:
        """What arrives next. Between frames a healthy connection may rest as long as it likes."""
        if not self._framer.is_mid_frame:
            return await self._reader.read(CHUNK)
        async with asyncio.timeout(
            self._frame_began_at + self._desk.frame_seconds - time.monotonic()
        ):
            return await self._reader.read(CHUNK)

    async def _take(self, frames: list[Frame]) -> None:
        read_at = time.monotonic()
        is_ready = await self._is_ready()
        for frame in frames:
            arrival = self._arrival(frame)
            self.is_known = self.is_known or arrival.verdict.sender is not None
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            work = Work(arrival if is_ready else store_away(arrival), answer)
            await self._places.acquire()
            self._in_work.put_nowait(_Owed(answer, read_at))
            await self._store.take(work)

    async def _is_ready(self) -> bool:
        """Whether it is known who may send. If not, all there is to say is: send it again."""
        try:
            await self._desk.senders.refresh()
        except Exception:  # noqa: BLE001 - whatever keeps us from the database
            return False
        return True

    def _arrival(self, frame: Frame) -> Arrival:
        now = self._desk.now()
        return Arrival(
            id=self._desk.new_id(),
            raw=frame.content,
            verdict=self._verdict(frame, now),
            received_at=now,
            peer=self._peer,
            size=frame.size,
        )

    def _verdict(self, frame: Frame, now: datetime) -> Verdict:
        if frame.is_too_long:
            return too_long(frame.content, self._desk.senders.find, self._desk.most_bytes)
        verdict = classify(frame.content, self._desk.senders.find, now)
        if verdict.fault is not None:
            reason = whereabouts(verdict.fault)
            log.error("a message was set aside by a bug", extra={"reason": reason})
        return verdict

    async def _answer(self) -> None:
        """Answer in order; what is ready together goes out together."""
        while (owed := await self._in_work.get()) is not None:
            ready = [owed]
            out = bytearray(await self._frame(owed))
            while not self._in_work.empty():
                following = self._in_work.get_nowait()
                if following is None:
                    await self._send(out, ready)
                    return
                if not following.answer.done():
                    await self._send(out, ready)
                    out.clear()
                    ready.clear()
                out += await self._frame(following)
                ready.append(following)
            await self._send(out, ready)

    async def _frame(self, owed: _Owed) -> bytes:
        framed = wrap(await owed.answer)
        self._places.release()
        return framed

    async def _send(self, out: bytearray, ready: Sequence[_Owed]) -> None:
        if out:
            self._writer.write(bytes(out))
            async with asyncio.timeout(self._desk.frame_seconds):
                await self._writer.drain()
            sent_at = time.monotonic()
            for owed in ready:
                ACKNOWLEDGED.observe(sent_at - owed.read_at)

    def _give_up(self, reason: str) -> None:
        CLOSED.labels(reason).inc()
        log.info("a connection was closed", extra={"reason": reason, "peer": self._peer})


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Ask a silent peer now and then whether it is there: firewalls forget connections, and nobody is told."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):  # not every system has each of them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _name_of(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else ""
