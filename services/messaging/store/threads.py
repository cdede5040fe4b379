"""Threads, what was said in them, and who has read it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.messaging.domain.thread import Post, Thread

metadata = MetaData()
threads = Table(
    "threads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("title", Text),
    Column("priority", Text),
    Column("state", Text),
    Column("reason", Text),
    Column("answering_facility_id", Uuid),
    Column("team_id", Uuid),
    Column("staff_id", Uuid),
    Column("accountable_id", Uuid),
    Column("clock_at", DateTime(timezone=True)),
    Column("escalation_level", Integer),
    Column("started_at", DateTime(timezone=True)),
    Column("last_post_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("loop_id", Uuid),
    Column("labels", ARRAY(Text)),
)
posts = Table(
    "posts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("thread_id", Uuid),
    Column("facility_id", Uuid),
    Column("staff_id", Uuid),
    Column("reply_id", Uuid),
    Column("text", Text),
    Column("posted_at", DateTime(timezone=True)),
    Column("heard_at", DateTime(timezone=True)),
)
reads = Table(
    "thread_reads",
    metadata,
    Column("thread_id", Uuid, primary_key=True),
    Column("staff_id", Uuid, primary_key=True),
    Column("read_at", DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Who has read a thread, and until when."""

    thread_id: UUID
    staff_id: UUID
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFilter:
    """Which threads of a list, from where on, and how many."""

    patient_id: UUID | None
    facility_ids: Sequence[UUID]
    accountable_id: UUID | None
    before_at: datetime
    before_id: UUID
    limit: int


