"""Every command that a document tells an operator to type is one that there is, with words that it takes."""

import re
import shlex
from pathlib import Path

import pytest

from services.__main__ import GATEWAY, SERVICES, _parser

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *(ROOT / "docs/operations").glob("*.md"),
        *(ROOT / "docs/how-to").glob("*.md"),
        ROOT / "README.md",
    ]
)
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.M | re.S)
_CAREHUB = re.compile(r"(?:^|[\s(])carehub (?P<words>[a-z][^|;>)#`\n]*)")
# What stands for something of the reader's own.
_STANDS_FOR = {"UUID": "01936c3a-0000-7000-8000-000000000001", "$service": "registry"}


def commands(path: Path) -> list[str]:
    text = path.read_text()
    blocks = "\n".join(_BLOCK.findall(text)).replace("\\\n", " ")
    inline = [word for word in re.findall(r"`([^`\n]+)`", text) if word.startswith("carehub ")]
    found = [match["words"].strip() for match in _CAREHUB.finditer(blocks)]
    # In running text a command may be cut short, with its words in capitals or an ellipsis: that it exists is enough.
    return [
        *found,
        *(word.removeprefix("carehub ").split()[0] for word in inline if word[8].isalpha()),
    ]


def makes(path: Path) -> set[str]:
    return set(re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z0-9-]+)", path.read_text()))


def parses(command: str) -> bool:
    words = [_STANDS_FOR.get(word.strip('"'), word) for word in shlex.split(command)]
    try:
        _parser().parse_args(words)
    except SystemExit:
        return False
    return True


def exists(name: str) -> bool:
    actions = next(a for a in _parser()._actions if a.choices)
    return name in (actions.choices or {})


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_commands_that_there_are(path, capsys):
    wrong = [
        command
        for command in commands(path)
        if not (parses(command) if " " in command else exists(command))
    ]
    assert wrong == [], capsys.readouterr().err


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_make_targets_that_there_are(path):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert makes(path) - targets == set()


def test_a_command_that_is_none_is_noticed():
    assert not parses("backup")
    assert not parses("restore set --replaces")
    assert not exists("restitute")
    assert parses("restore set --replace --only analytics")
    assert len(commands(ROOT / "docs/operations/backup-and-restore.md")) > 4


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_done_for_each_service_is_done_for_all(path):
    loops = re.findall(r"\bfor (?:service|user) in ([^;\n]+);", path.read_text())
    for named in loops:
        assert set(named.split()) - {"admin", GATEWAY} == set(SERVICES), named
