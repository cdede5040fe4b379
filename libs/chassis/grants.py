"""The projection of grants that every service with patient data keeps: whom its policies let see a patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import Insert, insert

from libs.chassis.database import Transaction, every_field, fields_except, sql

grants = Table(
    "grants",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("reason", Text),
    Column("expires_at", DateTime(timezone=True)),
    Column("is_active", Boolean),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A facility may see a patient, for a reason, until it ends."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    reason: str
    expires_at: datetime | None
    is_active: bool


_new: Insert = insert(grants).values(every_field(grants))
_PROJECT = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(grants, "id")},
        where=grants.c.version < _new.excluded.version,
    )
)


async def project_grants(tx: Transaction, rows: Sequence[Grant]) -> None:
    """Keep the newest version of each grant."""
    in_order: list[Grant] = sorted(
        rows, key=lambda grant: grant.id
    )  # so that two batches cannot deadlock
    await tx.run_many(_PROJECT, in_order)
