"""A visit with a slot: booked, kept or missed; and after a missed one why, a ride, and the next one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx

from libs.simulator.afterwards import RIDES, FollowUp, Outcome
from tests.e2e.thousand.case import MERCY, MISSED, REFERRAL, Case
from tests.e2e.thousand.diary import Asked

PRACTITIONER = "Follow-up room"
_NEED = "transportation-insecurity"
_ITEMS = ("FIRST_NAME", "TELEPHONE", "ADDRESS", "DESTINATION")
_FORGOT, _TRANSPORT = ("3", "forgot"), ("1", "transport")


class Visit:
    """Of one case."""

    def __init__(self, case: Case) -> None:
        self._case, self._hands, self._days = case, case.hands, case.days

    async def booked(self, wanted: FollowUp) -> None:
        case = self._case
        await self._days.until(case.on(1, 12))
        if case.is_gone:
            return
        appointment = await self._book(wanted.at)
        start = _time(appointment["startTime"])
        if wanted.comes:
            await self._kept(start, appointment["id"])
            return
        await self._days.until(start + timedelta(minutes=20))
        case.diary.missed += 1
        await self._is_asked_why(start)
        await self._days.until(case.days.now() + timedelta(hours=10))
        again = await self._book(start + timedelta(days=3), instead_of=appointment["id"])
        await self._next(_time(again["startTime"]), again["id"])

    async def _book(self, earliest: datetime, instead_of: str = "") -> Any:
        """One of the next free slots, which somebody else may want in the same moment."""
        patient_id = await self._case.patient_id()
        for _ in range(40):
            slot = self._case.chance.choice(await self._free(earliest))
            what = {"scheduleId": slot["scheduleId"], "startTime": slot["startTime"]}
            if instead_of:
                response = await self._hands.tried(
                    "scheduler", "POST", f"/v1/appointments/{instead_of}:rebook", **what
                )
            else:
                new = {**what, "patientId": patient_id, "purpose": "PURPOSE_FOLLOW_UP"}
                response = await self._hands.tried("scheduler", "POST", "/v1/appointments", **new)
            if response.status_code == 200:
                return response.json()
            assert response.json()["reason"] == "SLOT_TAKEN", response.text
            self._hands.count("slots that somebody else had taken")
        raise AssertionError("there is no slot to be had")

    async def _free(self, earliest: datetime) -> list[Any]:
        begin = max(earliest, self._days.now() + timedelta(hours=1))
        span = {"startTime": begin.isoformat(), "endTime": (begin + timedelta(days=12)).isoformat()}
        listed = await self._hands.get(
            "scheduler", "/v1/slots", facilityId=MERCY, pageSize="500", **span
        )
        ours = [s for s in listed["slots"] if s["practitioner"].startswith(PRACTITIONER)]
        soonest = ours[0]["startTime"]
        return [slot for slot in ours if slot["startTime"] == soonest][:2]

    async def _kept(self, start: datetime, appointment_id: str) -> None:
        gone_at = self._case.plan.gone_at
        if gone_at is None or gone_at > start:
            await self._days.until(start)
            await self._case.comes("MERCY", start - timedelta(minutes=3))
            return
        await self._days.until(gone_at)
        path = f"/v1/appointments/{appointment_id}:cancel"
        taken_back = await self._hands.tried("scheduler", "POST", path)
        if taken_back.status_code != 200:  # it was missed by then
            self._case.diary.missed += 1

    async def _is_asked_why(self, start: datetime) -> None:
        """By a message that is answered; whom none may reach is called."""
        case = self._case
        word, outcome = _TRANSPORT if case.plan.outcome in RIDES else _FORGOT
        await self._days.until(start + timedelta(hours=4))
        if await case.received(since=start):
            await case.answers(word)
        else:
            await case.do("ask_why", outcome, MISSED)
        await self._days.at_rest()

    async def _next(self, start: datetime, appointment_id: str) -> None:
        """The visit that stands for the missed one, with a ride if it needs one."""
        case = self._case
        if case.plan.outcome not in RIDES:
            await self._kept(start, appointment_id)
            return
        ride = Ride(case)
        await ride.arranged(start)
        if case.plan.outcome is not Outcome.RIDE_FAILED:
            await self._kept(start, appointment_id)
            await ride.ended("done")
            return
        await self._days.until(start + timedelta(minutes=20))
        case.diary.missed += 1
        await ride.ended("could_not")
        await case.do("ask_why", "declined", MISSED)


class Ride:
    """One ride: asked for, answered by partners without an account, driven or not."""

    def __init__(self, case: Case) -> None:
        self._case, self._hands, self._days = case, case.hands, case.days
        self._referral: Any = None

    async def arranged(self, start: datetime) -> None:
        """Ask one after the other, until somebody will drive, or nobody is left."""
        words = self._words()
        referral = await self._asked(start)
        while referral:
            self._case.diary.asked.append(Asked(referral["serviceId"]))
            referral = await self._answered(referral, next(words))
            if referral["state"] == "STATE_ACCEPTED":
                self._referral = referral
                return
            if not await self._follower(referral["id"]):
                await self._case.do("ask_next", "nobody", REFERRAL)
            referral = await self._follower(referral["id"])
        self._hands.count("rides that nobody could give")
        await self._case.do("arrange_ride", "done", MISSED)

    def _words(self) -> Iterator[str]:
        first = {Outcome.RIDE_REFUSED: "no_capacity", Outcome.RIDE_SILENT: ""}
        yield first.get(self._case.plan.outcome, "yes")
        while True:
            yield "yes"

    async def _asked(self, start: datetime) -> Any:
        """The first partner, with a consent that names every one that fits."""
        begin, end = (
            (start - timedelta(hours=1)).isoformat(),
            (start + timedelta(hours=2)).isoformat(),
        )
        where = {"facilityId": MERCY, "postalCode": "62701", "startTime": begin, "endTime": end}
        found = await self._hands.post(
            "social-worker", "/v1/directory/services:search", need=_NEED, **where
        )
        fits = [match["service"]["id"] for match in found.get("matches", []) if match.get("fits")]
        if not fits:
            return None
        loop = await self._case.loop(MISSED)
        one = self._case.one
        details = {"firstName": one.given, "telephone": f"+1{one.phone}", "address": f"{100 + one.number} Pine St", "destination": "Mercy", "postalCode": "62701", "startTime": begin, "endTime": end}  # fmt: skip
        wish = {"facilityId": MERCY, "patientId": await self._case.patient_id(), "need": _NEED, "serviceId": fits[0], "loopId": loop["id"], "priority": "PRIORITY_URGENT", "autoNext": True, "details": details}  # fmt: skip
        consent = {"form": "FORM_VERBAL", "serviceIds": fits, "items": [f"ITEM_{i}" for i in _ITEMS], "witness": "Samuel Begay"}  # fmt: skip
        draft = await self._hands.post("social-worker", "/v1/referrals", referral=wish)
        path = f"/v1/referrals/{draft['id']}:send"
        await self._hands.post("social-worker", path, consent=consent)
        await self._days.at_rest()
        return await self._now(draft["id"])

    async def _answered(self, referral: Any, word: str) -> Any:
        """What the partner says, or its silence until the clock has run out."""
        if not word:
            await self._days.until(_time(referral["answerDueTime"]) + timedelta(minutes=1))
            return await self._now(referral["id"])
        await self._says(referral["id"], word)
        after = await self._now(referral["id"])
        if after["state"] == "STATE_REQUESTED":  # all drivers are taken at that time
            self._hands.count("drivers who were taken")
            await self._says(referral["id"], "no_capacity")
        await self._days.at_rest()
        return await self._now(referral["id"])

    async def ended(self, word: str) -> None:
        """The partner says what came of it."""
        if self._referral is None:
            return
        await self._days.until(_time(self._referral["details"]["endTime"]))
        await self._says(self._referral["id"], word)
        self._case.diary.asked[-1].has_driven = word == "done"
        if word != "done":
            await self._days.at_rest()
            await self._case.do("ask_next", "declined", REFERRAL)

    async def _says(self, referral_id: str, word: str) -> None:
        """By a link that is read out, from a telephone of their own."""
        made = await self._hands.post("social-worker", f"/v1/referrals/{referral_id}:createLink")
        number = self._case.plan.number
        here = httpx.AsyncHTTPTransport(local_address=f"127.1.{number // 250}.{1 + number % 250}")
        async with httpx.AsyncClient(transport=here, timeout=30) as telephone:
            await self._hands.posted(telephone, made["url"], answer=word)

    async def _now(self, referral_id: str) -> Any:
        return await self._hands.get("social-worker", f"/v1/referrals/{referral_id}")

    async def _follower(self, referral_id: str) -> Any:
        patient_id = await self._case.patient_id()
        listed = await self._hands.get("social-worker", "/v1/referrals", patientId=patient_id)
        return next((r for r in listed["referrals"] if r.get("followsId") == referral_id), None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
