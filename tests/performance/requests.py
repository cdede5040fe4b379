"""The requests of a load, as the bytes that go over the wire; and invented people to ask for and to create."""

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

from libs.simulator.names import TONGUES

_MEN_AND_WOMEN = [name for tongue in TONGUES for name in (*tongue.women, *tongue.men)]
_FAMILIES = [name for tongue in TONGUES for name in tongue.families]
_ENDINGS = ("", "", "", "son", "er", "man", "well", "ton", "ley", "ford", "wood", "berg")


def name_of(number: int) -> tuple[str, str]:
    """The family and the given name of an invented person: few names are common, most are rare, as in life."""
    chance = random.Random(number)
    family = _FAMILIES[min(int(chance.expovariate(6 / len(_FAMILIES))), len(_FAMILIES) - 1)]
    if chance.random() < 0.5:
        family += chance.choice(_ENDINGS)
    given = _MEN_AND_WOMEN[
        min(int(chance.expovariate(4 / len(_MEN_AND_WOMEN))), len(_MEN_AND_WOMEN) - 1)
    ]
    return family, given


def birth_of(number: int) -> tuple[int, int, int]:
    chance = random.Random(number * 7 + 1)
    return chance.randint(1925, 2024), chance.randint(1, 12), chance.randint(1, 28)


def requests_of(plan: dict[str, Any]) -> list[bytes] | Iterator[bytes]:
    """The requests of a plan: `create` is another person each time, `paths` and `bodies` go round and round."""
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {plan['token']}\r\n"
    match plan["kind"]:
        case "create":
            return (
                _post("/v1/patients", head, person(plan, number))
                for number in itertools.count(plan["first"])
            )
        case "get":
            return [f"GET {path} HTTP/1.1\r\n{head}\r\n".encode() for path in plan["paths"]]
        case "post":
            return [_post(plan["path"], head, body) for body in plan["bodies"]]
    raise ValueError(plan["kind"])


def person(plan: dict[str, Any], number: int) -> dict[str, Any]:
    """A new patient as the API takes it."""
    family, given = name_of(number)
    year, month, day = birth_of(number)
    return {
        "facilityId": plan["facility"],
        "identifiers": [{"assigner": "BENCH", "value": f"{plan['run']}-{number}", "type": "MR"}],
        "names": [{"family": family, "given": [given], "use": "L"}],
        "birthDate": {"year": year, "month": month, "day": day},
        "sex": "SEX_FEMALE" if number % 2 else "SEX_MALE",
        "addresses": [
            {
                "lines": [f"{number % 990 + 1} Pine St"],
                "city": "Springfield",
                "state": "IL",
                "postalCode": "62701",
            }
        ],
        "telecoms": [
            {"system": "SYSTEM_PHONE", "value": f"+1217555{number % 10000:04}", "use": "PRN"}
        ],
        "language": "en",
    }


def _post(path: str, head: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    return (
        f"POST {path} HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode() + content
