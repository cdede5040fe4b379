"""A bill of materials in the form of CycloneDX 1.6: the distributions that are installed, and what the console was built from.

It is made where the image is made, of what is there then. CycloneDX's own tool is in no lock of the image: it and what it needs would
have to be trusted, too, for what are a few lines here. In tests its library holds these to the schema.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

Component = dict[str, Any]
OURS = "carehub"


def bill(distributions: Iterable[Distribution], package_lock: Path) -> Mapping[str, Any]:
    """The bill of an application with these distributions, whose console's lock is the file."""
    found = {normal(each.name): each for each in distributions}
    parts = [_of_python(name, each) for name, each in found.items() if name != OURS]
    parts += _of_console(json.loads(package_lock.read_text())["packages"])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": OURS, "version": found[OURS].version}
        },
        "components": sorted(parts, key=lambda part: str(part["purl"])),
    }


def normal(name: str) -> str:
    """A distribution's name as indexes have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_python(name: str, distribution: Distribution) -> Component:
    part = _part(name, distribution.version, f"pkg:pypi/{name}@{distribution.version}")
    if "License-Expression" in distribution.metadata:
        part["licenses"] = [{"expression": distribution.metadata["License-Expression"]}]
    return part


def _of_console(packages: Mapping[str, Mapping[str, Any]]) -> Iterator[Component]:
    """Each package once, whoever brings it; without what only builds and tests."""
    seen = set[str]()
    for path, package in packages.items():
        # Types for the compiler are an optional need of packages that we ship, and nothing that we ship.
        if not path or package.get("dev") or package.get("devOptional"):
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{quote(name)}@{package['version']}"
        if purl in seen:
            continue
        seen.add(purl)
        algorithm, _, digest = package["integrity"].partition("-")
        yield _part(name, package["version"], purl) | {
            "hashes": [
                {
                    "alg": algorithm.upper().replace("SHA", "SHA-"),
                    "content": base64.b64decode(digest).hex(),
                }
            ]
        }


def _part(name: str, version: str, purl: str) -> Component:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
