"""A discharge message becomes a loop with the right dates, over MLLP and HTTP, in both ways of running."""

import pytest

from tests.e2e.region import Person, Region, adt

# protocols.md, the vectors of the calendar rules: discharge, contact, 7 days, 14 days, end of the period.
VECTORS = [
    ("2026-09-01", "2026-09-03", "2026-09-08", "2026-09-15", "2026-09-30"),
    ("2026-05-22", "2026-05-27", "2026-05-29", "2026-06-05", "2026-06-20"),
    ("2026-03-07", "2026-03-10", "2026-03-14", "2026-03-21", "2026-04-05"),
    ("2026-07-02", "2026-07-07", "2026-07-09", "2026-07-16", "2026-07-31"),
    ("2026-11-25", "2026-11-30", "2026-12-02", "2026-12-09", "2026-12-24"),
    ("2026-12-24", "2026-12-29", "2026-12-31", "2027-01-07", "2027-01-22"),
    ("2026-02-13", "2026-02-18", "2026-02-20", "2026-02-27", "2026-03-14"),
]


def _day(date: dict[str, int]) -> str:
    return f"{date['year']:04}-{date['month']:02}-{date['day']:02}"


@pytest.mark.parametrize("vector", VECTORS, ids=[v[0] for v in VECTORS])
async def test_a_discharge_opens_a_transition_with_the_dates_of_the_vectors(region: Region, vector):
    discharged, contact, seven, fourteen, end = vector
    day = discharged.replace("-", "")
    person = Person(mrn=f"MR{day}", family=f"Vector{day}", given="Ada", visit=f"V{day}")
    admission = adt("A01", person, f"{day}0700", admit=f"{day}0700")
    discharge = adt("A03", person, f"{day}1740", admit=f"{day}0700", discharge=f"{day}1740")

    assert await region.send(admission, discharge) == ["AA", "AA"]

    async def transition():
        patient = await region.patient("coordinator", person.mrn)
        loops = await region.loops("coordinator", patient["id"]) if patient else []
        return next((loop for loop in loops if loop.get("anchorTime")), None)

    loop = await region.until(transition)
    dates = {d["key"]: _day(d["date"]) for d in loop["keyDates"]}
    assert dates["contact_due"] == contact
    assert dates["visit_7_due"] == seven
    assert dates["visit_14_due"] == fourteen
    assert dates["period_end"] == end
    assert loop["state"] == "STATE_OPEN"
    assert loop["owner"]["accountableStaffId"]
    assert loop["clockTime"]
    assert loop["closesWhen"]

    tasks = (await region.get("coordinator", "/v1/tasks", loopId=loop["id"]))["tasks"]
    due = {t["step"]: _day(t["dueDate"]) for t in tasks}
    assert contact in due.values()


async def test_a_stranger_is_told_that_there_is_nothing(region: Region):
    person = Person(mrn="MRSTRANGER", family="Unseen", given="Ida", visit="VSTRANGER")
    await region.send(adt("A01", person, "202609010700", admit="202609010700"))
    patient = await region.until(lambda: region.patient("nurse", person.mrn))
    seen = await region.ask("clinic-nurse", "GET", f"/v1/patients/{patient['id']}")
    missing = await region.ask(
        "clinic-nurse", "GET", "/v1/patients/00000000-0000-7000-8000-000000000000"
    )
    assert seen.status_code == missing.status_code == 404
    assert seen.json()["reason"] == missing.json()["reason"]
    assert (await region.loops("clinic-nurse", patient["id"])) == []
    assert (await region.ask("analyst", "GET", f"/v1/patients/{patient['id']}")).status_code == 403
    unsigned = await region.unsigned("GET", f"/v1/patients/{patient['id']}")
    assert unsigned.status_code == 401


async def test_a_patient_is_created_and_read_through_rest(region: Region):
    facility = next(
        f
        for f in (await region.get("nurse", "/v1/facilities"))["facilities"]
        if "Mercy" in f["name"]
    )
    body = {
        "facilityId": facility["id"],
        "names": [{"family": "Núñez", "given": ["María"]}],
        "birthDate": {"year": 1950, "month": 2, "day": 3},
        "identifiers": [{"assigner": "MERCY", "value": "REST1", "type": "MR"}],
    }
    headers = {"Idempotency-Key": "create-maria"}
    created = await region.ask("nurse", "POST", "/v1/patients", json=body, headers=headers)
    again = await region.ask("nurse", "POST", "/v1/patients", json=body, headers=headers)
    assert created.status_code == again.status_code == 200, created.text
    assert created.json()["id"] == again.json()["id"]
    read = await region.ask("nurse", "GET", f"/v1/patients/{created.json()['id']}")
    assert read.json()["names"][0]["family"] == "Núñez"
    assert read.headers["etag"] == read.json()["etag"]
    found = await region.patient("nurse", "nunez maria")
    assert found["id"] == created.json()["id"]


async def test_the_accounts_of_a_feed_add_up(region: Region):
    person = Person(mrn="MRACCOUNT", family="Tally", given="Ona", visit="VACCOUNT")
    message = adt("A01", person, "202609010700", admit="202609010700")
    assert await region.send(message, message) == ["AA", "AA"]

    async def settled():
        feeds = (await region.get("integration", "/v1/feeds"))["feeds"]
        feed = next(f for f in feeds if f["sendingFacility"] == "MERCY")
        accounts = {k: int(v) for k, v in feed["accounts"].items()}
        return accounts if accounts["pending"] == 0 and accounts["received"] else None

    accounts = await region.until(settled)
    parts = ("applied", "noOp", "quarantined", "ignored", "parked", "pending")
    assert accounts["received"] == sum(accounts[p] for p in parts)
    assert accounts["duplicates"] >= 1
