"""A set that is not what was written is refused with a sentence, before anything is changed anywhere."""

import gzip
import json
import os

import asyncpg
import pytest

from libs.backup import restoring
from libs.backup.archive import BackupFailed, digest_of
from libs.backup.taking import passphrase_in
from libs.conveyor.relay import LEADER
from tests.component.backup.conftest import SERVICES
from tests.component.tasking.conftest import Tasking, at

SECRET = "a sentence that nobody guesses"


@pytest.fixture
async def filled(hub, operator):
    """Three databases with something in them."""
    async with hub(
        *SERVICES, env={"CAREHUB_AUDIT_KEY": str(operator.key)}, now=at("2026-09-02 18:00")
    ) as running:
        await Tasking(running).people()
    return operator


async def counted(operator, service="tasking"):
    connection = await asyncpg.connect(operator.servers.url(service, "maintenance"))
    try:
        return await connection.fetchval("SELECT count(*) FROM staff")
    finally:
        await connection.close()


async def refused(operator, **options):
    with pytest.raises(BackupFailed) as caught:
        await operator.restore(**options)
    assert await counted(operator) == 5, "something was changed"
    return str(caught.value)


def changed(path, change):
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def rewrite_manifest(folder, change):
    """As somebody who knows how a set is made, but not its passphrase."""
    path = folder / "manifest.json"
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    sums = [
        line for line in (folder / "SHA256SUMS").read_text().splitlines() if "manifest" not in line
    ]
    sums.append(f"{digest_of(path)}  manifest.json")
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")


async def test_a_damaged_or_missing_file_is_refused(filled):
    await filled.back_up()
    folder = filled.folder / "set"
    staff = folder / "tasking/staff.copy.gz"
    whole = staff.read_bytes()

    changed(staff, lambda content: content.__setitem__(20, content[20] ^ 1))
    assert "tasking/staff.copy.gz is damaged" in await refused(filled)
    staff.write_bytes(whole[:-1])
    assert "tasking/staff.copy.gz is damaged" in await refused(filled)
    staff.unlink()
    assert "tasking/staff.copy.gz is missing" in await refused(filled)
    staff.write_bytes(whole)

    changed(folder / "manifest.json", lambda content: content.extend(b" "))
    assert "manifest.json is damaged" in await refused(filled)
    (folder / "SHA256SUMS").unlink()
    assert "is no whole set" in await refused(filled)


async def test_rows_that_are_not_those_of_the_manifest_are_refused_and_never_used(filled):
    await filled.back_up()
    folder = filled.folder / "set"
    staff = folder / "tasking/staff.copy.gz"
    rows = gzip.decompress(staff.read_bytes()).splitlines(keepends=True)
    staff.write_bytes(gzip.compress(b"".join(rows[1:])))

    def consistent(told):
        file = told["services"]["tasking"]["tables"]["staff"]["file"]
        file["sha256"], file["size"] = digest_of(staff), staff.stat().st_size

    rewrite_manifest(folder, consistent)
    with pytest.raises(BackupFailed, match=r"tasking/staff\.copy\.gz is damaged"):
        await filled.restore()
    connection = await asyncpg.connect(filled.servers.url("tasking", "owner"))
    try:
        at_head = await connection.fetchval("SELECT version_num FROM service_version")
    finally:
        await connection.close()
    assert at_head == "restoring", "a process would start on half a database"
    staff.write_bytes(gzip.compress(b"".join(rows)))
    rewrite_manifest(folder, consistent)
    await filled.restore(replaces=True)
    assert await counted(filled) == 5


async def test_a_sealed_set_wants_its_passphrase_and_hides_what_it_holds(filled):
    manifest = await filled.back_up(passphrase=SECRET)
    folder = filled.folder / "set"
    assert manifest.salt
    for path in folder.rglob("*.gz"):
        assert not path.read_bytes().startswith(b"\x1f\x8b"), f"{path} is not sealed"
    assert "--passphrase-file" in await refused(filled)
    assert "not the passphrase" in await refused(filled, passphrase="another")

    def exchanged(told):
        tables = told["services"]["tasking"]["tables"]
        tables["staff"]["file"] = tables["teams"]["file"]

    rewrite_manifest(folder, exchanged)
    assert "the manifest was changed" in await refused(filled, passphrase=SECRET)


async def test_an_open_set_is_refused_where_a_sealed_one_is_expected(filled):
    """Whoever may write there could put a set of their own in the place of a sealed one."""
    await filled.back_up()
    assert "The set is not sealed" in await refused(filled, passphrase=SECRET)


async def test_a_sealed_set_is_restored_with_its_passphrase(filled):
    await filled.back_up(passphrase=SECRET)
    done = await filled.restore(passphrase=SECRET)
    assert done.services == SERVICES
    assert await counted(filled) == 5


async def test_another_schema_is_refused_with_what_to_do(filled):
    await filled.back_up()

    def older(told):
        told["services"]["tasking"]["revisions"]["service_version"] = "0001"

    rewrite_manifest(filled.folder / "set", older)
    sentence = await refused(filled)
    assert "tasking: the set has the schema" in sentence
    assert "which made the set, then upgrade" in sentence


async def test_a_used_database_and_one_at_work_are_refused(filled, monkeypatch):
    await filled.back_up()
    assert "is not empty" in await refused(filled, replaces=False)
    monkeypatch.setattr(restoring, "_LOOKS", 2)
    leader = await asyncpg.connect(filled.servers.url("tasking", "maintenance"))
    try:
        await leader.execute("SELECT pg_advisory_lock($1)", LEADER)
        assert "Stop the services first" in await refused(filled)
    finally:
        await leader.close()
    serving = await asyncpg.connect(filled.servers.url("tasking", ""))
    try:
        assert "a process is using its database (1 connections)" in await refused(filled)
    finally:
        await serving.close()
    with pytest.raises(BackupFailed, match=r"is not empty\. Each set has a folder of its own"):
        await filled.back_up()


async def test_a_database_that_does_not_answer_is_a_sentence(filled, monkeypatch):
    monkeypatch.setattr(
        filled.servers.__class__,
        "url",
        lambda _s, _service, _kind: "postgresql://x:x@127.0.0.1:1/x",
    )
    with pytest.raises(BackupFailed, match="identity: its database does not answer"):
        await filled.back_up()


def test_a_passphrase_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o644)
    with pytest.raises(BackupFailed, match="chmod 600"):
        passphrase_in(path)
    path.chmod(0o600)
    assert passphrase_in(path) == SECRET


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_passphrase_of_a_secret_is_root_s_and_read_by_the_pod_s_group(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text(SECRET)
    path.chmod(0o440)
    with pytest.raises(BackupFailed, match="chmod 600"):  # one's own needs no group
        passphrase_in(path)
    os.chown(path, 12345, os.getegid())
    assert passphrase_in(path) == SECRET
    path.chmod(0o444)
    with pytest.raises(BackupFailed, match="chmod 600"):
        passphrase_in(path)
    os.chown(path, 12345, 12345)
    path.chmod(0o440)
    with pytest.raises(BackupFailed, match="chmod 600"):
        passphrase_in(path)
