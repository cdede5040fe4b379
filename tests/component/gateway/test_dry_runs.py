"""A dry run over REST: JSON in and out as the console uses it."""

from pathlib import Path
from uuid import UUID

import httpx
from carehub.identity.v1 import identity_events_pb2, staff_pb2

from gateway.api.app import GatewaySettings, build
from libs.testing.hub import caller_token
from tests.component.gateway.exchanging import Exchanging

MERCY, NURSE = UUID(int=1), UUID(int=2)
URL = "http://127.0.0.1:8080"
TEXT = Path("services/tasking/protocols/discharge-transition.yaml").read_text("utf-8")


async def a_place_with_a_nurse(h):
    place = identity_events_pb2.FacilityChanged(version=1)
    place.facility.id, place.facility.name = str(MERCY), "Mercy"
    place.facility.time_zone, place.facility.holiday_calendar = "America/Chicago", "us-federal"
    await h.publish(place, key=MERCY, version=1)
    nurse = staff_pb2.StaffMember(id=str(NURSE), display_name="N Nurse", state=1)
    nurse.roles.append(staff_pb2.RoleAssignment(role="nurse", facility_id=str(MERCY)))
    told = identity_events_pb2.StaffChanged(staff_member=nurse, version=1)
    await h.publish(told, key=NURSE, version=1)

    async def is_known():
        async with h.system("tasking") as tx:
            rows = await tx._connection.fetch(
                "SELECT (SELECT count(*) FROM facilities) + (SELECT count(*) FROM staff)"
            )
            return rows[0][0] == 2

    await h.until(is_known, what="the place and the nurse")


async def test_dates_and_reasons_come_as_json(hub):
    async with hub("tasking") as h:
        await a_place_with_a_nurse(h)
        settings = GatewaySettings(
            public_url=URL, issuer=f"{URL}/realms/carehub", client_secret="not-a-secret-here"
        )
        image = Path("libs/contracts/contracts.binpb").read_bytes()
        token = caller_token(permissions=["protocols.read"], facilities=[MERCY])
        app = build(Exchanging(h.channels, nurse=token), settings, image)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            ask = {
                "text": TEXT,
                "facilityId": str(MERCY),
                "encounter": {"localDischargeTime": "2026-05-22T17:40"},
            }
            headers = {"Authorization": "Bearer nurse"}
            answer = await client.post("/v1/protocols:dryRun", json=ask, headers=headers)
            assert answer.status_code == 200, answer.text
            found = answer.json()
            contact = next(t for t in found["tasks"] if t["task"]["step"] == "contact")
            # protocols.md §1: Friday 2026-05-22, before Memorial Day, is due by Wednesday 05-27.
            assert contact["task"]["dueDate"] == {"year": 2026, "month": 5, "day": 27}
            assert "(Memorial Day)" in contact["task"]["dueExplanation"]
            wrong = await client.post(
                "/v1/protocols:dryRun", json={**ask, "text": "key: ["}, headers=headers
            )
            assert wrong.status_code == 200
            assert wrong.json()["problems"][0]["line"] == 1
            ask["encounter"] = {"visitClass": "STAY"}
            wrong = await client.post("/v1/protocols:dryRun", json=ask, headers=headers)
            assert wrong.status_code == 400
            assert [v["field"] for v in wrong.json()["fieldViolations"]] == ["encounter.visitClass"]
