"""The statements of a create, run by pgbench: what PostgreSQL itself makes of them on this machine."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from libs.chassis import audit, door
from libs.chassis.database import Statement
from libs.chassis.dialing import to_json
from libs.conveyor import outbox
from libs.local.environment import passwords
from services.registry.domain import search
from services.registry.domain.report import Identifier, Person, PersonName, Telecom
from services.registry.store import patient as store
from tests.performance.bench import Bench
from tests.performance.figures import Line
from tests.performance.lines.create import CONNECTIONS

_ID = "('0190a7c0-0000-7000-' || lpad(to_hex(:client_id::bigint), 4, '0') || '-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid"
_COPY = "registry_pgbench"
_PERSON = Person(
    identifiers=(Identifier(assigner="BENCH", value="12345678", type="MR"),),
    names=(PersonName(family="Merriweather", given=("Josephine",), use="L"),),
    birth_on="1961-04-30",
    telecoms=(Telecom(value="+12175550142", use="PRN"),),
)


def line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="statement",
            what=f"creates committed vs the same statements by pgbench, {CONNECTIONS} clients",
            unit="×",
            floor=0.1,
            aim=0.35,
            beside="transactions of pgbench",
            how=(
                "REST creates per second of `up`, beside pgbench with the texts of the same statements, as the same role under "
                "the same policies, prepared, each transaction one pipeline: one round trip where ours takes several"
            ),
        )
    )


def pgbench() -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return str(found[-1]) if found else shutil.which("pgbench")


async def run(bench: Bench, facility: str, number: int) -> float:
    """Transactions per second, in a copy of the database: what pgbench writes is nobody's patient."""
    program = pgbench()
    if program is None:
        raise RuntimeError("pgbench is not installed (Debian: postgresql-contrib)")
    folder = bench.engines.home / "pgbench"
    folder.mkdir(exist_ok=True)
    script = folder / "create.sql"
    script.write_text(_script(facility))
    connection = await bench.engines.connect("postgres")
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {_COPY}")
        await connection.execute(f"CREATE DATABASE {_COPY} TEMPLATE registry")
        rate = await _measure(bench, program, script)
        await connection.execute(f"DROP DATABASE {_COPY}")
    finally:
        await connection.close()
    bench.say(f"  {number} pgbench       {rate:7.0f} transactions/s")
    return rate


async def _measure(bench: Bench, program: str, script: Path) -> float:
    server = urlsplit(bench.engines.database_url)
    argv = [
        program, "--no-vacuum", "-h", "127.0.0.1", "-p", str(server.port), "-U", "registry",
        "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(max(2, int(bench.plan.seconds))),
        "-D", "n=0", "-f", str(script), _COPY,
    ]  # fmt: skip
    password = passwords(bench.engines.home, "registry")["registry"]
    child = await asyncio.create_subprocess_exec(
        *argv,
        env={"PGPASSWORD": password, "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    found = re.search(rb"^tps = ([\d.]+)", out, re.M)
    if child.returncode or not found:
        raise RuntimeError(f"pgbench failed: {err.decode()[-300:]}")
    return float(found[1])


def _script(facility: str) -> str:
    """A create as registry's own statements say it, values in place of parameters. Another patient each time."""
    tag = search.tag_of(UUID(facility))
    entries = sorted(search.entries(search.filed_under(_PERSON), [UUID(facility)]))
    shared = ",".join(one for one in entries if not one.startswith(f"{tag}i:"))
    values = {
        "id": _ID,
        "patient_id": _ID,
        "key": _ID,
        "facts": _text(to_json({"names": _PERSON.names, "told": _PERSON.identifiers})),
        "facility_ids": f"ARRAY['{facility}']",
        "facilities": f"ARRAY['{facility}']",
        "patients": f"ARRAY[{_ID}]",
        "state": "'ACTIVE'",
        "merged_into_id": "NULL",
        "created_at": "now()",
        "at": "now()",
        "version": "1",
        "entries": f"ARRAY[replace({_text(shared)}, ',', chr(10)) || chr(10) || '{tag}i' || chr(58) || :n::bigint]",
        "subject": "'carehub.registry.v1.PatientChanged'",
        "facility_id": "NULL",
        "payload": "decode(repeat('ab', 220), 'hex')",
        "headers": "'{}'",
        "method": "'/carehub.registry.v1.RegistryService/CreatePatient'",
        "resource": "''",
        "outcome": "'OK'",
        "reason": "''",
        "purpose": "'TREATMENT'",
        "request_id": f"({_ID})::text",
        "roles": "'{nurse}'",
        "address": "'127.0.0.1'",
    }
    audited = values | {"subject": f"'{facility}'"}
    linked = values | {"keys": f"ARRAY[{_ID}]", "patient_ids": f"ARRAY[{_ID}]"}
    told = [
        _filled(store.ADD, values),
        _filled(store.ADD_DESCRIPTIONS, linked),
        _filled(store.ADD_SEARCH, linked),
        _filled(store.ADD_LINKS, linked),
        _filled(audit._RECORD, audited),
        _filled(outbox.ADD, values),
    ]
    told_of = door.begin(UUID(facility), [facility], door.NOBODY_ELSE, 3.0)
    begin = [f"{each};" for each in told_of.split("; ")]
    return "\n".join(
        ["\\set n :n + 1", "\\startpipeline", *begin, *told, "COMMIT;", "\\endpipeline", ""]
    )


def _text(value: str) -> str:
    """A text in SQL. pgbench takes a colon with a letter behind it for one of its variables, in quotes too."""
    return f"replace('{value.replace(':', '~')}', '~', chr(58))"


def _filled(statement: Statement[Any], values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = statement.names[int(match[1]) - 1]
        if name in statement.constants:
            return repr(statement.constants[name])
        return f"({values[name]})"

    return " ".join(re.sub(r"\$(\d+)", value, statement.text).split()) + ";"
