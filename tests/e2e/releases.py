"""The release after this one, made of this tree: an expand migration of tasking, and code that writes what it added."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from libs.chassis.migrate import chains
from libs.local import environment
from libs.local.environment import Machine
from libs.local.up import ROOT
from tests.e2e.cluster import Release

# What older code may meet: a column that it does not know, one that it leaves to its default, a table of others.
EXPAND = """
    ALTER TABLE tasks ADD COLUMN release_word text;
    ALTER TABLE loops ADD COLUMN release_count bigint NOT NULL DEFAULT 0;
    CREATE TABLE release_words (id uuid PRIMARY KEY, word text NOT NULL);
"""
WORD = "next"
_MIGRATION = '''"""What the next release adds."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("""{expand}""")
'''
_CODE = {
    "services/tasking/domain/task.py": (
        "    read_back: ReadBack | None = None\n",
        f'    release_word: str | None = "{WORD}"\n',
    ),
    "services/tasking/store/tasks.py": (
        '    Column("read_back", JSONB(none_as_null=True)),\n',
        '    Column("release_word", Text),\n',
    ),
}


def next_release(folder: Path, expand: str = EXPAND) -> Release:
    """Write it into a folder. Fails where the lines are gone that it changes."""
    leave = shutil.ignore_patterns("node_modules", "__pycache__", "src")
    for part in ("services", "libs", "gateway"):
        shutil.copytree(ROOT / part, folder / part, ignore=leave)
    migrations = folder / "services/tasking/migrations"
    before = chains(migrations)[1].head()
    revision = f"{int(before) + 1:04}"
    text = _MIGRATION.format(revision=revision, before=before, expand=expand)
    (migrations / f"{revision}_next_release.py").write_text(text)
    for name, (line, more) in _CODE.items():
        path = folder / name
        source = path.read_text()
        assert source.count(line) == 1, f"{name} has no line {line!r} of its own"
        path.write_text(source.replace(line, line + more))
    return Release(folder)


async def migrate(machine: Machine, release: Release) -> str:
    """What the Job of an upgrade runs, of this release's image; what it said."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services", "migrate",
        env={**os.environ, **environment.for_migrations(machine), **release.environment()},
        cwd=release.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()
    return said.decode()
