"""Facilities, teams and staff as identity told last."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from services.messaging.domain.directory import Directory, Facility, Staff, Team

metadata = MetaData()
facilities = Table(
    "facilities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("name", Text),
    Column("time_zone", Text),
    Column("phone", Text),
    Column("duty_team_id", Uuid),
)
teams = Table(
    "teams",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("name", Text),
    Column("lead_id", Uuid),
    Column("member_ids", ARRAY(Uuid)),
)
staff = Table(
    "staff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("display_name", Text),
    Column("is_active", Boolean),
    Column("roles", JSONB),
    Column("facility_ids", ARRAY(Uuid)),
    Column("is_network_wide", Boolean),
)
_person = [staff.c[n] for n in ("id", "version", "display_name", "is_active", "roles")]
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
TEAMS_AT = sql(select(teams).where(teams.c.facility_id == any_(_ids)), row=Team)
_members = select(func.unnest(teams.c.member_ids)).where(teams.c.facility_id == any_(_ids))
STAFF_AT = sql(
    select(*_person).where(
        or_(staff.c.facility_ids.overlap(_ids), staff.c.is_network_wide, staff.c.id.in_(_members))
    ),
    row=Staff,
)
STAFF = sql(select(*_person).where(staff.c.id == any_(_ids)), row=Staff)


class DirectoryStore:
    """What identity told. Each `keep_` says whether it was news."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep_facility(self, facility: Facility) -> bool:
        return await self._tx.run(KEEP_FACILITY, facility) == 1

    async def keep_team(self, team: Team) -> bool:
        return await self._tx.run(KEEP_TEAM, team) == 1

    async def keep_staff(self, person: Staff) -> bool:
        here = sorted({held.facility_id for held in person.roles if held.facility_id})
        everywhere = any(held.facility_id is None for held in person.roles)
        kept = await self._tx.run(KEEP_STAFF, person, facility_ids=here, is_network_wide=everywhere)
        return kept == 1

    async def facilities(self, ids: Iterable[UUID]) -> dict[UUID, Facility]:
        found = await self._tx.fetch(FACILITIES, ids=sorted(set(ids)))
        return {facility.id: facility for facility in found}

    async def at(self, facility_ids: Iterable[UUID]) -> Directory:
        """Everybody who can answer at these facilities."""
        ids = sorted(set(facility_ids))
        return Directory(
            await self._tx.fetch(FACILITIES, ids=ids),
            await self._tx.fetch(TEAMS_AT, ids=ids),
            await self._tx.fetch(STAFF_AT, ids=ids),
        )

    async def named(self, staff_ids: Iterable[UUID]) -> Directory:
        """Just these, for showing their names."""
        return Directory((), (), await self._tx.fetch(STAFF, ids=sorted(set(staff_ids))))
