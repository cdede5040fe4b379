"""Whatever is sent: an answer below 500, and nothing of it in the log."""

import asyncio
import json

import httpx
import pytest
from carehub.registry.v1 import patient_pb2, registry_service_pb2
from carehub.tasking.v1 import tasking_service_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.api import partner, transcoder
from gateway.api.app import build
from tests.unit.gateway.doubles import IMAGE, Neighbors

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def ready(neighbors: Neighbors) -> Neighbors:
    neighbors.answers["CreatePatient"] = lambda request: request.patient
    neighbors.answers["SearchPatients"] = lambda _: registry_service_pb2.SearchPatientsResponse()
    neighbors.answers["ListTasks"] = lambda _: tasking_service_pb2.ListTasksResponse()
    neighbors.answers["GetPatient"] = lambda request: patient_pb2.Patient(id=request.patient_id)
    return neighbors


BODIES = {
    "deep lists": b"[" * 90_000,
    "deep objects": b'{"a":' * 90_000 + b"1" + b"}" * 90_000,
    "deep and known": b'{"names":[' * 50 + b"]}" * 50,
    "cut off": b'{"facilityId": "x',
    "not utf-8": b'{"facilityId": "\xff"}',
    "utf-16": '{"facilityId": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"facilityId": "x"}',
    "a lone surrogate": b'{"facilityId": "\\ud800"}',
    "a NUL": b'{"facilityId": "\\u0000"}',
    "a raw NUL": b'{"facilityId": "\x00"}',
    "a key twice": b'{"facilityId": "x", "facilityId": "y"}',
    "a key twice deeper": b'{"names": [{"family": "x", "family": "y"}]}',
    "a key in both spellings": b'{"facilityId": "x", "facility_id": "y"}',
    "NaN": b'{"birthDate": {"year": NaN}}',
    "Infinity": b'{"birthDate": {"year": -Infinity}}',
    "a long number": b'{"birthDate": {"year": ' + b"9" * 10_000 + b"}}",
    "a long exponent": b'{"birthDate": {"year": 1e999999}}',
    "a number for an object": b"5",
    "a list for an object": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "two values": b"{} {}",
    "a comment": b'{"facilityId": "x" /* y */}',
    "a strange type": b'{"@type": "type.googleapis.com/google.protobuf.Any"}',
    "a prototype": b'{"__proto__": {"a": 1}, "constructor": 1}',
    "a strange instant": b'{"deathTime": "9999-12-31T23:59:59.999999999-23:59"}',
    "a year zero": b'{"deathTime": "0000-01-01T00:00:00Z"}',
    "an enum of the future": b'{"sex": 2147483647}',
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_body_is_400(api, ready, name):
    response = await api.post("/v1/patients", content=BODIES[name], headers=JSON)
    assert response.status_code == 400, response.text
    assert response.json()["reason"] in {"BODY_UNREADABLE", "REQUEST_INVALID"}
    assert ready.count("CreatePatient") == 0


async def test_a_hundred_thousand_values_are_too_many(api, ready):
    for count in (30_000, 300_000):
        body = json.dumps({"identifiers": [{}] * count}).encode()
        response = await api.post("/v1/patients", content=body, headers=JSON)
        assert response.status_code == 413
        assert response.json()["reason"] == "TOO_MANY_VALUES"


async def test_a_large_body_is_413_before_and_while_it_arrives(api, ready):
    body = b'{"text": "' + b"x" * transcoder.LARGEST_BODY + b'"}'
    response = await api.post("/v1/patients:search", content=body, headers=JSON)
    assert response.status_code == 413

    async def pieces():
        for _ in range(200):
            yield b" " * 16_384

    response = await api.post("/v1/patients:search", content=pieces(), headers=JSON)
    assert response.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {},
    ],
)
async def test_other_media_types_are_415(api, ready, headers):
    response = await api.post("/v1/patients:search", content=b'{"text": "x"}', headers=headers)
    assert response.status_code == 415


