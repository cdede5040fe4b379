"""What a network file asks for, as the API is asked."""

import httpx
from carehub.identity.v1.agreement_pb2 import Agreement
from carehub.identity.v1.organization_pb2 import Organization
from google.protobuf.json_format import ParseDict

from libs.local.apply import apply, id_of, wanted

NETWORK = {
    "network": "test",
    "organizations": [
        {"key": "mercy", "name": "Mercy", "kind": "PROVIDER"},
        {"key": "ridge", "name": "Ridge", "kind": "COMMUNITY", "is_covered": True},
    ],
    "agreements": [
        {
            "key": "results",
            "title": "Results",
            "parties": ["mercy", "ridge"],
            "purposes": ["TREATMENT"],
            "classes": ["RESULTS", "VISITS"],
        }
    ],
}


def test_an_agreement_names_its_parties_and_what_they_share():
    (asked,) = [one for one in wanted(NETWORK) if one.kind == "agreement"]
    said = ParseDict(asked.body, Agreement())
    assert said.id == str(id_of(NETWORK, "agreement", "results"))
    assert list(said.party_ids) == [
        str(id_of(NETWORK, "organization", key)) for key in ("mercy", "ridge")
    ]
    assert len(said.purposes) == 1
    assert len(said.data_classes) == 2
    assert not said.needs_consent


def test_an_organization_is_covered_by_its_kind_unless_the_file_says():
    mercy, ridge = (
        ParseDict(one.body, Organization()) for one in wanted(NETWORK) if one.kind == "organization"
    )
    assert not mercy.HasField("is_covered")
    assert ridge.is_covered


def test_a_feed_says_what_is_known_of_it():
    feed = {"key": "clinic", "facility": "clinic", "name": "Clinic", "sending_facility": "CLINIC"}
    program = feed | {"key": "program", "provenance": {"is_part2_program": True}}
    bodies = {w.key: w.body for w in wanted({"network": "demo", "feeds": [feed, program]})}
    assert bodies["clinic"]["provenance"] == {}
    assert bodies["program"]["provenance"] == {"isPart2Program": True}


async def test_an_organization_on_a_later_page_is_not_created_again():
    network = {"network": "test", "organizations": NETWORK["organizations"]}
    there = [one.body for one in wanted(network)]

    def page(request: httpx.Request) -> httpx.Response:
        place = int(request.url.params.get("pageToken") or 0)
        left = place + 1 < len(there)
        token = str(place + 1) if left else ""
        return httpx.Response(200, json={"organizations": [there[place]], "nextPageToken": token})

    said: list[str] = []
    transport = httpx.MockTransport(page)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub.example") as client:
        assert await apply(network, client, said.append, renew=_not_needed, dry_run=True) == 0
    assert said == []


async def _not_needed() -> None:
    raise AssertionError("no facility was added")
