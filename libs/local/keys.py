"""`carehub key`: make the key of a service or those of identity, and turn them: nothing that was signed is refused meanwhile.

A file is a JSON Web Key Set; whoever signs does so with the first key, and all of them are believed. Turning is three steps:
`add` another key, `use` it once everybody knows it, and `drop` the old one once nothing that it signed is alive.
"""

from pathlib import Path
from typing import Any

import orjson

from libs.chassis.services import new_service_key
from libs.local.environment import service_key
from libs.local.process import write_private

CALLER = "caller"
STEPS = ("add", "use", "drop")
_NEXT = {
    "add": "Wait a minute, until everybody knows it; then: --turn use",
    "use": "Wait two minutes, until nothing signed by the old one is alive; then: --turn drop",
    "drop": "The old key is gone.",
}


class KeyNotTurned(RuntimeError):
    """The files stay as they are; the message says why."""


def key_file(whose: str, folder: Path) -> Path:
    """Where the private key is, made if there is none."""
    if whose != CALLER:
        return service_key(folder, whose)
    path = folder / "caller-keys.json"
    if not path.exists():
        write_private(path, new_service_key()[0])
    return path


def turn(path: Path, step: str) -> str:
    """Take one step with a private file and the public one beside it, if there is one. What to do next."""
    public = path.parent / "public" / path.name
    files = [each for each in (public, path) if each.exists()]  # who believes first, who signs last
    if not path.exists():
        raise KeyNotTurned(f"{path} is missing: there is no key to turn.")
    added = dict(zip((path, public), map(orjson.loads, new_service_key()), strict=True))
    turned = {each: _turned(orjson.loads(each.read_bytes()), step, added[each]) for each in files}
    for each, keys in turned.items():
        write_private(each, orjson.dumps(keys))
    return _NEXT[step]


def _turned(keys: dict[str, Any], step: str, added: dict[str, Any]) -> dict[str, Any]:
    first, *others = keys["keys"]
    match step, others:
        case "add", []:
            return {"keys": [first, *added["keys"]]}
        case "add", _:
            raise KeyNotTurned("There is a second key already: --turn use it, or --turn drop it.")
        case "use" | "drop", []:
            raise KeyNotTurned("There is no second key: begin with --turn add.")
        case "use", _:
            return {"keys": [*others, first]}
        case _:
            return {"keys": [first]}
