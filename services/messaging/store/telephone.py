"""The telephones of a demo hub: what they received, and what was written on them."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, param, sql
from services.messaging.domain.telephone import Entry

metadata = MetaData()
telephone = Table(
    "telephone",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("message_id", Uuid),
    Column("phone", Text),
    Column("is_written", Boolean),
    Column("channel", Text),
    Column("text", Text),
    Column("at", DateTime(timezone=True)),
    Column("labels", ARRAY(Text)),
)
_t = telephone.c
ADD = sql(insert(telephone).values(every_field(telephone)).on_conflict_do_nothing())
_patient = param("patient_id", type_=Uuid)
NEWEST = sql(
    select(telephone)
    .where(
        or_(_patient.is_(None), _t.patient_id == _patient),
        tuple_(_t.at, _t.id)
        < tuple_(param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid)),
    )
    .order_by(_t.at.desc(), _t.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Entry,
)
LAST = sql(
    select(telephone)
    .where(_t.phone == param("phone", type_=Text), _t.is_written.is_(False))
    .order_by(_t.at.desc(), _t.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Entry,
)
GET = sql(select(telephone).where(_t.id == param("id", type_=Uuid)), row=Entry)
_labels = param("labels", type_=ARRAY(Text))
LABEL = sql(
    update(telephone)
    .where(_t.id == any_(param("ids", type_=ARRAY(Uuid))), _t.labels != _labels)
    .values(labels=_labels)
)
MOVE = sql(
    update(telephone)
    .where(_t.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id"))
)


class TelephoneStore:
    """Entries, each once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, entry: Entry) -> None:
        await self._tx.run(ADD, entry)

    async def get(self, entry_id: UUID) -> Entry | None:
        return await self._tx.one_or_none(GET, id=entry_id)

    async def newest(
        self, patient_id: UUID | None, before: tuple[datetime, UUID], limit: int
    ) -> list[Entry]:
        return await self._tx.fetch(
            NEWEST, patient_id=patient_id, before_at=before[0], before_id=before[1], limit=limit
        )

    async def received(self, phone: str, limit: int) -> list[Entry]:
        """What a telephone received last, the newest first."""
        return await self._tx.fetch(LAST, phone=phone, limit=limit)

    async def label(self, ids: Iterable[UUID], labels: tuple[str, ...]) -> None:
        await self._tx.run(LABEL, ids=sorted(set(ids)), labels=labels)

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        await self._tx.run(MOVE, retired_id=retired_id, survivor_id=survivor_id)
