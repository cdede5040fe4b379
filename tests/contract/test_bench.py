"""The bench can be loaded: it reaches into what it measures, and nobody runs it every day."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "tests/performance").rglob("*.py"))
    if path.name != "__init__.py"
]


@pytest.mark.parametrize("name", MODULES)
def test_each_module_finds_what_it_imports(name):
    importlib.import_module(name)
