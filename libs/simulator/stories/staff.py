"""Does what is to be done in a story, looking first at how the hub sees it: an act that has come too late, or was done before a
restart, does nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from libs.local.apply import id_of
from libs.simulator.afterwards import MISSED, RIDES, Afterwards, Outcome
from libs.simulator.stories import somebody
from libs.simulator.stories.act import Act, What
from libs.simulator.stories.hub import Hub, NotNow
from libs.simulator.stories.ride import Ride
from libs.simulator.stories.somebody import Somebody
from libs.simulator.stories.telling import message

HERE = str(id_of({"network": "demo"}, "facility", "mercy-hospital"))
# Who does what. Whatever is not here, the coordinator does.
_WHO = {"contact": "nurse2", "home_visit": "chw", "medication_reconciliation": "pharmacist", "visit": "scheduler", "book_again": "scheduler", "see_that_they_come": "scheduler", "arrange_ride": "social-worker"}  # fmt: skip
# Steps that every stay has which ended at home: where one is missing, the hub has not heard of its end.
_ALWAYS = frozenset({"contact", "discharge_information", "medication_reconciliation"})
_CHANNELS = ("sms", "email", "voice")
_FORGOT, _NO_RIDE = ("3", "forgot"), ("1", "transport")

Done = list[Act]


@dataclass(slots=True, kw_only=True)
class Staff:
    """Everybody who has to do with one story. `now` is the hub's time."""

    hub: Hub
    plan: Afterwards
    one: Somebody
    now: Callable[[], datetime]

    async def do(self, act: Act) -> Done:
        """What follows from it. NotNow: to be tried again."""
        does: dict[What, Callable[[Act], Awaitable[Done]]] = {
            What.CALL: self._call,
            What.DO: self._task,
            What.ANSWER: self._answer,
            What.READ_THREADS: self._read_threads,
            What.REFUSE_MESSAGES: self._refuse_messages,
            What.BOOK: self._book,
            What.BOOK_AGAIN: self._book_again,
            What.CANCEL_VISIT: self._cancel_visit,
            What.WHY: self._why,
            What.COMES: self._comes,
            What.FIND_RIDE: self._ride,
            What.ANSWER_RIDE: self._ride,
            What.END_RIDE: self._ride,
        }
        if act.what in does:
            if (
                self.plan.gone_at
                and self.plan.gone_at <= act.at
                and act.what is not What.CANCEL_VISIT
            ):
                return []
            return await does[act.what](act)
        await self.hub.hear(message(act, self.plan, self.one))
        return []

    # What is asked of the hub.

    async def patient_id(self) -> str:
        is_merged = self.plan.outcome is Outcome.MERGED
        for number in (self.one.second_mrn, self.one.mrn) if is_merged else (self.one.mrn,):
            found = await self.hub.post("coordinator", "/v1/patients:search", text=number) or {}
            if patients := found.get("patients"):
                return str(patients[0]["id"])
        raise NotNow("nobody knows them yet")

    async def open_task(self, step: str) -> Any:
        """The open task of a step; None: there is nothing to do, or not any more. NotNow: the hub has not come so far."""
        listed = await self.hub.get(
            "coordinator", "/v1/tasks", patientId=await self.patient_id(), pageSize=200
        )
        fits = [task for task in listed.get("tasks", []) if task["step"] == step]
        if not fits and step in _ALWAYS:
            raise NotNow(f"nobody is to do {step} yet")
        return next((task for task in fits if task["state"] == "STATE_OPEN"), None)

    # What the staff does. Minutes are left out: those of the story that is watched are the ones to look at.

    async def _call(self, act: Act) -> Done:
        call = self.plan.calls[int(act.detail)]
        if task := await self.open_task("contact"):
            told = {
                "result": f"RESULT_{call.result}",
                "channel": "phone",
                "time": call.at.isoformat(),
            }
            await self.hub.post(_WHO["contact"], f"/v1/tasks/{task['id']}:recordAttempt", **told)
        return []

    async def _task(self, act: Act) -> Done:
        step, _, outcome = act.detail.partition("/")
        if task := await self.open_task(step):
            path = f"/v1/tasks/{task['id']}:complete"
            await self.hub.post(_WHO.get(step, "coordinator"), path, outcome=outcome)
        return []

    async def _refuse_messages(self, _act: Act) -> Done:
        refused = [{"channel": each, "state": "STATE_REFUSED"} for each in _CHANNELS]
        path = f"/v1/contacts/{await self.patient_id()}"
        await self.hub.patch("coordinator", path, consents=refused)
        return []

    async def _read_threads(self, _act: Act) -> Done:
        listed = await self.hub.get("coordinator", "/v1/threads", patientId=await self.patient_id())
        for thread in listed.get("threads", []):
            if thread["state"] == "STATE_OPEN":
                path = f"/v1/threads/{thread['id']}"
                await self.hub.post("coordinator", f"{path}:accept")
                await self.hub.post("coordinator", f"{path}:post", text="Called. All is well.")
                await self.hub.post("coordinator", f"{path}:close")
        return []

    # What the patient does.

    async def _answer(self, act: Act) -> Done:
        if await self._has_message():
            await self._says(act.detail)
        return []

    async def _has_message(self, since: str = "") -> bool:
        shown = await self.hub.get(
            "coordinator", "/v1/telephone", patientId=await self.patient_id()
        )
        received = (e for e in shown.get("entries", []) if e["direction"] == "DIRECTION_RECEIVED")
        return any(entry["time"] >= since for entry in received)

    async def _says(self, words: str) -> None:
        phone = f"+1{self.one.phone}"
        await self.hub.post("coordinator", "/v1/telephone:answer", phone=phone, text=words)

    async def _comes(self, act: Act) -> Done:
        """To the clinic, or to the hospital's follow-up room."""
        number = f"{self.one.visit('F')}-{act.at:%m%d}"
        await self.hub.hear(somebody.visit(self.one, act.detail, number, act.at))
        return []

    # Visits with a slot.

    async def _book(self, act: Act) -> Done:
        booked = next((v for v in await self._visits() if v["state"] == "STATE_BOOKED"), None)
        if booked is None:
            what = {"patientId": await self.patient_id(), "purpose": "PURPOSE_FOLLOW_UP"}
            slot = await self._slot(datetime.fromisoformat(act.detail))
            booked = await self.hub.post("scheduler", "/v1/appointments", **what, **slot)
        if booked is None:
            raise NotNow("the slot is gone")
        start = datetime.fromisoformat(booked["startTime"])
        if self.plan.outcome in MISSED:
            return [self._next(act, What.WHY, start + timedelta(hours=4), booked["startTime"])]
        return [self._kept(act, start, booked["id"])]

    async def _why(self, act: Act) -> Done:
        """The patient answers the message that asks; whom none reached is called. Then another visit is booked."""
        word, outcome = _NO_RIDE if self.plan.outcome in RIDES else _FORGOT
        if await self._has_message(since=act.detail):
            await self._says(word)
        elif task := await self.open_task("ask_why"):
            path = f"/v1/tasks/{task['id']}:complete"
            await self.hub.post("coordinator", path, outcome=outcome)
        return [self._next(act, What.BOOK_AGAIN, self.now() + timedelta(hours=2), "")]

    async def _book_again(self, act: Act) -> Done:
        missed = next((v for v in await self._visits() if v["state"] == "STATE_NO_SHOW"), None)
        if missed is None:
            return []
        slot = await self._slot(self.now() + timedelta(days=2))
        booked = await self.hub.post("scheduler", f"/v1/appointments/{missed['id']}:rebook", **slot)
        if booked is None:  # it was booked again before
            return []
        start = datetime.fromisoformat(booked["startTime"])
        if self.plan.outcome in RIDES:
            return [self._next(act, What.FIND_RIDE, self.now(), booked["startTime"])]
        return [self._kept(act, start, booked["id"])]

    def _kept(self, act: Act, start: datetime, appointment_id: str) -> Act:
        gone_at = self.plan.gone_at
        if gone_at and gone_at <= start:
            return self._next(act, What.CANCEL_VISIT, gone_at, appointment_id)
        return self._next(act, What.COMES, start - timedelta(minutes=3), "MERCY")

    async def _cancel_visit(self, act: Act) -> Done:
        await self.hub.post("scheduler", f"/v1/appointments/{act.detail}:cancel")
        return []

    async def _visits(self) -> list[Any]:
        listed = await self.hub.get(
            "scheduler", "/v1/appointments", patientId=await self.patient_id()
        )
        found: list[Any] = listed.get("appointments", [])
        return found

    async def _slot(self, earliest: datetime) -> dict[str, Any]:
        """One of the next free ones here, which somebody else may take in the same moment."""
        begin = max(earliest, self.now() + timedelta(hours=1))
        span = {"startTime": begin.isoformat(), "endTime": (begin + timedelta(days=12)).isoformat()}
        listed = await self.hub.get("scheduler", "/v1/slots", facilityId=HERE, **span)
        if not (free := listed.get("slots", [])):
            raise NotNow("there is no slot to be had")
        slot = free[self.plan.number % min(len(free), 6)]
        return {"scheduleId": slot["scheduleId"], "startTime": slot["startTime"]}

    async def _ride(self, act: Act) -> Done:
        return await Ride(self.hub, self.plan, self.one, HERE, await self.patient_id()).do(act)

    def _next(self, act: Act, what: What, at: datetime, detail: str) -> Act:
        return replace(act, what=what, at=at, detail=detail)
