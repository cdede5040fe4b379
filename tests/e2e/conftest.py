"""A whole hub, as `carehub up` starts it, on ports and in a folder of its own."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.local.process import free_port
from libs.local.up import UpSettings, running
from tests.e2e.region import Region


@pytest.fixture(scope="module", params=["together", "split"])
async def region(request: pytest.FixtureRequest) -> AsyncIterator[Region]:
    """The demo network in both ways of running: two processes, and every service in one of its own."""
    home = Path(tempfile.mkdtemp(prefix="carehub-e2e-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    settings = UpSettings(
        home=home, http_port=free_port(), mllp_port=free_port(), split=request.param == "split"
    )
    said: list[str] = []
    try:
        async with running(settings, said.append) as machine, Region.of(machine) as region:
            yield region
    finally:
        shutil.rmtree(home, ignore_errors=True)
