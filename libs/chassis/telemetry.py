"""Logs and metrics, and the start of traces. None of them ever carries health data: ids, reasons and method names only."""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from prometheus_client import Counter, Gauge, Histogram

from libs.chassis import tracing

# Beside an event: when that arrived from outside which it follows from.
RECEIVED = "Carehub-Received"

REQUESTS = Counter("carehub_rpc_requests", "RPCs answered.", ["method", "code"])
REQUEST_SECONDS = Histogram(
    "carehub_rpc_seconds",
    "Time from the request to the answer.",
    ["method"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
PUBLISHED = Counter("carehub_outbox_published", "Events published.", ["service"])
OUTBOX_AGE = Gauge(
    "carehub_outbox_oldest_seconds", "Age of the oldest event not yet published.", ["service"]
)
HANDLED = Counter("carehub_inbox_handled", "Events handled.", ["consumer", "outcome"])
PARKED = Counter("carehub_inbox_parked", "Events set aside.", ["consumer", "reason"])
TIMERS_FIRED = Counter("carehub_timers_fired", "Timers fired.", ["kind", "outcome"])
TIMER_LATENESS = Histogram("carehub_timer_lateness_seconds", "From due to fired.", ["kind"])
REFUSALS = Counter("carehub_refusals", "Refusals, audited.", ["method", "reason"])
LISTENS_ANEW = Counter(
    "carehub_streams_watchdog", "Times that a consumer had to listen anew.", ["consumer"]
)
# Read from the databases by gauges.py, and from the pools when somebody asks.
OUTBOX_WAITING = Gauge("carehub_outbox_waiting", "Events not yet published.", ["service"])
PARKED_NOW = Gauge("carehub_parked", "Events set aside now.", ["service", "consumer"])
TIMERS_OVERDUE = Gauge("carehub_timers_overdue", "Timers that are due.", ["service"])
TIMERS_OVERDUE_AGE = Gauge(
    "carehub_timers_overdue_seconds", "For how long the first of them has been due.", ["service"]
)
GRANTS_HEARTBEAT = Gauge(
    "carehub_grants_heartbeat_seconds", "For how long identity was not heard.", ["service"]
)
DATABASE_POOL = Gauge(
    "carehub_database_pool",
    "Connections: used, idle, and the limit.",
    ["service", "pool", "state"],
)

# What a log record may say besides its message: anything else is dropped, so that no value slips in by accident.
_FIELDS = frozenset({
    "service", "method", "code", "reason", "request_id", "consumer", "message_id", "kind", "feed_id", "facility_id",
    "loop_id", "task_id", "protocol", "seconds", "count", "state", "stream", "sequence", "route", "status", "peer",
    "port", "job", "attempts", "notification_id", "encounter_id", "subject", "revision", "violation", "bytes",
})  # fmt: skip


class JsonLines(logging.Formatter):
    """One JSON object per record. Of an exception: its type and where, never its text, which could hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {k: str(v) for k, v in record.__dict__.items() if k in _FIELDS}
        if trace_id := tracing.current_trace_id():
            line["trace_id"] = trace_id
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["where"] = _frames(record)
        return orjson.dumps(line).decode()


def _frames(record: logging.LogRecord) -> list[str]:
    frames = []
    traceback = record.exc_info[2] if record.exc_info else None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-12:]


def start(
    service: str, otlp_endpoint: str = "", sampling: float = 1.0, level: str = "INFO"
) -> None:
    """Log JSON lines to standard error; export traces if there is somewhere to export them to."""
    # What no line of ours says, and every record would look for.
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False
    logging._srcfile = None  # as the manual has it: who logs is not looked for on the stack
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "nats", "asyncio", "uvicorn.access"):
        logging.getLogger(noisy).setLevel("WARNING")
    if otlp_endpoint:
        tracing.start(service, otlp_endpoint, sampling)


@dataclass(frozen=True, slots=True)
class Cause:
    """When that arrived from outside which is being worked on, and when (on the monotonic clock) that work began."""

    received_at: datetime
    begun_at: float


cause: ContextVar[Cause | None] = ContextVar("cause", default=None)


@contextlib.contextmanager
def because_of(batch: Sequence[Mapping[str, str]]) -> Iterator[None]:
    """Remember what this follows from, given the headers of the events: of many, from what arrived first."""
    received = [headers[RECEIVED] for headers in batch if RECEIVED in headers]
    if not received:
        yield
        return
    token = cause.set(Cause(datetime.fromisoformat(min(received)), time.monotonic()))
    try:
        yield
    finally:
        cause.reset(token)
