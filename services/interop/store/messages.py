"""Messages as they came, and what became of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Transaction, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.interop.domain.message import (
    SET_ASIDE,
    Alike,
    Message,
    MessageState,
    Outcome,
)

metadata = MetaData()
_INSTANT = DateTime(timezone=True)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid),
    Column("feed_id", Uuid),
    Column("facility_id", Uuid),
    Column("sending_application", Text),
    Column("control_id", Text),
    Column("content_hash", LargeBinary),
    Column("event_type", Text),
    Column("received_at", _INSTANT),
    Column("message_at", _INSTANT),
    Column("state", Text),
    Column("reason", Text),
    Column("explanation", Text),
    Column("is_control_id_reused", Boolean),
    Column("patient_id", Uuid),
    Column("encounter_id", Uuid),
    Column("replay", Integer),
    Column("outcome_version", BigInteger),
    Column("raw", LargeBinary),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A stored message by what makes it one."""

    id: UUID
    feed_id: UUID
    sending_application: str
    control_id: str
    content_hash: bytes


_head = [each for each in messages.c if each.name != "raw"]
GET = sql(select(*_head).where(messages.c.id == param("id")), row=Message)
RAW = sql(select(messages.c.raw).where(messages.c.id == param("id")))

# The columns that differ between new messages; the rest is the same for all.
_NEW = [
    each
    for each in messages.c
    if each.name not in {"patient_id", "encounter_id", "replay", "outcome_version"}
]
_new = (
    func.unnest(*(param(f"{c.name}s", type_=ARRAY(c.type)) for c in _NEW))
    .table_valued(*(column(c.name, c.type) for c in _NEW), name="new")
    .render_derived()
)
_new_rows = select(
    *(_new.c[c.name] for c in _NEW),
    param("zero", 0, type_=Integer).label("replay"),
    param("zero", 0, type_=Integer).label("outcome_version"),
)
ADD_MANY = sql(
    insert(messages)
    .from_select([*(c.name for c in _NEW), "replay", "outcome_version"], _new_rows)
    .on_conflict_do_nothing()
    .returning(messages.c.id)
)

_key = (
    func.unnest(
        param("feed_ids", type_=ARRAY(Uuid)),
        param("applications", type_=ARRAY(Text)),
        param("control_ids", type_=ARRAY(Text)),
    )
    .table_valued(
        column("feed_id", Uuid), column("application", Text), column("control_id", Text), name="key"
    )
    .render_derived()
)
KNOWN = sql(
    select(
        messages.c.id,
        messages.c.feed_id,
        messages.c.sending_application,
        messages.c.control_id,
        messages.c.content_hash,
    ).join_from(
        _key,
        messages,
        and_(
            messages.c.feed_id == _key.c.feed_id,
            messages.c.sending_application == _key.c.application,
            messages.c.control_id == _key.c.control_id,
        ),
    ),
    row=Known,
)
SAVE_REPLAY = sql(
    update(messages)
    .where(messages.c.id == param("id"), messages.c.replay == param("replay") - 1)
    .values(
        {
            messages.c[name]: param(name, type_=messages.c[name].type)
            for name in (
                "facility_id",
                "event_type",
                "message_at",
                "state",
                "reason",
                "explanation",
                "patient_id",
                "encounter_id",
                "replay",
            )
        }
    )
)
_OUTCOME_TYPES = {
    "message_id": Uuid,
    "state": Text,
    "reason": Text,
    "explanation": Text,
    "patient_id": Uuid,
    "encounter_id": Uuid,
    "version": BigInteger,
}
_outcome = (
    func.unnest(*(param(f"{name}s", type_=ARRAY(kind)) for name, kind in _OUTCOME_TYPES.items()))
    .table_valued(*(column(name, kind) for name, kind in _OUTCOME_TYPES.items()), name="outcome")
    .render_derived()
)
SAVE_OUTCOMES = sql(
    update(messages)
    .where(
        messages.c.id == _outcome.c.message_id,
        or_(
            messages.c.outcome_version < _outcome.c.version,
            # What was set aside and then handled after all keeps its version.
            and_(
                messages.c.outcome_version == _outcome.c.version,
                messages.c.state == MessageState.PARKED.value,
            ),
        ),
    )
    .values(
        state=_outcome.c.state,
        reason=_outcome.c.reason,
        explanation=_outcome.c.explanation,
        patient_id=_outcome.c.patient_id,
        encounter_id=_outcome.c.encounter_id,
        outcome_version=_outcome.c.version,
    )
)

_of_feed = messages.c.feed_id == param("feed_id", type_=Uuid)
_in_state = messages.c.state == param("state", type_=Text)
_before = messages.c.id < param("before", type_=Uuid)
_most = param("most", type_=Integer)


