"""REST over a real registry: created, read, changed, found, and refused to a stranger."""

from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from gateway.api.app import GatewaySettings, build
from libs.testing.hub import caller_token
from tests.component.gateway.exchanging import Exchanging

MERCY, HARBOR = UUID(int=1), UUID(int=2)
URL = "http://127.0.0.1:8080"
PERMISSIONS = ("patients.read", "patients.write")


def tokens():
    """Made for each test: they live for an hour, and a run may take longer."""
    return {
        "nurse": caller_token(permissions=PERMISSIONS, facilities=[MERCY]),
        "reader": caller_token(permissions=["patients.read"], facilities=[MERCY]),
        "stranger": caller_token(permissions=PERMISSIONS, facilities=[HARBOR]),
    }


@pytest.fixture
def site(hub):
    @asynccontextmanager
    async def running():
        async with hub("registry") as h:
            settings = GatewaySettings(
                public_url=URL, issuer=f"{URL}/realms/carehub", client_secret="not-a-secret-here"
            )
            image = Path("libs/contracts/contracts.binpb").read_bytes()
            app = build(Exchanging(h.channels, **tokens()), settings, image)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url=URL
            ) as client:
                yield client

    return running


def by(who, **headers):
    return {"Authorization": f"Bearer {who}", **headers}


def jane(value="M-1"):
    return {
        "facilityId": str(MERCY),
        "identifiers": [{"assigner": "MERCY", "value": value, "type": "MR"}],
        "names": [{"family": "Okafor", "given": ["Jane"], "use": "L"}],
        "birthDate": {"year": 1980, "month": 4, "day": 30},
        "sex": "SEX_FEMALE",
        "telecoms": [{"system": "SYSTEM_PHONE", "value": "+16025550134"}],
    }


async def test_a_patient_from_creation_to_a_stranger(site):
    async with site() as client:
        made = await client.post("/v1/patients", json=jane(), headers=by("nurse"))
        assert made.status_code == 200, made.text
        path = f"/v1/patients/{made.json()['id']}"

        read = await client.get(path, headers=by("reader"))
        assert read.status_code == 200
        assert read.json()["names"][0]["family"] == "Okafor"
        assert read.json()["birthDate"] == {"year": 1980, "month": 4, "day": 30}
        etag = read.headers["etag"]

        again = await client.get(path, headers=by("reader", **{"If-None-Match": etag}))
        assert again.status_code == 304

        stranger = await client.get(path, headers=by("stranger"))
        nobody = await client.get(f"/v1/patients/{uuid4()}", headers=by("stranger"))
        assert stranger.status_code == nobody.status_code == 404
        assert stranger.json()["reason"] == nobody.json()["reason"]
        assert stranger.json()["detail"] == nobody.json()["detail"]

        reader = await client.post("/v1/patients", json=jane("M-2"), headers=by("reader"))
        assert reader.status_code == 403

        found = await client.post(
            "/v1/patients:search", json={"text": "okafor jane 1980-04-30"}, headers=by("nurse")
        )
        assert [one["id"] for one in found.json()["patients"]] == [made.json()["id"]]
        found = await client.post(
            "/v1/patients:search", json={"text": "okafor"}, headers=by("stranger")
        )
        assert found.json() == {"patients": [], "hasMore": False}


async def test_two_people_change_one_record(site):
    async with site() as client:
        made = await client.post("/v1/patients", json=jane(), headers=by("nurse"))
        path, first = f"/v1/patients/{made.json()['id']}", made.headers["etag"]
        mine = await client.patch(
            path, json={"language": "es"}, headers=by("nurse", **{"If-Match": first})
        )
        assert mine.status_code == 200, mine.text
        assert mine.json()["language"] == "es"
        assert mine.json()["names"][0]["family"] == "Okafor"
        assert mine.headers["etag"] != first
        theirs = await client.patch(
            path, json={"language": "en"}, headers=by("nurse", **{"If-Match": first})
        )
        assert theirs.status_code == 412
        assert theirs.json()["reason"] == "STALE_ETAG"
        in_body = await client.patch(
            path, json={"language": "en", "etag": first}, headers=by("nurse")
        )
        assert in_body.status_code == 409
        now = (await client.get(path, headers=by("nurse"))).json()
        assert now["language"] == "es"


async def test_a_change_sent_twice_is_made_once(site):
    async with site() as client:
        headers = by("nurse", **{"Idempotency-Key": "form-7"})
        first = await client.post("/v1/patients", json=jane(), headers=headers)
        second = await client.post("/v1/patients", json=jane(), headers=headers)
        assert first.status_code == second.status_code == 200
        assert first.json()["id"] == second.json()["id"]
        other = await client.post("/v1/patients", json=jane("M-9"), headers=headers)
        assert 400 <= other.status_code < 500
        taken = await client.post("/v1/patients", json=jane(), headers=by("nurse"))
        assert taken.json()["reason"] == "DUPLICATE_IDENTIFIER"


async def test_mistakes_are_explained(site):
    async with site() as client:
        for path in ("/v1/patients/not-an-id", "/v1/patients/not-an-id/encounters"):
            response = await client.get(path, headers=by("nurse"))
            assert response.status_code == 400, response.text
            assert response.json()["fieldViolations"][0]["field"] == "patientId"
        response = await client.post("/v1/patients", json={}, headers=by("nurse"))
        assert response.status_code == 400
        response = await client.post(
            "/v1/patients:search", json={"text": "x" * 300}, headers=by("nurse")
        )
        assert response.status_code == 400
        response = await client.post(
            "/v1/patients:search", json={"text": "%' OR 1=1 -- \\ \u202e 𝕁"}, headers=by("nurse")
        )
        assert response.status_code == 200
