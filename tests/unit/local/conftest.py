"""The bench that issuer tests work at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.unit.local.issuer_bench import Bench


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.http.aclose()
