"""What is being worked on follows from something that arrived from outside: when that was goes along with the events."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

# Beside an event: when that arrived from outside which it follows from.
RECEIVED = "Carehub-Received"


@dataclass(frozen=True, slots=True)
class Arrival:
    """When that arrived from outside which is being worked on, and when (on the monotonic clock) that work began."""

    received_at: datetime
    begun_at: float


arrival: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


@contextlib.contextmanager
def because_of(batch: Sequence[Mapping[str, str]]) -> Iterator[None]:
    """Remember what this follows from, given the headers of the events: of many, from what arrived first."""
    received = [headers[RECEIVED] for headers in batch if RECEIVED in headers]
    if not received:
        yield
        return
    token = arrival.set(Arrival(datetime.fromisoformat(min(received)), time.monotonic()))
    try:
        yield
    finally:
        arrival.reset(token)
