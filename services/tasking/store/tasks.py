"""Tasks in PostgreSQL, and the worklist."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.sql.expression import true

from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import NotFound
from services.tasking.domain.owner import Owner
from services.tasking.domain.task import Task
from services.tasking.store.loops import FIRST

metadata = MetaData()
tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("loop_id", Uuid),
    Column("step", Text),
    Column("title", Text),
    Column("description", Text),
    Column("role", Text),
    Column("state", Text),
    Column("team_id", Uuid),
    Column("staff_id", Uuid),
    Column("accountable_id", Uuid),
    Column("is_chosen", Boolean),
    Column("start_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    Column("due_on", Date),
    Column("due_explanation", Text),
    Column("why", Text),
    Column("done_when", ARRAY(Text)),
    Column("outcomes", JSONB),
    Column("rungs", JSONB),
    Column("escalation_level", Integer),
    Column("next_escalation_at", DateTime(timezone=True)),
    Column("is_contact", Boolean),
    Column("attempts_needed", Integer),
    Column("attempts_hours_apart", Double),
    Column("is_required", Boolean),
    Column("attempts", JSONB),
    Column("comments", JSONB),
    Column("shown_by", JSONB(none_as_null=True)),
    Column("outcome", Text),
    Column("close_reason", Text),
    Column("closed_at", DateTime(timezone=True)),
    Column("completed_by_id", Uuid),
    Column("decline_reason", Text),
    Column("labels", ARRAY(Text)),
    Column("read_back", JSONB(none_as_null=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks of a list, from where on, and how many."""

    states: tuple[str, ...]
    facility_id: UUID | None = None
    patient_id: UUID | None = None
    loop_id: UUID | None = None
    staff_id: UUID | None = None
    team_ids: tuple[UUID, ...] | None = None
    is_unclaimed: bool = False
    after_at: datetime = FIRST[0]
    after_id: UUID = FIRST[1]
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An open task and who answers for it: what a handover looks at."""

    id: UUID
    patient_id: UUID
    facility_id: UUID
    role: str
    team_id: UUID | None
    staff_id: UUID | None
    accountable_id: UUID
    is_chosen: bool

    @property
    def owner(self) -> Owner:
        return Owner(
            team_id=self.team_id,
            staff_id=self.staff_id,
            accountable_id=self.accountable_id,
            is_chosen=self.is_chosen,
        )


_ids = param("ids", type_=ARRAY(Uuid))
_limit = param("limit", type_=Integer)
_open = tasks.c.state == literal_column("'OPEN'")
_new = insert(tasks).values(every_field(tasks))
SAVE = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(tasks, "id")},
        where=tasks.c.version == _new.excluded.version - literal_column("1"),
    )
)
GET = sql(select(tasks).where(tasks.c.id == param("id", type_=Uuid)), row=Task)
SOME = sql(select(tasks).where(tasks.c.id == any_(_ids)).order_by(tasks.c.id), row=Task)
OF_LOOPS = sql(select(tasks).where(tasks.c.loop_id == any_(_ids)).order_by(tasks.c.id), row=Task)
_people = param("people", type_=ARRAY(Uuid))
HOLDINGS = sql(
    select(*(tasks.c[name] for name in Holding.__dataclass_fields__)).where(
        _open,
        or_(
            tasks.c.facility_id == any_(_ids),
            tasks.c.accountable_id == any_(_people),
            tasks.c.staff_id == any_(_people),
        ),
    ),
    row=Holding,
)


def _filtered(rows: Select[Any]) -> Select[Any]:
    """The soonest rows after a position. The driving column and (state, due_at, id) are one index.

    What else is wanted is asked of each row: a statement has one plan, whatever its parameters are.
    """
    after = tuple_(tasks.c.due_at, tasks.c.id) > tuple_(
        param("after_at", type_=DateTime(timezone=True)), param("after_id", type_=Uuid)
    )
    for name in ("facility_id", "patient_id", "loop_id"):
        wanted = param(name, type_=Uuid)
        rows = rows.where(or_(wanted.is_(None), tasks.c[name] == wanted))
    return rows.where(after).order_by(tasks.c.due_at, tasks.c.id).limit(_limit)


def _worklist(by: str, *, unclaimed: bool = False) -> Statement[Task]:
    """The soonest of each driver from its own index, then the soonest of those: never all of them sorted."""
    driver = func.unnest(_ids).table_valued("id", name="driver").render_derived()
    rows = select(tasks).where(
        tasks.c[by] == driver.c.id, tasks.c.state == param("state", type_=Text)
    )
    if unclaimed:
        rows = rows.where(tasks.c.staff_id.is_(None))
    top = _filtered(rows).lateral("top")
    return sql(
        select(top)
        .select_from(driver.join(top, true()))
        .order_by(top.c.due_at, top.c.id)
        .limit(_limit),
        row=Task,
    )


BY_FACILITIES = _worklist("facility_id")
BY_TEAMS = _worklist("team_id")
UNCLAIMED = _worklist("team_id", unclaimed=True)
BY_STAFF = _worklist("staff_id")


def _of_subject(by: str) -> Statement[Task]:
    staff, teams = param("staff_id", type_=Uuid), param("team_ids", type_=ARRAY(Uuid))
    return sql(
        _filtered(
            select(tasks).where(
                tasks.c[by] == param("subject_id", type_=Uuid),
                tasks.c.state == any_(param("states", type_=ARRAY(Text))),
                or_(staff.is_(None), tasks.c.staff_id == staff),
                or_(teams.is_(None), tasks.c.team_id == any_(teams)),
                or_(~param("is_unclaimed", type_=Boolean), tasks.c.staff_id.is_(None)),
            )
        ),
        row=Task,
    )


OF_PATIENT = _of_subject("patient_id")
OF_LOOP = _of_subject("loop_id")


class TaskStore:
    """Tasks that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, task_id: UUID) -> Task:
        if task := await self._tx.one_or_none(GET, id=task_id):
            return task
        raise NotFound("TASK_NOT_FOUND", "There is no such task.")

    async def some(self, ids: Iterable[UUID]) -> list[Task]:
        return await self._tx.fetch(SOME, ids=sorted(set(ids)))

    async def of_loops(self, loop_ids: Iterable[UUID]) -> list[Task]:
        return await self._tx.fetch(OF_LOOPS, ids=sorted(set(loop_ids)))

    async def holdings(
        self, facility_ids: Iterable[UUID], staff_ids: Iterable[UUID]
    ) -> list[Holding]:
        """The open tasks of these facilities or people, by their owners only."""
        return await self._tx.fetch(
            HOLDINGS, ids=sorted(set(facility_ids)), people=sorted(set(staff_ids))
        )

    async def save(self, changed: Sequence[Task]) -> None:
        """Write new tasks and next versions. Call it only while alone with their patients (RecordStore.lock_patients)."""
        await self._tx.run_many(SAVE, changed)

    async def of_subject(self, where: TaskFilter) -> list[Task]:
        """Of one patient or one loop, in any of the states."""
        if where.patient_id:
            return await self._tx.fetch(OF_PATIENT, where, subject_id=where.patient_id)
        return await self._tx.fetch(OF_LOOP, where, subject_id=where.loop_id)

    async def worklist(self, facility_ids: Iterable[UUID], where: TaskFilter) -> list[Task]:
        """Of a person, of teams, or of facilities; in the first of the states."""
        ids, by = sorted(set(facility_ids)), BY_FACILITIES
        if where.staff_id:
            ids, by = [where.staff_id], BY_STAFF
        elif where.team_ids is not None:
            ids, by = sorted(where.team_ids), UNCLAIMED if where.is_unclaimed else BY_TEAMS
        return await self._tx.fetch(by, where, ids=ids, state=where.states[0])
