"""What the code says beside a message stands in the line of the log: another field would be dropped without a word."""

import ast
from collections.abc import Iterator

from libs.telemetry.logs import _FIELDS
from tests.contract.test_layout import ROOT, python_files


def said_beside(source: str) -> Iterator[str]:
    """The names in whatever is given as `extra`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "extra":
            for told in ast.walk(node.value):
                if isinstance(told, ast.Dict):
                    yield from (key.value for key in told.keys if isinstance(key, ast.Constant))


def test_every_field_that_the_code_says_is_in_a_line_of_the_log():
    said = {
        (str(path.relative_to(ROOT)), name)
        for path in python_files("services", "libs", "gateway")
        for name in said_beside(path.read_text())
    }
    assert ("services/referrals/consumers/clocks.py", "referral_id") in said
    assert sorted(each for each in said if each[1] not in _FIELDS) == []
