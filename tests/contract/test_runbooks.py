"""Runbooks: one for each alert, with the same headings, and nothing in them that is not there."""

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from libs.observability.rules import alerts
from services.__main__ import SERVICES, _parser
from tests.contract.promql import RUNBOOKS, blocks
from tests.contract.rendering import ROOT, VALUES, merged, of_kind, render

HEADINGS = [
    "What it means",
    "What patients and staff notice",
    "Look",
    "Mend",
    "When that does not help",
    "Afterwards",
]
PAGES = sorted(RUNBOOKS.glob("*.md"))
OF_ALERTS = [path for path in PAGES if path.stem != "README"]
# What a reader fills in, and something that could be there.
FILLED = {
    "ID": "0192f0c1-2345-7890-abcd-0123456789ab",
    "NAME": "registry-work-1",
    "HOST": "127.0.0.1",
    "KIND": "kind",
}
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def commands(path: Path) -> list[list[str]]:
    """The words of each line in a shell's code block, with what a reader fills in."""
    lines = [line for text in blocks(path, "sh") for line in text.splitlines() if line.strip()]
    words = [list(takewhile(lambda word: word != "|", shlex.split(line))) for line in lines]
    return [[FILLED.get(word, word) for word in each] for each in words]


def of_carehub(path: Path) -> list[list[str]]:
    """What is said to `carehub`, here or in a pod."""
    return [words[words.index("carehub") + 1 :] for words in commands(path) if "carehub" in words]


def test_each_alert_has_a_runbook_and_each_runbook_an_alert():
    assert [path.stem for path in OF_ALERTS] == sorted(alerts())


@pytest.mark.parametrize("path", OF_ALERTS, ids=lambda path: path.stem)
def test_a_runbook_has_the_headings_and_something_under_each(path):
    text = path.read_text()
    title, *parts = re.split(r"^## ", text, flags=re.M)
    assert title.strip() == f"# {path.stem}"
    assert [part.partition("\n")[0] for part in parts] == HEADINGS
    assert all(len(part.partition("\n")[2].strip()) > 5 for part in parts)
    look = parts[HEADINGS.index("Look")]
    assert re.search(r"^```(promql|sql|sh)$", look, re.M), "nothing to look with"


def test_the_index_names_each():
    linked = re.findall(r"\[(\w+)\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text())
    assert sorted(name for name, file in linked if name == file) == sorted(alerts())


@every_page
def test_every_command_of_carehub_parses(path):
    for words in of_carehub(path):
        _parser().parse_args(words)


def test_there_are_commands_of_carehub():
    told = {words[0] for path in PAGES for words in of_carehub(path)}
    assert told >= {"parked", "audit", "migrate", "nats", "send"}


@every_page
def test_every_object_of_a_command_is_one_that_charts_make(path):
    objects = render(merged(VALUES["operator"], VALUES["telemetry"]))
    deployments, jobs = of_kind(objects, "Deployment"), of_kind(objects, "Job").values()
    text = "\n".join(blocks(path, "sh"))
    for name in re.findall(r"deploy/([\w-]+)", text):
        assert name in deployments
    for name in re.findall(r"kubectl get service ([\w-]+)", text):
        assert name in of_kind(objects, "Service")
    for name in re.findall(r"kubectl delete job --selector app.kubernetes.io/name=([\w-]+)", text):
        assert name in {job["metadata"]["labels"]["app.kubernetes.io/name"] for job in jobs}


@every_page
def test_what_one_looks_for_in_a_log_is_what_the_code_says(path):
    said = "".join(
        file.read_text()
        for folder in (
            "libs/chassis",
            "libs/conveyor",
            "libs/process",
            "libs/ledger",
            "services",
            "gateway/api",
        )
        for file in (ROOT / folder).rglob("*.py")
    )
    for pattern in re.findall(r"\| grep (?:-E )?'([^']+)'", "\n".join(blocks(path, "sh"))):
        for phrase in pattern.split("|"):
            assert phrase.startswith('"') or f'"{phrase}' in said, phrase


@every_page
def test_sql_says_which_database_it_is_for(path):
    for text in blocks(path, "sql"):
        first, _, statement = text.partition("\n")
        assert first.removeprefix("-- database: ") in SERVICES
        assert statement.strip().endswith(";")
        assert statement.startswith(("SELECT", "DELETE FROM timers"))
