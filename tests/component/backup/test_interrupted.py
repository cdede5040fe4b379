"""A restore that ends before its end: nobody can start on a part of it, and the same command completes it."""

import argparse
from functools import partial
from uuid import uuid4

import asyncpg
import pytest

from libs.backup import command, restoring
from libs.backup.archive import BackupFailed
from libs.chassis.migrate import is_at_head
from libs.local import environment
from tests.component.backup.conftest import SERVICES
from tests.component.backup.test_reconciled import GRANT, empty, maintaining
from tests.component.backup.test_refusals import filled

__all__ = ["empty", "filled"]


class Interrupted(Exception):
    """Somebody pulls the plug."""


async def revisions(operator):
    found = set()
    for service in SERVICES:
        async with maintaining(operator, service) as connection:
            found.add(await connection.fetchval("SELECT version_num FROM service_version"))
    return found


async def test_until_the_last_step_nobody_can_start_on_any_part_and_again_is_enough(filled):
    await filled.back_up()

    def pulled(_manifest, _seal):
        raise Interrupted

    with pytest.raises(Interrupted):
        await filled.restore(complete=pulled)
    assert await revisions(filled) == {"restoring"}
    with pytest.raises(
        BackupFailed, match="there is no whole database, so nothing can be restored beside"
    ):
        await filled.restore("tasking", although_heard=True)
    await filled.restore(replaces=False)
    assert "restoring" not in await revisions(filled)


async def test_what_is_interrupted_at_its_very_end_is_completed_by_the_same_command(
    filled, monkeypatch
):
    await filled.back_up()
    release, released = restoring.release, []

    async def pulled(target, told):
        if released:
            raise Interrupted
        released.append(target.service)
        await release(target, told)

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "release", pulled)
        with pytest.raises(Interrupted):
            await filled.restore()
    assert "restoring" in await revisions(filled)
    assert released == ["identity"]
    done = await filled.restore(replaces=False)
    assert done.services == SERVICES
    assert "restoring" not in await revisions(filled)

    async with maintaining(filled, "identity") as identity:  # somebody works with it
        await identity.execute("UPDATE outbox SET published_at = now()")
    with pytest.raises(BackupFailed, match="identity: its database is not empty"):
        await filled.restore(replaces=False)


async def test_who_starts_beside_a_restore_waits_until_its_end(filled, monkeypatch):
    """Its own database is whole, and it would change what is told again."""
    await filled.back_up()
    may_start, load = [], restoring.load

    async def looked():
        connection = await asyncpg.connect(filled.servers.url("registry", "system"))
        try:
            return await is_at_head(connection, filled.targets()["registry"].migrations)
        finally:
            await connection.close()

    async def meanwhile(*about):
        may_start.append(await looked())
        await load(*about)

    monkeypatch.setattr(restoring, "load", meanwhile)
    await filled.restore("tasking", although_heard=True)
    assert may_start == [False]
    assert await looked()


async def test_who_had_looked_just_before_a_restore_is_found_and_nothing_is_told_again(
    filled, monkeypatch
):
    await filled.back_up()
    load, process = restoring.load, []

    async def meanwhile(*about):
        process.append(await asyncpg.connect(filled.servers.url("registry", "system")))
        await load(*about)

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "load", meanwhile)
        patched.setattr(restoring, "_LOOKS", 2)
        with pytest.raises(BackupFailed, match="registry: a process began to use its database"):
            await filled.restore("tasking", although_heard=True)
    async with maintaining(filled, "registry") as connection:
        assert not await connection.fetchval("SELECT count(*) FROM restores")
    assert "restoring" in await revisions(filled)
    await process[0].close()
    await filled.restore("tasking", replaces=False, although_heard=True)
    assert "restoring" not in await revisions(filled)


async def test_a_home_is_complete_before_anybody_may_start(filled, tmp_path):
    """With another's network noted, `carehub up` brings nobody who is invented among real people."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    kept = {"accounts.json": "[]", "demo-clock": "12345678", "network": "valley\n"}
    kept |= {"simulator.json": "{}", "stories.json": "{}"}
    for folder in (home, elsewhere):
        folder.mkdir()
    for name, content in kept.items():
        (home / name).write_text(content)
    await filled.back_up(home_files=command._home_files(home))
    seen = []

    def complete(manifest, seal):
        command._restore_home(filled.folder / "set", elsewhere, manifest, seal)
        seen.extend(path.name for path in elsewhere.iterdir() if path.is_file())

    await filled.restore(complete=complete)
    assert {name: (elsewhere / name).read_text() for name in kept} == kept
    assert set(seen) == {*kept, "admin", "demo"}
    assert environment.audit_public_keys(elsewhere).exists()


async def test_a_drill_of_one_database_is_refused_before_anything_is_made(tmp_path):
    words = argparse.Namespace(folder=tmp_path / "set", drill=True, only="tasking")
    with pytest.raises(BackupFailed, match="Leave --only away"):
        await command.bring_back(words, {}, tmp_path / "home", {}, print)
    assert not any(tmp_path.iterdir())


class Busy:
    """A connection to identity, where somebody decides something as soon as one table was read."""

    def __init__(self, connection, decide):
        self._connection = connection
        self._decide = decide

    def __getattr__(self, name):
        return getattr(self._connection, name)

    async def copy_from_query(self, query, **options):
        await self._connection.copy_from_query(query, **options)
        await self._decide()


async def test_what_identity_decided_is_read_as_of_one_moment(empty):
    patient = uuid4()

    async def decide(identity):
        await identity.execute(
            "INSERT INTO access_versions (patient_id, version) VALUES ($1, 1) ON CONFLICT DO NOTHING",
            patient,
        )
        await identity.execute(GRANT + " ON CONFLICT DO NOTHING", patient, uuid4())

    async with maintaining(empty, "identity") as reading, maintaining(empty, "identity") as another:
        decided = await restoring._decided_by(Busy(reading, partial(decide, another)))
        assert await another.fetchval("SELECT max(position) FROM access_versions") > 0
    assert decided.position == 0
    for file in decided.tables.values():
        file.seek(0)
        assert file.read() == b""
