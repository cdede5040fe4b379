"""A critical potassium at night: it climbs while nobody answers, and nothing but a read-back closes it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.region import Person, Region, adt, days_ago
from tests.e2e.test_escalates import DUTY_TEAM, letters


def oru(
    person: Person, control_id: str, minutes_ago: int, value: str, flag: str, status: str = "F"
) -> bytes:
    """A potassium, verified so many minutes ago."""
    at = f"{datetime.now(UTC) - timedelta(minutes=minutes_ago):%Y%m%d%H%M%S}+0000"
    return "\r".join(
        [
            f"MSH|^~\\&|LAB|MERCY|CAREHUB|NETWORK|{at}||ORU^R01^ORU_R01|{control_id}|P|2.5.1",
            f"PID|1||{person.mrn}^^^MERCY^MR||{person.family}^{person.given}||19500102|F",
            f"OBR|1||{person.mrn}-K|24323-8^Metabolic panel^LN|||{at}"
            + "|" * 15
            + f"{at}|||{status}",
            f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|3.5-5.1|{flag}|||{status}|||{at}",
            "",
        ]
    ).encode()


async def alarm(region: Region, person: Person, state: str = "STATE_OPEN") -> Any:
    async def loop() -> Any:
        patient = await region.patient("coordinator", person.mrn)
        loops = await region.loops("coordinator", patient["id"]) if patient else []
        ours = [each for each in loops if each["protocol"] == "critical-result"]
        return next((each for each in ours if each["state"] == state), None)

    return await region.until(loop, what=f"the alarm of a critical result, {state}")


async def admitted(region: Region, name: str) -> Person:
    key = f"CRIT{name}{region.settings.split}"
    person = Person(mrn=key, family=f"Potash{name}", given="Ana", visit=key)
    admit = days_ago(1)
    assert await region.send(adt("A01", person, admit, admit=admit)) == ["AA"]
    return person


async def test_a_critical_result_climbs_until_the_clinician_has_read_it_back(region: Region):
    person = await admitted(region, "Night")
    key = person.mrn
    preliminary = oru(person, f"{key}P", 52, "6.7", "HH", "P")
    final = oru(person, f"{key}F", 50, "6.8", "HH")
    assert await region.send(final, preliminary, final) == ["AA", "AA", "AA"]
    loop = await alarm(region, person)
    tasks = await region.tasks("coordinator", loop["id"])
    task = tasks["acknowledge"]
    assert task["owner"]["accountableStaffId"]

    async def climbed() -> Any:
        now = (await region.tasks("coordinator", loop["id"]))["acknowledge"]
        return now if now["escalationLevel"] >= 4 else None

    await region.until(climbed, what="the fourth level, after three quarters of an hour")

    async def told() -> bool:
        return bool({to for to, _ in letters(region, task["id"])} & DUTY_TEAM)

    await region.until(told, 60, "letters to whoever answers for it")
    shown = await region.get("nurse", f"/v1/patients/{loop['patientId']}/observations")
    (result,) = shown["observations"]
    assert (result["value"], result["unit"], result["state"]) == ("6.8", "mmol/L", "STATE_FINAL")
    assert result["criticality"] == "CRITICALITY_HIGH"

    complete = f"/v1/tasks/{task['id']}:complete"
    unsaid = await region.ask("nurse", "POST", complete, json={"outcome": "read_back"})
    assert (unsaid.status_code, unsaid.json()["reason"]) == (400, "EVIDENCE_MISSING")
    when = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    told_to = {"toldName": "Dr. A. Quill, hospitalist", "time": when}
    done = await region.post("nurse", complete, outcome="read_back", readBack=told_to)
    assert (done["state"], done["readBack"]["toldName"]) == ("STATE_COMPLETED", told_to["toldName"])
    closed = await alarm(region, person, "STATE_CLOSED")
    assert closed["closeReason"] == "READ_BACK"
    assert closed["evidence"][-1]["staffId"]
    assert closed["id"] == loop["id"]


async def test_one_that_the_laboratory_takes_back_ends_with_that_reason(region: Region):
    person = await admitted(region, "Wrong")
    assert await region.send(oru(person, f"{person.mrn}F", 5, "7.1", "HH")) == ["AA"]
    await alarm(region, person)
    assert await region.send(oru(person, f"{person.mrn}W", 1, "7.1", "HH", "W")) == ["AA"]
    ended = await alarm(region, person, "STATE_CANCELLED")
    assert ended["closeReason"] == "RESULT_WITHDRAWN"
    shown = await region.get("nurse", f"/v1/patients/{ended['patientId']}/observations")
    assert [each["state"] for each in shown["observations"]] == ["STATE_ENTERED_IN_ERROR"]
