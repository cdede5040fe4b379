"""The OpenAPI document: whole, true, and the one that is committed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.api import openapi
from gateway.api.image import Image
from gateway.api.openapi import SNAPSHOT, document, snapshot, write_openapi
from tests.unit.gateway.doubles import IMAGE

CONTRACTS = Image(IMAGE)
DOCUMENT = document(CONTRACTS)
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def inside(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from inside(one)
    elif isinstance(value, list):
        for one in value:
            yield from inside(one)


def test_the_committed_document_is_the_one_of_the_contracts():
    assert SNAPSHOT.read_bytes() == snapshot(), "run: make openapi"


def test_it_is_written_only_when_it_changes(tmp_path):
    to = tmp_path / "openapi.json"
    assert write_openapi(to=to)
    assert not write_openapi(to=to)
    assert to.read_bytes() == snapshot()


def test_every_rpc_with_a_path_is_there_once():
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert sorted(ids) == sorted(
        [
            *openapi.operation_ids(CONTRACTS).values(),
            "Listen",
            "ListAudit",
            "ListAccesses",
            "ListOwnAccesses",
        ]
    )
    assert len(ids) == len(set(ids))
    assert {"GetPatient", "GetStatusOfTasking", "GetStatusOfRegistry"} <= set(ids)


def test_references_lead_somewhere():
    for one in inside(DOCUMENT):
        if "$ref" in one:
            found = DOCUMENT
            for part in one["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            assert found


def test_no_two_paths_are_the_same_but_for_a_name():
    shapes = [re.sub(r"\{[^}]+\}", "{}", path) for path in DOCUMENT["paths"]]
    assert len(shapes) == len(set(shapes))


def test_path_parameters_are_those_of_the_path():
    for path, _, operation in OPERATIONS:
        named = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert named == re.findall(r"\{([^}]+)\}", path)
        assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")


def test_parameters_are_named_once():
    for _, _, operation in OPERATIONS:
        names = [(one["in"], one["name"]) for one in operation["parameters"]]
        assert len(names) == len(set(names))


def test_everything_is_described():
    for one in inside(DOCUMENT["components"]["schemas"]):
        for name, field in one.get("properties", {}).items():
            assert isinstance(field, dict)
            if "description" not in field and "$ref" not in field and one is not DOCUMENT:
                assert name in {"field", "description", "status", "title"}, name
    for _, _, operation in OPERATIONS:
        assert operation["summary"]
        assert operation["description"]


def test_required_fields_exist():
    for one in inside(DOCUMENT):
        if isinstance(one.get("required"), list):
            assert set(one["required"]) <= set(one.get("properties", one["required"]))


def test_it_says_who_may_call_and_how_versions_work():
    patch = DOCUMENT["paths"]["/v1/patients/{patientId}"]["patch"]
    assert patch["x-permission"] == "patients.write"
    assert {"If-Match", "Idempotency-Key"} <= {one["name"] for one in patch["parameters"]}
    assert "ETag" in patch["responses"]["200"]["headers"]
    assert "412" in patch["responses"]
    create = DOCUMENT["paths"]["/v1/patients"]["post"]
    assert "If-Match" not in {one["name"] for one in create["parameters"]}
    patient = DOCUMENT["components"]["schemas"]["registry.Patient"]
    assert patient["properties"]["id"]["readOnly"]
    assert "names" in patient["required"]
    assert "SEX_FEMALE" in patient["properties"]["sex"]["enum"]
    assert "Female." in patient["properties"]["sex"]["description"]


def test_a_contract_that_cannot_work_does_not_start():
    image = Image(IMAGE)
    broken = next(file for file in image.files.file if file.name.endswith("registry_service.proto"))
    method = broken.service[0].method[0]
    from google.api import annotations_pb2

    method.options.Extensions[annotations_pb2.http].get = "/v1/patients/{nobody}"
    with pytest.raises(ValueError, match="nobody"):
        Image(image.files.SerializeToString())


@pytest.mark.parametrize(
    "path", ["/docs", "/static/docs.js", "/static/docs.css", "/static/page.css", "/"]
)
async def test_pages_load_nothing_from_elsewhere(api, path):
    response = await api.get(path)
    assert response.status_code == 200
    text = response.text.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in text
    assert "https://" not in text
    if path in {"/", "/docs"}:
        assert "<style" not in text
        assert "onclick" not in text
        assert re.findall(r"<script(?! src)", text) == []


async def test_the_document_is_served(api):
    found = (await api.get("/openapi.json")).json()
    assert found["openapi"] == "3.1.0"
    assert found["paths"].keys() == DOCUMENT["paths"].keys()


async def test_the_first_page_lists_what_can_be_opened(api):
    text = (await api.get("/")).text
    assert 'href="/v1/tasks"' in text
    assert 'href="/signin"' in text
    assert "{" not in text


def test_the_image_of_the_repository_is_the_one_tested():
    assert openapi.IMAGE.read_bytes() == IMAGE
