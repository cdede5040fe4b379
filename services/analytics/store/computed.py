"""Scores and units of measures in PostgreSQL: what people read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Interval,
    Text,
    Uuid,
    and_,
    any_,
    case,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.analytics.domain.rate import Status
from services.analytics.domain.record import MeasuredUnit, Risk
from services.analytics.store.schema import instant, risk_tombstones, risks, units

LAST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))  # after every row
LAST_DAY = (date.max, UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A score that is gone, and the last version that it had."""

    id: UUID
    version: int


_ids = param("ids", type_=ARRAY(Uuid))
_limit = param("limit", type_=Integer)
_new_risk = insert(risks).values(every_field(risks))
SAVE_RISK = sql(
    _new_risk.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_risk.excluded[c.name] for c in fields_except(risks, "id")},
    )
)
RISKS_OF = sql(select(risks).where(risks.c.patient_id == any_(_ids)), row=Risk)
_gone = delete(risks).where(risks.c.id == any_(_ids)).returning(risks.c.id, risks.c.version)
_buried = insert(risk_tombstones).from_select(["id", "version"], select(_gone.cte()))
DROP_RISKS = sql(
    _buried.on_conflict_do_update(index_elements=["id"], set_={"version": _buried.excluded.version})
)
TOMBSTONES = sql(select(risk_tombstones).where(risk_tombstones.c.id == any_(_ids)), row=Tombstone)
RISK_PAGE = sql(
    select(risks)
    .where(
        risks.c.patient_id == param("patient_id", type_=Uuid),
        tuple_(risks.c.admitted_at, risks.c.id)
        < tuple_(param("before_at", type_=instant), param("before_id", type_=Uuid)),
    )
    .order_by(risks.c.admitted_at.desc(), risks.c.id.desc())
    .limit(_limit),
    row=Risk,
)
_new_unit = insert(units).values(every_field(units))
SAVE_UNIT = sql(
    _new_unit.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_unit.excluded[c.name] for c in fields_except(units, "id")},
    )
)
UNITS_OF = sql(select(units).where(units.c.patient_id == any_(_ids)), row=MeasuredUnit)
DROP_UNITS = sql(delete(units).where(units.c.id == any_(_ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many units of a measure and a month came to what."""

    measure: str
    month: date
    status: Status
    units: int


# As `Unit.status_at`.
_pending: ColumnElement[str] = literal_column("'PENDING'")
_status_now = case(
    (units.c.status == literal_column("'EXCLUDED'"), units.c.status),
    (units.c.settles_at > param("now", type_=instant), _pending),
    (units.c.status == _pending, literal_column("'NOT_MET'")),
    else_=units.c.status,
)
_in_time = and_(
    units.c.facility_id == any_(_ids),
    units.c.day.between(param("start", type_=Date), param("end", type_=Date)),
)
_month = cast(func.date_trunc(literal_column("'month'"), cast(units.c.day, instant)), Date)
COUNTS = sql(
    select(
        units.c.measure.label("measure"),
        _month.label("month"),
        _status_now.label("status"),
        func.count().label("units"),
    )
    .where(_in_time)
    .group_by(literal_column("1"), literal_column("2"), literal_column("3")),
    row=Count,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long the units of a measure took."""

    measure: str
    median: timedelta | None
    ninetieth: timedelta | None


# As `times` of the domain: what is not done stands behind all that is.
_never = cast(literal_column("'infinity'"), Interval)
_took = func.coalesce(units.c.took, _never)


def _within(share: str) -> ColumnElement[timedelta]:
    return func.nullif(func.percentile_disc(literal_column(share)).within_group(_took), _never)


TIMES = sql(
    select(
        units.c.measure.label("measure"),
        _within("0.5").label("median"),
        _within("0.9").label("ninetieth"),
    )
    .where(
        _in_time,
        units.c.measure == any_(param("measures", type_=ARRAY(Text))),
        _status_now.in_((literal_column("'MET'"), literal_column("'NOT_MET'"))),
    )
    .group_by(units.c.measure),
    row=Took,
)
_status = param("status", type_=Text)
UNIT_PAGE = sql(
    select(*(c for c in units.c if c.name != "status"), _status_now.label("status"))
    .where(
        _in_time,
        units.c.measure == param("measure", type_=Text),
        or_(_status == literal_column("''"), _status_now == _status),
        tuple_(units.c.day, units.c.id)
        < tuple_(param("before_day", type_=Date), param("before_id", type_=Uuid)),
    )
    .order_by(units.c.day.desc(), units.c.id.desc())
    .limit(_limit),
    row=MeasuredUnit,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """At which facilities, and on which days."""

    facility_ids: tuple[UUID, ...]
    start: date
    end: date


class ComputedStore:
    """Scores and units that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def risks_of(self, patient_ids: Iterable[UUID]) -> dict[UUID, Risk]:
        found = await self._tx.fetch(RISKS_OF, ids=sorted(set(patient_ids)))
        return {each.id: each for each in found}

    async def last_versions(self, risk_ids: Iterable[UUID]) -> dict[UUID, int]:
        """Of those scores that were there once, and went."""
        found = await self._tx.fetch(TOMBSTONES, ids=sorted(risk_ids))
        return {each.id: each.version for each in found}

    async def save_risks(self, changed: Sequence[Risk], gone: Iterable[UUID]) -> None:
        ordered: list[Risk] = sorted(changed, key=lambda risk: risk.id)
        await self._tx.run_many(SAVE_RISK, ordered)
        if ids := sorted(gone):
            await self._tx.run(DROP_RISKS, ids=ids)

    async def risk_page(
        self, patient_id: UUID, before: tuple[datetime, UUID], limit: int
    ) -> list[Risk]:
        """A patient's, those of the newest stay first."""
        at, id = before
        return await self._tx.fetch(
            RISK_PAGE, patient_id=patient_id, before_at=at, before_id=id, limit=limit
        )

    async def units_of(self, patient_ids: Iterable[UUID]) -> dict[UUID, MeasuredUnit]:
        found = await self._tx.fetch(UNITS_OF, ids=sorted(set(patient_ids)))
        return {each.id: each for each in found}

    async def save_units(self, changed: Sequence[MeasuredUnit], gone: Iterable[UUID]) -> None:
        ordered: list[MeasuredUnit] = sorted(changed, key=lambda unit: unit.id)
        await self._tx.run_many(SAVE_UNIT, ordered)
        if ids := sorted(gone):
            await self._tx.run(DROP_UNITS, ids=ids)

    async def counts(self, span: Span) -> list[Count]:
        """By measure, month and what the units have come to by now."""
        return await self._tx.fetch(COUNTS, span, ids=list(span.facility_ids), now=self._tx.at)

    async def times(self, span: Span, measures: Iterable[str]) -> list[Took]:
        """How long what these measures count has taken."""
        return await self._tx.fetch(
            TIMES,
            span,
            ids=list(span.facility_ids),
            now=self._tx.at,
            measures=sorted(measures),
        )

    async def unit_page(
        self, span: Span, measure: str, status: str, before: tuple[date, UUID], limit: int
    ) -> list[MeasuredUnit]:
        """The units behind a number, the newest first; of one status, or of all."""
        day, id = before
        return await self._tx.fetch(
            UNIT_PAGE,
            span,
            ids=list(span.facility_ids),
            now=self._tx.at,
            measure=measure,
            status=status,
            before_day=day,
            before_id=id,
            limit=limit,
        )
