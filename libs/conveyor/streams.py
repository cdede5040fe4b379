"""The connection to NATS: streams, durable consumers, and asking for messages.

PostgreSQL is the truth and JetStream a conveyor that can be rebuilt, so whatever is missing here is made again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import nats.errors
import orjson
from google.protobuf.message import Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import APIError

from libs.chassis.faults import rest
from libs.chassis.ids import new_id
from libs.conveyor.headers import KEY, MESSAGE_ID, VERSION

log = logging.getLogger(__name__)

WEEK = 7 * 24 * 3600.0
# Ids are held in the broker's memory, and only spare the inbox some work: it is what de-duplicates.
DUPLICATE_WINDOW = 120.0
MAX_ACK_PENDING = 1024
NEARLY_FULL = 0.8
IDLE = 10.0
ANSWER_WITHIN = 5.0
_OTHER_CONFIGURATION = 10058
_NO_MORE = frozenset({"404", "408"})
_HEARTBEAT = "100"


class ConveyorError(Exception):
    """The broker does not do what it should. Ask again, from the start."""


class Silence(ConveyorError):
    """Messages are waiting and none is delivered, or the broker does not answer at all."""


# What asking the broker for something may raise.
BROKER_REFUSES = (nats.errors.Error, ConveyorError)


class Conveyor:
    """A connection that comes back for ever. `generation` grows whenever it was away."""

    def __init__(
        self, url: str, name: str, *, replicas: int, max_bytes: int, is_given: bool = False
    ) -> None:
        """`is_given`: streams and consumers are made by somebody else (`carehub nats setup`); we may not."""
        self.is_given = is_given
        self._url = url
        self._name = name
        self.replicas = replicas
        self.max_bytes = max_bytes
        self.generation = 0
        self.on_change: set[Callable[[], None]] = set()
        self.leisure = asyncio.Lock()  # held by the one that does now what nobody waits for
        self._closing = False
        self._open()

    def _open(self) -> None:
        self.client = Client()
        self.js: JetStreamContext = self.client.jetstream(timeout=ANSWER_WITHIN)
        self._opening = asyncio.create_task(self._connect(), name="nats-connect")

    async def _connect(self) -> None:
        try:
            await self.client.connect(
                self._url,
                name=self._name,
                inbox_prefix=inbox_of(self._name),
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.25,  # type: ignore[arg-type]  # seconds; it sleeps so long
                connect_timeout=3,
                ping_interval=10,
                max_outstanding_pings=2,
                error_cb=self._failed,
                disconnected_cb=self._changed,
                reconnected_cb=self._changed,
                closed_cb=self._changed,
            )
        except (nats.errors.Error, OSError) as error:
            log.warning("no connection to the broker", extra={"reason": type(error).__name__})
            return
        await self._changed()

    async def _failed(self, error: Exception) -> None:
        log.debug("the broker's connection failed", extra={"reason": type(error).__name__})

    async def _changed(self) -> None:
        self.generation += 1
        log.info("the broker is %s", "there" if self.client.is_connected else "away")
        for notify in tuple(self.on_change):
            notify()

    @property
    def is_connected(self) -> bool:
        return self.client.is_connected

    async def wait_until_connected(self, stopping: asyncio.Event) -> bool:
        """Wait for a connection, and make a new one where the client gave up; False if it is time to stop."""
        while not stopping.is_set():
            if self.is_connected:
                return True
            if self._opening.done() and not self.client.is_reconnecting and not self._closing:
                self._open()
            await rest(stopping, 0.1)
        return False

    async def reconnect(self) -> None:
        """The last resort against a connection that lives but brings nothing."""
        log.error("reconnecting to the broker")
        await self.client.force_reconnect()

    async def close(self) -> None:
        self._closing = True
        self._opening.cancel()
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                await self.client.flush()
        # It writes what waits to a broker that may have died; then there is nothing left to close.
        with contextlib.suppress(nats.errors.Error, OSError):
            await self.client.close()


async def connect(
    url: str,
    name: str,
    *,
    replicas: int = 1,
    max_bytes: int = 512 * 1024**2,
    is_given: bool = False,
) -> Conveyor:
    """Connect; a broker that is away for longer than a moment is waited for in the background."""
    conveyor = Conveyor(url, name, replicas=replicas, max_bytes=max_bytes, is_given=is_given)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_WITHIN):
            await conveyor.wait_until_connected(asyncio.Event())
    return conveyor


@dataclass(frozen=True, slots=True)
class StreamState:
    """Which stream it is, if it was ever deleted and made again, and how far it has come."""

    incarnation: str
    last_sequence: int
    is_nearly_full: bool


def inbox_of(name: str) -> str:
    """Where answers come to whoever connects by this name. Its own: they are read by who may subscribe to it."""
    return f"_INBOX_{name}"


def stream_of(subject: str) -> str:
    """The stream that a subject is on: carehub.tasking.v1.TaskChanged is on `tasking`."""
    return subject.split(".")[1]


async def ensure_stream(conveyor: Conveyor, service: str) -> StreamState:
    """Make a service's stream, or set it right. Whoever needs it first does so: publisher or listener."""
    config = api.StreamConfig(
        name=service,
        subjects=[f"carehub.{service}.v1.>"],
        storage=api.StorageType.FILE,
        # With the default, DiscardPolicy.OLD, a full stream drops acknowledged messages that nobody has read.
        discard=api.DiscardPolicy.NEW,
        max_age=WEEK,
        max_bytes=conveyor.max_bytes,
        max_msg_size=1024**2,
        duplicate_window=DUPLICATE_WINDOW,
        num_replicas=conveyor.replicas,
        allow_atomic=True,
    )
    if conveyor.is_given:
        info = await conveyor.js.stream_info(service)
    else:
        info = await _made(conveyor, config)
    if info.created is None:
        raise ConveyorError("the broker did not say when the stream was made")
    used = info.state.bytes / conveyor.max_bytes
    return StreamState(info.created.isoformat(), info.state.last_seq, used > NEARLY_FULL)


