"""Mutants of what the databases enforce: the policies with one clause changed, and the tables with one protection less.

One pair of databases is filled with the cells of the matrix; each mutant changes the policies of all tables at once,
and the people's role is asked again.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from libs.chassis.schema import by_access
from libs.testing.servers import running_servers
from tests.component.spine.stored_matrix import Databases, databases, stored
from tests.reference.stored import subset

_SHARED = by_access("DEMOGRAPHICS", source="facility_ids", patient="id", is_shared=True)
_PROGRAM = by_access("DEMOGRAPHICS", labels="labels")
_WORK = by_access("COORDINATION", labels="labels")
_CLINICAL = by_access("CLINICAL", labels="labels")
# As the newest migration of each table has it; `main` compares with the catalogue before it believes this.
POLICIES = {
    ("analytics", "risks"): _WORK,
    ("analytics", "units"): _WORK,
    ("careplans", "care_plans"): _WORK,
    ("careplans", "loops"): _WORK,
    ("careplans", "medicine_lists"): _CLINICAL,
    ("careplans", "reconciliations"): _CLINICAL,
    ("careplans", "preferences"): _WORK,
    ("registry", "patients"): _SHARED
    + " OR EXISTS (SELECT 1 FROM program_patients m WHERE m.patient_id = {table}.id)",
    ("registry", "program_patients"): _PROGRAM,
    ("registry", "encounters"): by_access("VISITS", labels="labels"),
    ("tasking", "patients"): _SHARED,
    ("tasking", "program_patients"): _PROGRAM,
    ("tasking", "loops"): _WORK,
    ("tasking", "tasks"): _WORK,
    ("scheduling", "appointments"): by_access("VISITS", labels="labels"),
}


class Clause(NamedTuple):
    """Every place in the policies that looks so becomes something else; `also` says what else gives way with it."""

    name: str
    pattern: str
    new: str
    also: "Protection | None" = None


class Protection(NamedTuple):
    """A statement about each table that takes a protection away, and the one that brings it back."""

    name: str
    off: str
    on: str


_BORNE = r"(?:ARRAY\['NORMAL'\]|\{table\}\.labels)"
_ACTING = r"\(\(SELECT caller_purposes\(\)\)::text\[\]\)"
_IN_PERSON = r"d\.grantee_id = ANY \(\(SELECT caller_in_person\(\)\)::uuid\[\]\)"
# The grants have a policy of their own, which hides those of others; only both together let them count.
GRANTS_OPEN = Protection(
    "everybody's grants are seen",
    "ALTER POLICY people ON grants USING (true)",
    "ALTER POLICY people ON grants USING (grantee_id = ANY ((SELECT caller_grantees())::uuid[]))",
)
CLAUSES = [
    # Own rows.
    Clause("own rows not shown", r"^\(\n +\{table\}", "(\n false AND {table}"),
    Clause("everybody's rows are own", r"^\(\n +\{table\}\.\S+ (?:&& |= ANY )\((?:\(|)\(SELECT caller_facilities\(\)\)::uuid\[\]\)+", "(\n true"),
    Clause("own counseling notes shown", rf"AND NOT {_BORNE} && ARRAY\['COUNSELING_NOTES'\]", ""),
    Clause("own rows shown to family", r"AND \(SELECT NOT caller_purposes\(\) && ARRAY\['PATIENT_REQUEST', 'FAMILY_REQUEST'\]\)", ""),
    Clause("own rows not denied", r"d\.weight > 2 AND", "false AND"),
    Clause("own rows denied by holds only", r"d\.weight > 2 AND", "d.weight > 3 AND"),
    Clause("own rows denied by places", r"d\.weight > 2 AND", "d.weight > 1 AND"),
    Clause("own rows denied to all alike", rf"d\.weight > 2 AND {_IN_PERSON}", "d.weight > 2"),
    # Grants.
    Clause("grants not followed", r"AND EXISTS \(\s+SELECT 1 FROM grants g WHERE", "AND EXISTS (SELECT 1 FROM grants g WHERE false AND"),
    Clause("grants of other patients", r"WHERE g\.patient_id = \{table\}\.\w+", "WHERE true"),
    Clause("grants of other people", r"AND g\.grantee_id = ANY \(\(SELECT caller_grantees\(\)\)::uuid\[\]\)", "", GRANTS_OPEN),
    Clause("purposes ignored", rf"AND g\.purposes && {_ACTING}", ""),
    Clause("labels ignored", rf"AND g\.labels @> {_BORNE}", ""),
    Clause("one label enough", r"g\.labels @>", "g.labels &&"),
    Clause("class ignored", r"AND '\w+' = ANY \(g\.classes\)", ""),
    Clause("class inverted", r"AND '(\w+)' = ANY \(g\.classes\)", r"AND NOT '\1' = ANY (g.classes)"),
    Clause("sources ignored", r"g\.sources IS NULL OR", "true OR"),
    Clause("grants of any source ignored", r"g\.sources IS NULL OR", "false OR"),
    Clause("expiry ignored", r"AND \(g\.expires_at IS NULL OR g\.expires_at > now\(\)\)", ""),
    Clause("expiry inverted", r"g\.expires_at > now\(\)", "g.expires_at < now()"),
    Clause("ended bases ignored", r"AND NOT EXISTS \(SELECT 1 FROM ended_bases e WHERE e\.basis_id = g\.basis_id\)", ""),
    Clause("heartbeat ignored", r"\(SELECT coalesce\(.*? false\)\)", "true"),
    Clause("heartbeat of a minute", r"interval '30 seconds'", "interval '60 seconds'"),
    # Denials.
    Clause("denials ignored", r"d\.weight > g\.standing AND", "false AND"),
    Clause("weight ignored", r"d\.weight > g\.standing AND", "true AND"),
    Clause("denials win ties", r"d\.weight > g\.standing", "d.weight >= g.standing"),
    Clause("denials of all ignored", r"d\.grantee_id IS NULL OR", "false OR"),
    Clause("denials of a place ignored", r"d\.grantee_id = ANY \(g\.names\) OR", "false OR"),
    Clause("denials in person ignored", rf"\(g\.names\) OR {_IN_PERSON}", "(g.names)"),
    Clause("denials reach everybody", r"\(d\.grantee_id IS NULL OR", "(true OR"),
    Clause("denials of other patients", r"WHERE d\.patient_id = \{table\}\.\w+", "WHERE true"),
    Clause("purposes of denials ignored", rf"AND d\.purposes && {_ACTING}", ""),
    Clause("labels of denials ignored", rf"AND d\.labels && {_BORNE}", ""),
    Clause("denials need every label", r"d\.labels &&", "d.labels @>"),
    Clause("class of denials ignored", r"AND '\w+' = ANY \(d\.classes\)", ""),
    Clause("sources of denials ignored", r"d\.sources IS NULL OR", "true OR"),
    Clause("denials of any source ignored", r"d\.sources IS NULL OR", "false OR"),
    Clause("expiry of denials ignored", r"AND \(d\.expires_at IS NULL OR d\.expires_at > now\(\)\)", ""),
    # All of it.
    Clause("everything shown", r"(?s)^.*$", "true"),
    Clause("nothing shown", r"(?s)^.*$", "false"),
]  # fmt: skip
PROTECTIONS = [
    Protection(
        "policy dropped",
        "ALTER POLICY people ON {table} TO {service}_maintenance",
        "ALTER POLICY people ON {table} TO {service}",
    ),
    Protection(
        "a second policy",
        "CREATE POLICY second ON {table} FOR SELECT TO {service} "
        "USING ((SELECT cardinality(caller_facilities()) > 0))",
        "DROP POLICY second ON {table}",
    ),
    Protection(
        "row security off",
        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    ),
    Protection(
        "people pass row security",
        "ALTER ROLE {service} BYPASSRLS",
        "ALTER ROLE {service} NOBYPASSRLS",
    ),
]
# Named where no cell can tell them from the original, with what does.
ELSEWHERE = {
    "FORCE dropped": "people are not the owner: test_database.py reads the catalogue of every service",
    "grantee not compared": "the grants' own policy hides those of others: both together are a mutant above",
    "grants' own policy dropped": "the clause compares, too: the same",
}


async def _state(here: Databases, text: Callable[[str], str]) -> None:
    for (service, table), policy in POLICIES.items():
        await here.admins[service].execute(
            f"ALTER POLICY people ON {table} USING ({text(policy).replace('{table}', table)})"
        )


async def _catalogue(here: Databases) -> list[str]:
    return [
        await here.admins[service].fetchval(
            "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'people' AND polrelid = $1::regclass",
            table,
        )
        for service, table in POLICIES
    ]


async def _everywhere(here: Databases, statement: str) -> None:
    for service, table in POLICIES:
        await here.admins[service].execute(statement.format(service=service, table=table))


async def trials(words: Sequence[str]) -> tuple[int, int]:
    """How many mutants there were, and how many of them the databases got away with."""
    chosen = [m for m in (*CLAUSES, *PROTECTIONS) if not words or any(w in m.name for w in words)]
    if not chosen:
        return 0, 0
    cells = sorted(stored(subset()), key=lambda one: not one.shown)
    survivors = 0
    async with running_servers() as servers, databases(servers) as here:
        await here.fill(cells)
        as_migrated = await _catalogue(here)
        await _state(here, lambda policy: policy)
        if await _catalogue(here) != as_migrated or await here.rounds(cells, 1):
            raise SystemExit("the policies listed here are not those of the migrations")
        for mutant in chosen:
            told = await _trial(here, mutant, cells)
            survivors += not told
            print(f"{'caught' if told else 'SURVIVED':9}policy: {mutant.name}: {told[:150]}")
    for name, reason in ELSEWHERE.items():
        print(f"not tried policy: {name}: {reason}")
    return len(chosen), survivors


async def _trial(here: Databases, mutant: Clause | Protection, cells: list) -> str:
    protection = mutant if isinstance(mutant, Protection) else mutant.also
    if isinstance(mutant, Clause):
        if not any(re.search(mutant.pattern, policy) for policy in POLICIES.values()):
            raise SystemExit(f"{mutant.name}: no policy has {mutant.pattern!r}")
        await _state(here, lambda policy: re.sub(mutant.pattern, mutant.new, policy, flags=re.S))
    if protection:
        await _everywhere(here, protection.off)
    try:
        return "".join(await here.rounds(cells, 1))
    except Exception as error:  # noqa: BLE001 - whatever a mutant raises would be noticed
        return f"raises {type(error).__name__}: {error}"
    finally:
        await _state(here, lambda policy: policy)
        if protection:
            await _everywhere(here, protection.on)
