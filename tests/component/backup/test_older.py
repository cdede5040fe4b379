"""One database restored older than its neighbors: it hears what it has missed, and they agree again."""

import os
import random

import pytest

from libs.backup.archive import BackupFailed
from libs.local import verify
from tests.component.backup.conftest import SERVICES
from tests.component.spine.histories import histories, told
from tests.component.spine.test_any_order import REPORTS, Spine
from tests.component.tasking.conftest import at

SEED = int(os.environ.get("CAREHUB_SEED", "20261128"))
PATIENTS = 6
TRIALS = int(os.environ.get("CAREHUB_RESTORES", "2"))


class Story:
    """Messages of some patients, told in their order, in two parts."""

    def __init__(self, spine, rng):
        self.spine = spine
        self.said = sorted(histories(rng, patients=PATIENTS), key=lambda s: (s.number, s.patient))
        self.sent = 0

    async def tell(self, upto):
        for said in self.said[self.sent : upto]:
            await self.spine.report(told(said, 0, self.spine.here))
        self.sent = max(self.sent, upto)
        await self.spine.settle(0)

    async def pictures(self):
        return [await self.spine.picture(0, patient) for patient in range(PATIENTS)]


async def handled(spine, count):
    async def is_handled():
        return (await spine.look("registry", REPORTS))[0][0] >= count

    await spine.hub.until(is_handled, seconds=150, what=f"{count} reports handled")
    await spine.settle(0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("trial", range(TRIALS))
async def test_a_listener_restored_older_catches_up(hub, operator, trial):
    rng = random.Random(f"{SEED} {trial}")
    env = operator.env
    async with hub(*SERVICES, env=env, now=at("2026-09-02 18:00")) as running:
        spine = Spine(running)
        await spine.people()
        story = Story(spine, rng)
        first = rng.randint(1, len(story.said) - 1)
        await story.tell(first)
        manifest = await operator.back_up()
        assert manifest.heard_ahead == 0
        await story.tell(len(story.said))
        await handled(spine, len(story.said))
        expected = await story.pictures()

    done = await operator.restore("tasking", although_heard=True)
    assert done.services == ("tasking",)
    lines = []
    assert await verify.run(SERVICES, SERVICES, env, lines.append) == verify.WHOLE, lines
    assert any(line.startswith("tasking: a backup of") for line in lines)

    async with hub(*SERVICES, env=env, goes_on=True, now=at("2026-09-02 18:00")) as running:
        spine.hub = story.spine.hub = running

        async def the_same():
            return await story.pictures() == expected

        await running.until(the_same, seconds=120, what=f"the same pictures, seed {SEED} {trial}")
        for service in SERVICES:
            assert await spine.look(service, "SELECT reason FROM parked") == []
        assert await spine.look("tasking", "SELECT max(epoch) FROM restores") == [(done.epoch,)]


@pytest.mark.timeout(600)
async def test_what_a_teller_tells_after_it_was_restored_is_newer_than_all_that_it_has_forgotten(
    hub, operator
):
    env = operator.env
    async with hub(*SERVICES, env=env, now=at("2026-09-02 18:00")) as running:
        spine = Spine(running)
        await spine.people()
        story = Story(spine, random.Random(SEED))
        # Everybody is known at the time of the backup, so that nobody gets another id afterwards.
        known = 1 + max(n for n, said in enumerate(story.said) if said.number == 0)
        await story.tell(known)
        await handled(spine, known)
        await operator.back_up()
        await story.tell(len(story.said))
        await handled(spine, len(story.said))
        expected = await story.pictures()

    with pytest.raises(BackupFailed, match=r"registry has told .* things since"):
        await operator.restore("registry")
    with pytest.raises(BackupFailed, match="identity decides who may see whom"):
        await operator.restore("identity")
    done = await operator.restore("registry", although_heard=True)
    assert done.lost > 0

    async with hub(*SERVICES, env=env, goes_on=True, now=at("2026-09-02 18:00")) as running:
        spine.hub = story.spine.hub = running
        forgotten = await story.pictures()
        assert forgotten != expected, "the backup was of the end"
        for said in story.said:  # as interop tells again
            await spine.report(told(said, 0, spine.here))

        async def the_same():
            return await story.pictures() == expected

        await running.until(the_same, seconds=120, what="the same pictures as before")

        async def is_lifted():
            lifted = await spine.look(
                "tasking",
                "SELECT count(*) FROM encounters WHERE version > $1",
                done.epoch * 2**32,
            )
            return lifted[0][0] > 0

        await running.until(is_lifted, seconds=120, what="visits of lifted versions at tasking")
