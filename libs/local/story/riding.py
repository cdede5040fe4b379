"""Steps 8 and 9: a ride is found for her, she comes, and what is open closes by what shows it."""

from datetime import timedelta
from typing import Any

from libs.local.story.missing import _book as book
from libs.local.story.tale import MISSED, REFERRAL, TRANSITION, Tale, utc

_NEED = "transportation-insecurity"
_ITEMS = ("FIRST_NAME", "TELEPHONE", "ADDRESS", "DESTINATION")
_NAME, _PHONE, _HOUSE = "Consuelo", "+1 719 555 0177", "44 Cottonwood Road, Pine Creek"


async def is_offered_a_ride(tale: Tale) -> None:
    """8: referrals."""
    stage = tale.stage
    begin, end = tale.clinic_day(6, 9, 0), tale.clinic_day(6, 12, 0)
    where = {"facilityId": tale.clinic_id, "postalCode": "81901", "language": "es", "age": 78}
    asked = {"need": _NEED, **where, "startTime": utc(begin), "endTime": utc(end)}
    found = await stage.post("rural-social-worker", "/v1/directory/services:search", **asked)
    fits = [match for match in found["matches"] if match.get("fits")]
    stage.check(len(fits) >= 2, "two services of the directory could drive her")
    first, second = (match["service"] for match in fits[:2])
    for match in fits[:2]:
        stage.tell(
            f"{match['service']['name']}: {'; '.join(r['text'] for r in match['reasons'][:3])}"
        )
    details = {"firstName": _NAME, "telephone": _PHONE, "address": _HOUSE, "destination": "Pine Creek Rural Health", "area": "Pine Creek, west of the river", "postalCode": "81901", "startTime": utc(begin), "endTime": utc(end), "language": "es"}  # fmt: skip
    wish = {"facilityId": tale.clinic_id, "patientId": tale.patient_id, "need": _NEED, "serviceId": first["id"], "loopId": tale.missed_loop_id, "priority": "PRIORITY_URGENT", "autoNext": True, "details": details}  # fmt: skip
    draft = await stage.post("rural-social-worker", "/v1/referrals", referral=wish)
    consent = {"form": "FORM_VERBAL", "serviceIds": [first["id"], second["id"]], "items": [f"ITEM_{i}" for i in _ITEMS], "witness": "Dana Whitehorse"}  # fmt: skip
    await stage.post("rural-social-worker", f"/v1/referrals/{draft['id']}:send", consent=consent)
    stage.tell("She agrees, on the telephone, to both being asked and to what they may know.")
    asked_first = await _in_state(tale, draft["id"], "REQUESTED")
    link = await _link(tale, asked_first["id"])
    await _says(tale, link, "no_capacity")
    await _in_state(tale, draft["id"], "REJECTED")
    stage.tell(
        f"{first['name']} says no, at a link, without an account. The next one is asked by itself."
    )
    following = await stage.until("the next service is asked", lambda: _after(tale, draft["id"]))
    tale.ride_id = following["id"]
    await _in_state(tale, tale.ride_id, "REQUESTED")
    tale.ride_link = await _link(tale, tale.ride_id)
    await _accepts(tale, second["name"])
    await tale.task(tale.missed_loop_id, "arrange_ride", "COMPLETED")
    await tale.closed(REFERRAL, "NEXT_ASKED", referralId=draft["id"])
    await stage.look(
        "/worklist", "rural-social-worker", "the ride is arranged, and nobody had to say so"
    )


async def _accepts(tale: Tale, name: str) -> None:
    """What the page shows before yes, and after."""
    stage = tale.stage
    before = await _page(tale, tale.ride_link)
    stage.check(
        not any(secret in before for secret in (_NAME, _PHONE, _HOUSE, "Barrera")),
        "before they say yes they see neither name, telephone nor address",
    )
    after = await _says(tale, tale.ride_link, "yes")
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


async def _link(tale: Tale, referral_id: str) -> str:
    made = await tale.stage.post("rural-social-worker", f"/v1/referrals/{referral_id}:createLink")
    url: str = made["url"]
    return url


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
