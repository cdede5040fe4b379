"""Silences that were told of, who was told, and the people to tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.interop.domain.silence import Letter, Notice, StaffMember
from services.interop.store.feeds import arrivals, feeds

metadata = MetaData()
_INSTANT = DateTime(timezone=True)
silences = Table(
    "silences", metadata, Column("feed_id", Uuid, primary_key=True), Column("began_at", _INSTANT)
)
people = Table(
    "people",
    metadata,
    Column("id", Uuid),
    Column("version", BigInteger),
    Column("display_name", Text),
    Column("email", Text),
    Column("is_active", Boolean),
    Column("roles", JSONB),
)
notices = Table(
    "silence_notices",
    metadata,
    Column("feed_id", Uuid),
    Column("began_at", _INSTANT),
    Column("staff_id", Uuid),
    Column("staff_name", Text),
    Column("email", Text),
    Column("sent_at", _INSTANT),
    Column("tries", Integer),
    Column("next_try_at", _INSTANT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A silence that lasts."""

    feed_id: UUID
    began_at: datetime


_IDS = param("ids", type_=ARRAY(Uuid))

BEGIN = sql(
    insert(silences)
    .values(feed_id=param("feed_id"), began_at=param("began_at"))
    .on_conflict_do_nothing()
)
END = sql(delete(silences).where(silences.c.feed_id == param("feed_id")))
_new_person = insert(people).values(every_field(people))
KEEP_PERSON = sql(
    _new_person.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_person.excluded[c.name] for c in fields_except(people, "id")},
        where=people.c.version < _new_person.excluded.version,
    )
)
PEOPLE = sql(select(people), row=StaffMember)
ADD_NOTICE = sql(insert(notices).values(every_field(notices)).on_conflict_do_nothing())
NOTICES = sql(
    select(notices)
    .join_from(
        silences,
        notices,
        (notices.c.feed_id == silences.c.feed_id) & (notices.c.began_at == silences.c.began_at),
    )
    .where(silences.c.feed_id == any_(_IDS))
    .order_by(notices.c.feed_id, notices.c.staff_name, notices.c.staff_id),
    row=Notice,
)
BEGAN = sql(select(silences).where(silences.c.feed_id == any_(_IDS)), row=Began)
# Whoever takes a letter has it for a while; if they die, it is taken again.
_taken = (
    update(notices)
    .where(notices.c.next_try_at <= param("now", type_=_INSTANT))
    .values(tries=notices.c.tries + 1, next_try_at=param("leased_until", type_=_INSTANT))
    .returning(notices)
    .cte("taken")
)
_last = (
    select(func.max(arrivals.c.at)).where(arrivals.c.feed_id == _taken.c.feed_id).scalar_subquery()
)
TAKE = sql(
    select(
        _taken.c.feed_id,
        _taken.c.began_at,
        _taken.c.staff_id,
        _taken.c.email,
        _taken.c.tries,
        feeds.c.name.label("feed_name"),
        _last.label("last_message_at"),
    ).join_from(_taken, feeds, feeds.c.id == _taken.c.feed_id),
    row=Letter,
)
SETTLE = sql(
    update(notices)
    .where(
        notices.c.feed_id == param("feed_id", type_=Uuid),
        notices.c.began_at == param("began_at", type_=_INSTANT),
        notices.c.staff_id == param("staff_id", type_=Uuid),
    )
    .values(sent_at=param("sent_at", type_=_INSTANT), next_try_at=param("again_at", type_=_INSTANT))
)


class SilenceStore:
    """Silences from the alarm to the next message, and who was told of them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def begin(self, feed_id: UUID, at: datetime) -> bool:
        """Whether this silence is news."""
        return await self._tx.run(BEGIN, feed_id=feed_id, began_at=at) == 1

    async def end(self, feed_id: UUID) -> bool:
        return await self._tx.run(END, feed_id=feed_id) == 1

    async def began(self, feed_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        """When the alarm was raised, of those that are silent."""
        found = await self._tx.fetch(BEGAN, ids=list(feed_ids))
        return {each.feed_id: each.began_at for each in found}

    async def notices(self, feed_ids: Sequence[UUID]) -> list[Notice]:
        """Who was told of the silences that last."""
        return await self._tx.fetch(NOTICES, ids=list(feed_ids))

    async def keep_people(self, changed: Sequence[StaffMember]) -> None:
        await self._tx.run_many(KEEP_PERSON, changed)

    async def people(self) -> list[StaffMember]:
        return await self._tx.fetch(PEOPLE)

    async def add_notices(self, new: Sequence[Notice]) -> None:
        await self._tx.run_many(ADD_NOTICE, new)

    async def take(self, now: datetime, leased_until: datetime) -> list[Letter]:
        """The letters to send now, so that nobody else takes them before `leased_until`."""
        return await self._tx.fetch(TAKE, now=now, leased_until=leased_until)

    async def settle(
        self, letter: Letter, *, sent_at: datetime | None, again_at: datetime | None
    ) -> None:
        await self._tx.run(SETTLE, letter, sent_at=sent_at, again_at=again_at)
