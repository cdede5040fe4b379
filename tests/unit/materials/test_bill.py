"""What a bill of materials lists, by the environment of the tests and the console's lock."""

import base64
import json
from importlib.metadata import distributions, version

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from libs.materials.bill import bill, normal
from tests.contract.rendering import ROOT

LOCK = ROOT / "gateway/web/package-lock.json"


@pytest.fixture(scope="module")
def told():
    return bill(distributions(), LOCK)


def parts(told, kind):
    return {p["name"]: p for p in told["components"] if p["purl"].startswith(f"pkg:{kind}/")}


def test_it_says_of_itself_what_a_scanner_asks_first(told):
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["component"] == {
        "type": "application",
        "name": "carehub",
        "version": version("carehub"),
    }
    refs = [part["bom-ref"] for part in told["components"]]
    assert len(refs) == len(set(refs))


def test_it_is_what_the_schema_of_cyclonedx_says(told):
    """Strictly: also what the schema does not know is refused."""
    schema = JsonStrictValidator(SchemaVersion.V1_6)
    assert schema.validate_str(json.dumps(told)) is None
    part, *others = told["components"]
    for wrong in ({"licenses": [{"expression": ["MIT"]}]}, {"type": "part"}, {"digest": "x"}):
        spoiled = {**told, "components": [part | wrong, *others]}
        assert schema.validate_str(json.dumps(spoiled)) is not None, wrong


def test_every_distribution_is_in_it_once_by_its_normal_name(told):
    installed = {normal(each.name): each.version for each in distributions()}
    del installed["carehub"]
    found = parts(told, "pypi")
    assert {name: part["version"] for name, part in found.items()} == installed
    assert found["asyncpg"]["purl"] == f"pkg:pypi/asyncpg@{version('asyncpg')}"
    assert normal("Typing_Extensions.x") == "typing-extensions-x"


def test_of_the_console_what_people_are_served_with_its_digest_and_not_what_builds_it(told):
    packages = json.loads(LOCK.read_text())["packages"]
    found = parts(told, "npm")
    react = packages["node_modules/react"]
    assert found["react"]["version"] == react["version"]
    (digest,) = found["react"]["hashes"]
    assert digest["alg"] == "SHA-512"
    assert bytes.fromhex(digest["content"]) == base64.b64decode(
        react["integrity"].removeprefix("sha512-")
    )
    builds = {
        (path.rpartition("node_modules/")[2], each["version"])
        for path, each in packages.items()
        if each.get("dev")
    }
    assert builds.isdisjoint({(name, part["version"]) for name, part in found.items()})
    scoped = next(part for name, part in found.items() if name.startswith("@"))
    assert scoped["purl"].startswith("pkg:npm/%40")
