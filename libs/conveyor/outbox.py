"""Record an event with the change that it tells of; the relay publishes it after the commit."""

from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    insert,
)
from sqlalchemy.dialects.postgresql import JSONB

from libs.chassis.database import Transaction, fields_except, sql
from libs.chassis.errors import InvalidArgument
from libs.chassis.ids import new_id
from libs.conveyor.crashpoints import crashpoint
from libs.telemetry.arrivals import RECEIVED, arrival
from libs.telemetry.tracing import TRACEPARENT, current_traceparent

outbox = Table(
    "outbox",
    MetaData(),
    Column("position", BigInteger, primary_key=True),
    Column("id", Uuid),
    Column("subject", Text),
    Column("key", Text),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("payload", LargeBinary),
    Column("headers", JSONB),
    Column("created_at", DateTime(timezone=True)),
    Column("published_at", DateTime(timezone=True)),
    Column("incarnation", Text),
    Column("sequence", BigInteger),
)

# A stream takes messages of up to 1 MiB; what is larger could never be published.
LARGEST = 900_000
_WRITTEN_LATER = ("position", "published_at", "incarnation", "sequence")
ADD = sql(insert(outbox).values(fields_except(outbox, *_WRITTEN_LATER)).inline())


async def add(
    tx: Transaction,
    event: Message,
    *,
    key: UUID | str,
    version: int = 1,
    facility_id: UUID | None = None,
    received_at: datetime | None = None,
) -> None:
    """Publish `event` if, and only if, this transaction commits.

    `key` names the resource that it tells of and `version` its state: of one key, consumers may see only the newest.
    `received_at`: when what it tells of arrived from outside; what follows from the event carries it on.
    """
    payload = event.SerializeToString()
    if len(payload) > LARGEST:
        raise InvalidArgument("EVENT_TOO_LARGE", "It is too large to be told to the others.")
    tx.defer(
        ADD,
        id=new_id(),
        subject=event.DESCRIPTOR.full_name,
        key=str(key),
        version=version,
        facility_id=facility_id,
        payload=payload,
        headers=_headers(received_at),
        created_at=tx.at,
    )
    tx.wake_relay_after_commit()
    tx.after_commit(_committed)
    crashpoint("outbox.before_commit")


def _headers(received_at: datetime | None) -> dict[str, str]:
    headers = {}
    if traceparent := current_traceparent():
        headers[TRACEPARENT] = traceparent
    if received_at is None and (known := arrival.get()):
        received_at = known.received_at
    if received_at is not None:
        headers[RECEIVED] = received_at.isoformat()
    return headers


def _committed() -> None:
    crashpoint("outbox.after_commit")
