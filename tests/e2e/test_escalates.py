"""Work that nobody does climbs its ladder to the duty team, by e-mail too; work that somebody does ends with evidence."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from libs.local.letters import kept_letters
from tests.e2e.region import Person, Region, adt, days_ago

DUTY_TEAM = {"coordinator@carehub.example", "facility-admin@carehub.example"}


async def discharged(
    region: Region, name: str, days: float, *, diagnosis: str = "", left: str = ""
) -> Any:
    """Somebody who went home so many days ago; their loop."""
    person = Person(mrn=f"ESC{name}1", family=f"Ladder{name}", given="Ana", visit=f"ESC{name}1")
    admit, left = days_ago(days + 3), left or days_ago(days)
    messages = [
        adt("A01", person, admit, admit=admit, diagnosis=diagnosis),
        adt("A03", person, left, admit=admit, discharge=left, diagnosis=diagnosis),
    ]
    assert await region.send(*messages) == ["AA", "AA"]

    async def loop() -> Any:
        patient = await region.patient("coordinator", person.mrn)
        loops = await region.loops("coordinator", patient["id"]) if patient else []
        return next((each for each in loops if each.get("anchorTime")), None)

    return await region.until(loop, what="a loop for the discharge")


def letters(region: Region, *ids: str) -> list[tuple[str, str]]:
    """Who was written to about these tasks, and the ids of the letters."""
    out = []
    for file, content in kept_letters(region.machine.home):
        text = content.decode()
        if any(f"/tasks/{id}" in text for id in ids):
            to = re.search(r"^X-Envelope-To: (.*)$", text, re.M)
            message_id = re.search(r"^Message-ID: (.*)$", text, re.M)
            assert to, file.name
            assert message_id, file.name
            out.append((to[1].strip(), message_id[1].strip()))
    return out


async def name_of(region: Region, account: str) -> str:
    return str((await region.get(account, "/v1/me"))["staffMember"]["id"])


async def test_what_nobody_does_reaches_the_duty_team_by_mail(region: Region):
    loop = await discharged(region, f"Late{region.settings.split}", days=40)

    async def climbed() -> Any:
        task = (await region.tasks("coordinator", loop["id"])).get("contact", {})
        return task if task.get("escalationLevel") == 3 else None

    contact = await region.until(climbed, what="the top of the ladder")
    again = datetime.fromisoformat(contact["nextEscalationTime"]) - datetime.now(UTC)
    assert timedelta() < again <= timedelta(days=1), "the top of the ladder repeats each day"
    assert contact["owner"]["accountableStaffId"]
    assert any("late" in term["label"] for term in contact["priority"]["terms"])

    async def told() -> bool:
        return {to for to, _ in letters(region, contact["id"])} >= DUTY_TEAM

    await region.until(told, 60, "letters to the duty team")
    ids = [message_id for _, message_id in letters(region, contact["id"])]
    assert len(ids) == len(set(ids)), "a letter went out twice"
    after = await region.get("coordinator", f"/v1/loops/{loop['id']}")
    assert after["escalationLevel"] == 3
    assert after["state"] == "STATE_OPEN"
    assert after["clockTime"]


async def test_work_is_claimed_assigned_declined_documented_and_done(region: Region):
    loop = await discharged(region, f"Work{region.settings.split}", days=1, diagnosis="I10")
    tasks = await region.tasks("nurse", loop["id"])
    contact = f"/v1/tasks/{tasks['contact']['id']}"
    nurse, nurse2 = await name_of(region, "nurse"), await name_of(region, "nurse2")

    claimed = await region.post("nurse2", f"{contact}:claim", etag=tasks["contact"]["etag"])
    assert claimed["owner"]["staffId"] == nurse2
    taken = await region.ask("nurse", "POST", f"{contact}:claim", json={})
    assert (taken.status_code, taken.json()["reason"]) == (400, "TASK_TAKEN")
    stale = await region.ask(
        "nurse2", "POST", f"{contact}:claim", json={"etag": tasks["contact"]["etag"]}
    )
    assert stale.json()["reason"] == "STALE_ETAG"
    back = await region.post("nurse2", f"{contact}:decline", reason="On leave from tomorrow")
    assert back["owner"]["staffId"] == nurse, "the lead of the team has what is declined"
    assert back["declineReason"] == "On leave from tomorrow"
    assert back["dueTime"] == claimed["dueTime"]
    given = await region.post("coordinator", f"{contact}:assign", staffId=nurse2)
    assert given["owner"]["staffId"] == nurse2
    said = await region.post("nurse2", f"{contact}:comment", text="Prefers the afternoon")
    assert said["comments"][-1]["staffId"] == nurse2

    await _two_attempts(region, contact, loop)
    await _all_done(region, loop)


async def _two_attempts(region: Region, contact: str, loop: Any) -> None:
    """Two separate attempts in time are evidence; they do not complete the call, reaching somebody does."""
    left = datetime.fromisoformat(loop["anchorTime"])
    for hours, counts in ((1, True), (1.5, False), (4, True)):
        attempt = await region.post(
            "nurse2",
            f"{contact}:recordAttempt",
            result="RESULT_NO_ANSWER",
            channel="phone",
            time=(left + timedelta(hours=hours)).astimezone(UTC).isoformat(),
        )
        assert attempt["attempts"][-1].get("isCounted", False) is counts
        assert attempt["state"] == "STATE_OPEN"
    shown = await region.get("nurse2", f"/v1/loops/{loop['id']}")
    assert "CONTACT_ATTEMPTS" in {each["kind"] for each in shown.get("evidence", [])}
    early = await region.ask(
        "nurse2", "POST", f"{contact}:complete", json={"outcome": "attempts_met"}
    )
    assert early.json()["reason"] == "EVIDENCE_MISSING"
    reached = await region.post(
        "nurse2", f"{contact}:recordAttempt", result="RESULT_REACHED", channel="phone"
    )
    assert (reached["state"], reached["outcome"]) == ("STATE_COMPLETED", "reached")


async def _all_done(region: Region, loop: Any) -> None:
    """The loop closes with the last task that it needs, with evidence, and not before."""
    done = 0
    while open_tasks := await region.tasks("coordinator", loop["id"], state="STATE_OPEN"):
        now = await region.get("coordinator", f"/v1/loops/{loop['id']}")
        assert (now["state"], now["closesWhen"] != []) == ("STATE_OPEN", True)
        task = next(iter(open_tasks.values()))
        path = f"/v1/tasks/{task['id']}:complete"
        await region.post("coordinator", path, outcome=task["outcomes"][0])
        again = await region.ask("coordinator", "POST", path, json={"outcome": task["outcomes"][0]})
        assert again.json()["reason"] == "TASK_NOT_OPEN"
        done += 1
        assert done < 20
    closed = await region.get("coordinator", f"/v1/loops/{loop['id']}")
    assert (closed["state"], closed["closeReason"]) == ("STATE_CLOSED", "COMPLETED")
    assert closed["closeTime"]
    assert len(closed["evidence"]) > done
    assert done >= 4


async def test_the_dates_are_those_of_the_hospital(region: Region):
    left = days_ago(1)  # asked once: it may be another day once the loop is there
    loop = await discharged(region, f"Dates{region.settings.split}", days=1, left=left)
    anchor = datetime.fromisoformat(loop["anchorTime"]).astimezone(ZoneInfo("America/Chicago"))
    assert f"{anchor:%Y%m%d%H}00" == left
    dates = {each["key"]: each["date"] for each in loop["keyDates"]}
    end = anchor.date() + timedelta(days=29)
    assert dates["period_end"] == {"year": end.year, "month": end.month, "day": end.day}


async def test_who_leaves_hands_over_everything(region: Region):
    loop = await discharged(region, f"Leave{region.settings.split}", days=2)
    contact = (await region.tasks("nurse2", loop["id"]))["contact"]
    leaver = await name_of(region, "nurse2")
    await region.post("nurse2", f"/v1/tasks/{contact['id']}:claim")

    await region.post("admin", f"/v1/staff/{leaver}:deactivate")

    async def handed_over() -> Any:
        task = await region.get("nurse", f"/v1/tasks/{contact['id']}")
        return task if leaver not in task["owner"].values() else None

    after = await region.until(handed_over, 15, "another owner")
    assert after["owner"]["accountableStaffId"] == await name_of(region, "nurse")
    assert after["dueTime"] == contact["dueTime"]
    owned = (
        "SELECT id FROM tasks WHERE state = 'OPEN' AND $1 IN (staff_id::text, accountable_id::text)"
    )
    assert await region.rows("tasking", owned, leaver) == []

    given = await region.ask(
        "coordinator", "POST", f"/v1/tasks/{contact['id']}:assign", json={"staffId": leaver}
    )
    assert given.json()["reason"] == "ASSIGNEE_NOT_HERE"
    if not region.settings.split:  # it takes as long as a caller token lives: once is enough
        await region.until(lambda: _is_refused(region), 60, "no way in for somebody who left")


async def _is_refused(region: Region) -> bool:
    return (await region.ask("nurse2", "GET", "/v1/tasks")).status_code in (401, 403)
