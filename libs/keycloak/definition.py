"""The realm that CareHub wants, as realm.json states it for one network."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

FILE = Path(__file__).with_name("realm.json")
REALM = "carehub"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,61}")
# What is provisioned apart from the realm's own settings.
_NESTED = {"realm", "roles", "authenticationFlows", "authenticatorConfig", "clients", "components", "browserFlow"}  # fmt: skip
_PROFILE = "org.keycloak.userprofile.UserProfileProvider"

Json = dict[str, Any]


class DefinitionError(RuntimeError):
    """What was asked for is not a realm that we would want."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a sign-in flow: a check, or the alias of a flow inside it."""

    level: int
    name: str
    requirement: str
    is_flow: bool
    config: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """realm.json, its placeholders filled."""

    realm: Json

    @property
    def name(self) -> str:
        return str(self.realm["realm"])

    @property
    def settings(self) -> Json:
        return {key: value for key, value in self.realm.items() if key not in _NESTED}

    @property
    def roles(self) -> list[Json]:
        return list(self.realm["roles"]["realm"])

    @property
    def clients(self) -> list[Json]:
        return list(self.realm["clients"])

    @property
    def flow(self) -> str:
        return str(self.realm["browserFlow"])

    @property
    def profile(self) -> Json:
        """What is known of a person: a name need not come in two halves."""
        stated = self.realm["components"][_PROFILE][0]["config"]["kc.user.profile.config"][0]
        found: Json = orjson.loads(stated)
        return found

    def flow_named(self, alias: str) -> Json:
        flow: Json = next(f for f in self.realm["authenticationFlows"] if f["alias"] == alias)
        return flow

    def config_named(self, alias: str) -> Json:
        config: Json = next(c for c in self.realm["authenticatorConfig"] if c["alias"] == alias)
        return config

    def steps(self, alias: str = "", level: int = 0) -> Iterator[Step]:
        """The sign-in flow, flat and in order, as Keycloak lists it."""
        for execution in self.flow_named(alias or self.flow)["authenticationExecutions"]:
            is_flow = execution["authenticatorFlow"]
            config = execution.get("authenticatorConfig")
            yield Step(
                level=level,
                name=execution["flowAlias" if is_flow else "authenticator"],
                requirement=execution["requirement"],
                is_flow=is_flow,
                config=tuple(sorted(self.config_named(config)["config"].items())) if config else (),
            )
            if is_flow:
                yield from self.steps(execution["flowAlias"], level + 1)


def read_definition(*, realm: str = REALM, public_url: str) -> Definition:
    """Return the realm for a hub that browsers find at `public_url`."""
    if not _NAME.fullmatch(realm):
        raise DefinitionError("a realm's name is lower-case letters, digits and hyphens")
    if urlsplit(public_url).path.strip("/"):
        raise DefinitionError("the public URL has no path: https://carehub.example")
    check_url(public_url)
    filled = {"CAREHUB_REALM": realm, "CAREHUB_PUBLIC_URL": public_url.rstrip("/")}
    text = FILE.read_text()
    for name, value in filled.items():
        text = text.replace(f"${{{name}}}", value)
    return Definition(orjson.loads(text))


def check_url(url: str) -> None:
    """Refuse to speak in the clear with another machine, and what is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise DefinitionError(f"not a URL: {url}") from None
    if not parts.hostname or re.search(r"[\s\"\\]", url):
        raise DefinitionError(f"not a URL: {url}")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if not is_safe:
        raise DefinitionError(f"https, or http on this machine only: {url}")


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def covers(found: Any, wanted: Any) -> bool:
    """Say whether what is there holds what is wanted; Keycloak adds fields, and keeps sets in no order."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            covers(found.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list) and all(isinstance(one, str) for one in wanted):
        return isinstance(found, list) and sorted(found) == sorted(wanted)
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(covers, found, wanted))
        )
    return bool(found == wanted)
