"""How much there is to do, for the marks on a menu: counted as the worklist lists it, and not further than anybody reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, ScalarSelect, Uuid, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import true

from libs.chassis.database import Statement, Transaction, param, sql
from services.tasking.store.tasks import tasks

MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFilter:
    """Whose tasks are counted, and what time it is."""

    staff_ids: tuple[UUID, ...]
    team_ids: tuple[UUID, ...]
    facility_ids: tuple[UUID, ...]
    facility_id: UUID | None
    now: datetime
    most: int = MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """Open tasks and the late ones of them, each at most MOST."""

    mine: int
    mine_late: int
    my_teams: int
    my_teams_late: int
    unclaimed: int
    unclaimed_late: int
    everyones: int
    everyones_late: int


_most = param("most", type_=Integer)
_place = param("facility_id", type_=Uuid)
_IS_LATE = tasks.c.due_at < param("now", type_=DateTime(timezone=True))
_IS_UNCLAIMED = tasks.c.staff_id.is_(None)


def _count(ids: str, by: str, *conditions: Any) -> ScalarSelect[int]:
    """Along each driver's own index (see the worklist's statements), until there are enough."""
    driver = func.unnest(param(ids, type_=ARRAY(Uuid))).table_valued("id", name=ids)
    driver = driver.render_derived()
    rows = (
        select(literal_column("1").label("one"))
        .where(tasks.c[by] == driver.c.id, tasks.c.state == literal_column("'OPEN'"))
        .where(or_(_place.is_(None), tasks.c.facility_id == _place), *conditions)
        .order_by(tasks.c.due_at, tasks.c.id)
        .limit(_most)
        .lateral("top")
    )
    enough = select(rows.c.one).select_from(driver.join(rows, true())).limit(_most).subquery()
    return select(func.count()).select_from(enough).scalar_subquery()


def _counts() -> Statement[TaskCounts]:
    scopes: dict[str, tuple[Any, ...]] = {
        "mine": ("staff_ids", "staff_id"),
        "my_teams": ("team_ids", "team_id"),
        "unclaimed": ("team_ids", "team_id", _IS_UNCLAIMED),
        "everyones": ("facility_ids", "facility_id"),
    }
    columns = []
    for name, scope in scopes.items():
        columns += [_count(*scope).label(name), _count(*scope, _IS_LATE).label(f"{name}_late")]
    return sql(select(*columns), row=TaskCounts)


COUNTS = _counts()


class CountStore:
    """Counts of the tasks that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def of(self, where: CountFilter) -> TaskCounts:
        return await self._tx.one(COUNTS, where)
