"""The bill of materials in the image says what is in the image, and nothing else."""

import json
from importlib.metadata import distributions

from libs.materials.bill import normal
from tests.contract.rendering import ROOT

BILL = "usr/share/doc/carehub/sbom.cdx.json"


def of_kind(image, kind):
    told = json.loads((image / BILL).read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    return {
        (part["name"], part["version"])
        for part in told["components"]
        if part["purl"].startswith(f"pkg:{kind}/")
    }


def test_it_names_every_distribution_that_is_installed(image):
    (site,) = image.glob("opt/venv/lib/python3*/site-packages")
    installed = {(normal(each.name), each.version) for each in distributions(path=[str(site)])}
    told = of_kind(image, "pypi")
    assert installed - told == {("carehub", "0.1.0")}
    assert told - installed == set()


def test_it_names_what_the_console_was_built_from(image):
    lock = json.loads((ROOT / "gateway/web/package.json").read_text())
    told = {name for name, _ in of_kind(image, "npm")}
    assert set(lock["dependencies"]) <= told
    assert told.isdisjoint(lock["devDependencies"])


def test_what_only_builds_is_in_neither(image):
    told = {name for name, _ in of_kind(image, "pypi")}
    assert told.isdisjoint({"pip", "setuptools", "hatchling", "grpcio-tools"})
