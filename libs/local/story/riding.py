"""Steps 8 and 9: a ride is found for her, she comes, and what is open closes by what shows it."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import orjson

from libs.local.environment import DIRECTORY
from libs.local.letters import kept_letters
from libs.local.story.missing import book
from libs.local.story.tale import MISSED, REFERRAL, TRANSITION, Tale, utc

_NEAR = ("Coldwater Senior Rides", "Pine Creek Volunteer Drivers")
_NEED = "transportation-insecurity"
_ITEMS = ("FIRST_NAME", "TELEPHONE", "ADDRESS", "DESTINATION")
_NAME, _PHONE, _HOUSE = "Consuelo", "+1 719 555 0177", "44 Cottonwood Road, Pine Creek"


async def is_offered_a_ride(tale: Tale) -> None:
    """8: referrals."""
    stage = tale.stage
    await _vouch(tale)
    first, second = await _matches(tale)
    letters = _mail(tale)
    asked_id = await _ask(tale, first, second)
    stage.tell("She agrees, on the telephone, to both being asked and to what they may know.")
    await _says(tale, await _link(tale, first["name"], letters), "no_capacity")
    await _in_state(tale, asked_id, "REJECTED")
    stage.tell(f"{first['name']} has a letter with a link, needs no account, and says no.")
    following = await stage.until("the next service is asked", lambda: _after(tale, asked_id))
    stage.check(following["serviceId"] == second["id"], "it is the one that she agreed to")
    tale.ride_id = following["id"]
    await _in_state(tale, tale.ride_id, "REQUESTED")
    stage.tell("The next one is asked by itself.")
    tale.ride_link = await _link(tale, second["name"], letters)
    await _accepts(tale, second["name"])
    await tale.task(tale.missed_loop_id, "arrange_ride", "COMPLETED")
    await tale.closed(REFERRAL, "NEXT_ASKED", referralId=asked_id)
    await stage.look(
        "/worklist", "rural-social-worker", "the ride is arranged, and nobody had to say so"
    )


def _time(tale: Tale) -> dict[str, str]:
    """From when they fetch her until she is home again."""
    begin, end = tale.clinic_day(6, 9, 0), tale.clinic_day(6, 12, 0)
    return {"startTime": utc(begin), "endTime": utc(end)}


async def _matches(tale: Tale) -> tuple[Any, Any]:
    """The two services that fit best, and why."""
    where = {"facilityId": tale.clinic_id, "postalCode": "81901", "language": "es", "age": 78}
    body = {"need": _NEED, **where, **_time(tale)}
    found = await tale.stage.post("rural-social-worker", "/v1/directory/services:search", **body)
    fits = [match for match in found["matches"] if match.get("fits")]
    tale.stage.check(len(fits) >= 2, "two services of the directory could drive her")
    for match in fits[:2]:
        reasons = "; ".join(reason["text"] for reason in match["reasons"][:3])
        tale.stage.tell(f"{match['service']['name']}: {reasons}")
    return fits[0]["service"], fits[1]["service"]


async def _ask(tale: Tale, first: Any, second: Any) -> str:
    """A referral to the first, with a consent that names both; its id, once it is sent."""
    details = {
        "firstName": _NAME,
        "telephone": _PHONE,
        "address": _HOUSE,
        "destination": "Pine Creek Rural Health",
        "area": "Pine Creek, west of the river",
        "postalCode": "81901",
        "language": "es",
        **_time(tale),
    }
    wish = {
        "facilityId": tale.clinic_id,
        "patientId": tale.patient_id,
        "need": _NEED,
        "serviceId": first["id"],
        "loopId": tale.missed_loop_id,
        "priority": "PRIORITY_URGENT",
        "autoNext": True,
        "details": details,
    }
    consent = {
        "form": "FORM_VERBAL",
        "serviceIds": [first["id"], second["id"]],
        "items": [f"ITEM_{item}" for item in _ITEMS],
        "witness": "Dana Whitehorse",
    }
    draft = await tale.stage.post("rural-social-worker", "/v1/referrals", referral=wish)
    path = f"/v1/referrals/{draft['id']}"
    await tale.stage.post("rural-social-worker", f"{path}:send", consent=consent)
    sent = await _in_state(tale, draft["id"], "REQUESTED")
    sent_id: str = sent["id"]
    return sent_id


async def _vouch(tale: Tale) -> None:
    """The social worker has asked both services whether what the directory says of them still holds: an old one is not believed."""
    listed = orjson.loads(DIRECTORY.read_bytes())
    near = [one for one in listed if one["services"][0]["name"] in _NEAR]
    for one in near:
        one["services"][0]["assured_date"] = f"{tale.clinic_day(4, 0, 0):%Y-%m-%d}"
    text = orjson.dumps(near).decode()
    taken = await tale.stage.post("rural-social-worker", "/v1/directory:import", json=text)
    tale.stage.check(not taken.get("refused"), "the directory takes what she found")


async def _accepts(tale: Tale, name: str) -> None:
    """What the page shows before yes, and after."""
    stage = tale.stage
    before = await _page(tale, tale.ride_link)
    stage.check(
        not any(secret in before for secret in (_NAME, _PHONE, _HOUSE, "Barrera")),
        "before they say yes they see neither name, telephone nor address",
    )
    stage.tell(
        f"{name} has a letter, too. Their page: {tale.ride_link}",
        "Say yes there, or see them say it.",
    )
    await stage.rest()
    asked = await stage.get("rural-social-worker", f"/v1/referrals/{tale.ride_id}")
    if asked["state"] == "STATE_REQUESTED":
        await _says(tale, tale.ride_link, "yes")
    after = await _page(tale, tale.ride_link)
    stage.check(
        all(told in after for told in (_NAME, _HOUSE)),
        "after yes they see whom to fetch, and where",
    )
    stage.check("Barrera" not in after and "heart" not in after.lower(), "and nothing else")
    await _in_state(tale, tale.ride_id, "ACCEPTED")
    stage.tell(f"{name} says yes; only now do they see her first name, telephone and address.", f"Their page: {tale.ride_link}")  # fmt: skip


async def _in_state(tale: Tale, referral_id: str, state: str) -> Any:
    async def found() -> Any:
        one = await tale.stage.get("rural-social-worker", f"/v1/referrals/{referral_id}")
        return one if one["state"] == f"STATE_{state}" else None

    return await tale.stage.until(f"the referral is {state}", found)


async def _after(tale: Tale, referral_id: str) -> Any:
    listed = await tale.stage.get("rural-social-worker", "/v1/referrals", patientId=tale.patient_id)
    return next((r for r in listed.get("referrals", []) if r.get("followsId") == referral_id), None)


async def _link(tale: Tale, service: str, known: frozenset[bytes]) -> str:
    """The link in the letter to a service: all that its coordinator has."""

    async def arrived() -> str | None:
        return next(filter(None, (_link_in(each, service) for each in _mail(tale) - known)), None)

    return await tale.stage.until(f"{service} has a letter with a link", arrived)


def _mail(tale: Tale) -> frozenset[bytes]:
    home = Path(tale.stage.env["CAREHUB_HOME"])
    return frozenset(content for _, content in kept_letters(home))


def _link_in(content: bytes, service: str) -> str | None:
    letter = message_from_bytes(content, policy=default)
    text = letter.get_content() if letter.get_content_type() == "text/plain" else ""
    links = (line for line in text.splitlines() if "/p/" in line)
    return next(links, None) if text.startswith(service) else None


async def _page(tale: Tale, url: str) -> str:
    shown = await tale.stage.client.get(url, params={"lang": "en"})
    tale.stage.check(shown.is_success, "the partner's page opens without an account")
    return shown.text


async def _says(tale: Tale, url: str, answer: str) -> str:
    shown = await tale.stage.client.post(url, params={"lang": "en"}, data={"answer": answer})
    tale.stage.check(shown.is_success, f"the partner's page takes {answer}")
    return shown.text


async def comes(tale: Tale) -> None:
    """9: scheduling, and the evidence that closes what is open."""
    stage = tale.stage
    visit = await book(tale, "rural-scheduler", tale.clinic_day(6, 10, 0))
    tale.visit_id = visit["id"]
    stage.check(
        visit["rebookedFromId"] == tale.missed_id,
        "the new visit stands for the one that was missed",
    )
    await tale.task(tale.missed_loop_id, "book_again", "COMPLETED")
    stage.tell("Booked again, with the ride: Thursday, 10:00.")
    arrived = tale.clinic_day(6, 9, 58)
    stage.forward_to(arrived + timedelta(minutes=1))
    await stage.hear(tale.patient.at_clinic("A04", arrived))

    async def fulfilled() -> Any:
        one = await stage.get("rural-scheduler", f"/v1/appointments/{tale.visit_id}")
        return one if one["state"] == "STATE_FULFILLED" else None

    shown = await stage.until("the visit took place", fulfilled)
    stage.check(bool(shown.get("encounterId")), "the clinic's message shows that it took place")
    await tale.closed(MISSED, "ATTENDED", appointmentId=tale.missed_id)
    seen = await tale.task(tale.transition_id, "visit", "COMPLETED")
    stage.check(not seen.get("completedById"), "nobody had to tick off the follow-up")
    stage.tell("The clinic's message that she is there closes the missed visit and the follow-up.")
    stage.forward_to(tale.clinic_day(6, 12, 30))
    await _says(tale, tale.ride_link, "done")
    await _in_state(tale, tale.ride_id, "COMPLETED")
    await tale.closed(REFERRAL, "HELPED", referralId=tale.ride_id)
    stage.tell("The driver's coordinator marks the ride as done: that loop is closed, too.")
    await _thirty_days(tale)
    await stage.look(
        f"/patients/{tale.patient_id}", "coordinator", "no loop is open any more, and each says why"
    )


async def _thirty_days(tale: Tale) -> None:
    stage = tale.stage
    stage.forward_to(tale.day(28, 10, 0))
    close = await tale.task(tale.transition_id, "close")
    await tale.complete("coordinator", close, 15, note="Goes on with the clinic's nurse.")
    stage.forward_to(tale.day(30, 0, 5))
    closed = await tale.closed(TRANSITION, "COMPLETED")
    tale.seen["transition"] = closed
    stage.tell(
        f"Day 30: not back in hospital. Closed by {len(closed['evidence'])} pieces of evidence."
    )
