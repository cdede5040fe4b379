"""The product's decider and the reference agree on every cell; where they do not, the specification decides.

`make test` goes through the subset of the matrix and worlds by chance; `make test-matrix` (CAREHUB_MATRIX=all) through
every cell, in two processes.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.reference import chance
from tests.reference.decider import may
from tests.reference.matrix import Cell, full_size, questions, scene_of, scenes, subset
from tests.reference.samples import SEED, Sample, by_chance, by_hand, of_the_matrix
from tests.reference.situations import TIMES
from tests.unit.identity.access_translation import Asked

SUBSET, FULL = 26_506, 38_154_240
SHOWN_AT_MOST = 20


def differences(told: Iterator[Sample]) -> list[str]:
    found = []
    for sample in told:
        if Asked(sample.world, sample.question.at).may(sample.question) != sample.shown:
            found.append(
                f"{'refuses' if sample.shown else 'shows'}: {sample.name} {sample.question}"
            )
    return found[:SHOWN_AT_MOST]


def test_every_cell_of_the_subset_is_right():
    assert len(subset()) == SUBSET
    assert differences(of_the_matrix()) == []


def test_worlds_by_hand_are_right():
    assert differences(by_hand()) == []


def test_worlds_by_chance_are_right():
    assert differences(by_chance()) == []


def test_an_answer_holds_until_it_is_said_to_change():
    """Decided at one instant and asked at the last one before `changes_at`, and at every window's edge between."""
    for sample in by_chance(SEED + 1, worlds=300):
        decided = Asked(sample.world, sample.question.at)
        edges = [m for m in chance.moments(sample.world) if m > sample.question.at]
        for at in [m for m in edges if decided.changes_at is None or m < decided.changes_at]:
            sample.question.at = at
            assert decided.may(sample.question) == may(sample.world, sample.question), sample.name


def of_one_scene(told: Cell) -> tuple[int, list[str]]:
    scene, cells, found = scene_of(*told), 0, []
    for time, at in TIMES.items():
        asked = Asked(scene.world, at)
        for cell, question in questions(scene, time):
            cells += 1
            if asked.may(question) != may(scene.world, question):
                found.append(" / ".join((*told, time, *cell)))
    return cells, found


@pytest.mark.skipif(
    os.environ.get("CAREHUB_MATRIX") != "all",
    reason="minutes of work: make test-matrix (CAREHUB_MATRIX=all)",
)
@pytest.mark.timeout(3600)
def test_every_cell_is_right():
    cells, found = 0, []
    with ProcessPoolExecutor(2) as pool:
        for counted, wrong in pool.map(of_one_scene, [t for t, _ in scenes()], chunksize=16):
            cells += counted
            found += wrong
    print(f"{cells:,} cells")
    assert cells == full_size() == FULL
    assert found[:SHOWN_AT_MOST] == []
