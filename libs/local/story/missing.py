"""Steps 5 to 7: she is written to and called, has a visit, does not come, and says why."""

from datetime import datetime, timedelta
from typing import Any

from libs.local.story.calendar import CLINIC
from libs.local.story.tale import MISSED, Tale, utc


async def is_told(tale: Tale) -> None:
    """5: messaging."""
    stage = tale.stage
    since = tale.day(0, 17, 40)
    stage.forward_to(tale.day(0, 17, 55))  # messages of one cause do not leave all at once
    told = await tale.received("su equipo de salud le llamará", since)
    stage.tell(f"SMS: “{told['text']}”")
    hour = int(f"{_local(tale, told):%H}")
    stage.check(8 <= hour < 21, "it came at a permitted hour")
    await tale.answers("1")
    await tale.received("Gracias", since)
    stage.tell("She answers 1. Nobody has to read that.")
    await _thread(tale)
    await stage.look(
        f"/patients/{tale.patient_id}/messages",
        "coordinator",
        "what she was sent, and the team's thread, which is closed by now",
    )


def _local(tale: Tale, entry: Any) -> Any:
    return datetime.fromisoformat(entry["time"]).astimezone(CLINIC)


async def _thread(tale: Tale) -> None:
    """The nurse asks the clinic; it is evening, and nobody there answers in time."""
    stage = tale.stage
    about = {
        "facilityId": tale.hospital_id,
        "patientId": tale.patient_id,
        "title": "Weight at the last visit?",
        "priority": "PRIORITY_URGENT",
        "answeringFacilityId": tale.clinic_id,
        "loopId": tale.transition_id,
    }
    thread = await stage.post(
        "nurse", "/v1/threads", thread=about, text="What did she weigh at your place?"
    )
    first = thread["accountableName"]
    stage.forward(minutes=16)

    async def climbed() -> Any:
        now = await stage.get("nurse", f"/v1/threads/{thread['id']}")
        return now if now.get("escalationLevel", 0) >= 1 else None

    after = await stage.until("the question goes to the next person up", climbed)
    stage.tell(
        f"The nurse asks the clinic. {first} does not answer in 15 minutes; it goes to {after['accountableName']}."
    )
    await stage.post("rural-nurse", f"/v1/threads/{thread['id']}:accept")
    await stage.post(
        "rural-nurse", f"/v1/threads/{thread['id']}:post", text="71 kg, three weeks ago."
    )
    closed = await stage.post("nurse", f"/v1/threads/{thread['id']}:close")
    stage.check(closed["state"] == "STATE_CLOSED", "the thread is closed, with its answer")
    tale.seen["thread"] = after


async def is_booked_and_missed(tale: Tale) -> None:
    """6: scheduling; and what happens at home before."""
    stage = tale.stage
    booked = await book(tale, "coordinator", tale.clinic_day(4, 10, 0))
    tale.missed_id = booked["id"]
    stage.tell(f"A slot of the clinic is taken: Tuesday, 10:00, with {booked['practitioner']}.")
    for step in ("admission_notice", "discharge_information"):
        tasks = await tale.tasks(tale.transition_id)
        if step in tasks and tasks[step]["state"] == "STATE_OPEN":
            await tale.complete("coordinator", tasks[step], 10)
            stage.forward(minutes=12)  # nobody works twice at once
    stage.forward_to(tale.day(3, 11, 30))
    home = await tale.task(tale.transition_id, "home_visit")
    await tale.complete(
        "chw", home, 55, spent={"isFaceToFace": True}, note="Scale and pill box are there."
    )
    stage.tell("Monday, a holiday: the community health worker visits her at home.")
    stage.forward_to(tale.day(4, 9, 30))
    call = await tale.task(tale.transition_id, "contact")
    reached = {"result": "RESULT_REACHED", "channel": "phone", "timeSpent": {"minutes": 12}}
    await stage.post("nurse", f"/v1/tasks/{call['id']}:recordAttempt", **reached)
    await tale.task(tale.transition_id, "contact", "COMPLETED")
    stage.tell("Tuesday, 9:30: the nurse reaches her, on the first of two business days.")
    stage.forward_to(tale.clinic_day(4, 10, 16))

    async def missed() -> Any:
        one = await stage.get("coordinator", f"/v1/appointments/{tale.missed_id}")
        return one if one["state"] == "STATE_NO_SHOW" else None

    await stage.until("the visit is missed", missed)
    stage.tell("Tuesday, 10:15 at the clinic: she has not come.")
    await stage.look("/appointments", "rural-scheduler", "the day of the clinic: she did not come")
    await stage.until(
        "a loop follows the missed visit",
        lambda: tale.loop(MISSED, appointmentId=tale.missed_id, state="STATE_OPEN"),
    )
    await stage.look(
        f"/patients/{tale.patient_id}",
        "coordinator",
        "the visit is missed, and somebody is to ask why",
    )


async def book(tale: Tale, account: str, when: Any) -> Any:
    """A slot that is really free, by somebody who may."""
    stage = tale.stage
    begin, end = utc(when), utc(when + timedelta(hours=2))
    asked = {"facilityId": tale.clinic_id, "startTime": begin, "endTime": end}
    free = (await stage.get(account, "/v1/slots", **asked)).get("slots", [])
    stage.check(bool(free), "the clinic has a free slot")
    slot = {"scheduleId": free[0]["scheduleId"], "startTime": free[0]["startTime"]}
    if not tale.missed_id:
        body = {**slot, "patientId": tale.patient_id, "purpose": "PURPOSE_FOLLOW_UP"}
        return await stage.post(account, "/v1/appointments", **body)
    return await stage.post(account, f"/v1/appointments/{tale.missed_id}:rebook", **slot)


async def says_why(tale: Tale) -> None:
    """7: tasking, again."""
    stage = tale.stage
    loop = await stage.until(
        "a loop follows the missed visit",
        lambda: tale.loop(MISSED, appointmentId=tale.missed_id, state="STATE_OPEN"),
    )
    tale.missed_loop_id = loop["id"]
    since = tale.clinic_day(4, 10, 15)
    stage.forward_to(tale.clinic_day(4, 10, 30))
    asked = await tale.received("no pudimos verle", since)
    stage.tell(f"SMS: “{asked['text']}”", "She answers 1: no ride.")
    await tale.answers("1")
    why = await tale.task(tale.missed_loop_id, "ask_why", "COMPLETED")
    stage.check(not why.get("completedById"), "her own answer completes the task")
    ride = await tale.task(tale.missed_loop_id, "arrange_ride")
    again = await tale.task(tale.missed_loop_id, "book_again")
    stage.tell(
        f"Nobody has to call and ask. {ride['title']}: {ride['owner']['displayName']}.",
        f"{again['title']}: {again['owner']['displayName']}.",
    )
    await stage.look("/worklist", "rural-social-worker", "the ride that has to be arranged")
