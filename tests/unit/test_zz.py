"""x"""

import os


def test_a():
    assert os.environ.get("GO")


def test_b():
    pass
