"""What is searched of a service, read from what is kept of it in HSDS."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from services.referrals.domain.directory import (
    DEFAULT_CAPACITY_HOURS,
    Hours,
    Organization,
    Service,
)
from services.referrals.domain.hsds import Reading
from services.referrals.domain.needs import SERVICE_TYPES, needs_of

# Terms of our own, in attributes of a service: a number is their value.
DRIVERS, ANSWER_HOURS, CAPACITY_HOURS = "drivers", "answer-hours", "capacity-hours"
WHEELCHAIR = "wheelchair-accessible"
MOST_DRIVERS, MOST_HOURS = 200, 24 * 60
_POSTAL = re.compile(r"\d{5}")
_COUNTY = re.compile(r"[\w .'-]{2,60} county", re.I)
_NO_WHEELCHAIR = re.compile(
    r"\b(no|not|without)\b[^.]*wheelchair|wheelchair[^.]*\b(not|no)\b", re.I
)


def organization_of(body: Mapping[str, Any]) -> Organization:
    return Organization(
        id=UUID(body["id"]), name=body["name"], description=body["description"], body=body
    )


def service_of(body: Mapping[str, Any], reading: Reading) -> Service:
    """The service that `body` tells of; what is not understood of it is said."""
    terms = dict(_terms(body))
    needs = sorted(needs_of(terms))
    if not needs:
        text = "It has no term of ours for a need: it is kept, and no search for a need finds it."
        reading.say("service", body["id"], "attributes", "NEED_UNKNOWN", text)
    postal_codes, counties = _areas(body, reading)
    return Service(
        id=UUID(body["id"]),
        organization_id=UUID(body["organization_id"]),
        name=body["name"],
        description=str(body.get("description") or ""),
        status=body["status"],
        service_types=tuple(sorted(code for code in terms if code in SERVICE_TYPES.needs_of)),
        needs=tuple(needs),
        postal_codes=postal_codes,
        counties=counties,
        languages=_languages(body),
        is_wheelchair_accessible=WHEELCHAIR in terms or _says_wheelchair(body),
        eligibility=str(body.get("eligibility_description") or ""),
        minimum_age=int(body.get("minimum_age") or 0),
        maximum_age=int(body.get("maximum_age") or 0),
        hours=tuple(_hours(body)),
        drivers=_number(terms.get(DRIVERS), MOST_DRIVERS),
        answer_hours=_number(terms.get(ANSWER_HOURS), MOST_HOURS),
        capacity_hours=_number(terms.get(CAPACITY_HOURS), MOST_HOURS) or DEFAULT_CAPACITY_HOURS,
        phones=tuple(dict.fromkeys(str(one["number"]) for one in body.get("phones", ()))),
        email=str(body.get("email") or ""),
        assured_on=_day(body.get("assured_date")),
        body=body,
    )


def _terms(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The codes of the terms of a service, and the value of each."""
    for attribute in body.get("attributes", ()):
        code = str(attribute.get("taxonomy_term", {}).get("code") or "")
        if code:
            yield code, str(attribute.get("value") or "")


def _areas(body: Mapping[str, Any], reading: Reading) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The postal codes and counties of areas that are words: "62701, 62702; Sample County"."""
    postal_codes, counties = set[str](), set[str]()
    for area in body.get("service_areas", ()):
        words = re.split(r"[,;\n]", str(area.get("extent") or ""))
        found = [word.strip() for word in words]
        postal_codes |= {word for word in found if _POSTAL.fullmatch(word)}
        counties |= {word for word in found if _COUNTY.fullmatch(word)}
        if not any(_POSTAL.fullmatch(word) or _COUNTY.fullmatch(word) for word in found):
            text = "Its area is no list of postal codes or counties: no search by place counts it."
            reading.say("service_area", area["id"], "extent", "AREA_NOT_UNDERSTOOD", text)
    return tuple(sorted(postal_codes)), tuple(sorted(counties))


def _languages(body: Mapping[str, Any]) -> tuple[str, ...]:
    told = [*body.get("languages", ())]
    for phone in body.get("phones", ()):
        told += phone.get("languages", ())
    codes = {str(one.get("code") or "").lower() for one in told}
    return tuple(sorted(code for code in codes if 0 < len(code) <= 8))


def _says_wheelchair(body: Mapping[str, Any]) -> bool:
    told = [
        str(one.get("description") or "")
        for place in body.get("service_at_locations", ())
        for one in place.get("location", {}).get("accessibility", ())
    ]
    return any("wheelchair" in text.lower() and not _NO_WHEELCHAIR.search(text) for text in told)


def _hours(body: Mapping[str, Any]) -> Iterator[Hours]:
    """The weekly schedules, of the service itself or, if it has none, of its places."""
    schedules = [*body.get("schedules", ())]
    if not schedules:
        places = body.get("service_at_locations", ())
        schedules = [one for place in places for one in place.get("schedules", ())]
    for one in schedules:
        if one.get("freq") == "WEEKLY" or (one.get("opens_at") and not one.get("freq")):
            days = [day.strip().upper()[-2:] for day in str(one.get("byday") or "").split(",")]
            yield Hours(
                days=tuple(day for day in days if day),
                opens_at=str(one.get("opens_at") or "")[:5],
                closes_at=str(one.get("closes_at") or "")[:5],
            )


def _number(text: str | None, most: int) -> int:
    return min(int(text), most) if text and text.isdecimal() and len(text) < 6 else 0


def _day(value: object) -> date | None:
    return date.fromisoformat(str(value)[:10]) if value else None
