"""Alerts that are staged apart, on a hub of their own: its certificates end, its clock is moved, its processes die."""

import base64
import re
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography import x509

from libs.chassis.migrate import create_database, migrate
from libs.local.environment import database_url, passwords
from libs.local.letters import kept_letters
from libs.local.process import free_port
from libs.local.up import ROOT, UpSettings
from libs.simulator.afterwards import HOSPITAL
from tests.component.chassis.test_tls import Authority
from tests.contract.promql import RUNBOOKS, with_promtool
from tests.contract.test_runbooks import of_carehub
from tests.e2e.alarms import Scrape, firing, read_by, scraped, shown
from tests.e2e.processes import kill
from tests.e2e.region import Person, Region, adt, days_ago
from tests.e2e.test_alarms import carehub, look, set_silence, until_firing
from tests.e2e.test_alarms_staged import SEVERAL, grown
from tests.e2e.thousand.days import Days

pytestmark = [with_promtool, pytest.mark.timeout(900)]
SOON, LONG = timedelta(days=10), timedelta(days=300)
# What a process shows between services, and the listener to hospitals; the variables that say where they are.
BETWEEN, TO_HOSPITALS = "services", "mllp"
VARIABLES = {
    BETWEEN: ("CAREHUB_TLS_CERTIFICATE", "CAREHUB_TLS_KEY", "CAREHUB_TLS_AUTHORITY"),
    TO_HOSPITALS: ("INTEROP_MLLP_CERTIFICATE", "INTEROP_MLLP_KEY"),
}


@dataclass(slots=True)
class Own:
    """A hub with certificates, and who signs them."""

    region: Region
    authority: Authority
    folder: Path

    def certify(self, name: str, life: timedelta) -> list[Path]:
        paths: list[Path] = self.authority.write(self.folder, name, life)
        return paths


