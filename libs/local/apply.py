"""`carehub apply network.yaml`: make a network what a file says, through the API that administrators have too.

Applying twice changes nothing. With a dry run it says what it would do and does nothing.
"""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import yaml

from libs.local.accounts import NAMESPACE
from libs.local.issuer import Account
from libs.local.spreadsheet import with_spreadsheets

Say = Callable[[str], None]
_PATHS = {"organization": "/v1/organizations", "facility": "/v1/facilities", "staff": "/v1/staff", "team": "/v1/teams",
          "agreement": "/v1/agreements", "feed": "/v1/feeds", "schedule": "/v1/schedules"}  # fmt: skip
DEMO = "demo"
_CREATED, _OK = 201, 200


class ApplyFailed(RuntimeError):
    """The file or the network says no; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One resource that the file asks for. `later` are fields that refer to what is made after it."""

    kind: str
    key: str
    body: Mapping[str, Any]
    later: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.body["id"])


def read_network(path: Path) -> dict[str, Any]:
    """The file, or a sentence that says what is wrong with it."""
    try:
        network = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ApplyFailed(f"{path} cannot be read: {error}") from error
    if not isinstance(network, dict) or "network" not in network:
        raise ApplyFailed(f"{path}: the first key must be `network`, a name for the whole")
    return with_spreadsheets(network, path.parent)


def note_own_network(home: Path, network: Mapping[str, Any]) -> None:
    """Remember that a hub is somebody's from now on, unless what was applied belongs to the demo."""
    if network["network"] != DEMO:
        (home / "network").write_text(f"{network['network']}\n")


def is_own_network(home: Path) -> bool:
    """Whether a network other than the demo's was ever applied on this machine."""
    return (home / "network").exists()


def id_of(network: Mapping[str, Any], kind: str, key: str) -> UUID:
    """The id that a key stands for. Demo staff are the same in every network, so that accounts stay."""
    scope = "" if kind == "staff" else f"{network['network']}:"
    return uuid5(NAMESPACE, f"{kind}:{key}" if kind == "staff" else f"{scope}{kind}:{key}")


def accounts_of(network: Mapping[str, Any]) -> list[Account]:
    """The staff of a file as accounts of the development issuer."""
    return [
        Account(
            username=entry["account"],
            password=entry["account"],
            subject=id_of(network, "staff", entry["account"]),
            name=entry["name"],
            email=entry.get("email", ""),
            about=", ".join(sorted({r["role"].replace("_", " ") for r in entry.get("roles", ())})),
        )
        for entry in network.get("staff", ())
    ]


def wanted(network: Mapping[str, Any]) -> Iterator[Wanted]:
    """Every resource of the file, in an order in which each finds what it refers to."""

    def ref(kind: str, key: str | None) -> str:
        return str(id_of(network, kind, key)) if key else ""

    for o in network.get("organizations", ()):
        body = {"id": ref("organization", o["key"]), "name": o["name"], "kind": f"KIND_{o['kind']}"}
        body |= {"isCovered": o["is_covered"]} if "is_covered" in o else {}
        yield Wanted("organization", o["key"], body, {})
    for f in network.get("facilities", ()):
        body = {
            "id": ref("facility", f["key"]),
            "organizationId": ref("organization", f["organization"]),
            "name": f["name"],
            "timeZone": f["time_zone"],
            "holidayCalendar": f.get("holiday_calendar", "none"),
            "phone": f.get("phone", ""),
        }
        yield Wanted("facility", f["key"], body, {"dutyTeamId": ref("team", f.get("duty_team"))})
    for s in network.get("staff", ()):
        roles = [
            {"role": r["role"], "facilityId": ref("facility", r.get("at"))}
            for r in s.get("roles", ())
        ]
        body = {
            "id": ref("staff", s["account"]),
            "account": s["account"],
            "displayName": s["name"],
            "email": s.get("email", ""),
            "roles": roles,
        }
        yield Wanted("staff", s["account"], body, {})
    for t in network.get("teams", ()):
        body = {
            "id": ref("team", t["key"]),
            "facilityId": ref("facility", t["facility"]),
            "name": t["name"],
            "role": t.get("role", ""),
            "leadId": ref("staff", t["lead"]),
            "memberIds": [ref("staff", m) for m in t["members"]],
        }
        yield Wanted("team", t["key"], body, {})
    for a in network.get("agreements", ()):
        body = {
            "id": ref("agreement", a["key"]),
            "title": a["title"],
            "partyIds": [ref("organization", party) for party in a.get("parties", ())],
            "purposes": [f"PURPOSE_{purpose}" for purpose in a["purposes"]],
            "dataClasses": [f"DATA_CLASS_{data_class}" for data_class in a["classes"]],
            "needsConsent": a.get("needs_consent", False),
        }
        yield Wanted("agreement", a["key"], body, {})
    for e in network.get("feeds", ()):
        quirks = {"defaultAssigner": e["default_assigner"]} if "default_assigner" in e else {}
        quirks |= {_camel(k): v for k, v in e.get("quirks", {}).items()}
        body = {
            "id": ref("feed", e["key"]),
            "facilityId": ref("facility", e["facility"]),
            "name": e["name"],
            "sendingFacility": e["sending_facility"],
            "sendingApplication": e.get("sending_application", ""),
            "quirks": quirks,
            "provenance": {_camel(k): v for k, v in e.get("provenance", {}).items()},
        }
        yield Wanted("feed", e["key"], body, {})

    yield from _schedules(network)


