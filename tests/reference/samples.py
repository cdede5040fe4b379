"""What the product's decider is compared with in every `make test`: the subset of the matrix, and worlds by chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.reference import chance
from tests.reference.corners import corners
from tests.reference.decider import may
from tests.reference.facts import Question, World
from tests.reference.matrix import situation_of, subset

SEED = 20260416
WORLDS, QUESTIONS = 1200, 12


@dataclass
class Sample:
    name: str
    world: World
    question: Question
    shown: bool


def of_the_matrix() -> Iterator[Sample]:
    for cell in subset():
        world, question = situation_of(cell)
        yield Sample(" / ".join(cell), world, question, may(world, question))


def by_chance(seed: int = SEED, worlds: int = WORLDS) -> Iterator[Sample]:
    for number in range(worlds):
        rng = Random(f"{seed}/{number}")
        world = chance.world(rng)
        for _ in range(QUESTIONS):
            question = chance.question(rng, world)
            yield Sample(f"world {seed}/{number}", world, question, may(world, question))


def by_hand() -> Iterator[Sample]:
    for name, world, question in corners():
        yield Sample(name, world, question, may(world, question))


def samples() -> list[Sample]:
    """What is shown comes first: most mistakes show there."""
    return sorted([*by_hand(), *of_the_matrix(), *by_chance()], key=lambda sample: not sample.shown)
