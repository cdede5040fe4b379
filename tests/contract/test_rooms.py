"""The rooms that services stand on: each small enough to be read, each in its place, and who speaks what to the outside."""

import ast
import io
import tokenize
import tomllib
from collections.abc import Iterator

import pytest

from tests.contract.test_layout import ROOT, imports_of, python_files

# Lines of code, from the bottom up. The chassis was one room of nearly 6,000 once: what grows past its line is a
# conversation, and perhaps a room.
CEILINGS = {
    "telemetry": 330,
    "chassis": 2400,
    "conveyor": 1570,
    "process": 1050,
    "ledger": 1020,
}
SPEAKS = {
    "libs/chassis": {"asyncpg", "grpc"},
    "libs/conveyor": {"nats"},
    "libs/process": {"asyncpg"},  # the type of a pool
    "libs/mail": {"aiosmtplib"},
}
# They start servers, or copy tables whole; or are generated.
FREE = ("libs/backup", "libs/local", "libs/testing", "libs/contracts")


@pytest.mark.parametrize("room", CEILINGS)
def test_a_room_can_be_read(room, capsys):
    lines = {
        path.name: code_lines(path.read_text()) for path in (ROOT / "libs" / room).glob("*.py")
    }
    total = sum(lines.values())
    with capsys.disabled():
        print(f" libs/{room}: {total} of {CEILINGS[room]} lines of code ", end="")
    assert total <= CEILINGS[room], lines


def test_every_room_has_its_place_in_the_layers():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    layers = [
        contract["layers"]
        for contract in project["importlinter"]["contracts"]
        if contract.get("containers") == ["libs"]
    ]
    assert layers == [list(reversed(CEILINGS))]


def test_the_chassis_speaks_grpc_and_asyncpg_the_conveyor_nats_mail_smtp_and_nobody_else():
    found = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in python_files("services", "libs", "gateway")
        if not (name := str(path.relative_to(ROOT))).startswith(FREE)
        for module in imports_of(path)
        if (spoken := module.partition(".")[0]) in {"aiosmtplib", "asyncpg", "grpc", "nats"}
        and spoken not in SPEAKS.get("/".join(name.split("/")[:2]), ())
    ]
    assert found == []


def code_lines(source: str) -> int:
    """Lines that hold code: no blank lines, comments or docstrings."""
    silent = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
    }
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    spoken = {
        line
        for token in tokens
        if token.type not in silent | {tokenize.ENDMARKER}
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(spoken - set(docstring_lines(ast.parse(source))))


def docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and node.body
        ):
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and first.end_lineno
            ):
                yield from range(first.lineno, first.end_lineno + 1)