def _schedules(network: Mapping[str, Any]) -> Iterator[Wanted]:
    for s in network.get("schedules", ()):
        body = {
            "id": str(id_of(network, "schedule", s["key"])),
            "facilityId": str(id_of(network, "facility", s["facility"])),
            "practitioner": s["practitioner"],
            "hours": [
                {"day": f"DAY_{day}", "opens": h["opens"], "closes": h["closes"]}
                for h in s["hours"]
                for day in h["days"]
            ],
            "slotMinutes": s.get("slot_minutes", 30),
            "startDate": _day(s["start_date"]),
            "purposes": [f"PURPOSE_{purpose}" for purpose in s.get("purposes", ())],
        }
        yield Wanted("schedule", s["key"], body, {})


def _day(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


async def apply(
    network: Mapping[str, Any],
    client: httpx.AsyncClient,
    say: Say,
    *,
    renew: Callable[[], Awaitable[None]],
    dry_run: bool = False,
) -> int:
    """Create what is missing and change what differs. Returns how many changes were made, or would be.

    A caller token lists the facilities that its roles reach; one made before a facility was added does not know it.
    `renew` gets another, and is called when facilities were added.
    """
    changes = 0
    resources = list(wanted(network))
    for kind, of_kind in itertools.groupby(resources, key=lambda resource: resource.kind):
        changed = 0
        for resource in of_kind:
            changed += await _settle(resource, resource.body, client, say, dry_run=dry_run)
        if kind == "facility" and changed and not dry_run:
            await renew()
        changes += changed
    for resource in resources:
        if resource.later:
            changes += await _settle(resource, resource.later, client, say, dry_run=dry_run)
    return changes


async def _settle(
    resource: Wanted, body: Mapping[str, Any], client: httpx.AsyncClient, say: Say, *, dry_run: bool
) -> int:
    path = _PATHS[resource.kind]
    found = await _existing(resource, client)
    if found is None:
        say(f"{resource.kind} {resource.key}: create")
        if not dry_run:
            await _sent(resource, await client.post(path, json=dict(body)))
        return 1
    different = {k: v for k, v in body.items() if k != "id" and not _says(found.get(k), v)}
    if not different:
        return 0
    say(f"{resource.kind} {resource.key}: change {', '.join(sorted(different))}")
    if not dry_run:
        await _sent(resource, await client.patch(f"{path}/{resource.id}", json=different))
    return 1


async def _existing(resource: Wanted, client: httpx.AsyncClient) -> dict[str, Any] | None:
    if resource.kind == "organization":
        return await _organization(resource, client)
    response = await client.get(f"{_PATHS[resource.kind]}/{resource.id}")
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    await _sent(resource, response)
    found: dict[str, Any] = response.json()
    return found


async def _organization(resource: Wanted, client: httpx.AsyncClient) -> dict[str, Any] | None:
    """They have no Get: there are few."""
    asked: dict[str, Any] = {"pageSize": 500}
    while True:
        listed = await client.get(_PATHS["organization"], params=asked)
        await _sent(resource, listed)
        page: dict[str, Any] = listed.json()
        for found in page.get("organizations", ()):
            if found["id"] == resource.id:
                return dict(found)
        if not page.get("nextPageToken"):
            return None
        asked["pageToken"] = page["nextPageToken"]


def _says(found: Any, asked: Any) -> bool:
    """Whether what is there already says what is asked for. Defaults that the file leaves out do not matter."""
    if isinstance(asked, dict):
        return isinstance(found or {}, dict) and all(
            _says((found or {}).get(k), v) for k, v in asked.items()
        )
    if isinstance(asked, list) and isinstance(found, list) and len(asked) == len(found):
        return all(any(_says(f, a) for f in found) for a in asked)
    return bool(found == asked) or (not found and not asked)


async def _sent(resource: Wanted, response: httpx.Response) -> None:
    if response.status_code not in {_OK, _CREATED}:
        problem = response.json() if "json" in response.headers.get("content-type", "") else {}
        raise ApplyFailed(
            f"{resource.kind} {resource.key}: {response.status_code} "
            f"{problem.get('reason', '')} {problem.get('detail', '')}".rstrip()
        )
