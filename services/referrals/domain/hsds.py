"""Reading a directory in the JSON of HSDS 3.0 (Open Referral): what is kept, what is not, and why.

What is kept of an organization or a service is kept as it came, so that it can be given back as it came. Persons (contacts)
are not kept, nor money, documents and the log of changes.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID

from libs.chassis.errors import InvalidArgument

MOST_BYTES = 3_000_000
MOST_REMARKS = 500
_LONGEST_TEXT = 10_000
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]\d\d:?\d\d)?|24:00(:00)?")
Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was not taken as it came. A refusal leaves the entity out."""

    entity: str
    id: str
    field: str
    reason: str
    text: str
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of thing in HSDS: the fields that are kept, those that it cannot be without, and what is inside of it."""

    fields: frozenset[str]
    required: tuple[str, ...]
    inside: Mapping[str, str]
    checks: Mapping[str, Check]


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _is_day(value: Any) -> bool:
    try:
        return bool(date.fromisoformat(str(value)[:10]))
    except ValueError:
        return False


def _is_age(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 150


def _is_clock(value: Any) -> bool:
    return isinstance(value, str) and bool(_CLOCK.fullmatch(value))


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def _kind(text: str, required: str, inside: str = "", **checks: Check) -> Entity:
    nested = dict(pair.split(":") for pair in inside.split())
    return Entity(
        fields=frozenset(text.split()) | {"id"},
        required=("id", *required.split()),
        inside=MappingProxyType(nested),
        checks=MappingProxyType({"id": _is_id, **checks}),
    )


_DATES: dict[str, Check] = dict.fromkeys(("valid_from", "valid_to", "dtstart", "until"), _is_day)
# As the schema of HSDS 3.0 has them (Open Referral, CC BY-SA 4.0), fields in our own order.
ENTITIES: Mapping[str, Entity] = MappingProxyType({
    "organization": _kind(
        "name alternate_name description email website tax_status year_incorporated legal_status logo uri "
        "parent_organization_id", "name description", "phones:phone locations:location",
    ),
    "service": _kind(
        "organization_id name alternate_name description url email status interpretation_services application_process "
        "fees_description wait_time fees accreditations eligibility_description minimum_age maximum_age assured_date "
        "assurer_email licenses alert last_modified", "name status",
        "phones:phone schedules:schedule service_areas:service_area service_at_locations:service_at_location "
        "languages:language attributes:attribute",
        status=_one_of("active", "inactive", "defunct", "temporarily closed"),
        minimum_age=_is_age, maximum_age=_is_age, assured_date=_is_day,
    ),
    "service_at_location": _kind(
        "service_id location_id description", "", "phones:phone schedules:schedule location:location"
    ),
    "location": _kind(
        "location_type url name alternate_name description transportation latitude longitude external_identifier "
        "external_identifier_type", "location_type",
        "languages:language addresses:address accessibility:accessibility phones:phone schedules:schedule",
        location_type=_one_of("physical", "postal", "virtual"),
    ),
    "address": _kind(
        "address_1 address_2 city region state_province postal_code country address_type",
        "address_1 city state_province postal_code country address_type",
    ),
    "phone": _kind("number extension type description", "number", "languages:language"),
    "schedule": _kind(
        "valid_from valid_to dtstart timezone until count wkst freq interval byday byweekno bymonthday byyearday "
        "description opens_at closes_at schedule_link attending_type notes", "", "",
        freq=_one_of("WEEKLY", "MONTHLY"), opens_at=_is_clock, closes_at=_is_clock, **_DATES,
    ),
    "service_area": _kind("name description extent extent_type uri", ""),
    "language": _kind("name code note", ""),
    "accessibility": _kind("description details url", ""),
    "attribute": _kind(
        "link_id link_type link_entity taxonomy_term_id value label", "", "taxonomy_term:taxonomy_term"
    ),
    "taxonomy_term": _kind(
        "code name description parent_id taxonomy taxonomy_id language term_uri", "name description",
        "taxonomy_detail:taxonomy",
    ),
    "taxonomy": _kind("name description uri version", "name description"),
})  # fmt: skip
# Without one of these an entity is still worth keeping, so it is only left out of the field.
_LENIENT = frozenset({"minimum_age", "maximum_age", "assured_date", *_DATES})


@dataclass(slots=True)
class Reading:
    """What a directory holds, by id, and what is to be said of it."""

    organizations: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Organizations and services that were left out, and what is neither."""
        return sum(1 for r in self.remarks if r.is_refusal and r.entity in _TOP)

    def say(self, entity: str, id: object, name: str, reason: str, text: str) -> None:
        self.remarks.append(Remark(entity, _plain_id(id), name, reason, text))

    def refuse(self, entity: str, id: object, name: str, reason: str, text: str) -> None:
        self.remarks.append(Remark(entity, _plain_id(id), name, reason, text, is_refusal=True))


_TOP = ("organization", "service", "entry")
# What only locations, terms and services at locations have.
_OTHERS = frozenset({"location_type", "service", "taxonomy", "term_uri"})


