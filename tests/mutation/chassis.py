"""Mutants of what stands around the decider and the policies: the guard, the door to the database, the tokens.

Each is a copy of one module with one line changed, in a process of its own in which pytest runs the tests that must fail.
"""

import asyncio
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SPINE = "tests/component/spine/test_authorization_matrix"
RPC, PATIENTS, SQL = f"{SPINE}_rpc.py", f"{SPINE}_patients.py", f"{SPINE}_sql.py"
GUARD, TOKENS, HOLDING, HOSTILE = (
    "tests/component/chassis/test_guard.py",
    "tests/unit/chassis/test_caller_verifier.py",
    "tests/component/process/test_holding.py",
    "tests/issuer/test_hostile_tokens.py",
)


class Mutant(NamedTuple):
    """`tests` are those that must notice, as pytest names them."""

    name: str
    module: str
    old: str
    new: str
    tests: str


G, D, T = "libs.chassis.guard", "libs.chassis.door", "libs.chassis.tokens"
MUTANTS = [
    # Who may call.
    Mutant("permission not checked", G, "if held is None or not method.access.permission:", "held = held or frozenset()\n        if False:", RPC),
    Mutant("methods about oneself widened to all", G, "if method.access.is_self:", "if True:", RPC),
    Mutant("nobody is somebody", G, "if method.access.is_anonymous:\n            return None", "if not request.headers.get(CALLER_TOKEN):\n            return None", RPC),
    Mutant("allow-list widened to all services", G, "if name not in method.access.called_by or not (", "if not (", RPC),
    Mutant("allow-list widened where there is one", G, "if name not in method.access.called_by or not (", "if not method.access.called_by or not (", RPC),
    Mutant("services are not checked", G, "self._check_service(method, caller.name)", "pass", RPC),
    Mutant("services let in by name ignored", G, "self._let_in is None or name in self._let_in", "True", HOLDING),
    Mutant("facilities of every permission", G, "        return held\n", "        return frozenset[UUID]().union(*caller.permissions.values())\n", PATIENTS),
    Mutant("the deactivated are let in", T, "if self._refused and", "if False and", RPC),
    Mutant("tokens never end", T, "if expires <= time.time():", "if False:", RPC),
    Mutant("any audience", T, 'and claims.get("aud") == AUDIENCE', "and True", TOKENS),
    Mutant("any sort of token", T, 'token.header.get("typ") == kind', "True", HOSTILE),
    # What is said, and what is written down.
    Mutant("no audit row", G, "        audit.record(tx, call, method.resource_of(message))\n        return response", "        return response", PATIENTS),
    Mutant("audit rows name nobody", G, "        audit.record(tx, call, method.resource_of(message))\n        return response", "        call.shown.clear()\n        audit.record(tx, call, method.resource_of(message))\n        return response", PATIENTS),
    Mutant("refusals not audited", G, "if error.code in _REFUSALS and not", "if False and not", GUARD),
    Mutant("not found told as forbidden", G, "    if isinstance(error, DomainError):\n        return error", '    if isinstance(error, DomainError):\n        return PermissionDenied(error.reason, "No.") if error.code == "NOT_FOUND" else error', PATIENTS),
    # What the database is told of the caller.
    Mutant("teams not told", D, "(subject, *capacity.teams)", "(subject,)", SQL),
    Mutant("the person not told", D, "(subject, *capacity.teams)", "capacity.teams", SQL),
    Mutant("organizations not told", D, "for i in capacity.organizations}", "for i in ()}", SQL),
    Mutant("facilities ask for nothing", D, "grantees = at | in_person", "grantees = in_person", SQL),
    Mutant("organizations are in person", D, "for i in (subject, *capacity.teams)", "for i in (subject, *capacity.teams, *capacity.organizations)", SQL),
    Mutant("every purpose is treatment", D, "_listed(capacity.purposes)", "_listed(['TREATMENT'])", SQL),
]  # fmt: skip


class Changed(MetaPathFinder):
    """Finds one module in its changed copy."""

    def __init__(self, module: str, copy: Path) -> None:
        self.module, self.copy = module, copy

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.copy)


def changed(mutant: Mutant) -> str:
    text = (ROOT / f"{mutant.module.replace('.', '/')}.py").read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.name}: found {text.count(mutant.old)} times: {mutant.old!r}")
    return text.replace(mutant.old, mutant.new)


async def _trial(mutant: Mutant) -> str:
    """The first test that failed; nothing: the mutant survived. A run that found no test is an error of the list."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "changed.py"
        copy.write_text(changed(mutant))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __spec__.name, mutant.module, str(copy), mutant.tests,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await process.communicate()
    lines = told.decode(errors="replace").splitlines()
    if process.returncode == 0:
        return ""
    if process.returncode != 1:
        raise SystemExit(
            f"{mutant.name}: pytest ended with {process.returncode}\n{told.decode()[-2000:]}"
        )
    return next((line for line in lines if line.startswith(("FAILED", "ERROR"))), "a test failed")


async def trials(words: Sequence[str]) -> tuple[int, int]:
    """How many mutants there were, and how many of them survived."""
    chosen = [m for m in MUTANTS if not words or any(w in m.name for w in words)]
    for mutant in chosen:
        changed(mutant)
    survivors = 0
    for mutant in chosen:
        told = await _trial(mutant)
        survivors += not told
        print(f"{'caught' if told else 'SURVIVED':9}chassis: {mutant.name}: {told[:150]}")
    return len(chosen), survivors


def _run(module: str, copy: str, tests: str) -> int:
    """In the child: the changed module is in place before anything imports it."""
    sys.meta_path.insert(0, Changed(module, Path(copy)))
    import pytest

    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", tests]))


if __name__ == "__main__":
    raise SystemExit(_run(*sys.argv[1:]))
