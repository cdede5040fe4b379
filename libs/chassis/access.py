"""The projection of access that every service with patient data keeps: what its policies let whom see of a patient.

Identity tells it whole, by patient and version, so that order, repetition and loss in between do not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from carehub.access.v1 import access_pb2
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    any_,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.fields import to_datetime, to_uuid

_metadata = MetaData()
grants = Table(
    "grants",
    _metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("grantee_id", Uuid),
    Column("names", ARRAY(Uuid)),
    Column("sources", ARRAY(Uuid)),
    Column("purposes", ARRAY(Text)),
    Column("classes", ARRAY(Text)),
    Column("labels", ARRAY(Text)),
    Column("expires_at", DateTime(timezone=True)),
    Column("standing", SmallInteger),
    Column("reason", Text),
    Column("basis_id", Uuid),
    Column("consent_id", Uuid),
)
denials = Table(
    "denials",
    _metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("grantee_id", Uuid),
    Column("sources", ARRAY(Uuid)),
    Column("purposes", ARRAY(Text)),
    Column("classes", ARRAY(Text)),
    Column("labels", ARRAY(Text)),
    Column("expires_at", DateTime(timezone=True)),
    Column("weight", SmallInteger),
)
access_versions = Table(
    "access_versions",
    _metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("version", BigInteger),
)
heartbeat = Table(
    "access_heartbeat",
    _metadata,
    Column("one", Boolean, primary_key=True),
    Column("beat_at", DateTime(timezone=True)),
    Column("position", BigInteger),
)
ended_bases = Table(
    "ended_bases",
    _metadata,
    Column("basis_id", Uuid, primary_key=True),
    Column("ended_at", DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """What a grantee may see of a patient; `sources` None: of any facility. Lists are in order."""

    patient_id: UUID
    number: int
    grantee_id: UUID
    names: tuple[UUID, ...]
    sources: tuple[UUID, ...] | None
    purposes: tuple[str, ...]
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    expires_at: datetime | None
    standing: int
    reason: str
    basis_id: UUID | None
    consent_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DenialRow:
    """What somebody may not see; `grantee_id` None: nobody may."""

    patient_id: UUID
    number: int
    grantee_id: UUID | None
    sources: tuple[UUID, ...] | None
    purposes: tuple[str, ...]
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    expires_at: datetime | None
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientAccess:
    """All of it, of one patient."""

    patient_id: UUID
    version: int
    grants: tuple[GrantRow, ...] = ()
    denials: tuple[DenialRow, ...] = ()


_ids = param("ids", type_=ARRAY(Uuid))
_told = insert(access_versions).from_select(
    ["patient_id", "version"],
    select(func.unnest(_ids), func.unnest(param("versions", type_=ARRAY(BigInteger)))),
)
NEWER = sql(
    _told.on_conflict_do_update(
        index_elements=["patient_id"],
        set_={"version": _told.excluded.version},
        where=access_versions.c.version < _told.excluded.version,
    ).returning(access_versions.c.patient_id)
)
DROP_GRANTS = sql(delete(grants).where(grants.c.patient_id == any_(_ids)))
DROP_DENIALS = sql(delete(denials).where(denials.c.patient_id == any_(_ids)))
ADD_GRANT = sql(insert(grants).values(every_field(grants)).inline())
ADD_DENIAL = sql(insert(denials).values(every_field(denials)).inline())
_beat = insert(heartbeat).values(
    one=literal_column("true"), beat_at=param("beat_at"), position=param("position")
)
BEAT = sql(
    _beat.on_conflict_do_update(
        index_elements=["one"],
        set_={
            "beat_at": _beat.excluded.beat_at,
            "position": func.greatest(heartbeat.c.position, _beat.excluded.position),
        },
        where=heartbeat.c.beat_at < _beat.excluded.beat_at,
    )
)
END_BASES = sql(
    insert(ended_bases)
    .from_select(
        ["basis_id", "ended_at"],
        select(func.unnest(_ids), param("at", type_=DateTime(timezone=True))),
    )
    .on_conflict_do_nothing()
)


async def project_access(tx: Transaction, told: Iterable[PatientAccess]) -> None:
    """Replace what is known of each patient, unless it is as new. Of two about one patient the newer counts."""
    newest: dict[UUID, PatientAccess] = {}
    for each in told:
        known = newest.get(each.patient_id)
        if known is None or known.version < each.version:
            newest[each.patient_id] = each
    ids = sorted(newest)  # so that two batches cannot deadlock
    if not ids:
        return
    newer = await tx.fetch(NEWER, ids=ids, versions=[newest[i].version for i in ids])
    if not newer:
        return
    await tx.run(DROP_GRANTS, ids=newer)
    await tx.run(DROP_DENIALS, ids=newer)
    await tx.run_many(ADD_GRANT, [grant for i in newer for grant in newest[i].grants])
    await tx.run_many(ADD_DENIAL, [denial for i in newer for denial in newest[i].denials])


async def keep_beat(tx: Transaction, beat_at: datetime, position: int = 0) -> None:
    """Remember how fresh the projection is, and how far it has come."""
    await tx.run(BEAT, beat_at=beat_at, position=position)


async def end_bases(tx: Transaction, bases: Iterable[UUID], at: datetime) -> None:
    """Show nothing any more by grants that rest on one of these."""
    if ids := sorted(set(bases)):
        await tx.run(END_BASES, ids=ids, at=at)


def to_access(message: access_pb2.PatientAccess) -> PatientAccess:
    patient_id = to_uuid("patient_id", message.patient_id)
    return PatientAccess(
        patient_id=patient_id,
        version=message.version,
        grants=tuple(_grant(patient_id, n, one) for n, one in enumerate(message.grants)),
        denials=tuple(_denial(patient_id, n, one) for n, one in enumerate(message.denials)),
    )


def _grant(patient_id: UUID, number: int, message: access_pb2.Grant) -> GrantRow:
    return GrantRow(
        patient_id=patient_id,
        number=number,
        grantee_id=UUID(message.grantee_id),
        names=tuple(UUID(name) for name in message.name_ids),
        sources=_sources(message),
        purposes=_known(access_pb2.Purpose, "PURPOSE_", message.purposes),
        classes=_known(access_pb2.DataClass, "DATA_CLASS_", message.data_classes),
        labels=_known(access_pb2.Label, "LABEL_", message.labels),
        expires_at=_end(message),
        standing=message.standing,
        reason=message.reason,
        basis_id=UUID(message.basis_id) if message.basis_id else None,
        consent_id=UUID(message.consent_id) if message.consent_id else None,
    )


def _denial(patient_id: UUID, number: int, message: access_pb2.Denial) -> DenialRow:
    return DenialRow(
        patient_id=patient_id,
        number=number,
        grantee_id=UUID(message.grantee_id) if message.grantee_id else None,
        sources=_sources(message),
        purposes=_at_least(access_pb2.Purpose, "PURPOSE_", message.purposes),
        classes=_at_least(access_pb2.DataClass, "DATA_CLASS_", message.data_classes),
        labels=_at_least(access_pb2.Label, "LABEL_", message.labels),
        expires_at=_end(message),
        weight=message.weight,
    )


def _sources(message: access_pb2.Grant | access_pb2.Denial) -> tuple[UUID, ...] | None:
    return None if message.is_from_anywhere else tuple(map(UUID, message.source_ids))


def _known(words: Any, prefix: str, numbers: Iterable[int]) -> tuple[str, ...]:
    """What a grant says. A word that only a later version knows is left out: the grant shows less."""
    return tuple(words.Name(n).removeprefix(prefix) for n in numbers if n in words.values())


def _at_least(words: Any, prefix: str, numbers: Iterable[int]) -> tuple[str, ...]:
    """What a denial says. With a word that only a later version knows it forbids all that this one knows."""
    said = list(numbers)
    known = _known(words, prefix, said)
    return known if len(known) == len(said) else _known(words, prefix, words.values()[1:])


def _end(message: access_pb2.Grant | access_pb2.Denial) -> datetime | None:
    return to_datetime(message.expire_time) if message.HasField("expire_time") else None
