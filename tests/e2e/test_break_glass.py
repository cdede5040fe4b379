"""Breaking the glass through the gateway: confirmed, seen in an emergency and not otherwise, ended, and reviewed."""

from typing import Any

import httpx

from libs.local.client import password_token
from tests.e2e.region import Person, Region, adt, days_ago

NURSE = "rural-nurse"  # of another organization, at a place that does not know the patient


async def known_at_mercy_alone(region: Region, name: str) -> str:
    person = Person(
        mrn=f"GLASS{name}", family=f"Behind{name}", given="Wilhelmina", visit=f"GLASS{name}"
    )
    admit = days_ago(1)
    assert await region.send(adt("A01", person, admit, admit=admit)) == ["AA"]

    async def found() -> Any:
        return await region.patient("nurse", person.mrn)

    return str((await region.until(found, what="the patient at Mercy"))["id"])


async def test_a_nurse_elsewhere_sees_the_patient_in_an_emergency_and_is_looked_at(region: Region):
    patient = await known_at_mercy_alone(region, f"One{region.settings.split}")
    facility = (await region.get(NURSE, "/v1/me"))["facilityIds"][0]
    body = {
        "patientId": patient,
        "facilityId": facility,
        "reason": "REASON_UNABLE_TO_CONSENT",
        "reasonText": "Brought in unconscious, no papers",
    }
    sure = await password_token(region.machine.issuer, NURSE, "2")
    stepped_up = {"Authorization": f"Bearer {sure}"}
    emergency = stepped_up | {"X-Purpose": "EMERGENCY"}

    async def looks(headers: dict[str, str]) -> httpx.Response:
        return await region.unsigned("GET", f"/v1/patients/{patient}", headers=headers)

    assert (await looks(emergency)).status_code == 404
    unsure = await region.ask(NURSE, "POST", "/v1/break-glass", json=body)
    assert (unsure.status_code, unsure.json()["reason"]) == (403, "STEP_UP_REQUIRED")

    found = await region.unsigned(
        "POST",
        "/v1/patients:findForEmergency",
        json={
            "family": f"behindone{region.settings.split}",
            "birthDate": {"year": 1948, "month": 3, "day": 12},
        },
        headers=emergency,
    )
    assert [one["id"] for one in found.json()["patients"]] == [patient], found.text

    async def broken() -> Any:
        answer = await region.unsigned("POST", "/v1/break-glass", json=body, headers=stepped_up)
        # Until identity has heard of who was registered a moment ago.
        return answer.json() if answer.status_code == 200 else None

    glass = await region.until(broken, what="the glass broken")

    async def seen() -> bool:
        return (await looks(emergency)).status_code == 200

    await region.until(seen, what="the patient, in an emergency")
    assert (await looks(stepped_up)).status_code == 404
    clinic = await password_token(region.machine.issuer, "clinic-nurse", "2")
    other = {"Authorization": f"Bearer {clinic}", "X-Purpose": "EMERGENCY"}
    assert (await looks(other)).status_code == 404

    ended = await region.unsigned(
        "POST", f"/v1/break-glass/{glass['id']}:end", json={}, headers=stepped_up
    )
    assert ended.status_code == 200, ended.text

    async def hidden() -> bool:
        return (await looks(emergency)).status_code == 404

    await region.until(hidden, what="the patient hidden again")
    await reviewed(region, patient, glass["id"])


async def reviewed(region: Region, patient: str, glass: str) -> None:
    """A loop waits for the network's privacy officer, and the review closes it."""

    async def loop_in(state: str) -> Any:
        loops = await region.loops("privacy-officer", patient)
        found = [one for one in loops if one["breakGlassId"] == glass and one["state"] == state]
        return found[0] if found else None

    loop = await region.until(lambda: loop_in("STATE_OPEN"), what="the loop of its review")
    (task,) = (await region.tasks("privacy-officer", loop["id"])).values()
    officer = (await region.get("privacy-officer", "/v1/me"))["staffMember"]["id"]
    assert task["owner"]["accountableStaffId"] == officer
    by_hand = await region.ask(
        "privacy-officer", "POST", f"/v1/tasks/{task['id']}:complete", json={"outcome": "done"}
    )
    assert by_hand.json()["reason"] == "NOT_DONE_BY_HAND"
    said = await region.get("privacy-officer", f"/v1/break-glass/{glass}")
    assert said["reasonText"] == "Brought in unconscious, no papers"
    await region.post(
        "privacy-officer",
        f"/v1/break-glass/{glass}:review",
        finding="FINDING_JUSTIFIED",
        note="Emergency department confirmed it",
    )
    loop = await region.until(lambda: loop_in("STATE_CLOSED"), what="the loop closed")
    assert loop["closeReason"] == "REVIEWED"
    looked = await region.get("privacy-officer", "/v1/audit", patientId=patient)
    assert ("EMERGENCY", "OK") in {(row["purpose"], row["outcome"]) for row in looked["entries"]}
