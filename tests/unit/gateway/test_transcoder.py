"""REST in, gRPC out, seen from a client."""

import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from carehub.identity.v1 import facility_pb2, identity_service_pb2
from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_service_pb2
from carehub.tasking.v1 import task_pb2, tasking_service_pb2

from libs.chassis import ids
from tests.unit.gateway.doubles import Neighbors, caller_token, failed

PATIENT = "0190a5a0-0000-7000-8000-00000000000a"


def a_patient(request):
    return patient_pb2.Patient(
        id=PATIENT, etag='"3"', names=[{"family": "Ejemplo", "given": ["Ana"]}]
    )


async def test_a_get_binds_the_path_and_writes_json(api: httpx.AsyncClient, neighbors: Neighbors):
    neighbors.answers["GetPatient"] = a_patient
    response = await api.get(f"/v1/patients/{PATIENT}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["id"] == PATIENT
    assert body["names"][0] == {"family": "Ejemplo", "given": ["Ana"], "use": "", "suffix": ""}
    assert body["sex"] == "SEX_UNSPECIFIED"
    assert body["isDeceased"] is False
    assert "birthDate" not in body
    call = neighbors.last("GetPatient")
    assert call.request == registry_service_pb2.GetPatientRequest(patient_id=PATIENT)
    assert call.caller_token == caller_token()
    assert call.timeout == 3.0


async def test_a_post_binds_its_body_to_the_field_of_the_contract(api, neighbors):
    neighbors.answers["CreatePatient"] = a_patient
    response = await api.post(
        "/v1/patients?requestId=r1",
        json={
            "facilityId": "f",
            "names": [{"family": "Ejemplo"}],
            "birth_date": {"year": 1948},
            "sex": "SEX_FEMALE",
        },
    )
    assert response.status_code == 200
    request = neighbors.last("CreatePatient").request
    assert request.request_id == "r1"
    assert request.patient.birth_date.year == 1948
    assert request.patient.sex == patient_pb2.Patient.SEX_FEMALE


async def test_a_verb_and_a_whole_body(api, neighbors):
    neighbors.answers["CompleteTask"] = lambda request: task_pb2.Task(id=request.task_id)
    response = await api.post("/v1/tasks/t1:complete", json={"outcome": "reached"})
    assert response.json()["id"] == "t1"
    request = neighbors.last("CompleteTask").request
    assert request == tasking_service_pb2.CompleteTaskRequest(task_id="t1", outcome="reached")


async def test_a_verb_without_a_body_is_a_body_with_nothing_in_it(api, neighbors):
    neighbors.answers["ClaimTask"] = lambda request: task_pb2.Task(id=request.task_id)
    assert (await api.post("/v1/tasks/t1:claim")).status_code == 200


async def test_a_search_has_longer_and_its_words_are_not_in_the_url(api, neighbors):
    neighbors.answers["SearchPatients"] = lambda _: registry_service_pb2.SearchPatientsResponse()
    response = await api.post("/v1/patients:search", json={"text": "ejemplo"})
    assert response.json() == {"patients": [], "hasMore": False}
    assert neighbors.last("SearchPatients").timeout == 10.0


async def test_a_query_takes_both_spellings_enums_and_numbers(api, neighbors):
    neighbors.answers["ListTasks"] = lambda _: tasking_service_pb2.ListTasksResponse()
    response = await api.get("/v1/tasks?pageSize=7&scope=SCOPE_MINE&facility_id=f1&pageToken=a%2Bb")
    assert response.json() == {"tasks": [], "nextPageToken": ""}
    assert neighbors.last("ListTasks").request == tasking_service_pb2.ListTasksRequest(
        page_size=7, scope=1, facility_id="f1", page_token="a+b"
    )
    await api.get("/v1/tasks?scope=1")
    assert neighbors.last("ListTasks").request.scope == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("nothing=1", "nothing"),
        ("pageSize=many", "pageSize"),
        ("pageSize=99999999999", "pageSize"),
        ("scope=SCOPE_YOURS", "scope"),
        ("scope=77", "scope"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("pageSize.x=1", "pageSize.x"),
    ],
)
async def test_a_wrong_parameter_is_400_and_named(api, query, field):
    response = await api.get(f"/v1/tasks?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["reason"] == "REQUEST_INVALID"
    assert [one["field"] for one in problem["fieldViolations"]] == [field]


async def test_every_wrong_field_of_a_body_is_named_and_no_value_is(api):
    response = await api.post(
        "/v1/patients",
        json={
            "facilityId": 7,
            "surname": "Geheimnis",
            "names": [{"family": ["Geheimnis"]}],
            "birthDate": {"year": "Geheimnis"},
            "sex": "Geheimnis",
            "deathTime": "Geheimnis",
        },
    )
    assert response.status_code == 400
    assert {one["field"] for one in response.json()["fieldViolations"]} == {
        "patient.facilityId",
        "patient.surname",
        "patient.names[0].family",
        "patient.birthDate.year",
        "patient.sex",
        "patient.deathTime",
    }
    assert "Geheimnis" not in response.text


async def test_a_patch_changes_what_its_body_names(api, neighbors):
    neighbors.answers["UpdateFacility"] = lambda request: request.facility
    response = await api.patch(
        "/v1/facilities/f1", json={"name": "New", "etag": '"2"', "timeZone": "", "id": "f1"}
    )
    assert response.status_code == 200
    request = neighbors.last("UpdateFacility").request
    assert request.facility == facility_pb2.Facility(id="f1", name="New", etag='"2"')
    assert sorted(request.update_mask.paths) == ["name", "time_zone"]


async def test_a_mask_of_the_client_wins_over_the_body(api, neighbors):
    neighbors.answers["UpdateFacility"] = lambda request: request.facility
    await api.patch("/v1/facilities/f1?updateMask=timeZone", json={"name": "New"})
    request = neighbors.last("UpdateFacility").request
    assert list(request.update_mask.paths) == ["time_zone"]


async def test_a_body_that_names_another_resource_than_the_path_is_refused(api):
    response = await api.patch("/v1/facilities/f1", json={"id": "f2"})
    assert response.status_code == 400
    assert response.json()["fieldViolations"][0]["field"] == "facility.id"


async def test_nested_lists_have_their_path(api, neighbors):
    neighbors.answers["ListEncounters"] = lambda _: registry_service_pb2.ListEncountersResponse(
        encounters=[encounter_pb2.Encounter(id="e1")]
    )
    response = await api.get(f"/v1/patients/{PATIENT}/encounters")
    assert response.json()["encounters"][0]["id"] == "e1"


async def test_an_unknown_path_is_404_and_a_known_one_with_another_method_405(api):
    assert (await api.get("/v1/nothing")).json()["reason"] == "PATH_NOT_FOUND"
    assert (await api.post("/v1/tasks/t1:unknown")).status_code == 404
    assert (await api.get("/elsewhere")).json()["reason"] == "PATH_NOT_FOUND"
    response = await api.delete(f"/v1/patients/{PATIENT}")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, PATCH, HEAD"


async def test_head_is_get_without_the_body(api, neighbors):
    neighbors.answers["GetPatient"] = a_patient
    response = await api.head(f"/v1/patients/{PATIENT}")
    assert response.status_code == 200
    assert response.content == b""
    assert int(response.headers["content-length"]) > 100


async def test_what_is_not_exposed_has_no_path(api):
    assert (await api.post("/v1/identity:exchangeToken", json={})).status_code == 404


# Versions.


async def test_an_etag_goes_out_and_comes_back_as_if_match(api, neighbors):
    neighbors.answers["GetPatient"] = a_patient
    neighbors.answers["UpdatePatient"] = a_patient
    etag = (await api.get(f"/v1/patients/{PATIENT}")).headers["etag"]
    assert etag == '"3"'
    await api.patch(f"/v1/patients/{PATIENT}", json={"language": "es"}, headers={"If-Match": etag})
    request = neighbors.last("UpdatePatient").request
    assert request.patient.etag == '"3"'
    assert list(request.update_mask.paths) == ["language"]
    neighbors.answers["CompleteTask"] = lambda request: task_pb2.Task(etag='"8"')
    response = await api.post("/v1/tasks/t1:complete", headers={"If-Match": '"7"'})
    assert neighbors.last("CompleteTask").request.etag == '"7"'
    assert response.headers["etag"] == '"8"'


async def test_a_stale_version_is_412_with_if_match_and_409_without(api, neighbors):
    def stale(_):
        raise failed("ABORTED", "STALE_ETAG", "Somebody else changed it.")

    neighbors.answers["UpdatePatient"] = stale
    path = f"/v1/patients/{PATIENT}"
    assert (await api.patch(path, json={"etag": '"1"'})).status_code == 409
    response = await api.patch(path, json={}, headers={"If-Match": '"1"'})
    assert response.status_code == 412
    assert response.json()["reason"] == "STALE_ETAG"


@pytest.mark.parametrize(
    ("if_match", "status"), [('W/"3"', 412), ('"1", "2"', 400), ("3", 400), ("*", 200)]
)
async def test_if_match_of_other_kinds(api, neighbors, if_match, status):
    neighbors.answers["UpdatePatient"] = a_patient
    response = await api.patch(f"/v1/patients/{PATIENT}", json={}, headers={"If-Match": if_match})
    assert response.status_code == status


async def test_if_match_and_body_must_agree(api):
    response = await api.patch(
        f"/v1/patients/{PATIENT}", json={"etag": '"1"'}, headers={"If-Match": '"2"'}
    )
    assert response.status_code == 400


async def test_if_match_where_there_are_no_versions_is_refused(api):
    response = await api.post(
        "/v1/patients:search", json={"text": "x"}, headers={"If-Match": '"2"'}
    )
    assert response.json()["reason"] == "IF_MATCH_NOT_SUPPORTED"


@pytest.mark.parametrize("known", ['"3"', 'W/"3"', '"2", "3"', "*"])
async def test_what_the_client_has_already_is_304(api, neighbors, known):
    neighbors.answers["GetPatient"] = a_patient
    response = await api.get(f"/v1/patients/{PATIENT}", headers={"If-None-Match": known})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == '"3"'


# Headers.


async def test_ids_and_keys_go_on_to_the_service(api, neighbors):
    neighbors.answers["CreatePatient"] = a_patient
    request_id = str(uuid.uuid4())
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    response = await api.post(
        "/v1/patients",
        json={},
        headers={"Idempotency-Key": "k-1", "X-Request-Id": request_id, "traceparent": trace},
    )
    assert response.headers["x-request-id"] == request_id
    metadata = neighbors.last("CreatePatient").metadata
    assert metadata == {
        "x-request-id": request_id,
        "idempotency-key": "k-1",
        "x-client-address": "127.0.0.1",
    }


async def test_a_request_id_that_is_none_is_replaced(api, neighbors):
    neighbors.answers["GetPatient"] = a_patient
    response = await api.get(f"/v1/patients/{PATIENT}", headers={"X-Request-Id": "Ana Ejemplo"})
    assert uuid.UUID(response.headers["x-request-id"]).version == 7


async def test_every_answer_says_what_time_it_is_at_the_hub(api, neighbors):
    neighbors.answers["GetPatient"] = a_patient
    ids.keep_ahead(lambda: timedelta(days=40))
    try:
        found = await api.get(f"/v1/patients/{PATIENT}")
        lost = await api.get("/nowhere")
    finally:
        ids.keep_ahead(timedelta)
    for answer in (found, lost):
        ahead = datetime.fromisoformat(answer.headers["x-hub-time"]) - datetime.now(UTC)
        assert timedelta(days=39, hours=23) < ahead < timedelta(days=40, seconds=1)


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ü"])
async def test_an_idempotency_key_is_visible_ascii(api, key):
    response = await api.post("/v1/patients", json={}, headers={b"Idempotency-Key": key.encode()})
    assert response.json()["reason"] == "IDEMPOTENCY_KEY_UNREADABLE"


async def test_every_answer_has_the_security_headers(api):
    for path in ("/v1/me", "/", "/docs", "/openapi.json", "/healthz", "/nowhere"):
        headers = (await api.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] in {"no-store", "no-cache"}
        assert "access-control-allow-origin" not in headers
        assert "strict-transport-security" not in headers


# Errors.


async def test_an_error_of_a_service_is_a_problem(api, neighbors):
    def refuse(_):
        raise failed(
            "NOT_FOUND",
            "PATIENT_NOT_FOUND",
            "There is no such patient.",
            patient_id="p",
            request_id="r",
        )

    neighbors.answers["GetPatient"] = refuse
    response = await api.get(f"/v1/patients/{PATIENT}")
    assert response.status_code == 404
    assert response.json() == {
        "type": "/problems/PATIENT_NOT_FOUND",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such patient.",
        "reason": "PATIENT_NOT_FOUND",
        "metadata": {"patientId": "p"},
        "fieldViolations": [],
        "requestId": response.headers["x-request-id"],
    }


async def test_a_bug_tells_nothing(api, neighbors, caplog):
    def stumble(_):
        raise RuntimeError("patient Ana Ejemplo")

    neighbors.answers["GetPatient"] = stumble
    response = await api.get(f"/v1/patients/{PATIENT}")
    assert response.status_code == 500
    assert response.json()["reason"] == "INTERNAL"
    assert "Ejemplo" not in response.text


async def test_what_the_wire_says_of_itself_is_not_passed_on(api, neighbors):
    from google.rpc import code_pb2, status_pb2

    from libs.chassis.wire import CallFailed

    def away(_):
        raise CallFailed(
            status_pb2.Status(code=code_pb2.UNAVAILABLE, message="ipv4:10.0.0.3:50051 refused")
        )

    neighbors.answers["GetPatient"] = away
    response = await api.get(f"/v1/patients/{PATIENT}")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert "10.0.0.3" not in response.text


async def test_the_log_has_the_template_and_never_the_path(api, neighbors, caplog):
    neighbors.answers["GetPatient"] = a_patient
    with caplog.at_level("INFO", logger="gateway.access"):
        await api.get("/v1/patients/Ana-Ejemplo?x=Ana-Ejemplo")
        await api.get("/v1/Ana-Ejemplo")
    told = [record.__dict__ for record in caplog.records if record.name == "gateway.access"]
    assert [one["route"] for one in told] == ["/v1/patients/{patient_id}", "unmatched"]
    assert [one["status"] for one in told] == [400, 404]
    assert "Ejemplo" not in str(told)


async def test_identity_is_asked_once_for_many(api, neighbors):
    neighbors.answers["GetMe"] = lambda _: identity_service_pb2.GetMeResponse()
    for _ in range(5):
        assert (await api.get("/v1/me")).status_code == 200
    assert neighbors.count("ExchangeToken") == 1


async def test_metrics_know_templates_only(api, neighbors):
    from prometheus_client import generate_latest

    await api.get("/v1/patients/Zzyzx-Geheim?Zzyzx-Geheim=1")
    await api.request("Zzyzx-Geheim", "/v1/Zzyzx-Geheim")
    told = generate_latest().decode()
    assert 'route="/v1/patients/{patient_id}",status="400"' in told
    assert 'method="OTHER",route="unmatched",status="404"' in told
    assert "Geheim" not in told
