"""Two small services for the conveyor's tests: a teller that tells of facilities, a listener that counts what it hears."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from carehub.identity.v1 import facility_pb2, identity_events_pb2
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, func, select
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Database, Transaction, param, sql
from libs.conveyor import outbox, parked
from libs.conveyor.inbox import Consumer, Delivery, Unprocessable, inbox
from libs.conveyor.timers import Timer, set_timer

FacilityChanged = identity_events_pb2.FacilityChanged
TELLER, LISTENER = "teller", "listener"

_metadata = MetaData()
told = Table("told", _metadata, Column("key", Text, primary_key=True))
heard = Table(
    "heard",
    _metadata,
    Column("key", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("times", Integer),
)
newest = Table(
    "newest", _metadata, Column("key", Text, primary_key=True), Column("version", BigInteger)
)
rung = Table("rung", _metadata, Column("key", Text, primary_key=True), Column("times", Integer))

_TELL = sql(insert(told).values(key=param("key")).on_conflict_do_nothing())
_hear = insert(heard).values(key=param("key"), version=param("version"), times=1)
_HEAR = sql(
    _hear.on_conflict_do_update(
        index_elements=["key", "version"], set_={"times": heard.c.times + 1}
    )
)
_renew = insert(newest).values(key=param("key"), version=param("version"))
_RENEW = sql(
    _renew.on_conflict_do_update(
        index_elements=["key"],
        set_={"version": func.greatest(newest.c.version, _renew.excluded.version)},
    )
)
_ring = insert(rung).values(key=param("key"), times=1)
_RING = sql(_ring.on_conflict_do_update(index_elements=["key"], set_={"times": rung.c.times + 1}))
TOLD = sql(select(func.count()).select_from(told))
UNPUBLISHED = sql(
    select(func.count()).select_from(outbox.outbox).where(outbox.outbox.c.published_at.is_(None))
)
HEARD = sql(select(func.count()).select_from(heard))
HEARD_TWICE = sql(select(func.count()).select_from(heard).where(heard.c.times != 1))
RUNG = sql(select(func.count()).select_from(rung))
RUNG_TWICE = sql(select(func.count()).select_from(rung).where(rung.c.times != 1))
HANDLED = sql(select(func.count()).select_from(inbox))
NEWEST = sql(select(newest.c.version).where(newest.c.key == param("key")))


def facility(name: str, version: int = 1) -> FacilityChanged:
    return FacilityChanged(facility=facility_pb2.Facility(id=name, name=name), version=version)


async def waiting(listener: Database, consumer: str = "") -> list[parked.Parked]:
    """What was set aside, and nobody has decided on yet."""
    async with listener.system() as tx:
        return await parked.page(tx, 100, consumer=consumer)


async def tell(teller: Database, key: str, version: int = 1) -> None:
    """Change something and record the event of it, in one transaction."""
    async with teller.system() as tx:
        await tell_in(tx, key, version)


async def tell_in(tx: Transaction, key: str, version: int = 1) -> None:
    await outbox.add(tx, facility(key, version), key=key, version=version)


async def tell_once(teller: Database, key: str) -> None:
    """The same, once for ever; and have a bell rung for it."""
    async with teller.system() as tx:
        if await tx.run(_TELL, key=key):
            await tell_in(tx, key)
            await set_timer(tx, "bell", key, tx.at + timedelta(milliseconds=5))


async def count(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Count each event that arrives. One whose facility is called "poison" cannot be handled, "bug" is a bug."""
    for delivery in deliveries:
        name = delivery.event.facility.name
        if name == "poison":
            raise Unprocessable("BAD_FACILITY", "The facility is poison.")
        if name == "bug":
            raise RuntimeError("Jane Doe has a rash")
        await tx.run(_HEAR, key=delivery.key, version=delivery.version)


async def follow(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    for delivery in deliveries:
        await tx.run(_RENEW, key=delivery.key, version=delivery.version)


async def ring(tx: Transaction, key: str, due_at: datetime) -> None:
    await tx.run(_RING, key=key)


COUNTER = Consumer("listener-facilities", (FacilityChanged,), count, newest_only=False)
FOLLOWER = Consumer("listener-newest", (FacilityChanged,), follow)
BELL = Timer("bell", ring)
