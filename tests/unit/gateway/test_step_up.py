"""Which sign-ins are enough for a method that needs more than a first one."""

import base64
import json

import pytest

from gateway.api.problems import Problem
from gateway.api.step_up import Level, reaches, read_levels, wanted_level

NOW = 1_800_000_000
LEVEL = Level(acr="2", max_age=300, now=lambda: NOW)


def token(**claims) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize("seconds", [0, 299, 300, -30])
def test_the_level_and_a_fresh_sign_in_are_enough(seconds):
    LEVEL.check(token(acr="2", auth_time=NOW - seconds))


def test_a_higher_level_is_enough():
    LEVEL.check(token(acr="3", auth_time=NOW))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"acr": "1", "auth_time": NOW},
        {"acr": "2"},
        {"acr": "2", "auth_time": NOW - 301},
        {"acr": "2", "auth_time": NOW + 31},
        {"acr": "2", "auth_time": str(NOW)},
        {"acr": "2", "auth_time": None},
        {"acr": 2, "auth_time": NOW},
        {"acr": ["2"], "auth_time": NOW},
        {"acr": "gold", "auth_time": NOW},
        {"acr": "²", "auth_time": NOW},
        {"auth_time": NOW},
    ],
)
def test_anything_less_is_sent_to_sign_in_again(claims):
    with pytest.raises(Problem) as raised:
        LEVEL.check(token(**claims))
    assert (raised.value.status, raised.value.reason) == (403, "STEP_UP_REQUIRED")
    challenge = raised.value.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'max_age="300"' in challenge


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "a.!!!.c", "a.W10.c", "a.bnVsbA.c"])
def test_a_token_that_cannot_be_read_is_not_enough(text):
    with pytest.raises(Problem):
        LEVEL.check(text)


def test_levels_are_read_from_one_line():
    levels = read_levels("BreakGlass=2/300, ExportPatient=gold/60", ["BreakGlass", "ExportPatient"])
    assert {name: (level.acr, level.max_age) for name, level in levels.items()} == {
        "BreakGlass": ("2", 300),
        "ExportPatient": ("gold", 60),
    }
    assert read_levels("", []) == {}


@pytest.mark.parametrize(
    "text", ["BreakGlass", "BreakGlass=2", "BreakGlass=2/0", "BreakGlas=2/300", "=2/3"]
)
def test_a_line_that_is_wrong_starts_no_gateway(text):
    with pytest.raises(ValueError, match="step_up"):
        read_levels(text, ["BreakGlass"])


def test_a_link_may_ask_for_a_level_and_an_age():
    assert wanted_level({"acr": "2", "max_age": "60"}).asked == {"acr_values": "2", "max_age": "60"}
    assert wanted_level({"acr": "2"}).asked == {"acr_values": "2"}
    assert wanted_level({"acr": "2", "max_age": "-1"}).max_age is None
    assert wanted_level({"max_age": "60"}) is None


def test_names_have_no_order():
    assert reaches("gold", "gold")
    assert not reaches("gold", "silver")
    assert not reaches("10", "gold")
    assert reaches("10", "9")
