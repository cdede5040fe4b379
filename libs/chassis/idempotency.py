"""The answer to a change, kept under the key that the client chose: the same key gives the same answer, once done."""

import hashlib

from google.protobuf.message import Message
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, Table, Text, Uuid, select, update
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.caller import Call
from libs.chassis.contracts import Method
from libs.chassis.database import Transaction, param, sql
from libs.chassis.errors import Aborted, FailedPrecondition

records = Table(
    "idempotency",
    MetaData(),
    Column("subject", Uuid, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary),
    Column("response", LargeBinary),
    Column("created_at", DateTime(timezone=True)),
)

_MINE = (
    records.c.subject == param("subject"),
    records.c.method == param("method"),
    records.c.key == param("key"),
)
# A second request with the key waits here until the first has committed or rolled back.
_CLAIM = sql(
    insert(records)
    .values({c: param(c.name, type_=c.type) for c in records.c if c.name != "response"})
    .on_conflict_do_nothing()
)
_HASH = sql(select(records.c.request_hash).where(*_MINE))
_RESPONSE = sql(select(records.c.response).where(*_MINE))
_KEEP = sql(update(records).values(response=param("response")).where(*_MINE))


async def replay(
    tx: Transaction, method: Method, call: Call, key: str, request: Message
) -> Message | None:
    """Claim the key for this request, or return the answer that it already has.

    FAILED_PRECONDITION if the key was used for another request.
    """
    named = {"subject": call.caller.subject, "method": method.path, "key": key}
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    if await tx.run(_CLAIM, **named, request_hash=digest, created_at=tx.at):
        return None
    if await tx.one_or_none(_HASH, **named) != digest:
        raise FailedPrecondition(
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key was used for another request. Choose a new one.",
        )
    answer = await tx.one_or_none(_RESPONSE, **named)
    if answer is None:
        raise Aborted(
            "IDEMPOTENCY_KEY_BUSY", "The first request with this key has not ended. Try again."
        )
    return method.response.FromString(answer)


async def keep(tx: Transaction, method: Method, call: Call, key: str, response: Message) -> None:
    """Keep the answer, in the transaction of the change that it tells of."""
    await tx.run(
        _KEEP,
        subject=call.caller.subject,
        method=method.path,
        key=key,
        response=response.SerializeToString(),
    )
