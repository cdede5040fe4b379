"""Feeds, the facilities they speak for, and where their messages went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    Interval,
    Label,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    delete,
    exists,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import Aborted, FailedPrecondition, NotFound
from services.interop.domain.feed import Feed, Figures, Sender

metadata = MetaData()
_INSTANT = DateTime(timezone=True)

facilities = Table(
    "facilities",
    metadata,
    Column("id", Uuid),
    Column("name", Text),
    Column("time_zone", Text),
    Column("version", BigInteger),
)
feeds = Table(
    "feeds",
    metadata,
    Column("id", Uuid),
    Column("facility_id", Uuid),
    Column("name", Text),
    Column("sending_facility", Text),
    Column("sending_application", Text),
    Column("state", Text),
    Column("quirks", JSONB),
    Column("provenance", JSONB),
    Column("silence_after", Interval),
    Column("mute", JSONB),
    Column("created_at", _INSTANT),
    Column("version", BigInteger),
)
senders = Table(
    "senders", metadata, Column("sending_facility", Text, primary_key=True), Column("feed_id", Uuid)
)
accounts = Table(
    "accounts",
    metadata,
    Column("feed_id", Uuid, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("count", BigInteger),
)
account_changes = Table(
    "account_changes",
    metadata,
    Column("feed_id", Uuid),
    Column("what", Text),
    Column("count", BigInteger),
)
arrivals = Table(
    "arrivals",
    metadata,
    Column("feed_id", Uuid),
    Column("at", _INSTANT),
    Column("count", Integer),
)
hours = Table(
    "arrivals_by_hour",
    metadata,
    Column("feed_id", Uuid),
    Column("hour", _INSTANT),
    Column("count", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """What interop keeps of a facility."""

    id: UUID
    name: str
    time_zone: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a feed was heard last; if never, when it was made."""

    id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """So many messages came in the hour that began then."""

    feed_id: UUID
    hour: datetime
    count: int


_IDS = param("ids", type_=ARRAY(Uuid))

GET = sql(select(feeds).where(feeds.c.id == param("id")), row=Feed)
ALL = sql(select(feeds).order_by(feeds.c.id), row=Feed)
PAGE = sql(
    select(feeds)
    .where(
        tuple_(feeds.c.name, feeds.c.id)
        > tuple_(param("name", type_=Text), param("after", type_=Uuid))
    )
    .order_by(feeds.c.name, feeds.c.id)
    .limit(param("most", type_=Integer)),
    row=Feed,
)
CLAIM = sql(
    insert(senders)
    .values(sending_facility=param("sending_facility"), feed_id=param("id"))
    .on_conflict_do_nothing()
)
OWNER = sql(
    select(senders.c.feed_id).where(
        senders.c.sending_facility == param("sending_facility", type_=Text)
    )
)
RELEASE = sql(
    delete(senders).where(
        senders.c.feed_id == param("id"), senders.c.sending_facility != param("sending_facility")
    )
)
ADD = sql(insert(feeds).values(every_field(feeds)))
SAVE = sql(
    update(feeds)
    .where(feeds.c.id == param("id"), feeds.c.version == param("version") - 1)
    .values(fields_except(feeds, "id", "created_at"))
)
ZONE = sql(select(facilities.c.time_zone).where(facilities.c.id == param("id", type_=Uuid)))
FACILITIES = sql(select(facilities), row=Facility)
SAVE_FACILITY = sql(
    insert(facilities)
    .values(every_field(facilities))
    .on_conflict_do_update(
        index_elements=["id"],
        set_=fields_except(facilities, "id"),
        where=facilities.c.version < param("version"),
    )
)

# Along arrivals_by_feed to its end, for each feed.
_heard_last = (
    select(func.max(arrivals.c.at)).where(arrivals.c.feed_id == feeds.c.id).scalar_subquery()
)
HEARD = sql(
    select(feeds.c.id, func.coalesce(_heard_last, feeds.c.created_at).label("at")).where(
        feeds.c.state == literal_column("'ACTIVE'")
    ),
    row=Heard,
)
_counted = union_all(
    select(accounts.c.feed_id, accounts.c.what, accounts.c.count).where(
        accounts.c.feed_id == any_(_IDS)
    ),
    select(account_changes).where(account_changes.c.feed_id == any_(_IDS)),
).subquery("counted")
_arrived = (
    select(
        arrivals.c.feed_id,
        func.max(arrivals.c.at).label("last_message_at"),
        func.coalesce(
            func.sum(arrivals.c.count).filter(arrivals.c.at > param("hour_ago", type_=_INSTANT)),
            literal_column("0"),
        )
        .cast(BigInteger)
        .label("last_hour"),
    )
    .where(arrivals.c.feed_id == any_(_IDS))
    .group_by(arrivals.c.feed_id)
    .subquery("arrived")
)


