"""How patients want to be reached, as careplans told last."""

from collections.abc import Iterable, Sequence
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
    exists,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.messaging.domain.wish import NOBODY, Telephone, Wish

metadata = MetaData()
wishes = Table(
    "wishes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("language", Text),
    Column("telephone", Text),
    Column("best_from", Text),
    Column("best_until", Text),
    Column("sleeps_from", Text),
    Column("sleeps_until", Text),
    Column("updated_at", DateTime(timezone=True)),
)
_ids = param("ids", type_=ARRAY(Uuid))
_new = insert(wishes).values(every_field(wishes))
KEEP = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(wishes, "id")},
        where=wishes.c.version < _new.excluded.version,
    )
)
MOVE = sql(
    update(wishes)
    .where(wishes.c.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id"))
)
# As careplans does when records become one, without telling it: of two of one facility the newer stays.
_newer = wishes.alias("newer")
_EMPTY = {
    **dict.fromkeys(("language", "best_from", "best_until", "sleeps_from", "sleeps_until"), ""),
    "telephone": Telephone.UNSPECIFIED.value,
}
DROP_OLDER = sql(
    update(wishes)
    .where(
        wishes.c.patient_id == any_(_ids),
        exists().where(
            _newer.c.patient_id == wishes.c.patient_id,
            _newer.c.facility_id == wishes.c.facility_id,
            tuple_(_newer.c.updated_at, _newer.c.id) > tuple_(wishes.c.updated_at, wishes.c.id),
        ),
    )
    .values(patient_id=NOBODY, facility_id=NOBODY, **_EMPTY)
)
OF = sql(
    select(wishes)
    .ext(distinct_on(wishes.c.patient_id))
    .where(wishes.c.patient_id == any_(_ids))
    .order_by(wishes.c.patient_id, wishes.c.updated_at.desc(), wishes.c.id.desc()),
    row=Wish,
)


class WishStore:
    """What careplans told, newest only. Of what is dropped a row stays that is nobody's: nothing older comes back."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep(self, told: Sequence[Wish]) -> None:
        await self._tx.run_many(KEEP, told)
        await self._drop_older(each.patient_id for each in told if each.patient_id != NOBODY)

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        await self._tx.run(MOVE, retired_id=retired_id, survivor_id=survivor_id)
        await self._drop_older([survivor_id])

    async def of(self, patient_ids: Iterable[UUID]) -> dict[UUID, Wish]:
        """The one that counts of each of these: the one that was written down last, at whichever facility."""
        found = await self._tx.fetch(OF, ids=sorted(set(patient_ids)))
        return {each.patient_id: each for each in found}

    async def _drop_older(self, patient_ids: Iterable[UUID]) -> None:
        if ids := sorted(set(patient_ids)):
            await self._tx.run(DROP_OLDER, ids=ids)
