"""Heads: signed statements of how far a ledger is sealed, kept where whoever changes that ledger does not reach.

Each head goes into the service's own table, into a file, and as an event to every other service, which keeps it too.
The key that signs them is never in a database.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import orjson
from carehub.audit.v1 import audit_pb2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.jwk import OKPKey
from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, MetaData, Table, Text, select
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.config import ConfigError
from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.fields import to_datetime, to_timestamp
from libs.conveyor.inbox import Consumer, Delivery
from libs.conveyor.streams import Conveyor, publish_now

_BEGIN = "-----BEGIN"

audit_heads = Table(
    "audit_heads",
    MetaData(),
    Column("service", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("chained", LargeBinary, primary_key=True),
    Column("signed_at", DateTime(timezone=True)),
    Column("key_id", Text),
    Column("signature", LargeBinary),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The ledger of `service` was, when this was signed, sealed up to `sequence` with `chained`."""

    service: str
    sequence: int
    chained: bytes
    signed_at: datetime
    key_id: str = ""
    signature: bytes = b""

    def statement(self) -> bytes:
        """What is signed."""
        told = [self.service, self.sequence, self.chained.hex(), self.signed_at.isoformat()]
        return b"carehub audit head 1\n" + orjson.dumps(told)


_h = audit_heads.c
KEEP = sql(insert(audit_heads).values(every_field(audit_heads)).on_conflict_do_nothing())
NEWEST = sql(
    select(_h.sequence).where(_h.service == param("service")).order_by(_h.sequence.desc()).limit(1)
)
KEPT = sql(select(audit_heads).where(_h.service == param("service")), row=Head)


class Signer:
    """Signs with one private key."""

    def __init__(self, pem: str) -> None:
        key = OKPKey.import_key(pem)
        self.key_id = key.thumbprint()
        private = key.private_key
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigError("CAREHUB_AUDIT_KEY is not the file of an Ed25519 private key in PEM")
        self._private = private

    def sign_statement(self, statement: bytes) -> bytes:
        return self._private.sign(statement)

    def sign(self, service: str, sequence: int, chained: bytes, at: datetime) -> Head:
        told = Head(
            service=service, sequence=sequence, chained=chained, signed_at=at, key_id=self.key_id
        )
        return replace(told, signature=self._private.sign(told.statement()))


class Keys:
    """The keys that heads may be signed with: public ones, or the private ones that they belong to, in PEM."""

    def __init__(self, pem: str) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}
        for part in _pem_parts(pem):
            key = OKPKey.import_key(part)
            public = key.public_key
            if isinstance(public, Ed25519PublicKey):
                self._keys[key.thumbprint()] = public

    def __len__(self) -> int:
        return len(self._keys)

    def is_ours(self, head: Head) -> bool:
        return self.has_signed(head.key_id, head.signature, head.statement())

    def has_signed(self, key_id: str | None, signature: bytes | None, statement: bytes) -> bool:
        key = self._keys.get(key_id or "")
        if key is None:
            return False
        try:
            key.verify(signature or b"", statement)
        except InvalidSignature:
            return False
        return True

    def pem(self) -> str:
        """The public keys, one after the other: no secret."""
        return "".join(
            key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            for key in self._keys.values()
        )


def _pem_parts(text: str) -> Iterator[str]:
    for part in text.split(_BEGIN)[1:]:
        yield _BEGIN + part


def new_key() -> str:
    """A new private key."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


# Files: one line a head, one file a service and month.


def append(folder: Path, head: Head) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    line = orjson.dumps(
        {
            "service": head.service,
            "sequence": head.sequence,
            "chained": head.chained.hex(),
            "signedAt": head.signed_at.isoformat(),
            "keyId": head.key_id,
            "signature": head.signature.hex(),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
    with (folder / f"{head.service}-{head.signed_at:%Y-%m}.jsonl").open("ab") as file:
        file.write(line)


def read(folder: Path, service: str) -> list[Head]:
    """The heads of a service; a line that a crash cut short says nothing."""
    found = []
    for file in sorted(folder.glob(f"{service}-????-??.jsonl")):
        for line in file.read_bytes().splitlines():
            try:
                found.append(_from_line(orjson.loads(line)))
            except (orjson.JSONDecodeError, KeyError, ValueError):
                continue
    return found


def _from_line(told: Mapping[str, str]) -> Head:
    return Head(
        service=told["service"],
        sequence=int(told["sequence"]),
        chained=bytes.fromhex(told["chained"]),
        signed_at=datetime.fromisoformat(told["signedAt"]),
        key_id=told["keyId"],
        signature=bytes.fromhex(told["signature"]),
    )


# Events: every service hears the heads of all, and keeps them.


def consumer(service: str) -> Consumer:
    async def handle(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        heard = [_from_event(one.event) for one in deliveries]
        heard.sort(key=lambda head: (head.service, head.sequence))
        await tx.run_many(KEEP, heard)

    return Consumer(
        name=f"{service}-audit-heads",
        events=(audit_pb2.AuditHeadSealed,),
        handle=handle,
        newest_only=False,
    )


def _from_event(event: object) -> Head:
    if not isinstance(event, audit_pb2.AuditHeadSealed):
        raise TypeError(type(event).__name__)
    return Head(
        service=event.service,
        sequence=event.sequence,
        chained=event.chained,
        signed_at=to_datetime(event.signed_time),
        key_id=event.key_id,
        signature=event.signature,
    )


async def publish(conveyor: Conveyor, head: Head) -> None:
    """Tell the others. Without an outbox: of a head that is lost the next one tells the same and more."""
    event = audit_pb2.AuditHeadSealed(
        service=head.service,
        sequence=head.sequence,
        chained=head.chained,
        signed_time=to_timestamp(head.signed_at),
        key_id=head.key_id,
        signature=head.signature,
    )
    await publish_now(conveyor, event, key=head.service, version=head.sequence)
