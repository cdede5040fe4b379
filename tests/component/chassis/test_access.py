"""Who sees a row, asked of the database as the people's role: decided by identity, projected, and compared by SQL."""

import importlib
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.chassis.access import DenialRow, GrantRow, PatientAccess, keep_beat, project_access
from libs.chassis.caller import Capacity
from libs.chassis.database import Database, Mode, open_pool
from services.identity.convert.access import to_rows
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Network
from services.identity.domain.fact import AccessFact, FactKind, facts_about, network_agreement

HERE, THERE = uuid4(), uuid4()
MERCY, VALLEY = uuid4(), uuid4()
NETWORK = Network(
    jurisdiction="US",
    organization_of={HERE: MERCY, THERE: VALLEY},
    covered=frozenset({MERCY, VALLEY}),
)
NURSE = uuid4()
# Every table that people see patients' rows of: the column of its patient, and the word of its sort of data.
TABLES = {
    ("analytics", "risks"): ("patient_id", "COORDINATION"),
    ("analytics", "units"): ("patient_id", "COORDINATION"),
    ("careplans", "care_plans"): ("patient_id", "COORDINATION"),
    ("careplans", "loops"): ("patient_id", "COORDINATION"),
    ("careplans", "medicine_lists"): ("patient_id", "CLINICAL"),
    ("careplans", "reconciliations"): ("patient_id", "CLINICAL"),
    ("careplans", "preferences"): ("patient_id", "COORDINATION"),
    ("registry", "patients"): ("id", "DEMOGRAPHICS"),
    ("registry", "encounters"): ("patient_id", "VISITS"),
    ("tasking", "patients"): ("id", "DEMOGRAPHICS"),
    ("tasking", "loops"): ("patient_id", "COORDINATION"),
    ("tasking", "tasks"): ("patient_id", "COORDINATION"),
    ("messaging", "contacts"): ("patient_id", "DEMOGRAPHICS"),
    ("messaging", "messages"): ("patient_id", "MESSAGES"),
    ("messaging", "replies"): ("patient_id", "MESSAGES"),
    ("messaging", "telephone"): ("patient_id", "MESSAGES"),
    ("messaging", "threads"): ("patient_id", "MESSAGES"),
    ("messaging", "wishes"): ("patient_id", "COORDINATION"),
}
EACH = pytest.mark.parametrize(("service", "table"), TABLES)
SOMETHING = {
    "uuid": "gen_random_uuid()", "timestamptz": "now()", "date": "current_date", "jsonb": "'[]'", "bool": "false",
    "int4": "0", "int8": "1", "float8": "0", "text": "''", "_text": "'{}'", "_uuid": "'{}'", "tsvector": "''",
}  # fmt: skip

# What a table takes only one of some words for.
CHOSEN = {
    "band": "'LOW'",
    "instrument": "'LACE'",
    "status": "'MET'",
    "side": "'BEFORE'",
    "telephone": "'NONE'",
    "reading": "'NONE'",
}


