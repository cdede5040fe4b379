"""The authorization matrix: all cells of the dimensions, and a subset in which every three values meet.

A cell is one value of each dimension, in the order of DIMENSIONS. `python -m tests.reference.matrix` prints the sizes.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations, product

from tests.reference.facts import NOBODY, PURPOSES, Question, World, words
from tests.reference.situations import (
    CONSENTS,
    PATIENTS,
    RELATIONSHIPS,
    TIMES,
    Scene,
)

Cell = tuple[str, ...]
Who = tuple[str, frozenset[str], frozenset[str], frozenset[str]]

ROWS: dict[str, tuple[str, frozenset[str]]] = {
    "demographics": ("DEMOGRAPHICS", words("NORMAL")),
    "clinical": ("CLINICAL", words("NORMAL")),
    "result": ("RESULTS", words("NORMAL")),
    "referral": ("REFERRALS", words("NORMAL")),
    "message": ("MESSAGES", words("NORMAL")),
    "bill": ("BILLING", words("NORMAL")),
    "addiction": ("CLINICAL", words("SUD")),
    "addiction, Part 2 program": ("RESULTS", words("SUD PART2")),
    "demographics, Part 2 program": ("DEMOGRAPHICS", words("PART2")),
    "mental health visit": ("VISITS", words("MENTAL_HEALTH")),
    "HIV and STD results": ("RESULTS", words("HIV STD")),
    "reproductive appointment": ("APPOINTMENTS", words("REPRODUCTIVE")),
    "violence": ("COORDINATION", words("VIOLENCE")),
    "genetic result": ("RESULTS", words("GENETIC")),
    "confidential visit of a minor": ("VISITS", words("MINOR_CONFIDENTIAL")),
    "counseling notes": ("CLINICAL", words("COUNSELING_NOTES")),
    "withheld": ("CLINICAL", words("WITHHELD")),
    "not labelled at all": ("CLINICAL", NOBODY),
}

# The kinds of asker: person, teams, facilities, organizations.
ASKERS: dict[str, Callable[[Scene], Who]] = {
    "the person alone": lambda s: (s.person, NOBODY, NOBODY, NOBODY),
    "the person at work": lambda s: (
        s.person, frozenset({"team"}), frozenset({s.home}), frozenset({s.organization}),
    ),
    "a colleague": lambda s: ("colleague", NOBODY, frozenset({s.home}), NOBODY),
    "a colleague of the team": lambda s: ("colleague", frozenset({"team"}), NOBODY, NOBODY),
    "the organization": lambda s: ("colleague", NOBODY, NOBODY, frozenset({s.organization})),
    "a stranger": lambda s: (
        "stranger", frozenset({"strangers"}), frozenset({"elsewhere"}), frozenset({"others"}),
    ),
}  # fmt: skip

DIMENSIONS: dict[str, list[str]] = {
    "relationship": list(RELATIONSHIPS),
    "consent": list(CONSENTS),
    "patient": list(PATIENTS),
    "time": list(TIMES),
    "row": list(ROWS),
    "purpose": sorted(PURPOSES),
    "asker": list(ASKERS),
}
STRENGTH = 3


def full_size() -> int:
    return math.prod(len(values) for values in DIMENSIONS.values())


@cache
def scene_of(relationship: str, consent: str, patient: str) -> Scene:
    scene = Scene()
    for act in RELATIONSHIPS[relationship]:
        act(scene)
    CONSENTS[consent](scene)
    PATIENTS[patient](scene)
    return scene


def question_of(scene: Scene, time: str, row: str, purpose: str, asker: str) -> Question:
    data_class, labels = ROWS[row]
    person, teams, facilities, organizations = ASKERS[asker](scene)
    return Question(
        TIMES[time], purpose, scene.source, data_class, labels, person, teams, facilities, organizations
    )  # fmt: skip


def situation_of(cell: Cell) -> tuple[World, Question]:
    relationship, consent, patient, *asked = cell
    scene = scene_of(relationship, consent, patient)
    return scene.world, question_of(scene, *asked)


def scenes() -> Iterator[tuple[Cell, Scene]]:
    """The worlds of the full product: (relationship, consent, patient)."""
    for told in product(*list(DIMENSIONS.values())[:3]):
        yield told, scene_of(*told)


def questions(scene: Scene, time: str) -> Iterator[tuple[Cell, Question]]:
    """All that is asked of one world at one time: (row, purpose, asker)."""
    for asked in product(*list(DIMENSIONS.values())[4:]):
        yield asked, question_of(scene, time, *asked)


# The subset that every `make test` goes through.


def subset() -> list[Cell]:
    """Every three values of the seven dimensions meet; and once more with askers and purposes that fit each other.

    A purpose and an asker picked blindly are refused nearly always, for a reason that hides all others.
    """
    blind = [tuple(row[name] for name in DIMENSIONS) for row in covering(DIMENSIONS)]
    chosen = {**DIMENSIONS, "purpose": ["first", "second", "third"], "asker": ["the fitting one"]}
    fitting = []
    for row in covering(chosen):
        purpose, asker = fit(row["relationship"], chosen["purpose"].index(row["purpose"]))
        fitting.append(tuple({**row, "purpose": purpose, "asker": asker}.values()))
    return list(dict.fromkeys(blind + fitting))


def fit(relationship: str, choice: int) -> tuple[str, str]:
    """A purpose and an asker for whom this relationship is likely to open something."""
    kind = relationship.split(",")[0].split()[0]
    purposes, askers = FITTING.get(
        kind, (CARE, ["a colleague", "the person at work", "the organization"])
    )
    return purposes[choice], askers[choice]


CARE = ["TREATMENT", "CARE_COORDINATION", "EMERGENCY"]
ALONE = ["the person alone", "the person alone", "the person at work"]
FITTING = {
    "the": (["PATIENT_REQUEST", "PATIENT_REQUEST", "LEGAL"], ALONE),
    "parent": (["FAMILY_REQUEST", "FAMILY_REQUEST", "TREATMENT"], ALONE),
    "guardian": (["FAMILY_REQUEST", "FAMILY_REQUEST", "TREATMENT"], ALONE),
    "caregiver": (["FAMILY_REQUEST", "FAMILY_REQUEST", "TREATMENT"], ALONE),
    "attorney": (["FAMILY_REQUEST", "FAMILY_REQUEST", "TREATMENT"], ALONE),
    "glass": (["EMERGENCY", "EMERGENCY", "EMERGENCY"], ALONE),
    "person": (CARE, ALONE),
    "team": (CARE, ["a colleague of the team", "the person at work", "a colleague of the team"]),
}


def covering(dimensions: dict[str, list[str]]) -> list[dict[str, str]]:
    """Cells in which every three values of different dimensions meet at least once; always the same ones.

    One dimension after the other, the longest first: the first three as their product; each further one gives every
    cell the value that meets most triples anew, and then adds cells for the triples that are still missing.
    """
    order = sorted(dimensions, key=lambda name: -len(dimensions[name]))
    sizes = [len(dimensions[name]) for name in order]
    rows = [list(row) for row in product(*(range(size) for size in sizes[:STRENGTH]))]
    for position in range(STRENGTH, len(sizes)):
        missing = triples(sizes, position)
        widen(rows, missing, sizes[position])
        rows.extend(rows_for(missing, position))
    places = {name: order.index(name) for name in dimensions}
    return [
        {name: values[max(row[places[name]], 0)] for name, values in dimensions.items()}
        for row in rows
    ]


ANY = -1
Triples = dict[tuple[int, int], set[tuple[int, int, int]]]


def triples(sizes: list[int], position: int) -> Triples:
    """By pair of earlier dimensions: (value, value, value of the dimension at this position)."""
    return {
        (a, b): set(product(range(sizes[a]), range(sizes[b]), range(sizes[position])))
        for a, b in combinations(range(position), 2)
    }


def widen(rows: list[list[int]], missing: Triples, size: int) -> None:
    for number, row in enumerate(rows):
        gains = [0] * size
        for (a, b), wanted in missing.items():
            for value in range(size):
                gains[value] += (row[a], row[b], value) in wanted
        best = max(range(size), key=lambda value: (gains[value], (value - number) % size))
        for (a, b), wanted in missing.items():
            wanted.discard((row[a], row[b], best))
        row.append(best)


def rows_for(missing: Triples, position: int) -> list[list[int]]:
    """New rows for the triples that no row has yet, as few as fit them; what a row leaves open says ANY."""
    fresh: list[list[int]] = []
    for (a, b), wanted in missing.items():
        for x, y, value in sorted(wanted):
            told = {a: x, b: y, position: value}
            row = next((row for row in fresh if fits(row, told)), None)
            if row is None:
                row = [ANY] * (position + 1)
                fresh.append(row)
            for at, value_told in told.items():
                row[at] = value_told
    return fresh


def fits(row: list[int], told: dict[int, int]) -> bool:
    return all(row[at] in (ANY, value) for at, value in told.items())


if __name__ == "__main__":
    print({name: len(values) for name, values in DIMENSIONS.items()})
    print(f"full product: {full_size():,} cells; subset: {len(subset()):,} cells")