def _sum_of(what: str, name: str) -> Label[int]:
    matching = func.sum(_counted.c.count).filter(_counted.c.what == literal_column(f"'{what}'"))
    return func.coalesce(matching, literal_column("0")).cast(BigInteger).label(name)


# One statement, so that a message that moves meanwhile is counted once: before or after.
FIGURES = sql(
    select(
        _counted.c.feed_id,
        _sum_of("PENDING", "pending"),
        _sum_of("APPLIED", "applied"),
        _sum_of("NO_OP", "no_op"),
        _sum_of("QUARANTINED", "quarantined"),
        _sum_of("IGNORED", "ignored"),
        _sum_of("PARKED", "parked"),
        _sum_of("DUPLICATE", "duplicates"),
        _sum_of("REFUSED", "refused"),
        func.coalesce(func.max(_arrived.c.last_hour), literal_column("0")).label("last_hour"),
        func.max(_arrived.c.last_message_at).label("last_message_at"),
    )
    .select_from(_counted.outerjoin(_arrived, _arrived.c.feed_id == _counted.c.feed_id))
    .group_by(_counted.c.feed_id),
    row=Figures,
)
COUNT = sql(
    insert(account_changes).values(
        feed_id=param("feed_id"), what=param("what"), count=param("count")
    )
)
_folded = delete(account_changes).returning(account_changes).cte("folded")
FOLD = sql(
    insert(accounts)
    .from_select(
        ["feed_id", "what", "count"],
        select(_folded.c.feed_id, _folded.c.what, func.sum(_folded.c.count))
        .group_by(_folded.c.feed_id, _folded.c.what)
        .order_by(_folded.c.feed_id, _folded.c.what),
    )
    .on_conflict_do_update(
        index_elements=["feed_id", "what"],
        set_={"count": accounts.c.count + literal_column("excluded.count")},
    )
)
_newer = arrivals.alias("newer")
# The newest of each feed stays, however old: it says when the feed was heard last.
_old = (
    delete(arrivals)
    .where(
        arrivals.c.at < param("hour_ago", type_=_INSTANT),
        exists().where(_newer.c.feed_id == arrivals.c.feed_id, _newer.c.at > arrivals.c.at),
    )
    .returning(arrivals)
    .cte("old")
)


def _hour_of(at: ColumnElement[datetime]) -> ColumnElement[datetime]:
    return func.date_trunc(literal_column("'hour'"), at, literal_column("'UTC'"), type_=_INSTANT)


# Each arrival is counted once: here, or still among the arrivals.
FOLD_ARRIVALS = sql(
    insert(hours)
    .from_select(
        ["feed_id", "hour", "count"],
        select(_old.c.feed_id, _hour_of(_old.c.at).label("hour"), func.sum(_old.c.count))
        .group_by(_old.c.feed_id, literal_column("hour"))
        .order_by(_old.c.feed_id, literal_column("hour")),
    )
    .on_conflict_do_update(
        index_elements=["feed_id", "hour"],
        set_={"count": hours.c.count + literal_column("excluded.count")},
    )
)
FORGET_HOURS = sql(delete(hours).where(hours.c.hour < param("before", type_=_INSTANT)))
_since = param("since", type_=_INSTANT)
_by_hour = union_all(
    select(hours).where(hours.c.feed_id == any_(_IDS), hours.c.hour >= _since),
    select(arrivals.c.feed_id, _hour_of(arrivals.c.at).label("hour"), arrivals.c.count).where(
        arrivals.c.feed_id == any_(_IDS), arrivals.c.at >= _since
    ),
).subquery("by_hour")
HOURS = sql(
    select(
        _by_hour.c.feed_id,
        _by_hour.c.hour,
        func.sum(_by_hour.c.count).cast(BigInteger).label("count"),
    ).group_by(_by_hour.c.feed_id, _by_hour.c.hour),
    row=HourCount,
)

