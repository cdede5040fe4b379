"""Links to the partner's page, of which only hashes are kept, and the letters that bring them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Uuid,
    and_,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from libs.chassis.database import Transaction, param, sql
from services.referrals.domain.referral import State
from services.referrals.store.directory import services
from services.referrals.store.referrals import referrals

metadata = MetaData()
links = Table(
    "links",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("referral_id", Uuid),
    Column("created_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)
letters = Table(
    "letters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid),
    Column("created_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("tries", Integer),
    Column("next_try_at", DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What an e-mail to a partner needs: where to, and until when. Nothing about the patient."""

    id: UUID
    referral_id: UUID
    tries: int
    email: str
    service_name: str
    need: str
    state: str
    facility_id: UUID
    answer_due_at: datetime | None
    needed_until: datetime | None


_at = param("at", type_=DateTime(timezone=True))
_hash = param("token_hash", type_=LargeBinary)
ADD_LINK = sql(
    insert(links)
    .values(
        token_hash=_hash,
        referral_id=param("referral_id", type_=Uuid),
        created_at=_at,
        expires_at=param("expires_at", type_=DateTime(timezone=True)),
        revoked_at=None,
    )
    .inline()
)
REVOKE = sql(
    update(links)
    .where(
        links.c.referral_id == param("referral_id", type_=Uuid),
        links.c.revoked_at.is_(None),
    )
    .values(revoked_at=_at)
)
# One question, whatever is wrong with a token: so that the answer takes as long.
_said_no_since = and_(
    links.c.revoked_at > param("since", type_=DateTime(timezone=True)),
    referrals.c.state == State.REJECTED,
)
OPENED = sql(
    select(links.c.referral_id)
    .join(referrals, referrals.c.id == links.c.referral_id)
    .where(
        links.c.token_hash == _hash,
        or_(links.c.revoked_at.is_(None), _said_no_since),
        links.c.expires_at > _at,
    )
)
ADD_LETTER = sql(
    insert(letters)
    .values(
        id=param("id", type_=Uuid),
        referral_id=param("referral_id", type_=Uuid),
        created_at=_at,
        sent_at=None,
        tries=0,
        next_try_at=_at,
    )
    .inline()
)
_due = (
    select(letters.c.id)
    .where(letters.c.next_try_at <= _at)
    .order_by(letters.c.next_try_at)
    .limit(literal_column("1"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
LEASE = sql(
    update(letters)
    .where(letters.c.id == _due.c.id)
    .values(tries=letters.c.tries + 1, next_try_at=param("until", type_=DateTime(timezone=True)))
    .returning(letters.c.id)
)
LETTER = sql(
    select(
        letters.c.id,
        letters.c.referral_id,
        letters.c.tries,
        services.c.email,
        services.c.name.label("service_name"),
        referrals.c.need,
        referrals.c.state,
        referrals.c.facility_id,
        referrals.c.answer_due_at,
        referrals.c.details["end_at"].astext.cast(DateTime(timezone=True)).label("needed_until"),
    )
    .join(referrals, referrals.c.id == letters.c.referral_id)
    .join(services, services.c.id == referrals.c.service_id)
    .where(letters.c.id == param("id", type_=Uuid)),
    row=Letter,
)
_letter = letters.c.id == param("id_", type_=Uuid)
SENT = sql(update(letters).where(_letter).values(sent_at=_at, next_try_at=None))
AGAIN = sql(update(letters).where(_letter).values(next_try_at=_at))
NEVER = sql(update(letters).where(_letter).values(next_try_at=None))


class LinkStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, token_hash: bytes, referral_id: UUID, expires_at: datetime) -> None:
        await self._tx.run(
            ADD_LINK,
            token_hash=token_hash,
            referral_id=referral_id,
            at=self._tx.at,
            expires_at=expires_at,
        )

    async def opened_by(self, token_hash: bytes, after_no: timedelta = timedelta(0)) -> UUID | None:
        """The referral that a token opens now; or opened until the partner said no, not longer ago than that."""
        at = self._tx.at
        return await self._tx.one_or_none(OPENED, token_hash=token_hash, at=at, since=at - after_no)

    async def revoke(self, referral_id: UUID) -> None:
        await self._tx.run(REVOKE, referral_id=referral_id, at=self._tx.at)

    async def add_letter(self, id: UUID, referral_id: UUID) -> None:
        await self._tx.run(ADD_LETTER, id=id, referral_id=referral_id, at=self._tx.at)

    async def take_letter(self, until: datetime) -> Letter | None:
        """A letter that is due, for oneself until a time: then it is tried again, should this process have died."""
        id: UUID | None = await self._tx.one_or_none(LEASE, at=self._tx.at, until=until)
        if id is None:
            return None
        letter: Letter = await self._tx.one(LETTER, id=id)
        return letter

    async def sent(self, id: UUID) -> None:
        await self._tx.run(SENT, id_=id, at=self._tx.at)

    async def again(self, id: UUID, at: datetime) -> None:
        await self._tx.run(AGAIN, id_=id, at=at)

    async def give_up(self, id: UUID) -> None:
        await self._tx.run(NEVER, id_=id)
