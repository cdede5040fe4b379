"""No health data in logs, metrics, subjects, headers, mail, addresses or errors: canaries are planted everywhere and sought."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e import canaries, outputs
from tests.e2e.canaries import (
    BIRTH,
    CANARIES,
    DIAGNOSIS,
    FAMILY,
    GIVEN,
    MRN,
    NOTE,
    PHONE,
    REASON,
    STREET,
    leaks,
    message,
)
from tests.e2e.region import START, Region

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.timeout(400)
async def test_no_canary_leaves_the_places_where_it_belongs(region: Region):
    told: list[tuple[str, bytes]] = []

    told += await _planted_over_mllp(region)
    loop = await _loop_of_the_canary(region)
    told += await _planted_over_rest(region, loop)
    told += await _planted_in_work(region, loop)
    await region.settled_accounts()
    letters = await region.until(lambda: _letters_about(region, loop), 60, "a letter")

    assert letters
    assert leaks(told) == []
    assert leaks(outputs.logs(region)) == []
    assert leaks(await outputs.metrics(region)) == []
    assert leaks(outputs.letters(region)) == []
    assert leaks(await outputs.subjects_and_headers(region)) == []
    await _every_place_was_looked_at(region)


async def _planted_over_mllp(region: Region) -> list[tuple[str, bytes]]:
    """Good, quarantined, refused and broken messages; every acknowledgement."""
    bad_day = message("A08", control_id="CANARY3", birth=f"{FAMILY}")
    sent = {
        "good": message("A01", control_id="CANARY1"),
        "discharge": message("A03", control_id="CANARY2", discharge="202608041200"),
        "quarantined": bad_day,
        "bad time": message("A08", control_id="CANARY4", admit=f"{NOTE}"),
        "bad charset": bad_day.replace(b"CANARY3", b"CANARY5").replace(b"12 X", b"\xc3\xff X"),
        "not followed": message("A60", control_id="CANARY6"),
        "same id again": message("A08", control_id="CANARY1"),
        "wrong processing id": message("A08", control_id="CANARY7", processing="T"),
        "unknown sender": message("A08", control_id="CANARY8", sender="NOWHERE"),
        "no control id": message("A08", control_id=""),
        "merge": message("A40", control_id="CANARY9", extra=f"MRG|{MRN}9^^^MERCY^MR||||||{FAMILY}^{GIVEN}"),
        "merge of nothing": message("A40", control_id="CANARY10", extra=f"MRG|^^^{FAMILY}"),
        "person": message("A31", control_id="CANARY11"),
        "no header": message("A08", control_id="CANARY12").partition(b"\r")[2],
        "half a header": b"MSH|^~" + message("A08", control_id="CANARY13")[5:60],
        "odd segment": message("A08", control_id="CANARY14", extra=f"{FAMILY}|{NOTE}"),
        "odd event": message(f"{DIAGNOSIS}", control_id="CANARY15"),
        "too long": message("A08", control_id="CANARY16", extra=f"NTE|1||{NOTE * 80_000}"),
        "nothing but a name": FAMILY.encode(),
        "a null byte": message("A08", control_id="CANARY17", extra=f"NTE|1||{NOTE}\x00{NOTE}"),
    }  # fmt: skip
    answers = await region.exchange(*sent.values())
    await _hang_up_in_the_middle(region)
    return [(f"acknowledgement of: {n}", a) for n, a in zip(sent, answers, strict=True)]


async def _hang_up_in_the_middle(region: Region) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", region.machine.mllp_port)
    writer.write(FAMILY.encode() + START + message("A08", control_id="CANARY18")[:400])
    await writer.drain()
    writer.close()


async def _loop_of_the_canary(region: Region) -> dict:
    """What was planted arrived: the record knows it, and a loop follows the discharge."""

    async def loop() -> dict | None:
        patient = await region.patient("nurse", f"{FAMILY} {GIVEN}")
        if patient is None or STREET not in str(patient) or PHONE not in str(patient):
            return None
        loops = await region.loops("nurse", patient["id"])
        return next((each for each in loops if each.get("anchorTime")), None)

    found: dict = await region.until(loop, what="the loop of the canary")
    return found


async def _planted_over_rest(region: Region, loop: dict) -> list[tuple[str, bytes]]:
    """Whatever a client can get wrong, with health data in it; every answer that is an error."""
    mercy, path = loop["facilityId"], f"/v1/patients/{loop['patientId']}"
    feed = (await region.feeds())["MERCY"]["id"]
    name = {"family": FAMILY, "given": [GIVEN]}
    good = {
        "facilityId": mercy,
        "names": [name],
        "birthDate": {"year": 1933, "month": 7, "day": 19},
    }
    taken = {**good, "identifiers": [{"assigner": "MERCY", "value": MRN, "type": "MR"}]}
    bodies = {
        "wrong type": {**good, "birthDate": BIRTH},
        "number for text": {**good, "names": [{"family": 1, "given": FAMILY}]},
        "unknown field": {**good, "nickname": NOTE},
        "unknown enum": {**good, "sex": FAMILY},
        "no such facility": {**good, "facilityId": FAMILY},
        "a null character": {**good, "names": [{"family": f"{FAMILY}\x00", "given": [GIVEN]}]},
        "impossible day": {**good, "birthDate": {"year": 1933, "month": 19, "day": 7}},
        "too long": {**good, "names": [{"family": FAMILY * 500}]},
        "a taken number": taken,
        "bad request id": {**good, "requestId": NOTE},
    }
    asked = [("nurse", "POST", "/v1/patients", {"json": body}) for body in bodies.values()]
    text = {"content-type": "application/json"}
    asked += [
        ("nurse", "POST", "/v1/patients", {"content": f'{{"names": "{FAMILY}', "headers": text}),
        ("nurse", "POST", "/v1/patients", {"content": f"{FAMILY}", "headers": {"content-type": "text/plain"}}),
        ("nurse", "POST", "/v1/patients", {"content": f'{{"facilityId": "\\ud800{FAMILY}"}}', "headers": text}),
        ("clinic-nurse", "POST", "/v1/patients", {"json": good}),
        ("analyst", "POST", "/v1/patients", {"json": good}),
        ("nurse", "POST", "/v1/patients:search", {"json": {"text": f"{FAMILY} {GIVEN} " * 20}}),
        ("nurse", "POST", "/v1/patients:search", {"json": {"text": [FAMILY]}}),
        ("nurse", "POST", "/v1/patients:search", {"json": {"query": GIVEN}}),
        ("analyst", "POST", "/v1/patients:search", {"json": {"text": FAMILY}}),
        ("nurse", "PATCH", path, {"json": {"names": [name]}, "params": {"updateMask": "nicknames"}}),
        ("nurse", "PATCH", path, {"json": {"names": [name]}, "headers": {"if-match": '"999"'}}),
        ("nurse", "PATCH", path, {"json": {"names": [name]}, "headers": {"if-match": FAMILY}}),
        ("nurse", "GET", "/v1/tasks", {"params": {"patientId": FAMILY}}),
        ("nurse", "GET", "/v1/tasks", {"params": {"patient": NOTE}}),
        ("nurse", "GET", "/v1/tasks", {"params": {"pageSize": FAMILY}}),
        ("nurse", "GET", "/v1/tasks", {"params": {"pageToken": FAMILY}}),
        ("nurse", "GET", "/v1/loops", {"params": {"state": FAMILY}}),
        ("nurse", "GET", f"/v1/patients/{FAMILY}", {}),
        ("nurse", "GET", f"/v1/{FAMILY}/{GIVEN}", {}),
        ("nurse", "DELETE", f"/v1/patients/{FAMILY}", {}),
        ("nurse", "GET", f"/v1/encounters/{FAMILY}", {}),
        ("nurse", "GET", f"/{FAMILY}?name={GIVEN}", {}),
        ("integration", "POST", f"/v1/feeds/{feed}/messages", {"json": {"message": FAMILY}}),
        ("integration", "POST", f"/v1/feeds/{NOBODY}/messages", {"json": {"message": NOTE}}),
        ("integration", "POST", "/v1/messages:try", {"json": {"message": FAMILY, "feedId": FAMILY}}),
        ("admin", "POST", "/v1/protocols", {"json": {"text": f"key: {FAMILY}\n{NOTE}: ["}}),
    ]  # fmt: skip
    answers = [
        (f"{who} {verb} {number}", await region.ask(who, verb, where, **options))
        for number, (who, verb, where, options) in enumerate(asked)
    ]
    unsigned = await region.unsigned("POST", "/v1/patients:search", json={"text": FAMILY})
    return list(_errors([*answers, ("unsigned", unsigned)]))


async def _planted_in_work(region: Region, loop: dict) -> list[tuple[str, bytes]]:
    """Comments, reasons and notes of people at work, accepted and refused."""
    tasks = await region.tasks("nurse", loop["id"])
    contact = f"/v1/tasks/{tasks['contact']['id']}"
    pharmacy = f"/v1/tasks/{tasks['medication_reconciliation']['id']}"
    await region.post("nurse", f"{contact}:comment", text=f"{NOTE} about {FAMILY}")
    await region.post("nurse", f"{contact}:claim")
    await region.post("nurse", f"{contact}:decline", reason=f"{REASON} {FAMILY}")
    await region.post(
        "nurse", f"{contact}:recordAttempt", result="RESULT_LEFT_MESSAGE", channel="phone", note=NOTE
    )  # fmt: skip
    asked = [
        (f"{contact}:comment", {"text": NOTE * 500}),
        (f"{contact}:comment", {"text": {FAMILY: NOTE}}),
        (f"{contact}:comment", {"text": f"{NOTE}\x00"}),
        (f"{contact}:complete", {"outcome": DIAGNOSIS, "note": NOTE}),
        (f"{contact}:complete", {"outcome": "attempts_met", "note": NOTE}),
        (f"{contact}:decline", {"reason": REASON * 500}),
        (f"{contact}:assign", {"staffId": FAMILY}),
        (f"{contact}:assign", {"teamId": NOBODY}),
        (f"{contact}:recordAttempt", {"result": FAMILY, "note": NOTE}),
        (f"{contact}:recordAttempt", {"result": "RESULT_REACHED", "channel": FAMILY, "note": NOTE}),
        (f"{contact}:recordAttempt", {"result": "RESULT_REACHED", "time": FAMILY}),
        (f"{pharmacy}:recordAttempt", {"result": "RESULT_NO_ANSWER", "note": NOTE}),
        (f"/v1/tasks/{FAMILY}:claim", {}),
        (f"/v1/tasks/{NOBODY}:comment", {"text": NOTE}),
    ]
    answers = [
        (f"{number} {path.rpartition(':')[2]}", await region.ask("nurse", "POST", path, json=body))
        for number, (path, body) in enumerate(asked)
    ]
    key = {"idempotency-key": "canary"}
    for text in (NOTE, f"{NOTE} else"):
        same_key = await region.ask(
            "nurse", "POST", f"{contact}:comment", json={"text": text}, headers=key
        )
    return list(_errors([*answers, ("same key, other content", same_key)]))


def _errors(answers: list[tuple[str, httpx.Response]]) -> Iterator[tuple[str, bytes]]:
    """The answers that are errors, with their headers: clear ones, none of ours."""
    for what, answer in answers:
        print(f"{answer.status_code} {what}: {answer.text[:120]}")
        if answer.status_code >= 400:
            yield f"{answer.status_code} to {what}", f"{answer.text}\n{answer.headers}".encode()
    failed = [what for what, answer in answers if answer.status_code >= 500]
    assert failed == []


async def _letters_about(region: Region, loop: dict) -> list[str]:
    """The letters that the canary's tasks have caused."""
    tasks = await region.rows("tasking", "SELECT id FROM tasks WHERE loop_id = $1", loop["id"])
    ids = [str(row["id"]).encode() for row in tasks]
    return [name for name, text in outputs.letters(region) if any(id in text for id in ids)]


async def _every_place_was_looked_at(region: Region) -> None:
    """Eyes that see nothing at all prove nothing: each place has what it ought to have, and the data is where it belongs."""
    logs = b"".join(text for _, text in outputs.logs(region))
    assert re.search(rb'"route": ?"/v1/tasks', logs), "no access log"
    assert b"carehub_rpc_requests" in b"".join(text for _, text in await outputs.metrics(region))
    headers = " ".join(text for _, text in await outputs.subjects_and_headers(region))
    assert "carehub.registry.v1.EncounterChanged" in headers
    assert "Carehub-Key" in headers
    assert canaries.found_in(f"x {FAMILY.upper()}%20y (312) 555-7391") == {
        FAMILY.upper(),
        "312) 555-7391",
    }
    stored = await region.rows("interop", "SELECT raw FROM messages WHERE control_id = 'CANARY1'")
    assert set(CANARIES) - canaries.found_in(stored[0]["raw"]) == {REASON}
