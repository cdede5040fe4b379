"""What patients answered."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, param, sql
from services.messaging.domain.reply import Reply

metadata = MetaData()
replies = Table(
    "replies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("message_id", Uuid),
    Column("appointment_id", Uuid),
    Column("loop_id", Uuid),
    Column("meaning", Text),
    Column("barrier", Text),
    Column("text", Text),
    Column("received_at", DateTime(timezone=True)),
    Column("labels", ARRAY(Text)),
)
ADD = sql(insert(replies).values(every_field(replies)).on_conflict_do_nothing())
GET = sql(select(replies).where(replies.c.id == param("id", type_=Uuid)), row=Reply)
OF_MESSAGES = sql(
    select(replies)
    .where(replies.c.message_id == any_(param("ids", type_=ARRAY(Uuid))))
    .order_by(replies.c.received_at, replies.c.id),
    row=Reply,
)
SOME = sql(select(replies).where(replies.c.id == any_(param("ids", type_=ARRAY(Uuid)))), row=Reply)
_labels = param("labels", type_=ARRAY(Text))
LABEL = sql(
    update(replies)
    .where(
        replies.c.message_id == any_(param("ids", type_=ARRAY(Uuid))), replies.c.labels != _labels
    )
    .values(labels=_labels, version=replies.c.version + literal_column("1"))
    .returning(*replies.c),
    row=Reply,
)
MOVE = sql(
    update(replies)
    .where(replies.c.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id"))
)


class ReplyStore:
    """Replies; each exists once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, reply: Reply) -> bool:
        """Keep a reply. False if it is there."""
        return await self._tx.run(ADD, reply) == 1

    async def get(self, reply_id: UUID) -> Reply | None:
        return await self._tx.one_or_none(GET, id=reply_id)

    async def of_messages(self, ids: Iterable[UUID]) -> list[Reply]:
        return await self._tx.fetch(OF_MESSAGES, ids=sorted(set(ids)))

    async def some(self, ids: Iterable[UUID]) -> list[Reply]:
        return await self._tx.fetch(SOME, ids=sorted(set(ids)))

    async def label(self, message_ids: Iterable[UUID], labels: tuple[str, ...]) -> list[Reply]:
        """Make the replies to these messages as sensitive as those have become; the changed ones."""
        return await self._tx.fetch(LABEL, ids=sorted(set(message_ids)), labels=labels)

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        await self._tx.run(MOVE, retired_id=retired_id, survivor_id=survivor_id)
