"""Migrations run while the version before answers requests: what would make it wait, or read what is gone, is refused.

CareHub has not been released: what was there before this test (BEFORE) ran at nobody's. From then on a migration does none of
this, unless it is listed in ANSWERED with what makes it harmless.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from libs.chassis.migrate import CHASSIS, Chain, _upgrade_script
from services.__main__ import SERVICES

ROOT = Path(__file__).parents[2]
BEFORE = {
    "chassis": "0006", "analytics": "0001", "careplans": "0003", "identity": "0007", "interop": "0003",
    "messaging": "0003", "referrals": "0001", "registry": "0006", "scheduling": "0002", "tasking": "0011",
}  # fmt: skip
# (chain, revision, what): why nobody waits for it.
ANSWERED: Mapping[tuple[str, str, str], str] = {}

_TABLE = r'(?:ONLY )?"?(?P<table>\w+)"?'
_RULES = {
    "an index on a table that is there holds up every write to it; have a job make it CONCURRENTLY": re.compile(
        rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)(?:IF NOT EXISTS )?\w* ?ON {_TABLE}", re.I
    ),
    "a new column that must have a value needs a default, or older code cannot write": re.compile(
        rf"ALTER TABLE {_TABLE}[^;]*?ADD COLUMN (?:(?!,\s*ADD|DEFAULT|GENERATED|;).)*NOT NULL(?!(?:(?!,\s*ADD|;).)*(?:DEFAULT|GENERATED))",
        re.I | re.S,
    ),
    "SET NOT NULL reads every row under a lock; first a CHECK that is NOT VALID, then VALIDATE": re.compile(
        rf"ALTER TABLE {_TABLE}[^;]*?ALTER COLUMN \w+ SET NOT NULL", re.I
    ),
    "another type writes the table anew under a lock; add a column": re.compile(
        rf"ALTER TABLE {_TABLE}[^;]*?ALTER COLUMN \w+ (?:SET DATA )?TYPE", re.I
    ),
    "a constraint reads every row under a lock, unless it is NOT VALID": re.compile(
        rf"ALTER TABLE {_TABLE}[^;]*?ADD (?:CONSTRAINT \w+ )?(?:CHECK|FOREIGN KEY|UNIQUE|EXCLUDE)(?![^;]*NOT VALID)",
        re.I,
    ),
    "what is renamed is gone for the code of the release before; add, backfill, drop a release later": re.compile(
        rf"ALTER TABLE {_TABLE}[^;]*?RENAME", re.I
    ),
    "what is dropped is gone for the code of the release before; drop it a release later": re.compile(
        rf"(?:DROP TABLE (?:IF EXISTS )?{_TABLE}|ALTER TABLE (?:ONLY )?\w+[^;]*?DROP (?:COLUMN|CONSTRAINT))",
        re.I,
    ),
    "a transaction that changes every row holds up whoever changes one; backfill in a job": re.compile(
        rf"(?<!FOR )(?<!ON )(?<!BEFORE )(?<!AFTER )(?<!OR )UPDATE {_TABLE} SET(?![^;]*WHERE)", re.I
    ),
}
_MADE = re.compile(r'CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?', re.I)
_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.S)
_REVISION = re.compile(r"^-- Running upgrade (\S*) -> (\S+)$", re.M)


@dataclass(frozen=True)
class Found:
    """What a revision does that somebody may have to wait for."""

    chain: str
    revision: str
    what: str
    statement: str = field(compare=False)

    def sentence(self) -> str:
        return (
            f"{self.chain} {self.revision}: {self.what}: {' '.join(self.statement.split())[:120]}"
        )


def findings(chain: str, revision: str, text: str) -> Iterator[Found]:
    """Of one revision's SQL. What it makes itself nobody reads yet, and functions run later."""
    text = _BODY.sub("''", re.sub(r"--[^\n]*", "", text))
    made = {name.lower() for name in _MADE.findall(text)}
    for what, rule in _RULES.items():
        for match in rule.finditer(text):
            table = (match.groupdict().get("table") or "").lower()
            if table not in made:
                yield Found(chain, revision, what, match[0])


def revisions(folder: Path, service: str) -> Iterator[tuple[str, str]]:
    """Each revision and what it runs, in their order."""
    script = _upgrade_script(Chain(folder, "version"), service, None)
    parts = _REVISION.split(script)
    yield from zip(parts[2::3], parts[3::3], strict=True)


CHAINS = {"chassis": CHASSIS} | {s: ROOT / "services" / s / "migrations" for s in SERVICES}


@pytest.mark.parametrize("chain", CHAINS)
def test_nobody_waits_for_a_migration_and_nothing_that_is_read_goes(chain):
    service = "tasking" if chain == "chassis" else chain
    found = [
        each
        for revision, text in revisions(CHAINS[chain], service)
        if revision > BEFORE[chain]
        for each in findings(chain, revision, text)
    ]
    unanswered = [
        each.sentence() for each in found if (each.chain, each.revision, each.what) not in ANSWERED
    ]
    assert unanswered == []


def test_the_rules_find_what_has_been_done_before():
    """Not one rule that nothing ever met: each finds something in the past, or in the sentences below."""
    past = {
        each.what
        for chain, folder in CHAINS.items()
        for revision, text in revisions(folder, "tasking" if chain == "chassis" else chain)
        if revision != "0001"
        for each in findings(chain, revision, text)
    }
    print(*sorted(past), sep="\n")
    assert len(past) >= 4


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("CREATE INDEX tasks_by_x ON tasks (x);", "index"),
        ("CREATE UNIQUE INDEX tasks_by_x ON tasks (x);", "index"),
        ("ALTER TABLE tasks ADD COLUMN x text NOT NULL;", "default"),
        ("ALTER TABLE tasks ADD COLUMN y text, ADD COLUMN x text NOT NULL;", "default"),
        ("ALTER TABLE tasks ALTER COLUMN x SET NOT NULL;", "SET NOT NULL"),
        ("ALTER TABLE tasks ALTER COLUMN x TYPE bigint;", "type"),
        ("ALTER TABLE tasks ADD CONSTRAINT c CHECK (x > 0);", "NOT VALID"),
        ("ALTER TABLE tasks ADD FOREIGN KEY (x) REFERENCES loops;", "NOT VALID"),
        ("ALTER TABLE tasks RENAME COLUMN x TO y;", "renamed"),
        ("ALTER TABLE tasks DROP COLUMN x;", "dropped"),
        ("DROP TABLE tasks;", "dropped"),
        ("UPDATE tasks SET x = 1;", "backfill"),
    ],
)
def test_a_rule_finds_its_statement(text, word):
    assert any(word in each.what for each in findings("tasking", "0099", text)), text


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE notes (id uuid); CREATE INDEX notes_by_x ON notes (x); UPDATE notes SET x = 1;",
        "ALTER TABLE tasks ADD COLUMN x text;",
        "ALTER TABLE tasks ADD COLUMN x text NOT NULL DEFAULT '';",
        "ALTER TABLE tasks ADD COLUMN x text GENERATED ALWAYS AS (upper(y)) STORED NOT NULL;",
        "ALTER TABLE tasks ADD CONSTRAINT c CHECK (x > 0) NOT VALID;",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE tasks SET x = 1; $$;",
        "CREATE TRIGGER t BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION f();",
        "UPDATE tasks SET x = 1 WHERE id = 'a';",
    ],
)
def test_what_holds_up_nobody_is_let_be(text):
    assert [each.sentence() for each in findings("tasking", "0099", text)] == []
