"""The people who sign in: from a file, or from identity through its API as an administrator."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from libs.keycloak.definition import check_url, is_loopback

COLUMNS = ("id", "account", "display_name", "email", "roles", "state")
PAGE = 500
ACTIVE, DEACTIVATED = "active", "deactivated"


class PeopleUnreadable(RuntimeError):
    """The list of people cannot be had, or says something that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the network. The id becomes the subject of the tokens, by which identity knows them."""

    id: UUID
    account: str
    name: str
    email: str = ""
    roles: frozenset[str] = frozenset()
    is_active: bool = True


def from_csv(path: Path) -> list[Person]:
    """Read id, account, display_name, email, roles (separated by spaces) and state of each."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            if missing := set(COLUMNS[:3]) - set(rows.fieldnames or ()):
                raise PeopleUnreadable(f"{path.name} has no column {', '.join(sorted(missing))}")
            return checked([_from_row(row, f"{path.name}:{rows.line_num}") for row in rows])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PeopleUnreadable(f"{path} cannot be read: {error}") from error


def _from_row(row: Mapping[str, str | None], where: str) -> Person:
    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    state = cell("state").lower() or ACTIVE
    if state not in {ACTIVE, DEACTIVATED}:
        raise PeopleUnreadable(f"{where}: the state is {ACTIVE} or {DEACTIVATED}")
    try:
        id = UUID(cell("id"))
    except ValueError:
        raise PeopleUnreadable(f"{where}: the id is not a UUID") from None
    return Person(
        id=id,
        account=cell("account"),
        name=cell("display_name"),
        email=cell("email"),
        roles=frozenset(role.partition("@")[0] for role in cell("roles").split()),
        is_active=state == ACTIVE,
    )


async def from_hub(url: str, token: str) -> list[Person]:
    """Read everybody, the deactivated too, as an administrator whose token this is."""
    check_url(url)
    if not token:
        raise PeopleUnreadable("CAREHUB_TOKEN is not set: a token of a network administrator")
    people: list[Person] = []
    query = {"pageSize": str(PAGE), "showDeactivated": "true"}
    headers = {"Authorization": f"Bearer {token}"}
    # A proxy of the environment does not lead back to this machine.
    trust_env = not is_loopback(httpx.URL(url).host)
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=30.0, trust_env=trust_env
    ) as http:
        while True:
            page = await _page(http, query)
            people += [_from_json(entry) for entry in page.get("staff", ())]
            if not page.get("nextPageToken"):
                return checked(people)
            query["pageToken"] = page["nextPageToken"]


async def _page(http: httpx.AsyncClient, query: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        response = await http.get("/v1/staff", params=query)
        answer: Mapping[str, Any] = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise PeopleUnreadable(f"the hub does not answer ({type(error).__name__})") from error
    if response.status_code != httpx.codes.OK:
        told = answer.get("detail") or answer.get("title") or ""
        raise PeopleUnreadable(f"the hub does not list its staff: {response.status_code} {told}")
    return answer


def _from_json(entry: Mapping[str, Any]) -> Person:
    return Person(
        id=UUID(entry["id"]),
        account=entry["account"],
        name=entry["displayName"],
        email=entry.get("email", ""),
        roles=frozenset(held["role"] for held in entry.get("roles", ())),
        is_active=entry.get("state") != "STATE_DEACTIVATED",
    )


def checked(people: Sequence[Person]) -> list[Person]:
    for person in people:
        if not person.account or not person.name:
            raise PeopleUnreadable(f"{person.id} has no account or no name")
    for what, values in (
        ("id", [str(p.id) for p in people]),
        ("account", [p.account.lower() for p in people]),
    ):
        if twice := _twice(values):
            raise PeopleUnreadable(f"the {what} {twice} is given twice")
    return list(people)


def _twice(values: Iterable[str]) -> str:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return ""
