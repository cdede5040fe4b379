"""`carehub backup --keep`: one more set each time, and no more than so many."""

import argparse
from datetime import UTC, datetime, timedelta

import pytest

from libs.backup.archive import BackupFailed
from libs.backup.command import back_up
from libs.backup.keeping import let_go, named_by
from libs.backup.manifest import read_manifest
from libs.chassis import ids
from services.__main__ import _parser
from tests.component.backup.conftest import ROOT, SERVICES

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
async def migrated(servers, operator):
    for service in SERVICES:
        await servers.prepare(service, ROOT / "services" / service / "migrations")
    return operator


def set_of(parent, days_ago, *, whole=True):
    folder = named_by(NOON - timedelta(days=days_ago), parent)
    (folder / "identity").mkdir(parents=True)
    (folder / "identity" / "staff.copy.gz").write_bytes(b"x")
    if whole:
        (folder / "SHA256SUMS").write_text("")
    return folder


async def test_the_command_writes_a_set_of_its_time_and_removes_what_is_older_than_the_last_two(
    migrated, tmp_path, monkeypatch
):
    sets = tmp_path / "sets"
    env = {
        f"{s.upper()}_MAINTENANCE_DATABASE_URL": migrated.servers.url(s, "maintenance")
        for s in SERVICES
    }
    told = _parser().parse_args(["backup", str(sets), "--keep", "2"])
    said = []
    for hours in range(3):
        monkeypatch.setattr(ids, "now", lambda at=NOON + timedelta(hours=hours): at)
        assert await back_up(told, env, tmp_path / "home", SERVICES, said.append) == 0
    assert sorted(path.name for path in sets.iterdir()) == [
        "2026-11-28T130000Z",
        "2026-11-28T140000Z",
    ]
    assert f"{sets}/2026-11-28T120000Z: removed; 2 newer sets are kept." in said
    for path in sets.iterdir():
        assert set(read_manifest(path, "")[0].services) == set(SERVICES)


async def test_a_set_that_cannot_be_taken_removes_none(migrated, tmp_path):
    old = [set_of(tmp_path, days) for days in (1, 2, 3)]
    env = {f"{s.upper()}_MAINTENANCE_DATABASE_URL": "postgresql://x:x@127.0.0.1:1/x" for s in SERVICES}  # fmt: skip
    told = argparse.Namespace(folder=tmp_path, keep=1, passphrase_file=None)
    with pytest.raises(BackupFailed, match="does not answer"):
        await back_up(told, env, tmp_path / "home", SERVICES, lambda _line: None)
    assert all((path / "SHA256SUMS").exists() for path in old)


def test_what_was_interrupted_is_no_set_that_counts_and_goes_with_its_time(tmp_path):
    taken, newest, older = (set_of(tmp_path, days) for days in (0, 2, 4))
    broken, old_and_broken = (set_of(tmp_path, days, whole=False) for days in (1, 5))
    assert let_go(tmp_path, 3, taken) == [old_and_broken]
    assert let_go(tmp_path, 2, taken) == [older]
    assert set(tmp_path.iterdir()) == {taken, newest, broken}


def test_what_has_another_name_stays(tmp_path):
    taken = set_of(tmp_path, 0)
    own = [tmp_path / name for name in ("2026-01-01", "lost+found", "of-the-year-2025")]
    for path in own:
        path.mkdir()
    (tmp_path / "2025-01-01T000000Z").symlink_to(own[0])
    (tmp_path / "2025-01-02T000000Z").write_text("a file")
    assert let_go(tmp_path, 1, taken) == []
    assert len(list(tmp_path.iterdir())) == 6


def test_a_set_is_not_removed_by_the_backup_that_took_it_though_the_clock_was_wrong(tmp_path):
    taken = set_of(tmp_path, 400)
    others = [set_of(tmp_path, days) for days in (1, 2)]
    assert let_go(tmp_path, 1, taken) == [others[1]]
    assert (taken / "SHA256SUMS").exists()


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_to_keep_none_is_refused(number, capsys):
    with pytest.raises(SystemExit):
        _parser().parse_args(["backup", "sets", "--keep", number])
    assert "--keep" in capsys.readouterr().err
