"""The cells of the matrix as rows of real databases: decided by identity, projected, and asked for as the people's role."""

import importlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID, uuid5

import asyncpg

from libs.chassis.access import PatientAccess, end_bases, keep_beat, project_access
from libs.chassis.caller import Capacity
from libs.chassis.database import Database, Mode, open_pool
from services.identity.convert.access import to_rows
from services.identity.domain.access.decide import decide
from tests.component.chassis.test_access import SOMETHING
from tests.reference.decider import may, reasons
from tests.reference.facts import Question, World
from tests.reference.matrix import Cell, scene_of
from tests.reference.situations import TIMES
from tests.reference.stored import ROWS, question_about, questions
from tests.reference.terms import acting_for
from tests.unit.identity.access_translation import an_id, ids, translated_once

SERVICES = ("analytics", "careplans", "registry", "tasking", "messaging", "scheduling")
OURS = UUID(int=4)
_STATES = {
    "care_plans": "ACTIVE",
    "reconciliations": "OPEN",
    "patients": "ACTIVE",
    "encounters": "PLANNED",
    "loops": "CANCELLED",
    "tasks": "CANCELLED",
    "messages": "WITHDRAWN",
    "threads": "CLOSED",
    "appointments": "CANCELLED",
}
_FILLED = {
    "state": "state", "facility_ids": "ARRAY[cell.place]", "facility_id": "cell.place",
    "labels": "cell.labels::text[]", "closed_at": "now()",
    "band": "'LOW'", "instrument": "'LACE'", "status": "'MET'", "side": "'BEFORE'", "telephone": "'NONE'", "reading": "'NONE'",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """A cell, the patient who exists for it alone, and what the reference decider answers."""

    cell: Cell
    patient: UUID
    world: World
    question: Question
    shown: bool
    table: tuple[str, str]

    @property
    def asker(self) -> tuple[object, ...]:
        q = self.question
        return q.person, q.teams, q.facilities, q.organizations, frozenset(acting_for(q))

    def unheard(self) -> "Stored":
        """As it has to be answered when identity has not been heard for too long: each facility its own rows."""
        return replace(self, shown="OWN" in reasons(self.world, self.question))

    def without_agreements(self) -> "Stored":
        world = replace(self.world, agreements=[])
        return replace(self, shown=may(world, self.question))


def stored(cells: Iterable[Cell]) -> list[Stored]:
    found = []
    for cell in cells:
        scene, question = question_about(cell)
        shown = may(scene.world, question)
        patient, table = uuid5(OURS, "/".join(cell)), ROWS[cell[4]][:2]
        found.append(Stored(cell, patient, scene.world, question, shown, table))
    return found


def answers(told: Cell) -> bytes:
    """What the reference answers to everything that is asked of one scene, in the order of STORED."""
    scene = scene_of(*told)
    return bytes(may(scene.world, q) for time in TIMES for _, q in questions(scene, time))


def all_of(told: Cell, answered: bytes) -> dict[Cell, list[Stored]]:
    """Every cell of a scene, by (purpose, asker): one patient for each time and row."""
    scene, found, shown = scene_of(*told), defaultdict[Cell, list[Stored]](list), iter(answered)
    for time in TIMES:
        for asked, question in questions(scene, time):
            cell = (*told, time, *asked)
            patient = uuid5(OURS, "/".join(cell[:5]))
            found[asked[1:]].append(
                Stored(cell, patient, scene.world, question, bool(next(shown)), ROWS[asked[0]][:2])
            )
    return found


class Databases:
    """Those of the services that hold patients' rows, with one row for every cell."""

    def __init__(
        self, databases: dict[str, Database], admins: dict[str, asyncpg.Connection]
    ) -> None:
        self.databases, self.admins = databases, admins
        self.now = datetime.now(UTC)
        self._decided: dict[tuple[int, datetime], PatientAccess] = {}
        self._beat_at = 0.0

    async def fill(self, cells: Collection[Stored]) -> None:
        for (service, table), here in _by(cells, lambda one: one.table).items():
            await self._insert(service, table, here)
        for service, here in _by(cells, lambda one: one.table[0]).items():
            for start in range(0, len(here), 4000):
                async with self.databases[service].system() as tx:
                    await project_access(tx, map(self._access, here[start : start + 4000]))
        await self.beat()

    async def beat(self, ago: float = 0) -> None:
        self._beat_at = monotonic()
        for service, database in self.databases.items():
            await self.admins[service].execute("TRUNCATE access_heartbeat")
            async with database.system() as tx:
                await keep_beat(tx, datetime.now(UTC) - timedelta(seconds=ago))

    async def _insert(self, service: str, table: str, cells: Collection[Stored]) -> None:
        admin = self.admins[service]
        columns = await admin.fetch(
            "SELECT column_name AS name, udt_name AS kind FROM information_schema.columns WHERE table_schema = 'public' "
            "AND table_name = $1 AND is_generated = 'NEVER' AND (is_nullable = 'NO' OR column_name = 'closed_at')",
            table,
        )
        values = {column["name"]: SOMETHING[column["kind"]] for column in columns}
        values |= {name: text for name, text in _FILLED.items() if name in values}
        values |= {"id" if table == "patients" else "patient_id": "cell.patient"}
        values |= {"state": f"'{_STATES[table]}'"} if "state" in values else {}
        values |= {"encounter_id": "gen_random_uuid()"} if table == "loops" else {}
        await admin.execute(
            f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} "
            "FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS cell (patient, place, labels)",
            [one.patient for one in cells],
            [an_id(one.question.source) for one in cells],
            [f"{{{','.join(sorted(one.question.labels))}}}" for one in cells],
        )

    def _access(self, one: Stored) -> PatientAccess:
        """As decided at the cell's time, which is now; with what had been decided before, and has expired since."""
        key = id(one.world), one.question.at
        if key not in self._decided:
            self._decided[key] = self._decide(one.world, one.question.at)
        known = self._decided[key]
        return replace(
            known,
            patient_id=one.patient,
            grants=tuple(replace(g, patient_id=one.patient) for g in known.grants),
            denials=tuple(replace(d, patient_id=one.patient) for d in known.denials),
        )

    def _decide(self, world: World, at: datetime) -> PatientAccess:
        facts = translated_once(world)
        earlier = (t for t in TIMES.values() if t < at)
        told = [to_rows(facts.patient.id, 1, decide(facts, t)) for t in (*earlier, at)]
        boxes = told[-1]
        grants, denials = list(boxes.grants), list(boxes.denials)
        for before in told[:-1]:
            grants += [g for g in before.grants if g.expires_at and g.expires_at <= at]
            denials += [d for d in before.denials if d.expires_at and d.expires_at <= at]

        def ends(expires_at: datetime | None) -> datetime | None:
            """The cell's time is when the rows were written; what ends later does not end while the test asks."""
            if expires_at is None:
                return None
            return expires_at + (self.now - at) + timedelta(hours=expires_at > at)

        return replace(
            boxes,
            grants=tuple(replace(g, number=n, expires_at=ends(g.expires_at)) for n, g in enumerate(grants)),
            denials=tuple(replace(d, number=n, expires_at=ends(d.expires_at)) for n, d in enumerate(denials)),
        )  # fmt: skip

    async def rounds(self, cells: Collection[Stored], at_most: int = 20) -> list[str]:
        """What is wrong in three states: identity is heard; it is not; and every agreement has ended a moment ago."""
        await self.beat()
        found = await self.wrong(cells, at_most)
        if not found:
            await self.beat(ago=31)
            unheard = [one.unheard() for one in cells if one.shown]
            found = await self.wrong(unheard, at_most, is_heard=False)
        if not found:
            await self.beat()
            await self._end_agreements()
            found = await self.wrong(
                [one.without_agreements() for one in cells if one.shown], at_most
            )
            await self._forget_endings()
        return found

    async def _end_agreements(self) -> None:
        bases = {an_id(f"agreement {n}") for n in range(4)}
        for database in self.databases.values():
            async with database.system() as tx:
                await end_bases(tx, bases, tx.at)

    async def _forget_endings(self) -> None:
        for admin in self.admins.values():
            await admin.execute("TRUNCATE ended_bases")

    async def wrong(
        self, cells: Collection[Stored], at_most: int = 20, *, is_heard: bool = True
    ) -> list[str]:
        """Cells that the policies answer otherwise than the reference; stops when there are enough of them.

        Identity goes on beating meanwhile, however long it takes, unless it is not heard.
        """
        found: list[str] = []
        for ((service, table), asker), here in _by(
            cells, lambda one: (one.table, one.asker)
        ).items():
            if is_heard and monotonic() - self._beat_at > 5:
                await self.beat()
            seen = await self._seen(service, table, asker, [one.patient for one in here])
            found += [
                f"{'refuses' if one.shown else 'shows'}: {' / '.join(one.cell)}"
                for one in here
                if (one.patient in seen) is not one.shown
            ]
            if len(found) >= at_most:
                break
        return found[:at_most]

    async def _seen(
        self, service: str, table: str, asker: tuple, patients: list[UUID]
    ) -> set[UUID]:
        person, teams, facilities, organizations, purposes = asker
        capacity = Capacity(teams=ids(teams), organizations=ids(organizations), purposes=purposes)
        column = "id" if table == "patients" else "patient_id"
        async with self.databases[service].person(
            an_id(person), ids(facilities), Mode.READ, 60, capacity
        ) as tx:
            rows = await tx._connection.fetch(
                f"SELECT {column} FROM {table} WHERE {column} = ANY ($1::uuid[])", patients
            )
        return {row[0] for row in rows}


def _by(cells: Collection[Stored], key) -> dict:
    groups = defaultdict(list)
    for one in cells:
        groups[key(one)].append(one)
    return groups


@asynccontextmanager
async def databases(servers) -> "Iterator[Databases]":
    """Fresh ones, and connections that may write past every constraint between tables."""
    opened, admins = {}, {}
    for service in SERVICES:
        app = importlib.import_module(f"services.{service}.app").build({})
        await servers.prepare(service, app.migrations)
        people = await open_pool(servers.url(service, ""), 2, "test")
        system = await open_pool(servers.url(service, "system"), 2, "test")
        opened[service] = Database(people, system, lambda: datetime.now(UTC))
        admins[service] = await asyncpg.connect(servers.admin_url(service))
        await admins[service].execute("SET session_replication_role = replica")
    try:
        yield Databases(opened, admins)
    finally:
        for service in SERVICES:
            await admins[service].close()
            await opened[service].close()
