"""A whole hub, as `carehub up` starts it, on ports and in a folder of its own. One at a time: it needs the machine."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.local.process import free_port
from libs.local.up import UpSettings
from tests.e2e.collector import Collector, collecting
from tests.e2e.region import Region
from tests.e2e.watched import Watched


@pytest.fixture(scope="session")
async def collector() -> AsyncIterator[Collector]:
    """Hears every span of every hub: all that a test does is traced, and can be looked at."""
    async with collecting() as heard:
        yield heard


@pytest.fixture(scope="session", params=["together", "split"])
async def region(request: pytest.FixtureRequest, collector: Collector) -> AsyncIterator[Region]:
    """The demo network in both ways of running: two processes, and every service in one of its own.

    All stories of one way share a hub, as stories of life do: each has people and numbers of its own.
    """
    home = Path(tempfile.mkdtemp(prefix="carehub-e2e-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    is_split = request.param == "split"
    settings = UpSettings(home=home, http_port=free_port(), mllp_port=free_port(), split=is_split)
    outside = pytest.MonkeyPatch()
    outside.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    try:
        watched = Watched()
        region = Region(settings, watched.heard)
        async with region.running():
            yield region
            await watched.look(region)
    finally:
        outside.undo()
        shutil.rmtree(home, ignore_errors=True)


together = pytest.mark.parametrize("region", ["together"], indirect=True)
