"""Which records were merged into which, for what people have recorded about them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, any_, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.database import Transaction, param, sql
from services.identity.store.schema import access_facts


@dataclass(frozen=True, slots=True)
class _Retired:
    patient_id: UUID
    survivor_id: UUID


_ids = param("ids", type_=ARRAY(Uuid))
_led = func.merged_into(_ids).table_valued("patient_id", "survivor_id")
RETIRED = sql(select(_led.c.patient_id, _led.c.survivor_id), row=_Retired)
SURVIVOR = sql(select(func.survivor_of(param("id", type_=Uuid))))
MERGED = sql(
    select(
        access_facts.c.id.label("patient_id"), access_facts.c.merged_into.label("survivor_id")
    ).where(access_facts.c.id == any_(_ids), access_facts.c.merged_into.is_not(None)),
    row=_Retired,
)


class MergeStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def survivor_of(self, patient_id: UUID) -> UUID:
        """Whose record it is now: the same one, unless it was merged."""
        survivor: UUID = await self._tx.one(SURVIVOR, id=patient_id)
        return survivor

    async def with_survivors(self, patient_ids: Collection[UUID]) -> list[UUID]:
        """These, and into whose records they were merged, in order."""
        found = asked = set(patient_ids)
        while asked:  # once, since few are
            led = await self._tx.fetch(MERGED, ids=list(asked))
            asked = {one.survivor_id for one in led} - found
            found = found | asked
        return sorted(found)

    async def whole_records(self, patient_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Every record that was ever joined with one of these, and these, each with who survives."""
        return await self.retired_into(await self.with_survivors(patient_ids))

    async def retired_into(self, patient_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """The records that were merged into these, each with who survives; and these, with themselves."""
        retired = await self._tx.fetch(RETIRED, ids=list(patient_ids))
        led = {one.patient_id: one.survivor_id for one in retired}
        return {one: one for one in patient_ids} | {one: _last(one, led) for one in led}


def _last(patient_id: UUID, led: Mapping[UUID, UUID]) -> UUID:
    """Of a chain that was asked about in the middle, too, its end."""
    seen = {patient_id}
    while (survivor := led.get(patient_id)) and survivor not in seen:
        patient_id = survivor
        seen.add(survivor)
    return patient_id
