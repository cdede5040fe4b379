"""Facilities, teams and staff as identity told last."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
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
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from services.tasking.domain.owner import Directory, Facility, Staff, Team

metadata = MetaData()
facilities = Table(
    "facilities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("name", Text),
    Column("time_zone", Text),
    Column("holiday_calendar", Text),
    Column("duty_team_id", Uuid),
)
teams = Table(
    "teams",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("name", Text),
    Column("role", Text),
    Column("lead_id", Uuid),
    Column("member_ids", ARRAY(Uuid)),
)
staff = Table(
    "staff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("display_name", Text),
    Column("email", Text),
    Column("is_active", Boolean),
    Column("roles", JSONB),
    Column("facility_ids", ARRAY(Uuid)),
    Column("is_network_wide", Boolean),
)
_person = [staff.c[n] for n in ("id", "version", "display_name", "email", "is_active", "roles")]
_ids = param("ids", type_=ARRAY(Uuid))


def _keep_newest(table: Table) -> Statement[Any]:
    new = insert(table).values(every_field(table))
    return sql(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={c: new.excluded[c.name] for c in fields_except(table, "id")},
            where=table.c.version < new.excluded.version,
        )
    )


KEEP_FACILITY = _keep_newest(facilities)
KEEP_TEAM = _keep_newest(teams)
KEEP_STAFF = _keep_newest(staff)
FACILITIES = sql(select(facilities).where(facilities.c.id == any_(_ids)), row=Facility)
MY_TEAMS = sql(
    select(teams.c.id).where(teams.c.member_ids.contains(param("me", type_=ARRAY(Uuid))))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    facilities: tuple[Facility, ...]
    teams: tuple[Team, ...]
    staff: tuple[Staff, ...]


def _one_row(**wanted: Select[Any]) -> Statement[_Rows]:
    """Rows of several tables as one: they are few, and each round trip costs more than they do."""
    columns = []
    for name, rows in wanted.items():
        all_of = func.json_agg(rows.subquery().table_valued(), type_=JSON)
        columns.append(
            select(func.coalesce(all_of, literal_column("'[]'"), type_=JSON))
            .scalar_subquery()
            .label(name)
        )
    return sql(select(*columns), row=_Rows)


def _is_one_of(of: Table, name: str) -> ColumnElement[bool]:
    return of.c.id == any_(param(name, type_=ARRAY(Uuid)))


NAMED = _one_row(
    facilities=select(facilities).where(_is_one_of(facilities, "facility_ids")),
    teams=select(teams).where(_is_one_of(teams, "team_ids")),
    staff=select(*_person).where(_is_one_of(staff, "staff_ids")),
)
_members = select(func.unnest(teams.c.member_ids)).where(teams.c.facility_id == any_(_ids))
AT = _one_row(
    facilities=select(facilities).where(facilities.c.id == any_(_ids)),
    teams=select(teams).where(teams.c.facility_id == any_(_ids)),
    staff=select(*_person).where(
        or_(staff.c.facility_ids.overlap(_ids), staff.c.is_network_wide, staff.c.id.in_(_members))
    ),
)


class DirectoryStore:
    """What identity told. Each `keep_` says whether it was news."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def facility(self, facility_id: UUID) -> Facility | None:
        return await self._tx.one_or_none(FACILITIES, ids=[facility_id])

    async def keep_facility(self, facility: Facility) -> bool:
        return await self._tx.run(KEEP_FACILITY, facility) == 1

    async def keep_team(self, team: Team) -> bool:
        return await self._tx.run(KEEP_TEAM, team) == 1

    async def keep_staff(self, person: Staff) -> bool:
        here = sorted({held.facility_id for held in person.roles if held.facility_id})
        return await self._tx.run(KEEP_STAFF, person, facility_ids=here) == 1

    async def at(self, facility_ids: Iterable[UUID]) -> Directory:
        """Everybody and everything that a decision at these facilities needs."""
        return _directory(await self._tx.one(AT, ids=sorted(set(facility_ids))))

    async def named(
        self, facility_ids: Iterable[UUID], team_ids: Iterable[UUID], staff_ids: Iterable[UUID]
    ) -> Directory:
        """Just these, for showing their names and clocks."""
        return _directory(
            await self._tx.one(
                NAMED,
                facility_ids=list(set(facility_ids)),
                team_ids=list(set(team_ids)),
                staff_ids=list(set(staff_ids)),
            )
        )

    async def teams_of(self, staff_id: UUID) -> list[UUID]:
        return await self._tx.fetch(MY_TEAMS, me=[staff_id])


def _directory(rows: _Rows) -> Directory:
    return Directory(rows.facilities, rows.teams, rows.staff)
