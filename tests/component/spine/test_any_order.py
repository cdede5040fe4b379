"""Whatever order messages come in, and however often: the same visits, the same open loops, the same due times."""

import asyncio
import json
import os
import random
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from tests.component.spine.histories import Reported, Said, histories, told
from tests.component.tasking.conftest import Tasking, at

SEED = int(os.environ.get("CAREHUB_SEED", "20261121"))
PATIENTS = 8
TELLINGS = 20  # the first one is in order, message by message; the others are shuffled, all at once
# Of all that registry hears: identity's heartbeats are in the inbox, too.
REPORTS = "SELECT count(*) FROM inbox WHERE consumer = 'registry-reports'"
_VISITS = """
    SELECT e.encounter_class, e.state, e.admit_at, e.discharge_at, e.discharge_disposition, e.locations, e.diagnoses,
        e.attending, e.admit_reason, e.admission_type, e.visit_number, e.id, p.facts -> 'died_at' AS died
    FROM encounters e JOIN patients p ON p.id = e.patient_id
    WHERE NOT e.is_void AND p.state = 'ACTIVE'
        AND e.patient_id = (SELECT patient_id FROM patient_search s WHERE EXISTS (
            SELECT 1 FROM unnest(tsvector_to_array(s.vector)) entry WHERE entry = $1))
    ORDER BY e.admit_at, e.visit_number, e.id
"""
_LOOPS = """
    SELECT l.encounter_id, l.anchor_at, l.key_dates,
        (SELECT json_agg(json_build_array(t.step, t.due_at, t.due_on, t.start_at, t.role, t.team_id) ORDER BY t.step)
            FROM tasks t WHERE t.loop_id = l.id AND t.state = 'OPEN') AS tasks
    FROM loops l WHERE l.state = 'OPEN' AND l.encounter_id = ANY ($1) ORDER BY l.anchor_at, l.encounter_id
"""


class Spine(Tasking):
    """Registry and tasking together, fed as interop feeds them."""

    async def report(self, event: Reported) -> None:
        source = event.source
        await self.hub.publish(event, key=source.message_id, version=source.replay + 1, id=uuid4())

    async def look(self, service: str, query: str, *values: Any) -> list[Any]:
        async with self.hub.system(service) as tx:
            return list(await tx._connection.fetch(query, *values))

    async def settle(self, reports: int) -> None:
        """Every report was handled, everything that follows was told, and tasking has heard it all."""

        async def handled() -> bool:
            count = await self.look("registry", REPORTS)
            waiting = await self.look(
                "registry", "SELECT count(*) FROM outbox WHERE published_at IS NULL"
            )
            return count[0][0] >= reports and waiting[0][0] == 0

        await self.hub.until(handled, seconds=150, what="every report handled")
        rows = await self.look(
            "registry",
            "SELECT id FROM outbox WHERE subject NOT LIKE '%ReportHandled' ORDER BY position",
        )
        ids = [row["id"] for row in rows]

        async def heard() -> bool:
            found = await self.look(
                "tasking",
                "SELECT count(DISTINCT message_id) FROM inbox WHERE message_id = ANY ($1)",
                ids,
            )
            return found[0][0] == len(ids)

        await self.hub.until(heard, seconds=150, what="everything heard by tasking")

    async def picture(self, telling: int, patient: int) -> list[Any]:
        """A patient's visits with every field, and the open loop of each with its dates and open tasks."""
        who = f"P{patient}T{telling}"
        visits = await self.look("registry", _VISITS, f"i:{who}")
        ids = [row["id"] for row in visits]
        loops = {row["encounter_id"]: row for row in await self.look("tasking", _LOOPS, ids)}
        out = []
        for row in visits:
            fields = {k: v for k, v in dict(row).items() if k != "id"}
            fields["visit_number"] = fields["visit_number"].removesuffix(who)
            loop = loops.get(row["id"])
            told_of = loop and {k: v for k, v in dict(loop).items() if k != "encounter_id"}
            out.append(json.loads(json.dumps([fields, told_of], default=str)))
        return out


@pytest.mark.timeout(600)
async def test_any_order_with_duplicates_ends_in_the_same_visits_loops_and_due_times(hub):
    rng = random.Random(SEED)
    print(f"CAREHUB_SEED={SEED}")
    story = histories(rng, patients=PATIENTS)
    async with hub("registry", "tasking", now=at("2026-09-02 18:00")) as running:
        spine = Spine(running)
        await spine.people()

        reports = await _tell_in_order(spine, story)
        reports += await _tell_shuffled(spine, story, rng)
        await spine.settle(reports)

        for patient in range(PATIENTS):
            expected = await spine.picture(0, patient)
            assert expected, f"patient {patient} has no visit at all"
            for telling in range(1, TELLINGS):
                found = await spine.picture(telling, patient)
                assert found == expected, f"seed {SEED}, patient {patient}, telling {telling}"
        await _it_was_worth_it(spine)


async def _tell_in_order(spine: Spine, story: Sequence[Said]) -> int:
    """Every patient's messages in their order, each after the one before had all its effects."""
    sent = 0
    for number in range(max(said.number for said in story) + 1):
        for said in story:
            if said.number == number:
                await spine.report(told(said, 0, spine.here))
                sent += 1
        await spine.settle(sent)
    return sent


async def _tell_shuffled(spine: Spine, story: Sequence[Said], rng: random.Random) -> int:
    """All other tellings, mixed: shuffled, some delivered twice, some replayed."""
    reports = []
    for telling in range(1, TELLINGS):
        again = rng.sample(story, len(story) // 4)
        replayed = rng.sample(story, len(story) // 8)
        reports += [told(said, telling, spine.here) for said in (*story, *again)]
        reports += [told(said, telling, spine.here, replay=1) for said in replayed]
    rng.shuffle(reports)
    for start in range(0, len(reports), 50):
        await asyncio.gather(*(spine.report(each) for each in reports[start : start + 50]))
    return len(reports)


async def _it_was_worth_it(spine: Spine) -> None:
    """The story has what makes it hard: several visits, several open loops, and none twice."""
    loops = await spine.look("tasking", "SELECT state, count(*) AS n FROM loops GROUP BY 1")
    counts = {row["state"]: row["n"] for row in loops}
    assert counts.get("OPEN", 0) >= TELLINGS * 2, counts
    assert len(counts) > 1, counts
    states = await spine.look("registry", "SELECT DISTINCT state FROM encounters WHERE NOT is_void")
    assert len(states) > 1
    for service in ("registry", "tasking"):
        assert await spine.look(service, "SELECT consumer, reason FROM parked") == []
    await spine.promise_is_kept()
