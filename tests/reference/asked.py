"""The authorization matrix of RPCs about a patient: what of a patient's is asked for, how sensitive it is, and by whom.

`python -m tests.reference.asked` prints the sizes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

from tests.reference.callers import LET_THROUGH, ROLES
from tests.reference.decider import may, reasons
from tests.reference.facts import NOBODY, Question, World, words
from tests.reference.matrix import Cell, covering, scene_of
from tests.reference.situations import TIMES, Scene

REGISTRY, TASKING = "/carehub.registry.v1.RegistryService/", "/carehub.tasking.v1.TaskingService/"
CAREPLANS = "/carehub.careplans.v1.CareplansService/"
SCHEDULING = "/carehub.scheduling.v1.SchedulingService/"


@dataclass(frozen=True)
class About:
    """An RPC about one patient: the row that it shows, the class of that, and whether it changes it."""

    path: str
    table: tuple[str, str]
    data_class: str
    needs_patient: bool = False
    writes: bool = False


RPCS = {
    "GetPatient": About(REGISTRY + "GetPatient", ("registry", "patients"), "DEMOGRAPHICS"),
    "GetEncounter": About(REGISTRY + "GetEncounter", ("registry", "encounters"), "VISITS"),
    "ListEncounters": About(
        REGISTRY + "ListEncounters", ("registry", "encounters"), "VISITS", needs_patient=True
    ),
    "ListObservations": About(
        REGISTRY + "ListObservations", ("registry", "observations"), "RESULTS", needs_patient=True
    ),
    "GetCarePlan": About(CAREPLANS + "GetCarePlan", ("careplans", "care_plans"), "COORDINATION"),
    "ListCarePlans": About(CAREPLANS + "ListCarePlans", ("careplans", "care_plans"), "COORDINATION"),
    "GetAppointment": About(SCHEDULING + "GetAppointment", ("scheduling", "appointments"), "VISITS"),
    "ListAppointments": About(SCHEDULING + "ListAppointments", ("scheduling", "appointments"), "VISITS"),
    "CancelAppointment": About(
        SCHEDULING + "CancelAppointment", ("scheduling", "appointments"), "VISITS", writes=True
    ),
    "GetLoop": About(TASKING + "GetLoop", ("tasking", "loops"), "COORDINATION"),
    "ListLoops": About(TASKING + "ListLoops", ("tasking", "loops"), "COORDINATION"),
    "GetTask": About(TASKING + "GetTask", ("tasking", "tasks"), "COORDINATION"),
    "ListTasks": About(TASKING + "ListTasks", ("tasking", "tasks"), "COORDINATION"),
    "CommentOnTask": About(
        TASKING + "CommentOnTask", ("tasking", "tasks"), "COORDINATION", writes=True
    ),
    "DeclineTask": About(TASKING + "DeclineTask", ("tasking", "tasks"), "COORDINATION", writes=True),
}  # fmt: skip
SENSITIVE = ("NORMAL", "SUD", "PART2", "WITHHELD", "COUNSELING_NOTES")
ROWS = [
    f"{rpc} {labels}"
    for rpc in RPCS
    for labels in (SENSITIVE if rpc != "GetPatient" else ("NORMAL",))
]

# A caller token lists organizations by the facilities that they have, and never without.
ASKERS: dict[str, Callable[[Scene], tuple[str, frozenset[str], frozenset[str], frozenset[str]]]] = {
    "the person at work": lambda s: (s.person, words("team"), frozenset({s.home}), frozenset({s.organization})),
    "a colleague": lambda s: ("colleague", NOBODY, frozenset({s.home}), frozenset({s.organization})),
    "the person alone": lambda s: (s.person, NOBODY, NOBODY, NOBODY),
    "a stranger": lambda s: ("stranger", words("strangers"), words("elsewhere"), words("others")),
}  # fmt: skip
DIMENSIONS: dict[str, list[str]] = {
    "relationship": [
        "none", "own row", "registered, agreement", "treated, agreement", "treated, same organization",
        "treated, agreement with opt-in", "person on the care team, agreement", "glass broken",
    ],
    "consent": [
        "nothing said", "deny", "permit all", "permit a facility", "deny a facility", "permit, withdrawn",
        "permit all, deny a person",
    ],
    "time": ["on the eve", "on the birthday", "relations ended"],
    "row": ROWS,
    "purpose": ["TREATMENT", "EMERGENCY", "CARE_COORDINATION", "PAYMENT", "FAMILY_REQUEST"],
    "asker": list(ASKERS),
    "role": sorted(ROLES),
}  # fmt: skip
# Where a refusal by role would hide everything else: roles that may do all of this, and purposes of care.
FITTING = {
    **DIMENSIONS,
    "purpose": ["TREATMENT", "EMERGENCY", "CARE_COORDINATION"],
    "asker": ["the person at work", "a colleague"],
    "role": ["nurse", "physician"],
}
WIDE = {**DIMENSIONS, "role": ["nurse"]}


# Five values have to meet: a consent shows somebody at home what they may not change, since they ask as family.
AS_FAMILY: list[Cell] = [
    ("own row", "permit a facility", "on the birthday", row, "FAMILY_REQUEST", "a colleague", "nurse")
    for row in ("GetTask PART2", "CommentOnTask PART2", "DeclineTask NORMAL")
]  # fmt: skip


def subset() -> list[Cell]:
    """Every three values meet, and once more of those callers whom their role lets through."""
    blind = [tuple(row.values()) for row in covering(DIMENSIONS)]
    return list(dict.fromkeys([*blind, *fitting(), *AS_FAMILY]))


def fitting() -> list[Cell]:
    return [tuple(row.values()) for row in covering(FITTING)]


def everything() -> list[Cell]:
    """All of it, as a role asks that is let through: who is not, is refused before anything of this counts."""
    return list(product(*WIDE.values()))


def asked(cell: Cell) -> tuple[World, Question, About]:
    relationship, consent, time, row, purpose, asker, _ = cell
    scene = scene_of(relationship, consent, "adult")
    rpc, labels = row.split()
    about = RPCS[rpc]
    question = Question(
        TIMES[time], purpose, scene.source, about.data_class, words(labels), *ASKERS[asker](scene)
    )
    return scene.world, question, about


def expected(cell: Cell) -> str:
    """`refused` by role; else `absent` or `shown`; of a change, `done` or `not yours`."""
    world, question, about = asked(cell)
    if cell[-1] not in LET_THROUGH[about.path]:
        return "refused"
    known = replace(question, data_class="DEMOGRAPHICS", labels=words("NORMAL"))
    if not may(world, question) or (about.needs_patient and not may(world, known)):
        return "absent"
    if not about.writes:
        return "shown"
    return "done" if "OWN" in reasons(world, question) else "not yours"


if __name__ == "__main__":
    print({name: len(values) for name, values in DIMENSIONS.items()})
    print(f"all: {len(everything()):,} cells; subset: {len(subset()):,} cells")
