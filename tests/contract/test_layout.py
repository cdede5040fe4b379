"""The tree says what it is: folders, names, sizes, and documents that do not drift from the code."""

import ast
import re
import subprocess
import tomllib
from argparse import _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.__main__ import SERVICES, _parser

ROOT = Path(__file__).parents[2]
HEADINGS = ["Owns", "RPCs", "Publishes", "Consumes", "Calls", "When it breaks"]
# The file names of a service mean the same everywhere; a new one is a conversation, and a line here.
KNOWN = {
    "__init__", "README", "app", "clients", "consumers", "convert", "deciding", "domain", "events", "ingest", "instruments", "keys", "migrations",
    "mllp", "protocols", "service", "store", "templates",
}  # fmt: skip
VAGUE = {
    "base",
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "shared",
    "util",
    "utils",
}
VAGUE_CLASS = re.compile(r"(Base|Handler|Helper|Impl|Manager|Processor|Utils?)$")
MOST_LINES = 400
# Paths of a machine, package registries. With a class of one character, so that this file does not hold what it seeks.
FOREIGN = re.compile(
    r"[/]work/|[/]home/\w|[/]Users/\w|[/]root/|[p]ypi\.org|[p]ythonhosted\.org|[r]egistry\.npm|[n]pmjs\.(com|org)"
)


def tracked() -> list[Path]:
    """Every file that is committed, or would be by `git add .`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return sorted(
        ROOT / name for name in set(listed.split("\0")) if name and (ROOT / name).is_file()
    )


FILES = tracked()
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def python_files(*folders: str) -> list[Path]:
    return [
        path
        for path in FILES
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]


def section(text: str, heading: str) -> str:
    """What stands under a second-level heading."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1] if found else ""


def readme_of(service: str) -> str:
    path = ROOT / "services" / service / "README.md"
    return path.read_text() if path.exists() else ""


# Services.


def test_every_service_has_an_entry_and_every_entry_a_service():
    folders = [
        p.name for p in (ROOT / "services").iterdir() if p.is_dir() and p.name != "__pycache__"
    ]
    assert sorted(folders) == sorted(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_readme_with_the_six_headings(service):
    found = re.findall(r"^## (.+)$", readme_of(service), re.M)
    assert found == HEADINGS


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_contract_in_resources_service_and_events(service):
    protos = {path.name for path in (ROOT / "protos/carehub" / service / "v1").glob("*.proto")}
    assert {f"{service}_service.proto", f"{service}_events.proto"} < protos


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["unit", "component"])
def test_a_service_has_unit_and_component_tests(service, kind):
    assert list((ROOT / "tests" / kind / service).rglob("test_*.py"))


@pytest.mark.parametrize("service", SERVICES)
def test_the_files_of_a_service_have_the_names_that_mean_the_same_everywhere(service):
    folder = ROOT / "services" / service
    stems = {
        path.relative_to(folder).parts[0].partition(".")[0]
        for path in FILES
        if folder in path.parents
    }
    assert stems <= KNOWN
    assert {
        "__init__",
        "README",
        "app",
        "convert",
        "events",
        "migrations",
        "service",
        "store",
    } <= stems


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_names_every_rpc(service):
    contracts = sorted((ROOT / "protos/carehub" / service / "v1").glob("*_service.proto"))
    rpcs = [
        rpc for one in contracts for rpc in re.findall(r"^  rpc (\w+)\(", one.read_text(), re.M)
    ]
    told = set(re.findall(r"`(\w+)`", section(readme_of(service), "RPCs")))
    assert [rpc for rpc in rpcs if rpc not in told] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_names_every_event_that_is_published(service):
    told = set(re.findall(r"`(\w+)`", section(readme_of(service), "Publishes")))
    assert events_of(service) - told == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_names_every_event_that_is_consumed(service):
    folder = ROOT / "services" / service
    sources = [
        path
        for path in python_files("services")
        if path == folder / "consumers.py" or folder / "consumers" in path.parents
    ]
    every = set().union(*map(events_of, SERVICES))
    used = {name for path in sources for name in event_names(path)} & (every - events_of(service))
    told = set(re.findall(r"`(\w+)`", section(readme_of(service), "Consumes"))) & every
    assert told == used


def event_names(path: Path) -> set[str]:
    """What a file takes from modules of events, by whatever names it knows them."""
    modules, found = set[str](), set[str]()
    nodes = list(ast.walk(ast.parse(path.read_text())))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("_events_pb2"):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            told = [alias for alias in node.names if alias.name.endswith("_events_pb2")]
            modules |= {alias.asname or alias.name for alias in told}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {node.attr} if node.value.id in modules else set()
    return found


def events_of(service: str) -> set[str]:
    """The messages of an events file that are no part of another message of it."""
    text = (ROOT / f"protos/carehub/{service}/v1/{service}_events.proto").read_text()
    messages = re.findall(r"^message (\w+) \{", text, re.M)
    return {
        name for name in messages if not re.search(rf"^ +(repeated )?{name} \w+ = ", text, re.M)
    }


# Names, sizes and imports.


def test_nothing_is_called_utils_or_the_like():
    vague = [
        p
        for p in FILES
        for part in p.relative_to(ROOT).parts
        if VAGUE & set(re.split(r"[-_.]", part.lower()))
    ]
    assert names(vague) == []