class Site:
    """One service's database, a patient with a row written at one facility, and somebody who would like to see it."""

    def __init__(self, servers, service, table, database):
        self.servers, self.service, self.table, self.database = servers, service, table, database
        self.name = service, table
        self.patient = uuid4()

    async def row(self, place, labels=("NORMAL",)):
        """A row of the patient, of which nothing but its patient, its facility and its labels means anything."""
        await self.rows([(uuid4(), self.patient, place, labels)])

    async def rows(self, cells):
        """Rows by (id, patient, facility, labels)."""
        admin = await asyncpg.connect(self.servers.admin_url(self.service))
        try:
            await admin.execute("SET session_replication_role = replica")  # no foreign keys
            columns = await admin.fetch(
                "SELECT column_name AS name, udt_name AS kind FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name = $1 AND is_nullable = 'NO' "
                "AND is_generated = 'NEVER'",
                self.table,
            )
            for id, patient, place, labels in cells:
                values = {c["name"]: SOMETHING[c["kind"]] for c in columns}
                values |= {"id": f"'{id}'"} if "id" in values else {}
                values |= {TABLES.get(self.name, ("patient_id",))[0]: f"'{patient}'"}
                values |= {"facility_ids": f"'{{{place}}}'"} if "facility_ids" in values else {}
                values |= {"facility_id": f"'{place}'"} if "facility_id" in values else {}
                if "labels" in values:
                    values["labels"] = "DEFAULT" if labels is None else f"'{{{','.join(labels)}}}'"
                if "state" in values:
                    first = {
                        "patients": "ACTIVE", "encounters": "PLANNED", "care_plans": "ACTIVE", "messages": "WITHDRAWN", "threads": "CLOSED",
                    }  # fmt: skip
                    values |= {"state": f"'{first.get(self.table, 'CANCELLED')}'"}
                values |= {name: text for name, text in CHOSEN.items() if name in values}
                values |= {"closed_at": "now()"} if self.table == "tasks" else {}
                values |= {"encounter_id": "gen_random_uuid()"} if self.table == "loops" else {}
                await admin.execute(
                    f"INSERT INTO {self.table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"
                )
        finally:
            await admin.close()

    async def know(self, *told, agreed=True, fresh=True, until=None, denials=()):
        """Project what identity decides from these facts."""
        now = datetime.now(UTC)
        terms = network_agreement(now - timedelta(days=900)).among(frozenset({MERCY, VALLEY}))
        facts = facts_about(self.patient, told, NETWORK, (terms,) if agreed else ())
        access = to_rows(self.patient, 1, decide(facts, until or now))
        access = PatientAccess(
            patient_id=self.patient, version=1, grants=access.grants, denials=tuple(denials)
        )
        async with self.database.system() as tx:
            await project_access(tx, [access])
            await keep_beat(tx, now - timedelta(seconds=1 if fresh else 31))

    def registered(self, *places):
        return AccessFact(
            kind=FactKind.PATIENT, id=self.patient, version=1, patient_id=self.patient,
            facility_ids=places, is_holding=True,
        )  # fmt: skip

    def treated(self, place, ended_at=None):
        return AccessFact(
            kind=FactKind.ENCOUNTER, id=uuid4(), version=1, patient_id=self.patient,
            facility_ids=(place,), is_holding=True, ended_at=ended_at,
        )  # fmt: skip

    def denial(self, weight, grantee_id=None):
        return DenialRow(
            patient_id=self.patient, number=0, grantee_id=grantee_id, sources=None,
            purposes=("EMERGENCY", "TREATMENT"), classes=("CLINICAL", "COORDINATION", "DEMOGRAPHICS", "MESSAGES", "VISITS"),
            labels=("NORMAL",), expires_at=None, weight=weight,
        )  # fmt: skip

    async def sees(self, person=NURSE, *, purpose="TREATMENT", teams=()):
        capacity = Capacity(
            teams=frozenset(teams), organizations=frozenset({MERCY}), purposes=frozenset({purpose})
        )
        async with self.database.person(person, [HERE], Mode.READ, 5, capacity) as tx:
            return bool(await tx._connection.fetch(f"SELECT FROM {self.table}"))


@pytest.fixture
async def site(servers, service, table):
    app = importlib.import_module(f"services.{service}.app").build({})
    await servers.prepare(service, app.migrations)
    people = await open_pool(servers.url(service, ""), 2, "test")
    system = await open_pool(servers.url(service, "system"), 2, "test")
    database = Database(people, system, lambda: datetime.now(UTC))
    yield Site(servers, service, table, database)
    await database.close()


@EACH
async def test_a_row_of_ones_own_facility_needs_no_grant_nor_a_heartbeat(site):
    await site.row(HERE)
    assert await site.sees()
    assert not await site.sees(purpose="FAMILY_REQUEST")


@EACH
async def test_a_row_of_elsewhere_is_seen_by_who_treats_as_long_as_identity_is_heard(site):
    await site.row(THERE)
    assert not await site.sees()
    await site.know(site.registered(HERE, THERE), site.treated(HERE))
    assert await site.sees()
    assert not await site.sees(purpose="PAYMENT")


@pytest.mark.parametrize(
    ("service", "table"), [("tasking", "loops"), ("tasking", "tasks"), ("registry", "patients")]
)
async def test_what_only_a_grant_shows_cannot_be_changed_nor_moved_home(site, table):
    await site.row(THERE)
    await site.know(site.registered(HERE, THERE), site.treated(HERE))
    assert await site.sees()
    home = "facility_ids = ARRAY[$1::uuid]" if table == "patients" else "facility_id = $1"
    capacity = Capacity(purposes=frozenset({"TREATMENT"}))
    async with site.database.person(NURSE, [HERE], Mode.WRITE, 5, capacity) as tx:
        assert await tx._connection.execute(f"UPDATE {table} SET {home}", HERE) == "UPDATE 0"


@pytest.mark.parametrize(("service", "table"), [("tasking", "tasks"), ("registry", "patients")])
async def test_who_asks_as_family_changes_nothing_where_they_work(site, table):
    await site.row(HERE)
    shown = GrantRow(
        patient_id=site.patient, number=0, grantee_id=HERE, names=(HERE,), sources=None,
        purposes=("FAMILY_REQUEST",), classes=("COORDINATION", "DEMOGRAPHICS"), labels=("NORMAL",),
        expires_at=None, standing=1, reason="CONSENT", basis_id=None, consent_id=None,
    )  # fmt: skip
    async with site.database.system() as tx:
        access = PatientAccess(patient_id=site.patient, version=1, grants=(shown,))
        await project_access(tx, [access])
        await keep_beat(tx, datetime.now(UTC))
    assert await site.sees(purpose="FAMILY_REQUEST")
    for purpose, changed in (("FAMILY_REQUEST", 0), ("TREATMENT", 1)):
        capacity = Capacity(purposes=frozenset({purpose}))
        async with site.database.person(NURSE, [HERE], Mode.WRITE, 5, capacity) as tx:
            told = await tx._connection.execute(f"UPDATE {table} SET version = version")
        assert told == f"UPDATE {changed}"