async def _made(conveyor: Conveyor, config: api.StreamConfig) -> api.StreamInfo:
    try:
        return await conveyor.js.add_stream(config)
    except APIError as error:
        if error.err_code != _OTHER_CONFIGURATION:
            raise
        return await conveyor.js.update_stream(config)


async def publish_now(conveyor: Conveyor, event: Message, *, key: str, version: int) -> None:
    """Tell the others without an outbox: for what may be lost, since the next one tells the same and more."""
    subject = event.DESCRIPTOR.full_name
    stream = stream_of(subject)
    await ensure_stream(conveyor, stream)
    headers = {MESSAGE_ID: str(new_id()), KEY: key, VERSION: str(version)}
    await conveyor.js.publish(subject, event.SerializeToString(), stream=stream, headers=headers)


async def waiting_for(conveyor: Conveyor, stream: str, consumer: str) -> tuple[int, int]:
    """How many events a consumer was not given yet, and how many it was given and has not settled."""
    info = await conveyor.js.consumer_info(stream, consumer)
    return info.num_pending or 0, info.num_ack_pending or 0


async def make_room(conveyor: Conveyor, service: str) -> None:
    """Drop what every listener has acknowledged: a full stream does not even answer a publisher.

    Before anybody ever listened nothing is dropped: whoever is to listen has not come yet.
    """
    listeners = await conveyor.js.consumers_info(service)
    floors = [c.ack_floor.stream_seq if c.ack_floor else 0 for c in listeners]
    await conveyor.js.purge_stream(service, seq=min(floors, default=0) + 1)


