"""Forget what is older than anybody can ask for: events that were published, ids that were handled, answers that were kept."""

from datetime import timedelta

from sqlalchemy import delete, select

from libs.chassis.database import Database, param, sql
from libs.chassis.idempotency import records
from libs.conveyor.inbox import inbox
from libs.conveyor.outbox import outbox

CHUNK = 5000
KEEP_EVENTS = timedelta(days=7)
KEEP_INBOX = timedelta(days=14)  # longer than a stream can bring an event again
KEEP_ANSWERS = timedelta(days=7)

_o = outbox.c
_oldest = select(_o.position).order_by(_o.position).limit(CHUNK)
FORGET_EVENTS = sql(
    delete(outbox).where(
        _o.position.in_(_oldest.scalar_subquery()), _o.published_at < param("before")
    )
)
_old_inbox = (
    select(inbox.c.consumer, inbox.c.message_id)
    .where(inbox.c.handled_at < param("before"))
    .limit(CHUNK)
    .subquery()
)
FORGET_HANDLED = sql(
    delete(inbox).where(
        inbox.c.consumer == _old_inbox.c.consumer, inbox.c.message_id == _old_inbox.c.message_id
    )
)
_old_answers = (
    select(records.c.subject, records.c.method, records.c.key)
    .where(records.c.created_at < param("before"))
    .limit(CHUNK)
    .subquery()
)
FORGET_ANSWERS = sql(
    delete(records).where(
        records.c.subject == _old_answers.c.subject,
        records.c.method == _old_answers.c.method,
        records.c.key == _old_answers.c.key,
    )
)


async def forget(database: Database) -> None:
    for statement, kept in (
        (FORGET_EVENTS, KEEP_EVENTS),
        (FORGET_HANDLED, KEEP_INBOX),
        (FORGET_ANSWERS, KEEP_ANSWERS),
    ):
        while True:
            async with database.system() as tx:
                if not await tx.run(statement, before=tx.at - kept):
                    break
