"""How much there is to do: for the marks on a menu, counted as the worklist lists it and not further than anybody reads;
and over the whole network, for its operators' graphs.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, ScalarSelect, Uuid, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import true

from libs.chassis.database import Statement, Transaction, param, sql
from services.tasking.store.directory import facilities
from services.tasking.store.loops import loops
from services.tasking.store.tasks import tasks

MOST = 1000
# Of one facility. Where there are more, it is not the number that matters.
MOST_LATE = 10_000


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopCounts:
    """Open loops; those of them that have a step that is late; and those of these where nobody is left to be told."""

    open: int
    overdue: int
    escalated: int


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


def _loop_counts() -> Statement[LoopCounts]:
    """Open loops along loops_accountable, which has no others; late steps along tasks_by_facility, up to now."""
    late = (
        select(
            tasks.c.loop_id,
            (
                (tasks.c.escalation_level > literal_column("0"))
                & (tasks.c.escalation_level >= func.jsonb_array_length(tasks.c.rungs))
            ).label("is_at_the_top"),
        )
        .where(
            tasks.c.facility_id == facilities.c.id,
            tasks.c.state == literal_column("'OPEN'"),
            _IS_LATE,
        )
        .order_by(tasks.c.due_at, tasks.c.id)
        .limit(literal_column(str(MOST_LATE)))
        .lateral("late")
    )
    loop, at_the_top = late.c.loop_id, late.c.is_at_the_top
    counted = (
        select(
            func.count(loop.distinct()).label("overdue"),
            func.count(loop.distinct()).filter(at_the_top).label("escalated"),
        )
        .select_from(facilities.join(late, true()))
        .subquery("counted")
    )
    is_open = select(func.count()).where(loops.c.state == literal_column("'OPEN'"))
    return sql(
        select(
            is_open.select_from(loops).scalar_subquery().label("open"),
            counted.c.overdue,
            counted.c.escalated,
        ),
        row=LoopCounts,
    )


LOOP_COUNTS = _loop_counts()


class CountStore:
    """Counts of the tasks that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def of(self, where: CountFilter) -> TaskCounts:
        return await self._tx.one(COUNTS, where)

    async def loops(self, now: datetime) -> LoopCounts:
        """Of every facility: for the system only."""
        return await self._tx.one(LOOP_COUNTS, now=now)