class Pull:
    """Asks for the messages of a durable consumer. The broker's silence is an error, never "nothing there"."""

    def __init__(self, conveyor: Conveyor, stream: str, durable: str) -> None:
        self._conveyor = conveyor
        self._stream = stream
        self._durable = durable
        self._reply = conveyor.client.new_inbox()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._stalled_at: int | None = None

    async def next_batch(self, size: int, gather: float = 0.0) -> list[Msg]:
        """What is there, up to `size`; else the next one with what came at its heels; after a while, nothing.

        With `gather`, what comes within so many seconds more, unless there are `size` before.
        """
        messages = await self._ask(size, [], wait=0.0)
        was_idle = not messages
        if was_idle:
            await self._ask(1, messages, wait=IDLE)
        if 0 < len(messages) < size and (was_idle or gather):
            await self._ask(size, messages, wait=gather)
        if messages:
            self._stalled_at = None
        else:
            await self._watch()
        return messages

    async def _ask(self, size: int, messages: list[Msg], *, wait: float) -> list[Msg]:
        """Add to `messages` what there is, so that they are `size` at most."""
        terms = {"expires": int(wait * 1e9)} if wait else {"no_wait": True}
        await self._conveyor.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}",
            orjson.dumps({"batch": size - len(messages), **terms}),
            reply=self._reply,
        )
        try:
            async with asyncio.timeout(wait + ANSWER_WITHIN):
                while len(messages) < size:
                    message = await self._arrived.get()
                    if message is None and not messages:
                        raise ConveyorError("interrupted")
                    if message is None or not self._take(message, messages):
                        break
        except TimeoutError:
            if not messages:
                raise Silence from None
        return messages

    @staticmethod
    def _take(message: Msg, messages: list[Msg]) -> bool:
        """Keep a message; of a status say whether more will come."""
        status = (message.headers or {}).get("Status")
        if status is None:
            messages.append(message)
            return True
        if status == _HEARTBEAT:
            return True
        if status in _NO_MORE or messages:
            return False
        raise ConveyorError(f"the broker answered {status}")

    async def _watch(self) -> None:
        """Nothing came for a while. That is wrong if there is something to deliver, and was before."""
        info = await self._conveyor.js.consumer_info(self._stream, self._durable)
        delivered = info.delivered.consumer_seq if info.delivered else 0
        if info.num_pending and self._stalled_at == delivered:
            raise Silence
        self._stalled_at = delivered if info.num_pending else None

    async def arrived(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    def interrupt(self) -> None:
        """End the present wait: the connection changed, or it is time to stop."""
        self._arrived.put_nowait(None)

    async def give_back(self) -> None:
        """Return what was delivered but not taken, so that nobody has to wait for it."""
        while not self._arrived.empty():
            message = self._arrived.get_nowait()
            if message is not None and not (message.headers or {}).get("Status"):
                await message.nak()


@contextlib.asynccontextmanager
async def pull_from(
    conveyor: Conveyor, durable: str, subjects: Sequence[str], ack_wait: float
) -> AsyncIterator[Pull]:
    """Listen to subjects of one stream under a durable name. Stream and consumer are made if they are missing.

    A subject added to an existing durable brings what is published from then on, not what was before.
    """
    stream = stream_of(subjects[0])
    if not conveyor.is_given:
        await ensure_consumer(conveyor, durable, subjects, ack_wait)
    pull = Pull(conveyor, stream, durable)
    subscription = await conveyor.client.subscribe(pull._reply, cb=pull.arrived)
    conveyor.on_change.add(pull.interrupt)
    try:
        yield pull
    finally:
        conveyor.on_change.discard(pull.interrupt)
        with contextlib.suppress(nats.errors.Error):
            await subscription.unsubscribe()
            await pull.give_back()


async def ensure_consumer(
    conveyor: Conveyor, durable: str, subjects: Sequence[str], ack_wait: float
) -> None:
    """Make a durable consumer, or set it right; and its stream."""
    stream = stream_of(subjects[0])
    await ensure_stream(conveyor, stream)
    await conveyor.js.add_consumer(
        stream,
        api.ConsumerConfig(
            name=durable,
            durable_name=durable,
            filter_subjects=sorted(subjects),
            deliver_policy=api.DeliverPolicy.ALL,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=ack_wait,
            # Poison is decided by us: past a limit of the broker's a message would be skipped without a word.
            max_deliver=-1,
            max_ack_pending=MAX_ACK_PENDING,
        ),
    )


@contextlib.asynccontextmanager
async def in_work(messages: Sequence[Msg], ack_wait: float) -> AsyncIterator[None]:
    """Tell the broker, as long as the block lasts, that these messages are being worked on."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(ack_wait / 3)
            for message in messages:
                if not message.is_acked:
                    with contextlib.suppress(nats.errors.Error):
                        await message.in_progress()

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
