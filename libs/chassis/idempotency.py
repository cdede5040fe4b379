"""The answer to a change, kept under the key that the client chose: the same key gives the same answer, once done."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.access import denials
from libs.chassis.caller import Call
from libs.chassis.contracts import Method
from libs.chassis.database import Transaction, fields_except, param, sql
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
    Column("patients", ARRAY(Uuid)),
    Column("facilities", ARRAY(Uuid)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a request: what it was, and once it is done, the answer with whom it tells about."""

    request_hash: bytes
    response: bytes | None
    patients: tuple[UUID, ...]
    facilities: frozenset[UUID]


_MINE = (
    records.c.subject == param("subject"),
    records.c.method == param("method"),
    records.c.key == param("key"),
)
# A second request with the key waits here until the first has committed or rolled back.
_CLAIM = sql(
    insert(records)
    .values(fields_except(records, "response", "patients", "facilities"))
    .on_conflict_do_nothing()
)
_FIND = sql(
    select(*(c for c in records.c if c.name in Kept.__annotations__)).where(*_MINE), row=Kept
)
_KEEP = sql(
    update(records)
    .values({records.c[n]: param(n) for n in ("response", "patients", "facilities")})
    .where(*_MINE)
)


_REFUSED = sql(
    select(
        exists().where(
            denials.c.patient_id == any_(param("patients", type_=ARRAY(Uuid))),
            denials.c.weight > literal_column("2"),
            denials.c.grantee_id == any_(param("in_person", type_=ARRAY(Uuid))),
            or_(denials.c.expires_at.is_(None), denials.c.expires_at > func.now()),
        )
    )
)


async def replay(
    tx: Transaction, method: Method, call: Call, key: str, request: Message
) -> Message | None:
    """Claim the key for this request, or return the answer that it already has, as `find` does."""
    named = {"subject": call.caller.subject, "method": method.path, "key": key}
    if await tx.run(_CLAIM, **named, request_hash=_digest(request), created_at=tx.at):
        return None
    return await find(tx, method, call, key, request)


async def find(
    tx: Transaction, method: Method, call: Call, key: str, request: Message
) -> Message | None:
    """The answer that the key already has, if any.

    FAILED_PRECONDITION if the key was used for another request, or the answer tells of what the caller sees no more:
    they hold less, or a patient refuses them in person since.
    """
    kept = await tx.one_or_none(_FIND, subject=call.caller.subject, method=method.path, key=key)
    if kept is None:
        return None
    if kept.request_hash != _digest(request):
        raise FailedPrecondition(
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key was used for another request. Choose a new one.",
        )
    if kept.response is None:
        raise Aborted(
            "IDEMPOTENCY_KEY_BUSY", "The first request with this key has not ended. Try again."
        )
    if not kept.facilities <= call.facilities:
        raise _gone()
    in_person = [call.caller.subject, *call.capacity.teams]
    if await tx.one(_REFUSED, patients=list(kept.patients), in_person=in_person):
        raise _gone()
    call.show(*kept.patients)
    return method.response.FromString(kept.response)


def _digest(request: Message) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def _gone() -> FailedPrecondition:
    return FailedPrecondition(
        "ANSWER_GONE", "It was done, but you are no longer let to see the answer."
    )


async def keep(tx: Transaction, method: Method, call: Call, key: str, response: Message) -> None:
    """Keep the answer, in the transaction of the change that it tells of."""
    await tx.run(
        _KEEP,
        subject=call.caller.subject,
        method=method.path,
        key=key,
        response=response.SerializeToString(),
        patients=sorted(call.shown),
        facilities=sorted(call.facilities),
    )
