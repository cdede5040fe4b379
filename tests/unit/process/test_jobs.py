"""Jobs are started again: how long they rest before."""

import prometheus_client
import pytest

from libs.chassis import faults
from libs.process.app import Host, HostSettings
from libs.process.status import Role

SETTINGS = HostSettings(role=Role.WORK, database_urls={}, system_urls={}, nats_url="")


@pytest.fixture
async def pauses(caplog):
    """How long a job rests after each of three failures, which come at once."""

    async def keys(_channels) -> str:
        return ""

    async def after_three_failures() -> list[float]:
        host, tries = Host([], SETTINGS, keys), 0

        async def fails_three_times() -> None:
            nonlocal tries
            tries += 1
            if tries <= 3:
                raise RuntimeError

        await host._again_and_again("job", fails_three_times)
        await host.channels.close()
        return [record.seconds for record in caplog.records if hasattr(record, "seconds")]

    return after_three_failures


async def test_a_job_that_fails_again_and_again_rests_longer_and_longer(pauses):
    for pause, most in zip(await pauses(), (0.2, 0.4, 0.8), strict=True):
        assert most / 2 <= pause <= most


async def test_every_time_that_a_job_is_begun_anew_is_counted(pauses):
    def counted() -> float:
        label = {"part": "job"}
        return prometheus_client.REGISTRY.get_sample_value("carehub_begun_anew_total", label) or 0

    before = counted()
    await pauses()
    assert counted() == before + 3


async def test_the_failure_of_a_job_that_was_well_is_its_first(pauses, monkeypatch):
    monkeypatch.setattr(faults, "WELL_AFTER", -1.0)
    assert all(pause <= 0.2 for pause in await pauses()), "each was well before it failed"