def test_no_class_is_a_manager_or_the_like():
    found = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in python_files("services", "libs", "gateway")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name)
    ]
    assert found == []


def test_no_file_is_longer_than_four_hundred_lines():
    written = [p for p in FILES if p.suffix in {".py", ".sh", ".ts", ".tsx"}]
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in written}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_of_services_and_gateway_only_stores_import_sqlalchemy():
    found = [
        str(path.relative_to(ROOT))
        for path in python_files("services", "gateway")
        if path.relative_to(ROOT).parts[2:3] not in {("store",), ("store.py",), ("migrations",)}
        and any(module.partition(".")[0] == "sqlalchemy" for module in imports_of(path))
    ]
    assert found == []


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_service_is_held_to_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    every = [f"services.{service}" for service in SERVICES]
    layered = [contract["containers"] for contract in contracts if contract["type"] == "layers"]
    assert [containers for containers in layered if containers[0] in every] == [every]
    assert [c["modules"] for c in contracts if c["type"] == "independence"] == [every]


# What does not belong into a public repository.


def test_no_file_holds_a_path_of_a_machine_or_a_registry():
    found = []
    for path in FILES:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in FOREIGN.finditer(text)]
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_has_hashes_and_no_urls(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    pinned = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)[1:]
    assert pinned
    assert [
        entry.split()[0] for entry in pinned if "==" not in entry or "--hash=sha256:" not in entry
    ] == []


# Documents.


def test_every_link_leads_somewhere():
    broken = []
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
            if target.startswith(("http://127.0.0.1", "http://localhost")):
                continue
            file, _, anchor = target.partition("#")
            there = (path.parent / file) if file else path
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{path.relative_to(ROOT)}: {target}")
        broken += re.findall(
            r"https?://(?!127\.0\.0\.1|localhost)\S+", path.read_text()
        )  # nothing of third parties
    assert broken == []


def test_every_path_that_a_document_names_exists():
    """In backticks: `services/tasking/domain/plan.py`. A pattern (`services/<service>/app.py`) is not looked for."""
    top = {
        path.relative_to(ROOT).parts[0] for path in FILES if len(path.relative_to(ROOT).parts) > 1
    }
    missing = []
    for path in DOCUMENTS:
        for name in re.findall(r"`([\w.-]+(?:/[\w.-]*)+)`", prose(path)):
            if name.split("/")[0] in top and not (ROOT / name).exists():
                missing.append(f"{path.relative_to(ROOT)}: {name}")
    assert missing == []


@pytest.mark.parametrize("walk", ["docs/a-request.md", "docs/an-event.md"])
def test_a_walk_names_what_its_files_define(walk):
    """A row of a walk is a link to a file, then the names in it: classes, functions, methods, constants."""
    rows = re.findall(r"^\| [^|]*\]\(([^)#\s]+)\) \| ([^|]+) \|", (ROOT / walk).read_text(), re.M)
    assert len(rows) > 8
    missing = [
        f"{file}: {name}"
        for file, cell in rows
        for name in re.findall(r"`([\w.]+)`", cell)
        if not set(name.split(".")) <= defined_in((ROOT / walk).parent / file)
    ]
    assert missing == []


def defined_in(path: Path) -> set[str]:
    if path.suffix != ".py":
        return set(re.findall(r"\w+", path.read_text()))
    nodes = list(ast.walk(ast.parse(path.read_text())))
    defined = {
        n.name
        for n in nodes
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    return defined | {
        n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def test_every_command_of_a_document_exists():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    commands = set(next(a for a in _parser()._actions if isinstance(a, _SubParsersAction)).choices)
    unknown = []
    for path in DOCUMENTS:
        code = code_of(path)
        unknown += [
            f"{path.name}: make {target}"
            for target in re.findall(r"\bmake ([a-z][a-z0-9-]*)", code)
            if target not in targets
        ]
        unknown += [
            f"{path.name}: carehub {command}"
            for command in re.findall(r"\bcarehub ([a-z]+)\b", code)
            if command not in commands
        ]
    assert unknown == []


def test_decisions_are_numbered_without_gaps_and_indexed():
    files = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    index = (ROOT / "docs/adr/README.md").read_text()
    for path in files:
        title = path.read_text().splitlines()[0]
        assert title.startswith(f"# {int(path.name[:4])}. ")
        assert f"[{title.removeprefix('# ')}]({path.name})" in index
        assert re.findall(r"^## (.+)$", path.read_text(), re.M) == [
            "Context",
            "Decision",
            "Consequences",
        ], path.name


def test_the_glossary_has_no_word_twice():
    words = [
        word.lower()
        for word in re.findall(r"^- \*\*(.+?)\*\*", (ROOT / "docs/glossary.md").read_text(), re.M)
    ]
    assert len(words) > 40
    assert sorted({word for word in words if words.count(word) > 1}) == []


def prose(path: Path) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)


def code_of(path: Path) -> str:
    """What stands in backticks and in code blocks that are no pictures."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(), re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", prose(path))
    return "\n".join([text for language, text in blocks if language != "mermaid"] + spans)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
