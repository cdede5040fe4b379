"""Logs as lines of JSON, and the start of telemetry."""

import logging
import sys
from datetime import UTC, datetime

import orjson

from libs.telemetry import tracing

# What a log record may say besides its message: anything else is dropped, so that no value slips in by accident.
_FIELDS = frozenset({
    "service", "method", "code", "reason", "request_id", "consumer", "message_id", "kind", "feed_id", "facility_id",
    "loop_id", "task_id", "protocol", "seconds", "count", "state", "stream", "sequence", "route", "status", "peer",
    "port", "job", "attempts", "notification_id", "encounter_id", "subject", "revision", "violation", "bytes",
    "appointment_id", "referral_id", "reply_id", "thread_id", "escalation_level", "told",
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
