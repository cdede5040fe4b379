"""Many patients and many tasks, written past the services as a restored backup would be, in the shape that services write."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from libs.chassis.dialing import to_json
from services.registry.domain.demographics import Facts
from services.registry.domain.identity import person_keys
from services.registry.domain.labels import VERSION as LABELED_BY
from services.registry.domain.matching import ExactMatcher
from services.registry.domain.patient import Patient
from services.registry.domain.report import Address, Identifier, Person, PersonName, Sex, Telecom
from services.registry.domain.report import stamp as stamp_of
from services.registry.store.patient import _entries
from tests.performance.requests import birth_of, name_of

Connection = asyncpg.Connection
_ROOT = UUID("3f0f3a52-74ab-5a34-9d0f-5b7e0c6f2b11")
FACILITIES = 200
_CHUNK = 5_000
# As registry's migration has it.
_SEARCH_INDEX = (
    "CREATE INDEX IF NOT EXISTS patient_search_vector ON patient_search USING gin (vector) "
    "WITH (gin_pending_list_limit = 512)"
)
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def patient_id(number: int) -> UUID:
    return uuid5(_ROOT, f"patient {number}")


def facility_ids(real: Sequence[str]) -> list[UUID]:
    """The region's facilities: the demo's own, and invented ones that nobody of the demo works at."""
    invented = (uuid5(_ROOT, f"facility {number}") for number in itertools.count())
    return [*map(UUID, real), *itertools.islice(invented, FACILITIES - len(real))]


def phone_of(number: int) -> str:
    return f"+1{200 + number % 700}{2000000 + number * 7 % 7999999:07}"


def mrn_of(number: int) -> str:
    return f"M{number:08}"


class Fill:
    """Fills one set of databases, and remembers how far it came."""

    def __init__(self, registry: Connection, identity: Connection, real: Sequence[str]) -> None:
        self._registry = registry
        self._identity = identity
        self._facilities = facility_ids(real)

    async def patients(self, wanted: int) -> None:
        """Have so many patients of ours, with the keys by which they are found, and a visit each."""
        there = await self._registry.fetchval(
            "SELECT count(*) FROM patients WHERE created_at < $1", _SINCE + timedelta(days=1)
        )
        if there >= wanted:
            await self._registry.execute(_SEARCH_INDEX)  # an earlier run may have been stopped
            return
        # One index is much quicker made anew than kept while a million rows come in.
        await self._registry.execute("DROP INDEX IF EXISTS patient_search_vector")
        for start in range(there, wanted, _CHUNK):
            await self._chunk(range(start, min(start + _CHUNK, wanted)))
        await self._registry.execute(_SEARCH_INDEX)
        for connection, tables in (
            (self._registry, "patients, patient_search, links, descriptions, encounters"),
            (self._identity, "access_facts"),
        ):
            await connection.execute(f"VACUUM ANALYZE {tables}")

    async def _chunk(self, numbers: range) -> None:
        rows = [self._patient(number) for number in numbers]
        registry = self._registry
        await _copy(registry, "patients", _PATIENT, (_patient_row(p) for p in rows))
        await registry.execute("CREATE TEMP TABLE IF NOT EXISTS filed (id uuid, entries text[])")
        await _copy(registry, "filed", ("id", "entries"), ((p.id, [*_entries(p)]) for p in rows))
        await registry.execute(
            "INSERT INTO patient_search SELECT id, array_to_tsvector(entries) FROM filed; TRUNCATE filed"
        )
        keys = ((key, p.id) for p in rows for key in person_keys(p.person))
        await _copy(registry, "links", ("key", "patient_id"), keys)
        described = ((k, p.id) for p in rows for k in ExactMatcher().candidates(p.person))
        await _copy(registry, "descriptions", ("key", "patient_id"), described)
        await _copy(registry, "encounters", _ENCOUNTER, map(_encounter_row, rows))
        facts = (("PATIENT", p.id, 1, p.id, list(p.facility_ids), True) for p in rows)
        names = ("kind", "id", "version", "patient_id", "facility_ids", "is_holding")
        await _copy(self._identity, "access_facts", names, facts)

    def _patient(self, number: int) -> Patient:
        facility = self._facilities[number % FACILITIES]
        family, given = name_of(number)
        year, month, day = birth_of(number)
        person = Person(
            identifiers=(Identifier(assigner="FILLED", value=mrn_of(number), type="MR"),),
            names=(PersonName(family=family, given=(given,), use="L"),),
            birth_on=f"{year:04}-{month:02}-{day:02}",
            sex=Sex.FEMALE if number % 2 else Sex.MALE,
            addresses=(
                Address(
                    lines=(f"{number % 990 + 1} Pine St",),
                    city="Springfield",
                    state="IL",
                    postal_code="62701",
                ),
            ),
            telecoms=(Telecom(value=phone_of(number), use="PRN"),),
            language="en",
        )
        blank = Patient(id=patient_id(number), facts=Facts(), facility_ids=(), created_at=_SINCE)
        return blank.register(person, stamp_of(_SINCE, _SINCE, f"fill|{number}"), facility)


_PATIENT = ("id", "facts", "facility_ids", "state", "merged_into_id", "created_at", "version")
_ENCOUNTER = (
    "id", "stream_id", "facility_id", "patient_id", "visit_number", "encounter_class", "state",
    "admit_at", "discharge_at", "discharge_disposition", "locations", "diagnoses", "attending",
    "admit_reason", "admission_type", "listed_at", "is_void", "version",
    "labels", "label_version",
)  # fmt: skip


def _patient_row(p: Patient) -> tuple[Any, ...]:
    return (p.id, to_json(p.facts), list(p.facility_ids), "ACTIVE", None, _SINCE, 1)


def _encounter_row(p: Patient) -> tuple[Any, ...]:
    visit, left = uuid5(p.id, "visit"), _SINCE + timedelta(days=3)
    return (
        visit, visit, p.facility_ids[0], p.id, f"V{p.id.hex[:10]}", "INPATIENT", "FINISHED",
        _SINCE, left, "01", "[]", "[]", "Hale, Ida", "", "E", left, False, 3,
        ["NORMAL"], LABELED_BY,
    )  # fmt: skip


async def _copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]
) -> None:
    await connection.copy_records_to_table(table, records=list(rows), columns=list(columns))
    await asyncio.sleep(0)


async def tasks(connection: Connection, real: Sequence[str], wanted: int) -> None:
    """Have so many open tasks: copies of the loops that the hub itself made of a discharge, for invented patients.

    They lie at all facilities of the region, due over thirty days; what people of the demo see is their share of it.
    """
    there = await connection.fetchval("SELECT count(*) FROM tasks WHERE state = 'OPEN'")
    template = await connection.fetchrow(
        """SELECT loop_id, count(*) AS steps FROM tasks WHERE state = 'OPEN'
           GROUP BY loop_id ORDER BY count(*) DESC LIMIT 1"""
    )
    if template is None:
        raise RuntimeError("no loop to copy: send a discharge first")
    first = await connection.fetchval("SELECT count(*) FROM loops WHERE why LIKE 'Filled%'")
    count = max(0, wanted - there) // template["steps"]
    if not count:
        return
    facilities = facility_ids(real)
    await connection.execute(
        """CREATE TEMP TABLE filling AS SELECT
             n, md5('loop ' || n)::uuid AS loop_id, md5('patient ' || n)::uuid AS patient_id,
             md5('encounter ' || n)::uuid AS encounter_id, ($1::uuid[])[n % $2 + 1] AS facility_id,
             now() + random() * interval '30 days' AS due_at
           FROM generate_series($3::int, $4::int) n""",
        facilities, FACILITIES, first + 1, first + count,
    )  # fmt: skip
    await connection.execute("ANALYZE filling")
    for table, where, values in (
        ("patients", "id = (SELECT patient_id FROM loops WHERE id = $1)", _PATIENT_COPY),
        ("loops", "id = $1", _LOOP_COPY),
        ("tasks", "loop_id = $1 AND state = 'OPEN'", _TASK_COPY),
    ):
        await _multiply(connection, table, where, values, template["loop_id"])
    await connection.execute("DROP TABLE filling")
    await connection.execute("VACUUM ANALYZE patients, loops, tasks")


_PATIENT_COPY = {
    "id": "f.patient_id",
    "name": "'Filled, Patient ' || f.n",
    "facility_ids": "ARRAY[f.facility_id]",
}
_LOOP_COPY = {
    "id": "f.loop_id",
    "facility_id": "f.facility_id",
    "patient_id": "f.patient_id",
    "encounter_id": "f.encounter_id",
    "clock_at": "f.due_at",
    "why": "'Filled. ' || t.why",
}
_TASK_COPY = {
    "id": "md5(t.step || f.n)::uuid",
    "facility_id": "f.facility_id",
    "patient_id": "f.patient_id",
    "loop_id": "f.loop_id",
    "due_at": "f.due_at",
    "due_on": "f.due_at::date",
    "next_escalation_at": "f.due_at",
    # Of those at places that nobody of the demo knows, the teams are as unknown.
    "team_id": "CASE WHEN f.facility_id = t.facility_id THEN t.team_id ELSE md5('team ' || f.facility_id)::uuid END",
}


async def _multiply(
    connection: Connection, table: str, where: str, values: dict[str, str], template: UUID
) -> None:
    columns = [
        row["attname"]
        for row in await connection.fetch(
            """SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0
               AND NOT attisdropped ORDER BY attnum""",
            table,
        )
    ]
    wanted = ", ".join(values.get(column, f't."{column}"') for column in columns)
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {wanted} FROM {table} t CROSS JOIN filling f "
        f"WHERE t.{where.replace(' AND ', ' AND t.')}",
        template,
    )
