"""Proxies, care teams, referrals and holds in PostgreSQL: alike, since each is a row that somebody records and ends."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Integer, Table, Uuid, any_, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.database import Statement, Transaction, every_field, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.identity.domain.recorded import (
    RecordedHold,
    RecordedMembership,
    RecordedProxy,
    RecordedReferral,
)
from services.identity.store.schema import care_team, holds, proxies, referral_facts


class Record(Protocol):
    """What is recorded about a patient, in its newest version."""

    @property
    def id(self) -> UUID: ...
    @property
    def patient_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements(Generic[R]):
    get: Statement[R]
    add: Statement[object]
    save: Statement[object]
    about: Statement[R]
    page: Statement[R]


def _statements(table: Table, row: type[R]) -> Statements[R]:
    about = select(table).where(table.c.patient_id == any_(param("ids", type_=ARRAY(Uuid))))
    return Statements(
        get=sql(select(table).where(table.c.id == param("id", type_=Uuid)), row=row),
        add=sql(insert(table).values(every_field(table))),
        save=sql(
            update(table)
            .where(table.c.id == param("id"), table.c.version == param("version") - 1)
            .values(every_field(table))
        ),
        about=sql(about.order_by(table.c.id), row=row),
        page=sql(
            about.where(table.c.id > param("after_id", type_=Uuid))
            .order_by(table.c.id)
            .limit(param("limit", type_=Integer)),
            row=row,
        ),
    )


PROXIES = _statements(proxies, RecordedProxy)
MEMBERSHIPS = _statements(care_team, RecordedMembership)
REFERRALS = _statements(referral_facts, RecordedReferral)
HOLDS = _statements(holds, RecordedHold)


class RecordStore(Generic[R]):
    """`missing` is the reason that is told where there is none, or another facility recorded it."""

    def __init__(self, tx: Transaction, statements: Statements[R], missing: str) -> None:
        self._tx = tx
        self._statements = statements
        self._missing = missing

    async def find(self, record_id: UUID) -> R | None:
        return await self._tx.one_or_none(self._statements.get, id=record_id)

    async def get(self, record_id: UUID) -> R:
        if record := await self.find(record_id):
            return record
        raise NotFound(self._missing, "There is no such record.", id=str(record_id))

    async def add(self, record: R) -> None:
        await self._tx.run(self._statements.add, record)

    async def save(self, record: R) -> None:
        """Write the next version, unless somebody else already did."""
        if await self._tx.run(self._statements.save, record) != 1:
            raise Aborted("STALE_RECORD", "Somebody else changed it.", id=str(record.id))

    async def about(self, patient_ids: Collection[UUID]) -> list[R]:
        return await self._tx.fetch(self._statements.about, ids=list(patient_ids))

    async def page(self, patient_ids: Collection[UUID], after: UUID, limit: int) -> list[R]:
        return await self._tx.fetch(
            self._statements.page, ids=list(patient_ids), after_id=after, limit=limit
        )


def proxy_store(tx: Transaction) -> RecordStore[RecordedProxy]:
    return RecordStore(tx, PROXIES, "PROXY_NOT_FOUND")


def membership_store(tx: Transaction) -> RecordStore[RecordedMembership]:
    return RecordStore(tx, MEMBERSHIPS, "MEMBERSHIP_NOT_FOUND")


def referral_store(tx: Transaction) -> RecordStore[RecordedReferral]:
    return RecordStore(tx, REFERRALS, "REFERRAL_NOT_FOUND")


def hold_store(tx: Transaction) -> RecordStore[RecordedHold]:
    return RecordStore(tx, HOLDS, "HOLD_NOT_FOUND")
