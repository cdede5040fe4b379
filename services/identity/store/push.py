"""What a holder was to be told at once, and has not confirmed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Integer, Text, Uuid, any_, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Transaction, param, sql
from services.identity.domain.push import Push, PushKind
from services.identity.store.schema import pushes

_p = pushes.c
_kind, _ids = param("kind", type_=Text), param("ids", type_=ARRAY(Uuid))
_at = param("at", type_=DateTime(timezone=True))
_holders = (
    func.unnest(param("holders", type_=ARRAY(Text))).table_valued("holder").render_derived(name="h")
)
_new = func.unnest(_ids).table_valued("id").render_derived(name="i")
_left = insert(pushes).from_select(
    ["holder", "kind", "id", "at"], select(_holders.c.holder, _kind, _new.c.id, _at)
)
LEAVE = sql(
    _left.on_conflict_do_update(
        index_elements=["holder", "kind", "id"], set_={"at": _left.excluded.at}
    )
)
CONFIRM = sql(
    delete(pushes).where(
        _p.holder == any_(param("holders", type_=ARRAY(Text))),
        _p.kind == _kind,
        _p.id == any_(_ids),
        _p.at <= _at,
    )
)
FORGET = sql(delete(pushes).where(_p.at <= _at))
WAITING = sql(
    select(pushes)
    .where(_p.at <= _at)
    .order_by(_p.at, _p.holder, _p.id)
    .limit(param("limit", type_=Integer)),
    row=Push,
)


@dataclass(frozen=True, slots=True)
class PushStore:
    tx: Transaction

    async def leave(self, kind: PushKind, ids: Collection[UUID], holders: Iterable[str]) -> None:
        """Keep that they are to be told, until each confirms."""
        if ids:
            await self.tx.run(
                LEAVE, kind=kind, ids=sorted(ids), holders=sorted(holders), at=self.tx.at
            )

    async def confirm(
        self, kind: PushKind, ids: Collection[UUID], holders: Collection[str], at: datetime
    ) -> None:
        """They know what was left until then; what was left since is to be told yet."""
        if ids and holders:
            await self.tx.run(CONFIRM, kind=kind, ids=sorted(ids), holders=sorted(holders), at=at)

    async def waiting(self, before: datetime, limit: int) -> list[Push]:
        return await self.tx.fetch(WAITING, at=before, limit=limit)

    async def forget(self, before: datetime) -> None:
        await self.tx.run(FORGET, at=before)
