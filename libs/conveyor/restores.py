"""Epochs: what a hub does differently once a backup was restored into one of its databases, or into all.

Everybody's outbox is published again, since a database that is older than its neighbors has missed what they told. The
epoch tells these messages from those of before, which may tell of what nobody remembers: whoever is of a later epoch lets
them pass. A database that was restored alone has told its neighbors of versions that it has forgotten; what it tells from
then on is lifted above them.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import orjson
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import every_field, sql

# Above any version that a resource ever has; an epoch higher is above all that was told in the one before.
STEP = 2**32

restores = Table(
    "restores", MetaData(),
    Column("epoch", BigInteger, primary_key=True), Column("set_id", Uuid),
    Column("taken_at", DateTime(timezone=True)), Column("restored_at", DateTime(timezone=True)),
    Column("lift", BigInteger), Column("sequence", BigInteger), Column("chained", LargeBinary),
    Column("key_id", Text), Column("signature", LargeBinary),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The epoch that a database is in, and how far what it tells is lifted."""

    epoch: int = 0
    lift: int = 0

    def told_as(self, id: UUID) -> UUID:
        """The id of a message for those who hear it: another one since the lift, so that it is handled again.

        Its own inverse.
        """
        if not self.lift:
            return id
        # Of a UUIDv7 the time and the version stay.
        mask = int.from_bytes(sha256(self.lift.to_bytes(8, "big")).digest()[:7], "big")
        return UUID(int=id.int ^ mask)

    def broker_id(self, id: UUID) -> str:
        """The id for the broker, which drops what it saw a moment ago: in each epoch another one."""
        told = self.told_as(id)
        return f"{told}.{self.epoch}" if self.epoch else str(told)

    def lifted(self, subject: str, payload: bytes) -> bytes:
        """An event, which says its version itself besides."""
        if not self.lift:
            return payload
        kind = GetMessageClass(Default().FindMessageTypeByName(subject))
        if "version" not in kind.DESCRIPTOR.fields_by_name:
            return payload
        event = kind.FromString(payload)
        event.version += self.lift  # type: ignore[attr-defined]
        return event.SerializeToString()


ORIGINAL = Standing()
_r = restores.c
STANDING = sql(
    select(
        func.coalesce(func.max(_r.epoch), 0).label("epoch"),
        func.coalesce(func.max(_r.lift), 0).label("lift"),
    ),
    row=Standing,
)


def epoch_in(header: str | None) -> int | None:
    """The epoch that a message names; None if it is of none, as a head of a ledger, which is true in every one."""
    return int(header) if header and header.isdecimal() else None


def id_in(header: str) -> UUID:
    """The id for the inbox. ValueError if there is none."""
    return UUID(header.partition(".")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """A restored backup. With `sequence` this database is restored, and its ledger ends there and goes on from there."""

    epoch: int
    set_id: UUID
    taken_at: datetime
    restored_at: datetime
    lift: int = 0
    sequence: int | None = None
    chained: bytes | None = None
    key_id: str | None = None
    signature: bytes | None = None

    def statement(self, service: str) -> bytes:
        """What is signed: otherwise whoever cut a ledger could call it a restore."""
        end = (self.chained or b"").hex()
        told = [
            service,
            self.epoch,
            str(self.set_id),
            self.restored_at.isoformat(),
            self.sequence,
            end,
        ]
        return b"carehub audit cut 1\n" + orjson.dumps(told)


ADD = sql(insert(restores).values(every_field(restores)))
LIST = sql(select(restores).order_by(_r.epoch), row=Restore)