def _newest_by_facility(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The newest of each facility, and of those the newest: each is one walk down an index."""
    facility = (
        func.unnest(param("facilities", type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), name="facility")
        .render_derived()
    )
    newest = (
        select(*_head)
        .where(messages.c.facility_id == facility.c.id, _before, *conditions)
        .order_by(messages.c.id.desc())
        .limit(_most)
        .lateral("newest")
    )
    both = select(*newest.c).select_from(facility.join(newest, true()))
    return both.order_by(newest.c.id.desc()).limit(_most)


# By whether the feed and the state are given.
PAGES = {
    (False, False): sql(_newest_by_facility(), row=Message),
    (False, True): sql(_newest_by_facility(_in_state), row=Message),
    (True, True): sql(_newest_by_facility(_in_state, _of_feed), row=Message),
    (True, False): sql(
        select(*_head).where(_of_feed, _before).order_by(messages.c.id.desc()).limit(_most),
        row=Message,
    ),
}

_facility = (
    func.unnest(param("facilities", type_=ARRAY(Uuid)))
    .table_valued(column("id", Uuid), name="facility")
    .render_derived()
)


def _oldest_alike(state: MessageState) -> Select[Any]:
    """The oldest of each facility, by the index of what somebody has to look at; of those the oldest."""
    explanation = param("explanation", type_=Text)
    oldest = (
        select(*_head)
        .where(
            messages.c.facility_id == _facility.c.id,
            messages.c.state == literal_column(f"'{state.value}'"),
            messages.c.id > param("after", type_=Uuid),
            _of_feed,
            messages.c.reason == param("reason", type_=Text),
            or_(explanation == literal_column("''"), messages.c.explanation == explanation),
        )
        .order_by(messages.c.id)
        .limit(_most)
        .lateral("oldest")
    )
    both = select(*oldest.c).select_from(_facility.join(oldest, true()))
    return both.order_by(oldest.c.id).limit(_most)


OLDEST_ALIKE = {state: sql(_oldest_alike(state), row=Message) for state in SET_ASIDE}

# Later than every id there is: where the first page begins.
LAST_ID = UUID(int=2**128 - 1)


class MessageStore:
    """Messages that the caller may see: row-level security says which."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, message_id: UUID) -> Message:
        if message := await self._tx.one_or_none(GET, id=message_id):
            return message
        raise NotFound("MESSAGE_NOT_FOUND", "There is no such message.", message_id=str(message_id))

    async def raw(self, message_id: UUID) -> bytes:
        return await self._tx.one(RAW, id=message_id)

    async def list_page(
        self,
        facilities: Iterable[UUID],
        feed_id: UUID | None,
        state: MessageState | None,
        before: UUID,
        most: int,
    ) -> list[Message]:
        """The newest first."""
        statement = PAGES[feed_id is not None, state is not None]
        return await self._tx.fetch(
            statement,
            facilities=list(facilities),
            feed_id=feed_id,
            state=state,
            before=before,
            most=most,
        )

    async def list_states(
        self,
        facilities: Iterable[UUID],
        feed_id: UUID | None,
        states: Sequence[MessageState | None],
        before: UUID,
        most: int,
    ) -> list[Message]:
        """The newest first, in any of these states: each is one walk down an index."""
        places = list(facilities)
        found = [
            message
            for state in states
            for message in await self.list_page(places, feed_id, state, before, most)
        ]
        return sorted(found, key=lambda message: message.id, reverse=True)[:most]

    async def oldest_alike(
        self, facilities: Iterable[UUID], alike: Alike, after: UUID, most: int
    ) -> list[Message]:
        """Those that are alike, the oldest first, after one that was replayed before."""
        return await self._tx.fetch(
            OLDEST_ALIKE[alike.state],
            facilities=list(facilities),
            feed_id=alike.feed_id,
            reason=alike.reason,
            explanation=alike.explanation,
            after=after,
            most=most,
        )

    async def known(self, keys: Iterable[tuple[UUID, str, str]]) -> list[Known]:
        """The stored messages with these feeds, MSH-3 and MSH-10."""
        wanted = list(dict.fromkeys(keys))
        return await self._tx.fetch(
            KNOWN,
            feed_ids=[key[0] for key in wanted],
            applications=[key[1] for key in wanted],
            control_ids=[key[2] for key in wanted],
        )

    async def add_many(self, new: Sequence[tuple[Message, bytes]]) -> frozenset[UUID]:
        """Add messages; the ids of those that nobody else was storing at the same moment.

        In the order of their keys, so that two who store the same messages never wait in a ring.
        """
        rows = sorted(new, key=_key_of)
        columns: dict[str, list[Any]] = {
            f"{c.name}s": [getattr(message, c.name) for message, _ in rows]
            for c in _NEW
            if c.name != "raw"
        }
        return frozenset(await self._tx.fetch(ADD_MANY, raws=[raw for _, raw in rows], **columns))

    async def save_replay(self, message: Message) -> None:
        if await self._tx.run(SAVE_REPLAY, message) != 1:
            raise Aborted("STALE_MESSAGE", "Somebody else replayed it.", message_id=str(message.id))

    async def save_outcomes(self, outcomes: Sequence[Outcome]) -> int:
        """Note what became of messages, where that is newer than what is known; how many it was."""
        columns = {f"{name}s": [getattr(o, name) for o in outcomes] for name in _OUTCOME_TYPES}
        return await self._tx.run(SAVE_OUTCOMES, **columns)


def _key_of(new: tuple[Message, bytes]) -> tuple[UUID, str, str, bytes]:
    message = new[0]
    return (
        message.feed_id,
        message.sending_application,
        message.control_id,
        message.content_hash,
    )