_HOUR = timedelta(hours=1)
HOURS_SHOWN = 24
_HOURS_KEPT = timedelta(days=35)


class FeedStore:
    """Feeds that the caller may see: row-level security says which."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, feed_id: UUID) -> Feed | None:
        return await self._tx.one_or_none(GET, id=feed_id)

    async def get(self, feed_id: UUID) -> Feed:
        if feed := await self.find(feed_id):
            return feed
        raise NotFound("FEED_NOT_FOUND", "There is no such feed.", feed_id=str(feed_id))

    async def find_by_sender(self, sending_facility: str) -> Feed | None:
        owner = await self._tx.one_or_none(OWNER, sending_facility=sending_facility)
        return await self.find(owner) if owner else None

    async def list_all(self) -> list[Feed]:
        return await self._tx.fetch(ALL)

    async def list_page(self, after: tuple[str, UUID], most: int) -> list[Feed]:
        return await self._tx.fetch(PAGE, name=after[0], after=after[1], most=most)

    async def add(self, feed: Feed) -> bool:
        """Add a feed; False if there is one with its sending facility already."""
        if await self._tx.run(CLAIM, feed) != 1:
            return False
        await self._tx.run(ADD, feed)
        return True

    async def save(self, feed: Feed) -> None:
        """Write the next version, unless somebody else did or somebody else has its MSH-4."""
        await self._tx.run(CLAIM, feed)
        if await self._tx.one(OWNER, feed) != feed.id:
            raise sender_taken(feed)
        await self._tx.run(RELEASE, feed)
        if await self._tx.run(SAVE, feed) != 1:
            raise Aborted("STALE_FEED", "Somebody else changed the feed.", feed_id=str(feed.id))

    async def sender(self, feed: Feed) -> Sender:
        zone = await self._tx.one_or_none(ZONE, id=feed.facility_id)
        return Sender(feed=feed, facility_time_zone=zone or "")

    async def facilities(self) -> list[Facility]:
        return await self._tx.fetch(FACILITIES)

    async def save_facilities(self, changed: Sequence[Facility]) -> None:
        await self._tx.run_many(SAVE_FACILITY, changed)


class AccountStore:
    """Where messages went. The triggers of the migration keep the counts; here they are read."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def figures(self, feed_ids: Sequence[UUID], now: datetime) -> dict[UUID, Figures]:
        rows = await self._tx.fetch(FIGURES, ids=list(feed_ids), hour_ago=now - _HOUR)
        counted = {row.feed_id: row for row in rows}
        return {id: counted.get(id) or Figures(feed_id=id) for id in feed_ids}

    async def by_hour(
        self, feed_ids: Sequence[UUID], now: datetime
    ) -> tuple[datetime, dict[UUID, list[int]]]:
        """How many came in each of the last hours of the clock, and when the first of them began."""
        this_hour = now.replace(minute=0, second=0, microsecond=0)
        since = this_hour - (HOURS_SHOWN - 1) * _HOUR
        counts = {id: [0] * HOURS_SHOWN for id in feed_ids}
        for row in await self._tx.fetch(HOURS, ids=list(feed_ids), since=since):
            at = (row.hour - since) // _HOUR
            if at < HOURS_SHOWN:  # a clock that was set back has seen the future
                counts[row.feed_id][at] = row.count
        return since, counts

    async def count_duplicates(self, feed_id: UUID, count: int) -> None:
        await self._tx.run(COUNT, feed_id=feed_id, what="DUPLICATE", count=count)

    async def heard(self) -> list[Heard]:
        return await self._tx.fetch(HEARD)

    async def fold(self, now: datetime) -> None:
        """Make the differences of the last while part of the totals."""
        await self._tx.run(FOLD)
        await self._tx.run(FOLD_ARRIVALS, hour_ago=now - _HOUR)
        await self._tx.run(FORGET_HOURS, before=now - _HOURS_KEPT)


def sender_taken(feed: Feed) -> FailedPrecondition:
    return FailedPrecondition(
        "SENDING_FACILITY_TAKEN",
        "Another feed has this sending facility.",
        feed_id=str(feed.id),
    )
