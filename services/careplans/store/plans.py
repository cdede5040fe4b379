"""Care plans in PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, any_, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import NotFound
from services.careplans.domain.plan import CarePlan
from services.careplans.store.schema import care_plans, instant

LAST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))  # after every row

_plans = select(*(column for column in care_plans.c if column.name != "owner_ids"))
_ids = param("ids", type_=ARRAY(Uuid))
_is_active = care_plans.c.state == literal_column("'ACTIVE'")
_patient = care_plans.c.patient_id == param("patient_id", type_=Uuid)
_new = insert(care_plans).values(every_field(care_plans))
SAVE = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(care_plans, "id")},
        where=care_plans.c.version == _new.excluded.version - literal_column("1"),
    )
)
GET = sql(_plans.where(care_plans.c.id == param("id", type_=Uuid)), row=CarePlan)
OF_LOOPS = sql(_plans.where(care_plans.c.loop_id == any_(_ids)), row=CarePlan)
OF_PATIENT = sql(_plans.where(_patient).order_by(care_plans.c.id), row=CarePlan)
OWNED_BY = sql(
    _plans.where(_is_active, care_plans.c.owner_ids.overlap(_ids)).order_by(care_plans.c.id),
    row=CarePlan,
)
ACTIVE_LIKE = sql(
    select(care_plans.c.id).where(
        _is_active,
        _patient,
        care_plans.c.facility_id == param("facility_id", type_=Uuid),
        care_plans.c.template == param("template", type_=Text),
    )
)
PAGE = sql(
    _plans.where(
        _patient,
        tuple_(care_plans.c.started_at, care_plans.c.id)
        < tuple_(param("before_at", type_=instant), param("before_id", type_=Uuid)),
    )
    .order_by(care_plans.c.started_at.desc(), care_plans.c.id.desc())
    .limit(param("limit", type_=Integer)),
    row=CarePlan,
)


class PlanStore:
    """Care plans that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, plan_id: UUID) -> CarePlan:
        if plan := await self._tx.one_or_none(GET, id=plan_id):
            return plan
        raise NotFound("CARE_PLAN_NOT_FOUND", "There is no such care plan.")

    async def of_loops(self, loop_ids: Iterable[UUID]) -> dict[UUID, CarePlan]:
        """By the id of their loop."""
        found = await self._tx.fetch(OF_LOOPS, ids=sorted(set(loop_ids)))
        return {each.loop_id: each for each in found if each.loop_id}

    async def of_patient(self, patient_id: UUID) -> list[CarePlan]:
        return await self._tx.fetch(OF_PATIENT, patient_id=patient_id)

    async def owned_by(self, owner_ids: Iterable[UUID]) -> list[CarePlan]:
        """The active ones in which these answer for something."""
        return await self._tx.fetch(OWNED_BY, ids=sorted(set(owner_ids)))

    async def has_active(self, patient_id: UUID, facility_id: UUID, template: str) -> bool:
        found = await self._tx.fetch(
            ACTIVE_LIKE, patient_id=patient_id, facility_id=facility_id, template=template
        )
        return bool(found)

    async def page(
        self, patient_id: UUID, before: tuple[datetime, UUID], limit: int
    ) -> list[CarePlan]:
        """A patient's, the newest first."""
        at, id = before
        return await self._tx.fetch(
            PAGE, patient_id=patient_id, before_at=at, before_id=id, limit=limit
        )

    async def save(self, changed: Sequence[CarePlan]) -> None:
        """Write new plans and next versions. Call it only while alone with their patients (NeighborStore.alone_with)."""
        await self._tx.run_many(SAVE, changed)
