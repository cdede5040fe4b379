"""Published protocols: every version of every text."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    insert,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import NotFound
from services.tasking.domain.publication import PublishedProtocol

metadata = MetaData()
protocols = Table(
    "protocols",
    metadata,
    Column("key", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("title", Text),
    Column("text", Text),
    Column("effective_from", Date),
    Column("sources", ARRAY(Text)),
    Column("is_shipped", Boolean),
    Column("published_at", DateTime(timezone=True)),
    Column("published_by_id", Uuid),
)


_of_key = protocols.c.key == param("key", type_=Text)
_version = param("version", type_=Integer)
_newest_first = select(protocols).order_by(protocols.c.version.desc()).limit(literal_column("1"))
GET = sql(
    _newest_first.where(
        _of_key, or_(_version == literal_column("0"), protocols.c.version == _version)
    ),
    row=PublishedProtocol,
)
NEWEST_SHIPPED = sql(_newest_first.where(_of_key, protocols.c.is_shipped), row=PublishedProtocol)
_newest = (
    select(protocols)
    .ext(distinct_on(protocols.c.key))
    .order_by(protocols.c.key, protocols.c.version.desc())
)
NEWEST = sql(_newest, row=PublishedProtocol)
NEWEST_AFTER = sql(
    _newest.where(protocols.c.key > param("after", type_=Text)).limit(
        param("limit", type_=Integer)
    ),
    row=PublishedProtocol,
)
ADD = sql(insert(protocols).values(every_field(protocols)).inline())
LOCK = sql(
    select(
        func.pg_advisory_xact_lock(
            func.hashtextextended(param("key", type_=Text), literal_column("11"))
        )
    )
)


class ProtocolStore:
    """Protocols by key and version. They hold no patient data."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, key: str, version: int = 0) -> PublishedProtocol:
        """One version; 0 is the newest."""
        if found := await self.find(key, version):
            return found
        raise NotFound("PROTOCOL_NOT_FOUND", "There is no such protocol, or no such version of it.")

    async def find(self, key: str, version: int = 0) -> PublishedProtocol | None:
        return await self._tx.one_or_none(GET, key=key, version=version)

    async def newest_shipped(self, key: str) -> PublishedProtocol | None:
        return await self._tx.one_or_none(NEWEST_SHIPPED, key=key)

    async def newest(self) -> list[PublishedProtocol]:
        """The newest version of each."""
        return await self._tx.fetch(NEWEST)

    async def page(self, after: str, limit: int) -> list[PublishedProtocol]:
        return await self._tx.fetch(NEWEST_AFTER, after=after, limit=limit)

    async def lock(self, key: str) -> None:
        """Be alone with a key, so that two publications get two versions."""
        await self._tx.fetch(LOCK, key=key)

    async def add(self, protocol: PublishedProtocol) -> None:
        await self._tx.run(ADD, protocol)
