"""Who was told what, and what has still to be sent."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Uuid,
    any_,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, param, sql
from services.tasking.domain.notification import Letter, Notification
from services.tasking.store.directory import facilities, staff
from services.tasking.store.tasks import tasks

metadata = MetaData()
notifications = Table(
    "notifications",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("loop_id", Uuid),
    Column("task_id", Uuid),
    Column("level", Integer),
    Column("level_at", DateTime(timezone=True)),
    Column("staff_id", Uuid),
    Column("is_email", Boolean),
    Column("created_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("tries", Integer),
    Column("next_try_at", DateTime(timezone=True)),
)
ADD = sql(insert(notifications).values(every_field(notifications)).on_conflict_do_nothing())
_due = (
    select(notifications.c.id)
    .where(notifications.c.next_try_at <= param("now", type_=DateTime(timezone=True)))
    .order_by(notifications.c.next_try_at)
    .limit(param("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
# The next try is set before the first is made: a crash in between sends late, and perhaps twice, but sends.
TAKE = sql(
    update(notifications)
    .where(notifications.c.id.in_(_due))
    .values(
        tries=notifications.c.tries + literal_column("1"),
        next_try_at=param("leased_until", type_=DateTime(timezone=True)),
    )
    .returning(notifications.c.id)
)
LETTERS = sql(
    select(
        notifications.c.id,
        notifications.c.loop_id,
        notifications.c.task_id,
        notifications.c.level,
        func.coalesce(tasks.c.role, "").label("role"),
        tasks.c.due_at,
        func.coalesce(facilities.c.name, "").label("facility_name"),
        func.coalesce(facilities.c.time_zone, "UTC").label("time_zone"),
        func.coalesce(staff.c.email, "").label("email"),
        func.coalesce(tasks.c.state != literal_column("'OPEN'"), literal_column("false")).label(
            "is_moot"
        ),
        notifications.c.tries,
    )
    .select_from(
        notifications.outerjoin(tasks, tasks.c.id == notifications.c.task_id)
        .outerjoin(facilities, facilities.c.id == notifications.c.facility_id)
        .outerjoin(staff, (staff.c.id == notifications.c.staff_id) & staff.c.is_active)
    )
    .where(notifications.c.id == any_(param("ids", type_=ARRAY(Uuid)))),
    row=Letter,
)
_this = update(notifications).where(notifications.c.id == param("id", type_=Uuid))
SENT = sql(_this.values(sent_at=param("at"), next_try_at=None))
AGAIN = sql(_this.values(next_try_at=param("at")))
GIVEN_UP = sql(_this.values(next_try_at=None))


class NotificationStore:
    """Notifications; each exists once, however often its level is reached."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, new: Sequence[Notification]) -> None:
        await self._tx.run_many(ADD, new)

    async def take(self, now: datetime, leased_until: datetime, limit: int) -> list[Letter]:
        """The next ones to send, so that nobody else takes them before `leased_until`."""
        ids = await self._tx.fetch(TAKE, now=now, leased_until=leased_until, limit=limit)
        return await self._tx.fetch(LETTERS, ids=ids)

    async def sent(self, notification_id: UUID, at: datetime) -> None:
        await self._tx.run(SENT, id=notification_id, at=at)

    async def again(self, notification_id: UUID, at: datetime) -> None:
        await self._tx.run(AGAIN, id=notification_id, at=at)

    async def give_up(self, notification_id: UUID) -> None:
        await self._tx.run(GIVEN_UP, id=notification_id)