@EACH
async def test_nothing_is_seen_by_a_grant_once_identity_is_silent(site):
    await site.row(THERE)
    await site.know(site.registered(HERE, THERE), site.treated(HERE), fresh=False)
    assert not await site.sees()


@EACH
async def test_without_an_agreement_nothing_crosses_the_line(site):
    await site.row(THERE)
    await site.know(site.registered(HERE, THERE), site.treated(HERE), agreed=False)
    assert not await site.sees()


@EACH
async def test_who_only_registered_sees_who_somebody_is_and_no_more(site, service, table):
    await site.row(THERE)
    await site.know(site.registered(HERE, THERE))
    assert await site.sees() == (TABLES[service, table][1] == "DEMOGRAPHICS")


@EACH
async def test_a_grant_that_has_expired_shows_nothing(site):
    await site.row(THERE)
    then = datetime.now(UTC) - timedelta(days=2)
    ended = then - timedelta(days=364)
    await site.know(site.treated(THERE), site.treated(HERE, ended_at=ended), until=then)
    assert not await site.sees()


@EACH
async def test_an_agreement_that_ended_counts_before_anybody_has_decided_anew(site):
    await site.row(THERE)
    await site.know(site.registered(HERE, THERE), site.treated(HERE))
    async with site.database.system() as tx:
        await tx._connection.execute(
            "INSERT INTO ended_bases SELECT DISTINCT basis_id, now() FROM grants WHERE basis_id IS NOT NULL"
        )
    assert not await site.sees()


@EACH
async def test_a_denial_of_this_very_person_holds_at_home_too(site):
    await site.row(HERE)
    await site.know(denials=[site.denial(3, NURSE)])
    assert not await site.sees()
    assert await site.sees(uuid4())
    team = uuid4()
    other = Site(site.servers, site.service, site.table, site.database)
    await other.know(denials=[other.denial(3, team)])
    assert await site.sees(uuid4(), teams=[team])  # a denial about somebody else


@EACH
async def test_an_opt_out_stops_what_is_shared_and_not_ones_own(site):
    await site.row(THERE)
    treated = site.registered(HERE, THERE), site.treated(HERE)
    await site.know(*treated, denials=[site.denial(1)])
    assert not await site.sees()


@EACH
async def test_a_denial_of_the_organization_stops_its_facility(site):
    await site.row(THERE)
    treated = site.registered(HERE, THERE), site.treated(HERE)
    await site.know(*treated, denials=[site.denial(2, MERCY)])
    assert not await site.sees()


@pytest.mark.parametrize(("service", "table"), [("tasking", "tasks")])
async def test_any_order_with_repetitions_and_gaps_ends_in_the_newest_access(site):
    patients = [UUID(int=n) for n in range(1, 5)]

    def told(patient, version):
        whole = Site(site.servers, site.service, site.table, site.database)
        whole.patient = patient
        access = decide(
            facts_about(
                patient,
                [whole.registered(HERE, THERE), whole.treated((HERE, THERE)[version % 2])],
                NETWORK,
                (
                    network_agreement(datetime(2020, 1, 1, tzinfo=UTC)).among(
                        frozenset({MERCY, VALLEY})
                    ),
                ),
            ),
            datetime.now(UTC),
        )
        rows = to_rows(patient, version, access)
        few = rows.grants[: version % 3]
        return PatientAccess(
            patient_id=patient, version=version, grants=few, denials=(whole.denial(version),)
        )

    everything = [told(patient, version) for patient in patients for version in range(1, 6)]
    newest = {patient: told(patient, 5) for patient in patients}
    for seed in range(12):
        chance = random.Random(seed)
        heard = [each for each in everything if each.version == 5 or chance.random() < 0.7]
        heard += chance.sample(heard, 6)
        chance.shuffle(heard)
        size = chance.randint(1, 9)
        for start in range(0, len(heard), size):
            async with site.database.system() as tx:
                await project_access(tx, heard[start : start + size])
        async with site.database.system() as tx:
            rows = await tx._connection.fetch(
                "SELECT patient_id, number, reason FROM grants ORDER BY 1, 2"
            )
            denied = await tx._connection.fetch(
                "SELECT patient_id, weight FROM denials ORDER BY 1, 2"
            )
            await tx._connection.execute(
                "DELETE FROM grants; DELETE FROM denials; DELETE FROM access_versions"
            )
        assert [tuple(row) for row in rows] == [
            (p, g.number, g.reason) for p in patients for g in newest[p].grants
        ], seed
        assert [tuple(row) for row in denied] == [(p, 5) for p in patients], seed
