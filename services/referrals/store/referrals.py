"""Referrals in PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    func,
    insert,
    literal_column,
    not_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.expression import true

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.referrals.domain.referral import Referral

FIRST = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))  # before every row

referrals = Table(
    "referrals",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("need", Text),
    Column("service_id", Uuid),
    Column("service_name", Text),
    Column("state", Text),
    Column("state_reason", Text),
    Column("outcome", Text),
    Column("priority", Text),
    Column("is_auto_next", Boolean),
    Column("appointment_id", Uuid),
    Column("loop_id", Uuid),
    Column("follows_id", Uuid),
    Column("labels", ARRAY(Text)),
    Column("details", JSONB),
    Column("consent", JSONB(none_as_null=True)),
    Column("created_at", DateTime(timezone=True)),
    Column("created_by", Uuid),
    Column("queued_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("answer_due_at", DateTime(timezone=True)),
    Column("answer_due_explanation", Text),
    Column("ended_at", DateTime(timezone=True)),
    Column("link_at", DateTime(timezone=True)),
    Column("seat", Integer),
    Column("ride_from", DateTime(timezone=True)),
    Column("ride_until", DateTime(timezone=True)),
)
_r = referrals.c
_id = param("id", type_=Uuid)
_ids = param("ids", type_=ARRAY(Uuid))
ADD = sql(insert(referrals).values(every_field(referrals)).inline())
SAVE = sql(
    update(referrals)
    .where(
        _r.id == param("its_id", type_=Uuid),
        _r.version == param("its_version", type_=BigInteger) - literal_column("1"),
    )
    .values(fields_except(referrals, "id"))
)
GET = sql(select(referrals).where(_r.id == _id), row=Referral)
TAKE = sql(select(referrals).where(_r.id == _id).with_for_update(), row=Referral)
OF_PATIENTS = sql(
    select(referrals).where(_r.patient_id == any_(_ids)).order_by(_r.id).with_for_update(),
    row=Referral,
)
ASKED_AT = sql(
    select(referrals)
    .where(
        _r.facility_id == param("facility_id", type_=Uuid),
        not_(_r.labels.overlap(param("without", type_=ARRAY(Text)))),
    )
    .order_by(_r.id)
    .limit(param("most", type_=Integer))
    .with_for_update(),
    row=Referral,
)
QUEUED = sql(
    select(_r.id)
    .where(_r.queued_at.is_not(None))
    .order_by(_r.queued_at)
    .limit(param("most", type_=Integer))
)
# Everybody who was asked before, from the newest to the first.
_chain = select(_r.service_id, _r.follows_id).where(_r.id == _id).cte("chain", recursive=True)
_chain = _chain.union_all(
    select(_r.service_id, _r.follows_id).join(_chain, _r.id == _chain.c.follows_id)
)
ASKED = sql(select(_chain.c.service_id))
FOLLOWER = sql(
    select(referrals).where(_r.follows_id == _id).limit(literal_column("1")), row=Referral
)

_limit = param("limit", type_=Integer)
_before = tuple_(_r.created_at, _r.id) < tuple_(
    param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid)
)


def _filtered(rows: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    return (
        rows.where(_r.state == any_(param("states", type_=ARRAY(Text))), _before)
        .order_by(_r.created_at.desc(), _r.id.desc())
        .limit(_limit)
    )


BY_PATIENT = sql(
    _filtered(select(referrals).where(_r.patient_id == param("patient_id", type_=Uuid))),
    row=Referral,
)
_driver = func.unnest(_ids).table_valued("id", name="driver").render_derived()
_top = _filtered(select(referrals).where(_r.facility_id == _driver.c.id)).lateral("top")
BY_FACILITIES = sql(
    select(_top)
    .select_from(_driver.join(_top, true()))
    .order_by(_top.c.created_at.desc(), _top.c.id.desc())
    .limit(_limit),
    row=Referral,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilter:
    """Which referrals of a list, from where on, and how many."""

    states: tuple[str, ...]
    before_at: datetime = FIRST[0]
    before_id: UUID = FIRST[1]
    limit: int


class ReferralStore:
    """Referrals that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, referral_id: UUID) -> Referral:
        found = await self._tx.one_or_none(GET, id=referral_id)
        return _there(found)

    async def take(self, referral_id: UUID) -> Referral:
        """The referral, to be changed: nobody else changes it until the end of the transaction."""
        found = await self._tx.one_or_none(TAKE, id=referral_id)
        return _there(found)

    async def maybe(self, referral_id: UUID) -> Referral | None:
        """The same, for a clock that may have been set for what is no longer there."""
        return await self._tx.one_or_none(TAKE, id=referral_id)

    async def of_patients(self, patient_ids: Iterable[UUID]) -> list[Referral]:
        """All of theirs, to be changed."""
        return await self._tx.fetch(OF_PATIENTS, ids=sorted(set(patient_ids)))

    async def asked_at(
        self, facility_id: UUID, without: Sequence[str], most: int
    ) -> list[Referral]:
        """The first of a facility with none of these labels, to be changed."""
        return await self._tx.fetch(ASKED_AT, facility_id=facility_id, without=without, most=most)

    async def queued(self, most: int) -> list[UUID]:
        """Those that wait to be sent, the first first."""
        return await self._tx.fetch(QUEUED, most=most)

    async def asked(self, referral_id: UUID) -> frozenset[UUID]:
        """The services that were asked before and now, along the referrals that each follows."""
        return frozenset(await self._tx.fetch(ASKED, id=referral_id))

    async def follower(self, referral_id: UUID) -> Referral | None:
        return await self._tx.one_or_none(FOLLOWER, id=referral_id)

    async def add(self, referral: Referral) -> None:
        await self._tx.run(ADD, referral)

    async def save(self, referral: Referral) -> None:
        """Write the next version of a referral that was taken."""
        touched = await self._tx.run(
            SAVE, referral, its_id=referral.id, its_version=referral.version
        )
        if touched != 1:
            raise Aborted("REFERRAL_CHANGED", "It was changed in between. Read it again.")

    async def of_patient(self, patient_id: UUID, where: ReferralFilter) -> list[Referral]:
        return await self._tx.fetch(BY_PATIENT, where, patient_id=patient_id)

    async def at_facilities(
        self, facility_ids: Iterable[UUID], where: ReferralFilter
    ) -> Sequence[Referral]:
        return await self._tx.fetch(BY_FACILITIES, where, ids=sorted(facility_ids))


def _there(referral: Referral | None) -> Referral:
    if referral is None:
        raise NotFound("REFERRAL_NOT_FOUND", "There is no such referral.")
    return referral
