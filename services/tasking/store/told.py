"""What other services told of patients, newest only. People's requests never see these rows: plans follow from them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    func,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from services.tasking.domain.news import News
from services.tasking.domain.result import Result
from services.tasking.domain.told import (
    Appointment,
    Reconciliation,
    Referral,
    Reply,
    Risk,
    Told,
)

metadata = MetaData()
_ids = param("ids", type_=ARRAY(Uuid))


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("version", BigInteger),
        Column("patient_id", Uuid),
        Column("facility_id", Uuid),
        Column("labels", ARRAY(Text)),
        Column("told_at", DateTime(timezone=True)),
        Column("waits_for", Text),
        *columns,
    )


def _moment(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True))


appointments = _table(
    "appointments",
    Column("state", Text),
    Column("purpose", Text),
    _moment("start_at"),
    _moment("arrived_at"),
    Column("rebooked_from_id", Uuid),
    _moment("was_missed_at"),
)
replies = _table(
    "replies",
    Column("appointment_id", Uuid),
    Column("loop_id", Uuid),
    Column("meaning", Text),
    Column("barrier", Text),
    _moment("at"),
)
referrals = _table(
    "referrals",
    Column("need", Text),
    Column("state", Text),
    Column("state_reason", Text),
    Column("appointment_id", Uuid),
    Column("loop_id", Uuid),
    Column("follows_id", Uuid),
    _moment("sent_at"),
    _moment("answer_due_at"),
    _moment("ended_at"),
)
reconciliations = _table(
    "reconciliations",
    Column("encounter_id", Uuid),
    Column("state", Text),
    _moment("signed_at"),
    Column("signed_by_id", Uuid),
    Column("lines", JSONB),
)
risks = _table(
    "risks",
    Column("encounter_id", Uuid),
    Column("instrument", Text),
    Column("score", Integer),
    Column("is_partial", Boolean),
)
results = _table(
    "results",
    Column("state", Text),
    Column("analyte", Text),
    Column("criticality", Text),
    Column("quantity", Double),
    _moment("verified_at"),
    _moment("critical_at"),
    Column("heard", JSONB),
)
TABLES: Mapping[type[News], Table] = {
    Appointment: appointments,
    Reply: replies,
    Referral: referrals,
    Reconciliation: reconciliations,
    Risk: risks,
    Result: results,
}
# What a loop can be about.
SOURCES = (appointments, replies, referrals, reconciliations, results)


def _keep(table: Table) -> Statement[Any]:
    new = insert(table).values(every_field(table))
    return sql(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={c: new.excluded[c.name] for c in fields_except(table, "id")},
            where=table.c.version <= new.excluded.version,
        )
    )


def _all_of(table: Table) -> Any:
    """The rows of some patients as one value, so that everything is read in one round trip."""
    row = func.to_jsonb(literal_column(table.name))
    rows = func.coalesce(func.jsonb_agg(row), literal_column("'[]'::jsonb"))
    found = select(rows).select_from(table).where(table.c.patient_id == any_(_ids))
    if table is results:  # most of them never were critical, and no plan looks at those
        found = found.where(table.c.critical_at.is_not(None))
    return type_coerce(found.scalar_subquery(), JSONB).label(table.name)


KEEP = {kind: _keep(table) for kind, table in TABLES.items()}
SOME = {
    kind: sql(select(table).where(table.c.id == any_(_ids)), row=kind)
    for kind, table in TABLES.items()
}
TOLD = sql(select(*(_all_of(table) for table in TABLES.values())), row=Told)
MOVE = tuple(
    sql(
        update(table)
        .where(table.c.patient_id == param("retired_id"))
        .values(patient_id=param("survivor_id"))
    )
    for table in TABLES.values()
)
WAIT = {
    kind: sql(update(table).where(table.c.id == param("id")).values(waits_for=param("waits_for")))
    for kind, table in TABLES.items()
}


class ToldStore:
    """What was told last, and what has to be known before it can be planned."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def some(self, kind: type[News], ids: Iterable[UUID]) -> dict[UUID, News]:
        found = await self._tx.fetch(SOME[kind], ids=sorted(set(ids)))
        return {each.id: each for each in found}

    async def keep(self, kind: type[News], news: Sequence[News]) -> None:
        await self._tx.run_many(KEEP[kind], news)

    async def of_patients(self, patient_ids: Iterable[UUID]) -> Told:
        return await self._tx.one(TOLD, ids=sorted(set(patient_ids)))

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        """Give what was told of a retired record to the one that it lives on in."""
        for statement in MOVE:
            await self._tx.run(statement, retired_id=retired_id, survivor_id=survivor_id)

    async def wait(self, waiting: Sequence[News]) -> None:
        """Note what has to be known before these can be planned; nothing, once they are."""
        for kind, statement in WAIT.items():
            await self._tx.run_many(statement, [each for each in waiting if type(each) is kind])