@pytest.fixture(scope="module")
async def own() -> AsyncIterator[Own]:
    home = Path(tempfile.mkdtemp(prefix="carehub-alarms-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    folder = home / "certificates"
    folder.mkdir()
    settings = UpSettings(home=home, http_port=free_port(), mllp_port=free_port())
    own = Own(Region(settings), Authority(LONG), folder)
    own.region.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    own.region.tls.load_verify_locations(cadata=own.authority.pem.decode())
    outside = pytest.MonkeyPatch()
    for name, variables in VARIABLES.items():
        for variable, path in zip(variables, own.certify(name, LONG), strict=False):
            outside.setenv(variable, str(path))
    try:
        async with own.region.running():
            yield own
    finally:
        outside.undo()
        shutil.rmtree(home, ignore_errors=True)


async def test_certificates_near_their_end_call_until_others_are_in_their_files(
    own: Own, tmp_path: Path
):
    region = own.region
    await until_firing(region, tmp_path, set(), 60)
    soon = {ends(own.certify(name, SOON)) for name in VARIABLES}
    await until_firing(region, tmp_path, {"CertificateExpires"}, 60, just=True)
    await until_all_three(region, tmp_path)
    assert {subject_and_end(own, BETWEEN), subject_and_end(own, TO_HOSPITALS)} == soon
    long = {name: ends(own.certify(name, LONG)) for name in VARIABLES}
    await until_firing(region, tmp_path, set(), 60)
    assert subject_and_end(own, BETWEEN) == long[BETWEEN]
    person = Person(mrn="APART0", family="Rossi", given="Ada", visit="APART0")
    assert await region.send(adt("A01", person, days_ago(1), admit=days_ago(1))) == ["AA"]


async def until_all_three(region: Region, folder: Path) -> None:
    """Both processes' between services, and the listener's."""

    async def are_near() -> bool:
        [days] = await shown(region, folder, "CertificateExpires")
        found = re.findall(r'file="(\w+)", instance="[\w-]+"} 9\.9', days)
        return sorted(found) == ["certificate", "certificate", "mllp"]

    await region.until(are_near, 30, "that each says how near it is")


def subject_and_end(own: Own, name: str) -> str:
    """The day on which a certificate ends, as the runbook's command tells."""
    secret = base64.encodebytes((own.folder / f"{name}.crt").read_bytes())
    [told] = read_by("CertificateExpires", "kubectl get secret", secret)
    subject, end = told.splitlines()
    assert name in subject
    until = datetime.strptime(end, "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    return f"{until:%F}"


def ends(paths: list[Path]) -> str:
    """The day on which it does, as the certificate itself has it."""
    certificate = x509.load_pem_x509_certificate(paths[0].read_bytes())
    return f"{certificate.not_valid_after_utc:%F}"


async def test_a_process_that_ends_again_and_again_calls(own: Own, tmp_path: Path):
    region = own.region
    first = await scraped(region)
    readings = [first, first]
    for _ in range(3):
        assert kill(region, "work")
        readings.append(await begun_anew(region, readings[-1]))
    assert "ProcessRestarts" in await firing(region, tmp_path, earlier=readings[:-1])
    starts, memory = await shown(region, tmp_path, "ProcessRestarts", earlier=readings[:-1])
    assert starts.count("3E+00") == 1  # of work; serve has not ended
    assert memory.count("instance") == 2
    await until_firing(region, tmp_path, set(), 120)


async def begun_anew(region: Region, before: Scrape) -> Scrape:
    """Wait until every process answers, one of them since a later moment."""

    async def has_begun() -> Scrape | None:
        now = await scraped(region)
        return now if all(now.up.values()) and starts(now) != starts(before) else None

    found: Scrape = await region.until(has_begun, 90, "a process has begun anew")
    return found


def starts(scrape: Scrape) -> dict[str, float]:
    return {
        name: value
        for name, value in scrape.series.items()
        if name.startswith("process_start_time_seconds")
    }


async def test_letters_that_a_mail_server_refuses_call_and_so_do_reminders_that_are_late_for_it(
    own: Own, tmp_path: Path
):
    """It has no room any more: what it refuses is told within minutes, and goes out by itself when it has."""
    region, days = own.region, Days(own.region)
    for feed in (await region.feeds()).values():
        await set_silence(
            region, feed["id"], "2592000s"
        )  # the hub's clock goes on, and they do not
    days.forward_to(morning_after(days.now()))
    await days.come_to_rest()
    await until_firing(region, tmp_path, set(), 60)
    before = await scraped(region)
    with full(region):
        await went_home(region)
        await grown(region, "carehub_letters_total", before, 1)

        async def all_are_refused() -> bool:
            days.forward_to(await last_due(region))
            return await refused(region) == SEVERAL

        await region.until(all_are_refused, 60, "that each was refused once")
        assert "LettersFail" in await firing(region, tmp_path, before)
        [_, by_service] = await shown(region, tmp_path, "LettersFail", before)
        assert 'outcome="not_taken", service="messaging"' in by_service
        assert 'outcome="not_taken", service="tasking"' in by_service
        log = (region.machine.home / "logs/work.log").read_bytes()
        assert all("SMTP" in found for found in read_by("LettersFail", "kubectl logs", log))
        days.forward_to(days.now() + timedelta(minutes=10))
    mended = await scraped(region)
    days.forward_to(days.now() + timedelta(minutes=2))
    await grown(region, "carehub_reminder_lateness_seconds_count", before, SEVERAL)
    found = await firing(region, tmp_path, before)
    assert "RemindersLate" in found
    assert len(await shown(region, tmp_path, "RemindersLate", before)) == 3
    to = [content for _, content in kept_letters(region.machine.home) if b"@example.org" in content]
    assert len(to) == SEVERAL
    assert "LettersFail" not in await firing(region, tmp_path, mended)
    await until_firing(region, tmp_path, set(), 60)
    await days.close()


def morning_after(at: datetime) -> datetime:
    """When patients may be written to, for hours."""
    day = at.astimezone(HOSPITAL).date() + timedelta(days=1)
    return datetime.combine(day, time(10), HOSPITAL)


@contextmanager
def full(region: Region) -> Iterator[None]:
    """The mail server cannot keep what it is given, and says so to whoever sends."""
    mail = region.machine.home / "mail"
    aside = mail.rename(mail.with_name("mail-aside"))
    mail.touch()
    try:
        yield
    finally:
        mail.unlink()
        aside.rename(mail)


async def went_home(region: Region) -> None:
    """Several who would rather have letters, and one long ago, whom nobody has called since."""
    people = [
        Person(mrn=f"APART{n}", family="Vukasinov", given=f"A{n}", visit=f"APARTV{n}")
        for n in range(1, SEVERAL + 1)
    ]
    admit, left = days_ago(3), days_ago(1)
    assert set(await region.send(*[adt("A01", p, admit, admit=admit) for p in people])) == {"AA"}
    for person in people:
        await prefers_letters(region, person)
    sent = [adt("A03", p, left, admit=admit, discharge=left) for p in people]
    long_ago = Person(mrn="APART99", family="Vukasinov", given="Zoe", visit="APARTV99")
    admit, left = days_ago(43), days_ago(40)
    sent.append(adt("A03", long_ago, left, admit=admit, discharge=left))
    assert set(await region.send(*sent)) == {"AA"}


async def prefers_letters(region: Region, person: Person) -> None:
    async def there() -> Any:
        patient = await region.patient("coordinator", person.mrn)
        return patient and await region.rows(
            "messaging", "SELECT patient_id FROM contacts WHERE patient_id = $1", patient["id"]
        )

    [contact] = await region.until(there, 30, "that messaging knows the patient")
    answer = await region.ask(
        "coordinator",
        "PATCH",
        f"/v1/contacts/{contact['patient_id']}",
        json={"email": f"{person.mrn}@example.org", "preferredChannel": "email"},
    )
    assert answer.status_code == 200, answer.text


async def last_due(region: Region) -> datetime:
    """When the last of them may leave that waits for its time."""
    query = (
        "SELECT max(due_at) FROM messages WHERE state = 'PENDING' AND template = 'discharge-next'"
    )
    [(due,)] = await region.rows("messaging", query)
    return due or datetime.now(UTC)


async def refused(region: Region) -> int:
    query = (
        "SELECT count(*) FROM messages WHERE state = 'READY' AND channel = 'email' AND tries > 0"
    )
    [(count,)] = await region.rows("messaging", query)
    return int(count)


async def test_a_promise_that_is_broken_since_no_timer_fires_calls(own: Own, tmp_path: Path):
    """Somebody with psql holds the timers: those are passed over, and ladders stand still."""
    region, days = own.region, Days(own.region)
    await until_firing(region, tmp_path, set(), 60)
    [(rung,)] = await region.rows(
        "tasking",
        "SELECT min(next_escalation_at) FROM tasks WHERE state = 'OPEN' AND next_escalation_at > $1",
        days.now(),
    )
    async with held(region, "tasking", "SELECT FROM timers FOR UPDATE"):
        days.forward_to(rung + timedelta(minutes=6))
        found = await until_firing(region, tmp_path, {"PromiseBroken", "TimersLate"}, 120)
        assert found <= {"PromiseBroken", "TimersLate", "WorklistLate"}
        [broken] = await shown(region, tmp_path, "PromiseBroken")
        assert re.search(r'rule="LADDER_STUCK"} [1-9]', broken)
        log = (region.machine.home / "logs/work.log").read_bytes()
        [told] = read_by("PromiseBroken", "kubectl logs", log)
        assert '"LADDER_STUCK"' in told
        [loops, *_] = await look(region, "PromiseBroken")
        assert loops["open_loops"] > 0
        # The runbook leads to that of TimersLate, which shows that many are due with no attempts.
        assert all(each["attempts"] == 0 for each in await look(region, "TimersLate"))
    await until_firing(region, tmp_path, set(), 120)
    await days.close()


@asynccontextmanager
async def held(region: Region, service: str, query: str) -> AsyncIterator[None]:
    """Rows that somebody has locked and forgotten."""
    connection = await asyncpg.connect(database_url(region.machine, service, "system"))
    try:
        async with connection.transaction():
            await connection.execute(query)
            yield
    finally:
        await connection.close()


async def test_a_process_that_waits_for_the_schema_calls_and_is_back_when_that_is_migrated(
    own: Own, tmp_path: Path
):
    """A database is older than the code, as after a restore; last, since what analytics knew is lost with it."""
    region = own.region
    await until_firing(region, tmp_path, set(), 60)
    await fall_behind(region, "analytics", tmp_path / "older")
    assert kill(region, "work")
    log = region.machine.home / "logs/work.log"

    async def waits() -> bool:
        return any("waiting for the schema" in line for line in last_lines(log))

    await region.until(waits, 60, "that it waits for the schema")
    assert "ProcessAway" in await until_firing(region, tmp_path, {"ProcessAway"}, 30)
    [up] = await shown(region, tmp_path, "ProcessAway")
    assert 'instance="metrics-work", job="carehub"} 0E+00' in up
    for words in of_carehub(RUNBOOKS / "ProcessAway.md"):
        assert words == ["migrate", "registry"]
        said = await carehub(region, "migrate", "analytics")
        assert "service_version" in said
    await until_firing(region, tmp_path, set(), 120)


def last_lines(log: Path) -> list[str]:
    [told] = read_by("ProcessAway", "kubectl logs", log.read_bytes())
    return told.splitlines()


async def fall_behind(region: Region, service: str, folder: Path) -> None:
    """Its database is one migration older than the code, and empty."""
    shutil.copytree(ROOT / "services" / service / "migrations", folder)
    max(folder.glob("0*.py")).unlink()
    machine = region.machine
    administrator = await asyncpg.connect(machine.database_url)
    try:
        await administrator.execute(f"DROP DATABASE {service} WITH (FORCE)")
    finally:
        await administrator.close()
    await create_database(machine.database_url, service, passwords(machine.home, service))
    await migrate(database_url(machine, service, "owner"), service, folder)
