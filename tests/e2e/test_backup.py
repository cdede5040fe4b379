"""A backup while a hospital sends and people work, restored elsewhere: the other hub goes on from there, whole."""

import asyncio
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from libs.backup.manifest import Manifest
from libs.local.environment import SERVICES
from libs.local.process import free_port
from libs.local.up import UpSettings
from tests.e2e.conftest import together
from tests.e2e.load import Insistent, Load, hospital_load
from tests.e2e.region import Region
from tests.e2e.test_killed import _all_is_well, _control_id

SEED = int(os.environ.get("CAREHUB_SEED", "20261128"))


async def carehub(home: Path, *words: str) -> tuple[int, str]:
    """A command as an operator types it; its exit code and what it said."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services", *words,
        env={**os.environ, "CAREHUB_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await child.communicate()
    return child.returncode or 0, out.decode()


@pytest.fixture
def folder() -> AsyncIterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="carehub-backup-"))
    path.chmod(0o711)
    yield path
    home = path / "elsewhere"
    shutil.rmtree((home / "postgres").resolve(), ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


async def nothing_waits(region: Region) -> bool:
    for service in SERVICES:
        query = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        if (await region.rows(service, query))[0][0]:
            return False
    return True


@pytest.mark.timeout(900)
@together
async def test_a_backup_under_load_restored_elsewhere_goes_on_from_there(
    region: Region, folder: Path
):
    secret = folder / "passphrase"
    secret.write_text("a long enough sentence\n")
    secret.chmod(0o600)
    sealed = ("--passphrase-file", str(secret))
    load, over = Load([], []), asyncio.Event()
    sender = Insistent(lambda: region.machine.mllp_port, per_second=15)
    sending = asyncio.create_task(sender.send_all(_lives_until(over, load), connections=2))
    try:
        await region.until(lambda: _reached(sender, 50), 60, "some messages")
        before = list(sender.acknowledged)
        code, told = await carehub(region.machine.home, "backup", str(folder / "set"), *sealed)
        assert len(sender.acknowledged) > len(before), "the backup was not taken under load"
    finally:
        over.set()
    assert code == 0, told
    assert "9 databases" in told
    sender.per_second = 200
    await sending

    manifest = msgspec.json.decode((folder / "set/manifest.json").read_bytes(), type=Manifest)
    assert manifest.heard_ahead == 0, "the cut was not clean"

    code, told = await carehub(
        folder / "nowhere", "restore", "--drill", str(folder / "set"), *sealed
    )
    assert code == 0, told
    assert "The drill is over" in told

    elsewhere = folder / "elsewhere"
    code, told = await carehub(elsewhere, "restore", str(folder / "set"), *sealed)
    assert code == 0, told
    for service in SERVICES:
        assert f"{service}: whole" in told
    assert "every table's digest as it was" in told

    settings = UpSettings(home=elsewhere, http_port=free_port(), mllp_port=free_port())
    async with Region(settings).running() as other:
        await other.until(lambda: nothing_waits(other), 90, "everything told again")
        await other.settled_accounts()
        stored = await other.rows("interop", "SELECT control_id FROM messages")
        kept = {row["control_id"] for row in stored}
        assert {_control_id(message) for message in before} <= kept

        # The hospital sends again whatever the backup does not have; of the rest nothing is made twice.
        assert await _send_all(other, load) == {"AA"}
        await _all_is_well(other, load)
        assert (await other.get("nurse", "/v1/facilities"))["facilities"]

    code, told = await carehub(elsewhere, "restore", str(folder / "set"), *sealed)
    assert code == 1
    assert "is not empty" in told


def _lives_until(over: asyncio.Event, load: Load) -> Iterator[list[bytes]]:
    """One patient after the other, each into the load: it lasts as long as what is done beside it, on whatever machine."""
    for number in itertools.count(1):
        if over.is_set():
            return
        life = hospital_load(SEED + number, patients=1, name=f"BACK{number}X")
        load.streams.extend(life.streams)
        load.stays.extend(life.stays)
        yield from life.streams


async def _send_all(region: Region, load) -> set[str]:
    codes = set()
    for stream in load.streams:
        codes |= set(await region.send(*stream))
    return codes


async def _reached(sender: Insistent, count: int) -> bool:
    return len(sender.acknowledged) >= count
