"""Directories in HSDS: the published example in and out without loss, and what is not right."""

import json
import os
from pathlib import Path
from uuid import UUID

import pytest

from libs.chassis.errors import InvalidArgument
from services.referrals.domain.hsds import ENTITIES, counted, read
from services.referrals.domain.needs import NEEDS, SERVICE_TYPES, needs_of
from services.referrals.domain.reading import service_of

# Open Referral's examples of HSDS 3.0, CC BY-SA 4.0: not in this repository.
EXAMPLES = Path(os.environ.get("CAREHUB_HSDS_EXAMPLES", "../shared/data/hsds-3.0-examples"))
example = pytest.mark.skipif(
    not (EXAMPLES / "organization_full.json").exists(),
    reason="the examples of HSDS 3.0 are not here: set CAREHUB_HSDS_EXAMPLES",
)
ID = str(UUID(int=1))


def service(**fields):
    return {
        "id": str(UUID(int=2)), "name": "Rides", "status": "active", "organization_id": ID, "description": "x",
    } | fields  # fmt: skip


def searched(**fields):
    reading = read(json.dumps(service(**fields)))
    (body,) = reading.services.values()
    return service_of(body, reading), reading


def kept(name, value):
    """What has to come back: the fields that are kept, and what is inside, by the table alone."""
    kind = ENTITIES[name]
    out = {k: v for k, v in value.items() if k in kind.fields}
    for key, inner in kind.inside.items():
        told = value.get(key)
        if isinstance(told, list):
            out[key] = [kept(inner, one) for one in told]
        elif told is not None:
            out[key] = kept(inner, told)
    return out


@example
@pytest.mark.parametrize(
    "file", ["organization_full", "organization_list", "service_full", "service_list"]
)
def test_the_published_examples_come_back_without_loss_of_what_is_kept(file):
    text = (EXAMPLES / f"{file}.json").read_text()
    told = json.loads(text)
    reading = read(text)
    assert reading.refused == 0, reading.remarks
    for entry in told.get("contents", [told]):
        if "status" in entry:
            organization = entry.get("organization")
            expected = kept("service", entry) | {"organization_id": organization["id"]}
            assert reading.services[entry["id"]] == expected
        else:
            assert reading.organizations[entry["id"]] == kept("organization", entry)
            for one in entry.get("services", ()):
                assert reading.services[one["id"]] == kept("service", one) | {
                    "organization_id": entry["id"]
                }
    left_out = {(r.entity, r.field) for r in reading.remarks if r.reason == "NOT_KEPT"}
    assert ("service", "contacts") in left_out or "list" in file
    again = read(json.dumps([*reading.organizations.values(), *reading.services.values()]))
    assert (again.organizations, again.services) == (reading.organizations, reading.services)
    assert again.remarks == []


@example
def test_the_other_files_of_the_examples_are_refused_and_say_why():
    for file in ("location", "taxonomy_term", "service_at_location_list"):
        reading = read((EXAMPLES / f"{file}.json").read_text())
        assert not reading.services
        assert reading.refused


@pytest.mark.parametrize(
    ("entry", "field", "reason"),
    [
        (service(id="x"), "id", "VALUE_INVALID"),
        (service(name=""), "name", "REQUIRED_FIELD_MISSING"),
        (service(status="open"), "status", "VALUE_INVALID"),
        (service(organization_id=""), "organization", "ORGANIZATION_MISSING"),
        (service(description="a\x00b"), "description", "VALUE_INVALID"),
        (service(description={"a": 1}), "description", "VALUE_INVALID"),
        ({"id": ID, "name": "x"}, "description", "REQUIRED_FIELD_MISSING"),
    ],
)
def test_what_hsds_does_not_allow_is_refused(entry, field, reason):
    reading = read(json.dumps(entry))
    assert [(r.field, r.reason, r.is_refusal) for r in reading.remarks] == [(field, reason, True)]
    assert not reading.services
    assert not reading.organizations


def test_what_is_inside_is_refused_alone_and_an_unreadable_age_is_left_out():
    found, reading = searched(
        minimum_age=-3, phones=[{"id": ID}, {"id": ID, "number": "5"}, "five"],
        schedules=[{"id": ID, "opens_at": "25:00"}],
    )  # fmt: skip
    assert found.phones == ("5",)
    assert found.minimum_age == 0
    assert "minimum_age" not in found.body
    assert found.hours == ()
    assert {r.entity for r in reading.remarks if r.is_refusal} == {"phone", "schedule"}


def test_services_of_an_organization_that_is_refused_are_refused_with_it():
    reading = read(json.dumps({"id": ID, "name": "", "description": "x", "services": [service()]}))
    assert reading.refused == 2
    assert not reading.services


def test_what_is_no_directory_is_no_directory():
    for text in ("", "nothing", "3", "[1]", "[]", "[" * 100_000):
        with pytest.raises(InvalidArgument):
            read(text)
    with pytest.raises(InvalidArgument, match="3 MB"):
        read(" " * 3_000_001)


def test_terms_areas_languages_and_hours_are_read():
    def term(code, value=""):
        return {
            "id": ID,
            "value": value,
            "taxonomy_term": {"id": ID, "code": code, "name": code, "description": code},
        }

    found, reading = searched(
        attributes=[term("ride-volunteer"), term("drivers", "3"), term("answer-hours", "x"), term("wheelchair-accessible")],
        service_areas=[{"id": ID, "extent": "62701; 62702, Sample County"}, {"id": ID, "extent": "{}"}],
        languages=[{"id": ID, "code": "ES"}],
        phones=[{"id": ID, "number": "1", "languages": [{"id": ID, "code": "en"}]}],
        schedules=[{"id": ID, "freq": "WEEKLY", "byday": "MO,TU", "opens_at": "07:00:00", "closes_at": "18:00"}],
    )  # fmt: skip
    assert found.needs == ("transportation-insecurity",)
    assert (found.drivers, found.answer_hours, found.capacity_hours) == (3, 0, 72)
    assert (found.postal_codes, found.counties) == (("62701", "62702"), ("Sample County",))
    assert found.languages == ("en", "es")
    assert found.is_wheelchair_accessible
    assert (found.hours[0].days, found.hours[0].opens_at) == (("MO", "TU"), "07:00")
    assert [r.reason for r in reading.remarks] == ["AREA_NOT_UNDERSTOOD"]


def test_a_service_says_that_a_wheelchair_fits_in_by_its_place_unless_it_says_no():
    def place(text):
        return [
            {
                "id": ID,
                "location": {
                    "id": ID,
                    "location_type": "physical",
                    "accessibility": [{"id": ID, "description": text}],
                },
            }
        ]

    assert searched(service_at_locations=place("Wheelchair access on all levels."))[
        0
    ].is_wheelchair_accessible
    for text in ("No wheelchair access.", "Not for wheelchairs.", "Stairs."):
        assert not searched(service_at_locations=place(text))[0].is_wheelchair_accessible


def test_every_kind_of_service_helps_with_needs_of_gravity_and_remarks_are_counted():
    assert all(needs and needs <= NEEDS for needs in SERVICE_TYPES.needs_of.values())
    assert needs_of(["food-pantry", "stress", "nothing of ours"]) == {"food-insecurity", "stress"}
    reading = read(json.dumps([service(id=str(UUID(int=n)), fees_x="1") for n in range(3)]))
    ((remark, count),) = counted(reading.remarks)
    assert (remark.field, remark.id, count) == ("fees_x", "", 3)