_t, _p = threads.c, posts.c
_ids = param("ids", type_=ARRAY(Uuid))
_id = param("thread_id", type_=Uuid)
ADD = sql(insert(threads).values(every_field(threads)).on_conflict_do_nothing())
SAVE = sql(
    update(threads)
    .where(
        _t.id == param("id"), _t.version == param("version", type_=BigInteger) - literal_column("1")
    )
    .values(fields_except(threads, "id", "facility_id"))
)
SOME = sql(select(threads).where(_t.id == any_(_ids)).order_by(_t.id), row=Thread)
LOCKED = sql(select(threads).where(_t.id == _id).with_for_update(), row=Thread)
HELD_BY = sql(
    select(threads)
    .where(
        or_(_t.accountable_id == any_(_ids), _t.staff_id == any_(_ids)),
        _t.state != literal_column("'CLOSED'"),
    )
    .order_by(_t.id)
    .with_for_update(),
    row=Thread,
)
WITH_POSTS = sql(
    select(threads)
    .where(_t.id.in_(select(_p.thread_id).where(_p.id == any_(_ids))))
    .order_by(_t.id)
    .with_for_update(),
    row=Thread,
)
ABOUT = sql(
    select(threads)
    .where(_t.loop_id == any_(_ids), _t.reason == param("reason", type_=Text))
    .order_by(_t.id)
    .with_for_update(),
    row=Thread,
)
_facility = param("facility_id", type_=Uuid)
OPENED_AT = sql(
    select(threads)
    .where(
        _t.facility_id == _facility,
        _t.reason == param("reason", type_=Text),
        not_(_t.labels.overlap(param("without", type_=ARRAY(Text)))),
    )
    .order_by(_t.id)
    .limit(param("limit", type_=Integer))
    .with_for_update(),
    row=Thread,
)
_facilities = param("facility_ids", type_=ARRAY(Uuid))
_patient = param("patient_id", type_=Uuid)
_accountable = param("accountable_id", type_=Uuid)
_page = (
    select(threads)
    .where(
        tuple_(_t.started_at, _t.id)
        < tuple_(param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid)),
        or_(_accountable.is_(None), _t.accountable_id == _accountable),
    )
    .order_by(_t.started_at.desc(), _t.id.desc())
    .limit(param("limit", type_=Integer))
)
OF_PATIENT = sql(_page.where(_t.patient_id == _patient), row=Thread)
OPEN_AT = sql(
    _page.where(
        _t.state.in_([literal_column("'WAITING'"), literal_column("'ACCEPTED'")]),
        or_(_t.facility_id == any_(_facilities), _t.answering_facility_id == any_(_facilities)),
    ),
    row=Thread,
)
OPEN_OF = sql(
    select(threads)
    .where(
        _t.patient_id == _patient,
        _t.facility_id == _facility,
        _t.reason == param("reason", type_=Text),
        _t.state != literal_column("'CLOSED'"),
    )
    .order_by(_t.started_at.desc(), _t.id)
    .limit(param("limit", type_=Integer))
    .with_for_update(),
    row=Thread,
)
_post = [
    _p[name]
    for name in ("id", "thread_id", "facility_id", "staff_id", "reply_id", "text", "posted_at")
]
ADD_POST = sql(insert(posts).values(every_field(posts)).on_conflict_do_nothing())
POSTS = sql(
    select(*_post).where(_p.thread_id == any_(_ids)).order_by(_p.posted_at, _p.id), row=Post
)
# What nobody has told the thread yet. Claimed and marked in one statement.
HEAR = sql(
    update(posts)
    .where(_p.thread_id == _id, _p.heard_at.is_(None))
    .values(heard_at=param("at", type_=DateTime(timezone=True)))
    .returning(*_post),
    row=Post,
)
_read = insert(reads).values(every_field(reads))
MARK = sql(
    _read.on_conflict_do_update(
        index_elements=["thread_id", "staff_id"],
        set_={"read_at": func.greatest(reads.c.read_at, _read.excluded.read_at)},
    )
)
READS = sql(select(reads).where(reads.c.thread_id == any_(_ids)), row=Read)
MOVE = sql(
    update(threads)
    .where(_t.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id"), version=_t.version + literal_column("1"))
    .returning(*threads.c),
    row=Thread,
)


class ThreadStore:
    """Threads and posts."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, thread: Thread) -> bool:
        """Keep a new thread. False if it is there."""
        return await self._tx.run(ADD, thread) == 1

    async def save(self, thread: Thread) -> None:
        if await self._tx.run(SAVE, thread) != 1:
            raise Aborted("THREAD_CHANGED", "It was changed in between. Read it again.")

    async def get(self, thread_id: UUID) -> Thread:
        found = await self._tx.fetch(SOME, ids=[thread_id])
        if not found:
            raise NotFound("THREAD_NOT_FOUND", "There is no such thread.")
        return found[0]

    async def locked(self, thread_id: UUID) -> Thread | None:
        """The thread, alone with it until the transaction ends."""
        return await self._tx.one_or_none(LOCKED, thread_id=thread_id)

    async def with_posts(self, post_ids: Iterable[UUID]) -> list[Thread]:
        """The threads in which these were said, alone with them until the transaction ends."""
        return await self._tx.fetch(WITH_POSTS, ids=sorted(set(post_ids)))

    async def about(self, loop_ids: Iterable[UUID], reason: str) -> list[Thread]:
        """The threads of this kind about these loops, alone with them until the transaction ends."""
        return await self._tx.fetch(ABOUT, ids=sorted(set(loop_ids)), reason=reason)

    async def opened_at(
        self, facility_id: UUID, reason: str, without: Sequence[str], limit: int
    ) -> list[Thread]:
        """The first of this kind at a facility with none of these labels, alone with them until the transaction ends."""
        return await self._tx.fetch(
            OPENED_AT, facility_id=facility_id, reason=reason, without=without, limit=limit
        )

    async def held_by(self, staff_ids: Iterable[UUID]) -> list[Thread]:
        """The open threads that these people answer for."""
        return await self._tx.fetch(HELD_BY, ids=sorted(set(staff_ids)))

    async def page(self, where: ThreadFilter) -> list[Thread]:
        if where.patient_id:
            return await self._tx.fetch(OF_PATIENT, where)
        return await self._tx.fetch(OPEN_AT, where)

    async def open_of(self, patient_id: UUID, facility_id: UUID, reason: str) -> Thread | None:
        """The open thread of this kind about a patient, if there is one."""
        return await self._tx.one_or_none(
            OPEN_OF, patient_id=patient_id, facility_id=facility_id, reason=reason, limit=1
        )

    async def add_post(self, post: Post, heard_at: datetime | None = None) -> None:
        """Keep what was said. `heard_at`: the thread is saved with it; else a timer tells it."""
        await self._tx.run(ADD_POST, post, heard_at=heard_at)

    async def posts(self, thread_ids: Iterable[UUID]) -> list[Post]:
        return await self._tx.fetch(POSTS, ids=sorted(set(thread_ids)))

    async def hear(self, thread_id: UUID, at: datetime) -> list[Post]:
        return await self._tx.fetch(HEAR, thread_id=thread_id, at=at)

    async def mark_read(self, thread_id: UUID, staff_id: UUID, at: datetime) -> None:
        await self._tx.run(MARK, Read(thread_id=thread_id, staff_id=staff_id, read_at=at))

    async def reads(self, thread_ids: Iterable[UUID]) -> list[Read]:
        return await self._tx.fetch(READS, ids=sorted(set(thread_ids)))

    async def move(self, retired_id: UUID, survivor_id: UUID) -> list[Thread]:
        """Give threads of a retired record to the one that it lives on in; the moved ones."""
        return await self._tx.fetch(MOVE, retired_id=retired_id, survivor_id=survivor_id)
