"""Looks for what would break the promise, with one statement per rule."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, exists, func, literal_column, select, union

from libs.chassis.database import Transaction, param, sql
from services.tasking.domain.promise import LATE_LADDER, Rule, Violation
from services.tasking.store.directory import staff
from services.tasking.store.loops import loops
from services.tasking.store.record import encounters, glasses
from services.tasking.store.tasks import tasks
from services.tasking.store.told import SOURCES

MOST: ColumnElement[int] = literal_column("100")
_open_loop = loops.c.state == literal_column("'OPEN'")
_open_task = tasks.c.state == literal_column("'OPEN'")
_loop_owner = exists().where(staff.c.id == loops.c.accountable_id, staff.c.is_active)
_task_owner = exists().where(staff.c.id == tasks.c.accountable_id, staff.c.is_active)
_its_loop_is_open = exists().where(loops.c.id == tasks.c.loop_id, _open_loop)
_late = param("late_at", type_=DateTime(timezone=True))

BROKEN = {
    Rule.LOOP_WITHOUT_OWNER: sql(select(loops.c.id).where(_open_loop, ~_loop_owner).limit(MOST)),
    Rule.LOOP_WITHOUT_CLOCK: sql(
        select(loops.c.id).where(_open_loop, loops.c.clock_at.is_(None)).limit(MOST)
    ),
    Rule.LOOP_WITHOUT_EVIDENCE: sql(
        select(loops.c.id)
        .where(
            loops.c.state == literal_column("'CLOSED'"),
            func.jsonb_array_length(loops.c.evidence) == literal_column("0"),
        )
        .limit(MOST)
    ),
    Rule.TASK_WITHOUT_OWNER: sql(select(tasks.c.id).where(_open_task, ~_task_owner).limit(MOST)),
    Rule.TASK_OF_CLOSED_LOOP: sql(
        select(tasks.c.id).where(_open_task, ~_its_loop_is_open).limit(MOST)
    ),
    Rule.LADDER_STUCK: sql(
        select(tasks.c.id).where(_open_task, tasks.c.next_escalation_at < _late).limit(MOST)
    ),
    Rule.ENCOUNTER_WAITS: sql(
        select(encounters.c.id).where(encounters.c.waits_for != literal_column("''")).limit(MOST)
    ),
    Rule.BREAK_GLASS_WAITS: sql(
        select(glasses.c.id).where(glasses.c.waits_for != literal_column("''")).limit(MOST)
    ),
    Rule.SOMETHING_WAITS: sql(
        union(
            *(select(t.c.id).where(t.c.waits_for != literal_column("''")) for t in SOURCES)
        ).limit(MOST)
    ),
}

GONE = sql(
    union(
        select(tasks.c.accountable_id).where(_open_task, ~_task_owner),
        select(loops.c.accountable_id).where(_open_loop, ~_loop_owner),
    )
)


class PromiseStore:
    """Reads only. At most a hundred of each rule: one is too many."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def broken(self, now: datetime) -> list[Violation]:
        found = []
        for rule, statement in BROKEN.items():
            given = {"late_at": now - LATE_LADDER} if rule is Rule.LADDER_STUCK else {}
            ids = await self._tx.fetch(statement, **given)
            found += [Violation(rule=rule, id=each) for each in ids]
        return found

    async def gone_owners(self) -> list[UUID]:
        """People who answer for something open and are not, or not any more, active."""
        return await self._tx.fetch(GONE)
