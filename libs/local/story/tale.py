"""What the story knows by now, and the questions that several of its steps ask."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from libs.local.apply import id_of
from libs.local.story.calendar import CLINIC, HOSPITAL, at
from libs.local.story.patient import Patient
from libs.local.story.stage import Stage

NETWORK = {"network": "demo"}
TRANSITION, MISSED, REFERRAL = "discharge-transition", "missed-visit", "referral-follow-up"
QUESTION = "medication-question"


@dataclass(slots=True, kw_only=True)
class Tale:
    """One playing of the story."""

    stage: Stage
    friday: date
    hospital_id: str = str(id_of(NETWORK, "facility", "mercy-hospital"))
    clinic_id: str = str(id_of(NETWORK, "facility", "pine-rural"))
    neighbors_id: str = str(id_of(NETWORK, "facility", "ridge-home"))
    patient_id: str = ""
    encounter_id: str = ""
    transition_id: str = ""
    plan_id: str = ""
    missed_id: str = ""
    missed_loop_id: str = ""
    visit_id: str = ""
    ride_id: str = ""
    ride_link: str = ""
    # What was looked at besides: by name, for whoever checks the story from outside.
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def patient(self) -> Patient:
        return Patient(friday=self.friday)

    def day(self, number: int, hour: int, minute: int) -> datetime:
        """At the hospital, so many days after the Friday."""
        return at(self.friday + timedelta(days=number), hour, minute, HOSPITAL)

    def clinic_day(self, number: int, hour: int, minute: int) -> datetime:
        return at(self.friday + timedelta(days=number), hour, minute, CLINIC)

    async def loop(self, protocol: str, account: str = "coordinator", **has: Any) -> Any:
        """Her newest loop of a protocol that has these values, or None."""
        loops = (await self.stage.get(account, "/v1/loops", patientId=self.patient_id)).get(
            "loops", []
        )
        fits = [
            loop
            for loop in loops
            if loop["protocol"] == protocol
            and all(loop.get(key) == value for key, value in has.items())
        ]
        return fits[0] if fits else None

    async def tasks(self, loop_id: str, account: str = "coordinator") -> dict[str, Any]:
        """The tasks of a loop by their step."""
        listed = await self.stage.get(account, "/v1/tasks", loopId=loop_id, pageSize=100)
        return {task["step"]: task for task in listed.get("tasks", [])}

    async def task(self, loop_id: str, step: str, state: str = "OPEN") -> Any:
        """The task of a step once it is in this state."""

        async def found() -> Any:
            task = (await self.tasks(loop_id)).get(step)
            return task if task and task["state"] == f"STATE_{state}" else None

        return await self.stage.until(f"the task {step} is {state}", found)

    async def closed(self, protocol: str, reason: str, **has: Any) -> Any:
        """Her loop of a protocol once it is closed for this reason; what closed it is shown."""
        loop = await self.stage.until(
            f"{protocol} is closed: {reason}",
            lambda: self.loop(protocol, state="STATE_CLOSED", closeReason=reason, **has),
        )
        self.stage.check(bool(loop.get("evidence")), f"evidence closed {protocol}")
        return loop

    async def complete(self, account: str, task: Any, minutes: int, **body: Any) -> None:
        """Somebody says that a task is done, and how long it took."""
        spent = {"minutes": minutes, **body.pop("spent", {})}
        await self.stage.post(account, f"/v1/tasks/{task['id']}:complete", timeSpent=spent, **body)

    async def telephone(self) -> list[Any]:
        """What her telephone shows, the newest first."""
        shown = await self.stage.get("coordinator", "/v1/telephone", patientId=self.patient_id)
        entries: list[Any] = shown.get("entries", [])
        return entries

    async def received(self, words: str, since: datetime) -> Any:
        """The message with these words that has arrived since."""

        async def found() -> Any:
            for entry in await self.telephone():
                is_new = entry["time"] >= f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
                if entry["direction"] == "DIRECTION_RECEIVED" and words in entry["text"] and is_new:
                    return entry
            return None

        return await self.stage.until(f"her telephone shows “{words}”", found)

    async def answers(self, words: str) -> None:
        """She writes on her telephone."""
        phone = (await self.telephone())[0]["phone"]
        await self.stage.post("coordinator", "/v1/telephone:answer", phone=phone, text=words)


def staff_id(account: str) -> str:
    return str(id_of(NETWORK, "staff", account))


def team_id(key: str) -> str:
    return str(id_of(NETWORK, "team", key))


def utc(at: datetime) -> str:
    """A time as the API has it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
