"""The authorization matrix of rows that lie in databases: tables in the place of the classes of data.

`python -m tests.reference.stored` prints the sizes. The other dimensions are those of `tests/reference/matrix.py`.
"""

import math
from collections.abc import Iterator
from itertools import product

from tests.reference.facts import LABELS, Question, words
from tests.reference.matrix import ASKERS, DIMENSIONS, Cell, covering, fit, scene_of
from tests.reference.situations import TIMES, Scene

# Every table that people see patients' rows of, and the class of what is in it.
CLASS_OF = {
    ("analytics", "risks"): "COORDINATION",
    ("analytics", "units"): "COORDINATION",
    ("careplans", "care_plans"): "COORDINATION",
    ("careplans", "loops"): "COORDINATION",
    ("careplans", "medicine_lists"): "CLINICAL",
    ("careplans", "reconciliations"): "CLINICAL",
    ("careplans", "preferences"): "COORDINATION",
    ("registry", "patients"): "DEMOGRAPHICS",
    ("registry", "program_patients"): "DEMOGRAPHICS",
    ("registry", "encounters"): "VISITS",
    ("registry", "observations"): "RESULTS",
    ("tasking", "patients"): "DEMOGRAPHICS",
    ("tasking", "program_patients"): "DEMOGRAPHICS",
    ("tasking", "loops"): "COORDINATION",
    ("tasking", "tasks"): "COORDINATION",
    ("messaging", "contacts"): "DEMOGRAPHICS",
    ("messaging", "messages"): "MESSAGES",
    ("messaging", "replies"): "MESSAGES",
    ("messaging", "telephone"): "MESSAGES",
    ("messaging", "threads"): "MESSAGES",
    ("messaging", "wishes"): "COORDINATION",
    ("scheduling", "appointments"): "VISITS",
}
# Who somebody is, is no sensitive thing, unless a Part 2 program tells it; a visit may be anything, and work comes from one.
MINGLED = ("SUD PART2", "HIV STD", "PART2 COUNSELING_NOTES", "MENTAL_HEALTH MINOR_CONFIDENTIAL")
LABELS_OF = {
    "risks": ("NORMAL", "PART2"),
    "units": ("NORMAL", "HIV STD"),
    "care_plans": ("NORMAL", "HIV STD"),
    "medicine_lists": ("WITHHELD",),
    "reconciliations": ("NORMAL", "SUD PART2"),
    "preferences": ("PART2",),
    "patients": ("NORMAL",),
    "program_patients": ("PART2",),
    "encounters": (*sorted(LABELS), *MINGLED),
    "observations": ("NORMAL", "HIV", "PART2", "WITHHELD"),
    "appointments": ("NORMAL", "HIV", "PART2", "WITHHELD", "COUNSELING_NOTES"),
    "loops": ("NORMAL", "MENTAL_HEALTH", "COUNSELING_NOTES", "WITHHELD", "SUD PART2"),
    "contacts": ("NORMAL",),
    "messages": ("NORMAL", "MENTAL_HEALTH", "WITHHELD"),
    "replies": ("NORMAL", "PART2"),
    "telephone": ("NORMAL", "HIV STD"),
    "threads": ("NORMAL", "SUD PART2", "COUNSELING_NOTES"),
    "wishes": ("NORMAL",),
    "tasks": ("NORMAL", "VIOLENCE", "PART2 COUNSELING_NOTES", "WITHHELD", "HIV STD"),
}

Row = tuple[str, str, frozenset[str]]


def _rows() -> dict[str, Row]:
    found: dict[str, Row] = {}
    for service, table in CLASS_OF:
        for labels in LABELS_OF[table]:
            found[f"{service}.{table} {labels}"] = (service, table, words(labels))
    return found


ROWS = _rows()
STORED = {**DIMENSIONS, "row": list(ROWS)}


def full_size() -> int:
    return math.prod(len(values) for values in STORED.values())


def question_of(scene: Scene, time: str, row: str, purpose: str, asker: str) -> Question:
    service, table, labels = ROWS[row]
    return Question(
        TIMES[time], purpose, scene.source, CLASS_OF[service, table], labels, *ASKERS[asker](scene)
    )


def subset() -> list[Cell]:
    """Every three values meet; and once more with askers and purposes that fit each other, and one with the other."""
    blind = [tuple(row.values()) for row in covering(STORED)]
    chosen = {**STORED, "purpose": ["first", "second", "third"], "asker": ["the fitting one"]}
    fitting: list[Cell] = []
    for row in covering(chosen):
        purpose, asker = fit(row["relationship"], chosen["purpose"].index(row["purpose"]))
        fitting.append(tuple({**row, "purpose": purpose, "asker": asker}.values()))
    return list(dict.fromkeys(blind + fitting))


def questions(scene: Scene, time: str) -> Iterator[tuple[Cell, Question]]:
    """All that is asked of one world at one time: (row, purpose, asker)."""
    for asked in product(STORED["row"], STORED["purpose"], STORED["asker"]):
        yield asked, question_of(scene, time, *asked)


def question_about(cell: Cell) -> tuple[Scene, Question]:
    relationship, consent, patient, *asked = cell
    scene = scene_of(relationship, consent, patient)
    return scene, question_of(scene, *asked)


if __name__ == "__main__":
    print({name: len(values) for name, values in STORED.items()})
    print(f"full product: {full_size():,} cells; subset: {len(subset()):,} cells")
