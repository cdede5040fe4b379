"""Messages to patients, what counts of them, and those that are to leave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    and_,
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
from libs.chassis.errors import Aborted
from libs.conveyor.timers import timers
from services.messaging.domain.message import History, Message
from services.messaging.store.replies import replies
from services.messaging.store.threads import threads

# Where more wait, it is not the number that matters.
MOST_WAITING = 10_000

metadata = MetaData()
messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("template", Text),
    Column("template_version", Integer),
    Column("appointment_id", Uuid),
    Column("loop_id", Uuid),
    Column("state", Text),
    Column("reason", Text),
    Column("channel", Text),
    Column("address", Text),
    Column("language", Text),
    Column("text", Text),
    Column("segments", Integer),
    Column("due_at", DateTime(timezone=True)),
    Column("until_at", DateTime(timezone=True)),
    Column("is_question", Boolean),
    Column("counted_on", Date),
    Column("created_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    Column("sent_by_id", Uuid),
    Column("tries", Integer),
    Column("next_try_at", DateTime(timezone=True)),
    Column("labels", ARRAY(Text)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Messages that wait for their time, and those that are written and that no channel has taken yet."""

    planned: int
    leaving: int


_m = messages.c
_ids = param("ids", type_=ARRAY(Uuid))
_at = param("at", type_=DateTime(timezone=True))
_limit = param("limit", type_=Integer)
_patient = param("patient_id", type_=Uuid)
_new = insert(messages).values(every_field(messages))
# Started twice is started once; what is there is changed by who has read it, and by nobody else.
ADD = sql(_new.on_conflict_do_nothing())
SAVE = sql(
    update(messages)
    .where(
        _m.id == param("id"), _m.version == param("version", type_=BigInteger) - literal_column("1")
    )
    .values(fields_except(messages, "id"))
)
SOME = sql(select(messages).where(_m.id == any_(_ids)).order_by(_m.id), row=Message)
OF_CAUSES = sql(
    select(messages)
    .where(or_(_m.appointment_id == any_(_ids), _m.loop_id == any_(_ids)), _m.sent_by_id.is_(None))
    .order_by(_m.id),
    row=Message,
)
OF_PEOPLE_AT = sql(
    select(_m.id)
    .where(
        _m.facility_id == param("facility_id", type_=Uuid),
        _m.sent_by_id.is_not(None),
        not_(_m.labels.overlap(param("without", type_=ARRAY(Text)))),
    )
    .order_by(_m.id)
    .limit(_limit)
)
_after = tuple_(_m.created_at, _m.id) < tuple_(
    param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid)
)
PAGE = sql(
    select(messages)
    .where(_m.patient_id == _patient, _after)
    .order_by(_m.created_at.desc(), _m.id.desc())
    .limit(_limit),
    row=Message,
)
COUNTED = sql(
    select(_m.counted_on).where(
        _m.patient_id == _patient,
        _m.counted_on > param("since", type_=Date),
        _m.id != param("id", type_=Uuid),
    )
)
# Heard from, or looked after by a person: from then on questions are counted anew.
_heard = select(func.max(replies.c.received_at)).where(replies.c.patient_id == _patient)
_looked = select(func.max(threads.c.closed_at)).where(
    threads.c.patient_id == _patient, threads.c.reason == literal_column("'UNANSWERED'")
)
_since = func.greatest(
    func.coalesce(_heard.scalar_subquery(), literal_column("'-infinity'::timestamptz")),
    func.coalesce(_looked.scalar_subquery(), literal_column("'-infinity'::timestamptz")),
)
_unanswered = and_(
    _m.patient_id == _patient,
    _m.is_question,
    _m.state == literal_column("'SENT'"),
    _m.sent_at > _since,
)
UNANSWERED = sql(select(messages).where(_unanswered).order_by(_m.sent_at, _m.id), row=Message)
_due = (
    select(_m.id)
    .where(
        _m.next_try_at <= _at,
        (_m.channel == literal_column("'email'")) == param("is_mail", type_=Boolean),
    )
    .order_by(_m.next_try_at)
    .limit(_limit)
    .with_for_update(skip_locked=True)
)
# The next try is set before the first is made: a crash in between sends late, and perhaps twice, but sends.
TAKE = sql(
    update(messages)
    .where(_m.id.in_(_due))
    .values(
        tries=_m.tries + literal_column("1"),
        next_try_at=param("leased_until", type_=DateTime(timezone=True)),
    )
    .returning(_m.id)
)
MOVE = sql(
    update(messages)
    .where(_m.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id"))
)

_one: ColumnElement[int] = literal_column("1")
_most: ColumnElement[int] = literal_column(str(MOST_WAITING))
# Each that waits for its time has a timer; some of those that were withdrawn still have theirs.
_planned = (
    select(_one)
    .select_from(timers.join(messages, _m.id == timers.c.key.cast(Uuid)))
    .where(timers.c.kind == param("kind", type_=Text), _m.state == literal_column("'PENDING'"))
    .limit(_most)
    .subquery("planned")
)
_leaving = select(_one).where(_m.next_try_at.is_not(None)).limit(_most).subquery("leaving")
WAITING = sql(
    select(
        select(func.count()).select_from(_planned).scalar_subquery().label("planned"),
        select(func.count()).select_from(_leaving).scalar_subquery().label("leaving"),
    ),
    row=Waiting,
)


class MessageStore:
    """Messages; each exists once, however often its cause is told."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, new: Sequence[Message]) -> None:
        await self._tx.run_many(ADD, new)

    async def save(self, message: Message) -> None:
        """Save the next version. Whoever was slower tries again."""
        if await self._tx.run(SAVE, message) != 1:
            raise Aborted("MESSAGE_CHANGED", "It was changed in between. Read it again.")

    async def some(self, ids: Iterable[UUID]) -> list[Message]:
        return await self._tx.fetch(SOME, ids=sorted(set(ids)))

    async def of_causes(self, ids: Iterable[UUID]) -> list[Message]:
        """What rules planned about these appointments and loops."""
        return await self._tx.fetch(OF_CAUSES, ids=sorted(set(ids)))

    async def of_people_at(
        self, facility_id: UUID, without: Sequence[str], limit: int
    ) -> list[UUID]:
        """The first of those that people wrote at a facility and that have none of these labels."""
        return await self._tx.fetch(
            OF_PEOPLE_AT, facility_id=facility_id, without=without, limit=limit
        )

    async def page(
        self, patient_id: UUID, before: tuple[datetime, UUID], limit: int
    ) -> list[Message]:
        """The newest first, from before a position."""
        return await self._tx.fetch(
            PAGE, patient_id=patient_id, before_at=before[0], before_id=before[1], limit=limit
        )

    async def history(self, message: Message, since: date) -> History:
        """What counts for this person, but for the message itself."""
        counted = await self._tx.fetch(
            COUNTED, patient_id=message.patient_id, since=since, id=message.id
        )
        unanswered = await self.unanswered(message.patient_id)
        return History(counted=counted, unanswered=len(unanswered))

    async def unanswered(self, patient_id: UUID) -> list[Message]:
        """The questions since the person was heard from last."""
        return await self._tx.fetch(UNANSWERED, patient_id=patient_id)

    async def waiting(self, kind: str) -> Waiting:
        """Of every patient, given the kind of their timers: for the system only."""
        return await self._tx.one(WAITING, kind=kind)

    async def take(
        self, at: datetime, leased_until: datetime, limit: int, *, is_mail: bool
    ) -> list[Message]:
        """The next letters, or the next of all others, to send; nobody else takes them before `leased_until`."""
        ids = await self._tx.fetch(
            TAKE, at=at, leased_until=leased_until, limit=limit, is_mail=is_mail
        )
        return await self.some(ids)

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        await self._tx.run(MOVE, retired_id=retired_id, survivor_id=survivor_id)