def read(text: str) -> Reading:
    """Everything of a directory that can be kept. InvalidArgument for what is no JSON, or no directory."""
    if len(text.encode()) > MOST_BYTES:
        raise InvalidArgument("DIRECTORY_TOO_LARGE", "At most 3 MB at a time.", field="json")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidArgument("DIRECTORY_UNREADABLE", "It is no JSON.", field="json") from None
    reading = Reading()
    for entry in _entries(told):
        if _OTHERS & set(entry):
            text = "Send organizations or services: the rest stands inside of them."
            reading.refuse("entry", entry.get("id"), "", "NO_ORGANIZATION_OR_SERVICE", text)
        elif _is_service(entry):
            _read_service(entry, reading)
        else:
            _read_organization(entry, reading)
    return reading


def _entries(told: Any) -> Sequence[dict[str, Any]]:
    if isinstance(told, dict) and isinstance(told.get("contents"), list):
        told = told["contents"]
    entries = told if isinstance(told, list) else [told]
    if not entries or not all(isinstance(one, dict) for one in entries):
        raise InvalidArgument(
            "DIRECTORY_UNREADABLE",
            "Send organizations or services of HSDS 3.0: one, a list, or a page of them.",
            field="json",
        )
    return entries


def _is_service(entry: Mapping[str, Any]) -> bool:
    return any(name in entry for name in ("status", "organization", "organization_id"))


def _read_organization(entry: Mapping[str, Any], reading: Reading) -> str:
    services = entry.get("services") or ()
    kept = _keep("organization", {k: v for k, v in entry.items() if k != "services"}, reading)
    if kept is None:
        for one in services:
            id = one.get("id") if isinstance(one, dict) else ""
            reading.refuse(
                "service", id, "", "ORGANIZATION_REFUSED", "Its organization is not kept."
            )
        return ""
    # A list repeats an organization with each of its services, in more or fewer words.
    before = reading.organizations.get(kept["id"], {})
    reading.organizations[kept["id"]] = max(before, kept, key=len)
    for one in services:
        if isinstance(one, dict):
            _read_service({**one, "organization_id": kept["id"]}, reading)
    return str(kept["id"])


def _read_service(entry: Mapping[str, Any], reading: Reading) -> None:
    inside = entry.get("organization")
    whose = _read_organization(inside, reading) if isinstance(inside, dict) else ""
    whose = whose or str(entry.get("organization_id") or "")
    kept = _keep("service", {k: v for k, v in entry.items() if k != "organization"}, reading)
    if kept is None:
        return
    if not _is_id(whose):
        reading.refuse(
            "service", kept["id"], "organization", "ORGANIZATION_MISSING", "It belongs to nobody."
        )
        return
    reading.services[kept["id"]] = {**kept, "organization_id": whose}


def _keep(name: str, value: Any, reading: Reading) -> dict[str, Any] | None:
    """What is kept of an entity, with what is inside of it; None if it is refused."""
    kind = ENTITIES[name]
    if not isinstance(value, dict):
        reading.refuse(name, "", "", "VALUE_INVALID", "It is no object.")
        return None
    for wanted in kind.required:
        if value.get(wanted) in (None, ""):
            text = f"HSDS requires {wanted}."
            reading.refuse(name, value.get("id"), wanted, "REQUIRED_FIELD_MISSING", text)
            return None
    kept = dict[str, Any]()
    for key, told in value.items():
        if key in kind.inside:
            _keep_inside(kind.inside[key], key, told, kept, reading)
        elif key not in kind.fields:
            reading.say(name, value["id"], key, "NOT_KEPT", f"{key} of {name} is not kept.")
        elif told is not None and not _keep_field(name, key, value, kept, reading):
            return None
    return kept


def _keep_field(
    name: str, key: str, value: Mapping[str, Any], kept: dict[str, Any], reading: Reading
) -> bool:
    """Keep one field, if it is right; False if the entity is refused because it is not."""
    if _is_right(ENTITIES[name], key, value[key]):
        kept[key] = value[key]
        return True
    if key in _LENIENT:
        reading.say(name, value.get("id"), key, "VALUE_INVALID", f"{key} is not readable.")
        return True
    reading.refuse(name, value.get("id"), key, "VALUE_INVALID", f"{key} is not what HSDS allows.")
    return False


def _keep_inside(name: str, key: str, told: Any, kept: dict[str, Any], reading: Reading) -> None:
    if isinstance(told, list):
        found = [_keep(name, one, reading) for one in told]
        kept[key] = [one for one in found if one is not None]
    elif told is not None and (one := _keep(name, told, reading)) is not None:
        kept[key] = one


def _is_right(kind: Entity, key: str, value: Any) -> bool:
    if key in kind.checks:
        return kind.checks[key](value)
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT and "\x00" not in value
    return isinstance(value, int | float | bool)


def _plain_id(value: object) -> str:
    return value if isinstance(value, str) and _is_id(value) else ""


def counted(remarks: Sequence[Remark]) -> Iterator[tuple[Remark, int]]:
    """Each remark once, refusals first. What is merely not kept is counted by its field and not by its id."""
    alike = [
        one if one.is_refusal or one.reason != "NOT_KEPT" else Remark(
            one.entity, "", one.field, one.reason, one.text
        )
        for one in remarks
    ]  # fmt: skip
    found = sorted(Counter(alike).items(), key=lambda each: not each[0].is_refusal)
    yield from found[:MOST_REMARKS]
