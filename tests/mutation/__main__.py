"""`make test-mutation`: whatever decides who may see what, with one line changed, many times; the tests must catch each.

    python -m tests.mutation [words of names…]

The policies of the databases are `policies.py`, what stands around them `chassis.py`. Of the decider: the reference answers are worked out once; then each mutant is tried in a child process of its own, which takes the
decider's modules from the changed copy and stops at the first cell that is answered otherwise.
"""

import asyncio
import importlib.util
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tests.mutation.mutants import MUTANTS, Mutant
from tests.reference.samples import Sample, samples

PACKAGE = "services.identity.domain.access"
SOURCE = Path(__file__).parents[2] / PACKAGE.replace(".", "/")
WORKERS = 2


class CopyFinder(MetaPathFinder):
    """Finds the modules of the package in the changed copy."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != PACKAGE and not fullname.startswith(PACKAGE + "."):
            return None
        place = self.copy.joinpath(*fullname.removeprefix(PACKAGE).strip(".").split("."))
        if place.is_dir():
            return importlib.util.spec_from_file_location(
                fullname, place / "__init__.py", submodule_search_locations=[str(place)]
            )
        return importlib.util.spec_from_file_location(fullname, place.with_suffix(".py"))


def changed(mutant: Mutant) -> str:
    """The file with the mutant's line changed. A line that is not there is an error of the list, not a survivor."""
    text = (SOURCE / mutant.file).read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(
            f"{mutant.name}: found {text.count(mutant.old)} times in {mutant.file}: {mutant.old!r}"
        )
    return text.replace(mutant.old, mutant.new)


def trial(mutant: Mutant) -> str:
    """What the changed decider answers otherwise, in words; nothing: the mutant survived."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "access"
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / mutant.file).write_text(changed(mutant))
        sys.meta_path.insert(0, CopyFinder(copy))
        try:
            return first_difference()
        except Exception as error:  # noqa: BLE001 - whatever a mutant raises would be noticed
            return f"raises {type(error).__name__}: {error}"


def first_difference() -> str:
    from tests.unit.identity.access_translation import Asked  # takes the decider from the copy

    for number, sample in enumerate(TOLD):
        if Asked(sample.world, sample.question.at).may(sample.question) != sample.shown:
            return f"after {number}, {'refuses' if sample.shown else 'shows'} {sample.name}"
    return ""


TOLD: list[Sample] = []  # filled before the children are forked, which inherit it


def decider(words: Sequence[str]) -> tuple[int, int]:
    """How many mutants there were, and how many of them survived."""
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    for mutant in chosen:
        changed(mutant)
    if not chosen:
        return 0, 0
    TOLD.extend(samples())
    survivors = 0
    with multiprocessing.get_context("fork").Pool(WORKERS, maxtasksperchild=1) as pool:
        for mutant, caught in zip(chosen, pool.imap(trial, chosen, chunksize=1), strict=True):
            survivors += not caught
            print(f"{'caught' if caught else 'SURVIVED':9}{mutant.name}: {caught or mutant.new}")
    return len(chosen), survivors


def main(words: Sequence[str]) -> int:
    began = time.monotonic()
    counts = [decider(words)]
    # Only now: they import the decider, of which the children above had to take a changed copy.
    from tests.mutation import chassis, policies

    counts += [asyncio.run(policies.trials(words)), asyncio.run(chassis.trials(words))]
    tried, survived = (sum(column) for column in zip(*counts, strict=True))
    print(f"{tried - survived} of {tried} mutants caught in {time.monotonic() - began:.0f} s")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