async def test_json_with_a_charset_is_json(api, ready):
    headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
    response = await api.post("/v1/patients:search", content=b'{"text": "x"}', headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("where", "path", "kind"),
    [
        ((transcoder, "BODY_TAKES"), "/v1/patients:search", b"application/json"),
        ((partner, "TIMEOUT"), "/p/some-token", b"application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_that_does_not_arrive_is_408(
    ready, gateway_settings, monkeypatch, where, path, kind
):
    monkeypatch.setattr(*where, 0.02)
    app = build(ready, gateway_settings, IMAGE)
    sent: list = []

    async def never():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 8080), "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"x"), (b"authorization", b"Bearer good"), (b"content-type", kind)],
    }  # fmt: skip
    await app(scope, never, send)
    assert sent[0]["status"] == 408


async def test_a_client_that_goes_away_ends_quietly(ready, gateway_settings):
    app = build(ready, gateway_settings, IMAGE)
    sent: list = []

    async def gone():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/patients:search", "query_string": b"", "root_path": "",
        "headers": [(b"authorization", b"Bearer good")], "client": None, "scheme": "http", "server": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, gone, send)
    assert sent[0]["status"] == 499


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/patients/%ff", 400),
        ("/v1/patients/%00", 400),
        ("/v1/patients/a%0d%0aSet-Cookie:x", 400),
        ("/v1/patients/..%2f..%2fetc%2fpasswd", 200),
        ("/v1/patients//encounters", 404),
        ("/v1/patients/", 404),
        ("/v1//patients", 404),
        ("/v1/patients/a/b/c/d/e/f/g", 404),
        ("/v1/tasks?pageSize=%ff", 400),
        ("/v1/tasks?" + "&".join(f"a{n}=1" for n in range(101)), 400),
        ("/v1/tasks?pageToken=" + "x" * 9000, 414),
        ("/v1/tasks?pageToken=%00", 400),
        ("/v1/tasks?=1", 400),
        ("/v1/tasks?a.b.c.d.e.f=1", 400),
        ("/v1/tasks?__class__=1", 400),
        ("/v1/tasks?" + "pageToken." * 300 + "x=1", 400),
        ("/v1/tasks?&&&", 200),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/static/..%2fapp.py", 404),
        ("/static/app.py", 404),
        ("/docs/", 404),
    ],
)
async def test_a_strange_url_is_answered(api, ready, target, status):
    assert (await api.get(target)).status_code == status


async def test_other_methods_are_405(api, ready):
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "x"):
        response = await api.request(method, "/v1/patients")
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=200), query=st.binary(max_size=60), path=st.binary(max_size=40))
async def test_noise_never_ends_in_500(ready, gateway_settings, body, query, path):
    await _noise(ready, gateway_settings, body, query, path)


async def _noise(ready, gateway_settings, body, query, path):
    app = build(ready, gateway_settings, IMAGE)
    for target in (b"/v1/patients", b"/v1/patients:search", b"/v1/tasks/" + path, b"/" + path):
        sent: list = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message, sent=sent):
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": target.decode("latin-1"), "raw_path": target, "query_string": query,
            "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
            "headers": [(b"authorization", b"Bearer good"), (b"content-type", b"application/json"), (b"cookie", query)],
        }  # fmt: skip
        await app(scope, receive, send)
        assert 200 <= sent[0]["status"] < 500, (sent[0], target)


async def test_a_planted_name_is_in_no_log(api: httpx.AsyncClient, ready, caplog):
    name = "Zzyzx-Geheim"
    caplog.set_level("DEBUG")
    await api.post("/v1/patients:search", json={"text": name, name: 1, "pageSize": name})
    await api.post("/v1/patients", content=f'{{"{name}'.encode(), headers=JSON)
    await api.get(
        f"/v1/patients/{name}?{name}={name}",
        headers={"X-Request-Id": name, "Cookie": f"carehub={name}"},
    )
    await api.get(f"/{name}")

    def stumble(_):
        raise RuntimeError(name)

    ready.answers["GetPatient"] = stumble
    await api.get(f"/v1/patients/{name}")
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore", "asyncio"))]
    assert ours
    from libs.telemetry.logs import JsonLines

    assert name not in "".join(JsonLines().format(record) for record in ours)
