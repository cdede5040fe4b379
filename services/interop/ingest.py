"""From a verdict to what is stored: the one way in, for MLLP and for HTTP.

Everything of a batch is written in the caller's transaction: the raw messages, their states, the
reports in the outbox, the refusals. Only after its commit may anybody be told AA.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import prometheus_client

from libs.chassis.database import Transaction
from libs.telemetry import tracing
from services.interop import events
from services.interop.domain.acknowledge import acknowledge
from services.interop.domain.classify import Verdict
from services.interop.domain.message import NO_FEED, Message, MessageState, Refusal
from services.interop.store.feeds import AccountStore
from services.interop.store.messages import Known, MessageStore
from services.interop.store.refusals import RefusalStore

_Key = tuple[UUID, str, str]

FEED_MESSAGES = prometheus_client.Counter(
    "carehub_feed_messages", "Messages, by what was answered.", ["feed_id", "outcome"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message that came in, and what was decided about it."""

    id: UUID
    raw: bytes
    verdict: Verdict
    received_at: datetime
    peer: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the sender is told once the transaction has committed."""

    message_id: UUID | None = None
    is_duplicate: bool = False
    is_control_id_reused: bool = False

    def acknowledgement(self, arrival: Arrival, at: datetime) -> bytes:
        return acknowledge(
            arrival.verdict,
            at,
            str(arrival.id),
            is_control_id_reused=self.is_control_id_reused and not self.is_duplicate,
        )


async def store(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Receipt]:
    """Store what is to be stored and note what was refused; a receipt for each, in order."""
    admitted = [each for each in arrivals if each.verdict.state is not None]
    refused = [_refusal(each) for each in arrivals if each.verdict.state is None]
    receipts = await _store_messages(tx, admitted) if admitted else {}
    if refused:
        await RefusalStore(tx).add_many(refused)
    answers = [receipts.get(each.id) or Receipt() for each in arrivals]
    tx.after_commit(partial(_count, arrivals, answers))
    return answers


def _count(arrivals: Sequence[Arrival], receipts: Sequence[Receipt]) -> None:
    for arrival, receipt in zip(arrivals, receipts, strict=True):
        state = arrival.verdict.state
        if state is None:
            count_refused(arrival)
        elif receipt.is_duplicate:
            _counter(arrival, "duplicate").inc()
        else:
            is_set_aside = state is MessageState.QUARANTINED
            _counter(arrival, "quarantined" if is_set_aside else "accepted").inc()


def count_refused(arrival: Arrival) -> None:
    """Count what its sender has to send again, or to mend."""
    _counter(arrival, "refused").inc()


def _counter(arrival: Arrival, outcome: str) -> prometheus_client.Counter:
    """Of a feed; those of senders that no feed knows are together, so that nobody can make up series."""
    sender = arrival.verdict.sender
    return FEED_MESSAGES.labels(str(sender.feed.id) if sender else "none", outcome)


async def _store_messages(tx: Transaction, admitted: Sequence[Arrival]) -> dict[UUID, Receipt]:
    store = MessageStore(tx)
    known = _Seen(await store.known(_key(each) for each in admitted))
    receipts = {each.id: known.receipt(each) for each in admitted}
    fresh = [each for each in admitted if not receipts[each.id].is_duplicate]
    messages = {each.id: _message(each, receipts[each.id]) for each in fresh}
    added = await store.add_many([(messages[each.id], each.raw) for each in fresh])
    if late := [each for each in fresh if each.id not in added]:
        # Somebody else stored the same messages between our look and our write.
        stored = _Seen(await store.known(_key(each) for each in late))
        receipts |= {each.id: stored.receipt(each) for each in late}
    for each in fresh:
        if each.id in added and each.verdict.report is not None:
            about = {"carehub.message_id": str(each.id)}
            with tracing.step(
                "interop-message", **about
            ):  # each begins a trace, unless a request did
                await events.reported(tx, each.verdict.report, messages[each.id])
    await _count_duplicates(tx, admitted, receipts)
    return receipts


async def _count_duplicates(
    tx: Transaction, admitted: Sequence[Arrival], receipts: dict[UUID, Receipt]
) -> None:
    repeated = Counter(_key(each)[0] for each in admitted if receipts[each.id].is_duplicate)
    for feed_id, count in repeated.items():
        await AccountStore(tx).count_duplicates(feed_id, count)


class _Seen:
    """The messages with the keys of a batch: those stored before, and those of the batch so far."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._ids: dict[_Key, dict[bytes, UUID]] = {}
        for each in known:
            key = (each.feed_id, each.sending_application, each.control_id)
            self._ids.setdefault(key, {})[each.content_hash] = each.id

    def receipt(self, arrival: Arrival) -> Receipt:
        same_key = self._ids.setdefault(_key(arrival), {})
        content_hash = arrival.verdict.content_hash
        if content_hash in same_key:
            return Receipt(message_id=same_key[content_hash], is_duplicate=True)
        is_reused = bool(same_key)
        same_key[content_hash] = arrival.id
        return Receipt(message_id=arrival.id, is_control_id_reused=is_reused)


def _key(arrival: Arrival) -> _Key:
    verdict = arrival.verdict
    if verdict.sender is None:
        raise RuntimeError("a message of nobody was admitted")
    return verdict.sender.feed.id, verdict.sending_application, verdict.control_id


def _message(arrival: Arrival, receipt: Receipt) -> Message:
    verdict = arrival.verdict
    if verdict.state is None or verdict.sender is None or verdict.facility_id is None:
        raise RuntimeError("a message that was refused is not stored")
    return Message(
        id=arrival.id,
        feed_id=verdict.sender.feed.id,
        facility_id=verdict.facility_id,
        sending_application=verdict.sending_application,
        control_id=verdict.control_id,
        content_hash=verdict.content_hash,
        event_type=verdict.event_type,
        received_at=arrival.received_at,
        message_at=verdict.message_at,
        state=verdict.state,
        reason=verdict.reason,
        explanation=verdict.explanation,
        is_control_id_reused=receipt.is_control_id_reused,
    )


def _refusal(arrival: Arrival) -> Refusal:
    verdict = arrival.verdict
    feed = verdict.sender.feed if verdict.sender else None
    return Refusal(
        id=arrival.id,
        feed_id=feed.id if feed else NO_FEED,
        facility_id=feed.facility_id if feed else None,
        refused_at=arrival.received_at,
        code=verdict.code.value,
        error_code=verdict.error_code.value,
        reason=verdict.reason,
        explanation=verdict.explanation,
        peer=arrival.peer,
        size_bytes=arrival.size or len(arrival.raw),
    )
