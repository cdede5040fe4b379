"""What everybody asks who has to do with one of the thousand, and how they do their work."""

import random
from datetime import datetime, time, timedelta
from typing import Any

from libs.local.apply import id_of
from libs.simulator.afterwards import HOSPITAL, Afterwards, Outcome
from libs.simulator.stories import somebody as messages
from libs.simulator.stories.somebody import Somebody
from tests.e2e.thousand.days import Days
from tests.e2e.thousand.diary import Diary
from tests.e2e.thousand.hands import Hands

NETWORK = {"network": "demo"}
MERCY = str(id_of(NETWORK, "facility", "mercy-hospital"))
TRANSITION, MISSED, REFERRAL, REPLY = "discharge-transition", "missed-visit", "referral-follow-up", "reply-follow-up"  # fmt: skip
# Who does what. Whatever is not here, the coordinator does.
WHO = {"home_visit": "chw", "medication_reconciliation": "pharmacist", "visit": "scheduler", "book_again": "scheduler", "see_that_they_come": "scheduler", "arrange_ride": "social-worker"}  # fmt: skip
_FAMILIES = ("Okonkwo", "Lindgren", "Marsh", "Petrov", "Silva", "Tanaka", "Ybarra", "Quist")
_GIVEN = ("Ada", "Bea", "Cleo", "Dora", "Esi", "Fay", "Gia", "Hana")
_LETTERS = "abcdefghij"


class Case:
    """One of the thousand, as the hub knows them."""

    def __init__(self, plan: Afterwards, days: Days, hands: Hands, seed: str) -> None:
        self.plan, self.days, self.hands = plan, days, hands
        self._seed = f"{seed}|life|{plan.number}"
        self.chance = random.Random(self._seed)
        self.one = _somebody(plan)
        self.diary = Diary(plan)
        self.nurse = self.chance.choice(("nurse", "nurse2"))
        self._visits = 0

    # Their work.

    async def do(self, step: str, outcome: str = "", protocol: str = TRANSITION) -> None:
        """Complete a task of the step, if there is an open one, by whoever does such."""
        if self.is_gone:
            return
        task = await self.open_task(protocol, step)
        if task is None:
            return
        account = self.nurse if step == "contact" else WHO.get(step, "coordinator")
        await self.work(account, task, "complete", 6, outcome=outcome)

    async def work(self, account: str, task: Any, verb: str, minutes: int, **body: Any) -> None:
        """Say what was done, and the minutes, if there are any left since the last ones. Minutes told twice are refused."""
        path, ledger = f"/v1/tasks/{task['id']}:{verb}", self.hands.ledger
        if (told := ledger.told(account)) and self.happens(0.05, f"{verb} {task['id']}"):
            refused = await self.hands.tried(account, "POST", path, **body, timeSpent=told)
            assert refused.json().get("reason") == "TIME_OVERLAPS", refused.text
            self.hands.count("minutes refused")
        spent = ledger.take(account, self.days.now(), minutes)
        await self.hands.post(account, path, **body, **({"timeSpent": spent} if spent else {}))
        if spent:
            ledger.tell(account, spent)

    async def received(self, since: datetime | None = None) -> bool:
        """Whether the telephone has shown anything since then."""
        shown = await self.hands.get(
            "coordinator", "/v1/telephone", patientId=await self.patient_id()
        )
        return any(
            entry["direction"] == "DIRECTION_RECEIVED"
            and (since is None or datetime.fromisoformat(entry["time"]) >= since)
            for entry in shown.get("entries", [])
        )

    async def answers(self, words: str) -> None:
        phone = f"+1{self.one.phone}"
        await self.hands.post("coordinator", "/v1/telephone:answer", phone=phone, text=words)
        self.hands.count("answers")

    async def read_threads(self) -> None:
        """Somebody takes what is open about them, and closes it."""
        listed = await self.hands.get(
            "coordinator", "/v1/threads", patientId=await self.patient_id()
        )
        for thread in listed.get("threads", []):
            if thread["state"] == "STATE_OPEN":
                path = f"/v1/threads/{thread['id']}"
                await self.hands.post("coordinator", f"{path}:accept")
                await self.hands.post("coordinator", f"{path}:post", text="Called. All is well.")
                await self.hands.post("coordinator", f"{path}:close")

    async def comes(self, sender: str, began: datetime) -> None:
        self._visits += 1
        number = f"{self.one.visit('F')}-{self._visits}"
        await self.hands.hear(messages.visit(self.one, sender, number, began))
        self.diary.visits.append(began)

    # Where it stands.

    @property
    def left(self) -> datetime:
        assert self.plan.stay.discharged_at
        return self.plan.stay.discharged_at

    @property
    def is_gone(self) -> bool:
        gone_at = self.plan.gone_at
        return gone_at is not None and gone_at <= self.days.now()

    def on(self, day: int, hour: int) -> datetime:
        """An hour of a day after the discharge."""
        return datetime.combine(self.left.date() + timedelta(days=day), time(hour), HOSPITAL)

    async def at(self, day: int, hour: int) -> None:
        await self.days.until(self.on(day, hour))

    def happens(self, share: float, what: str) -> bool:
        """Whether something does, for this one: the same in every run of a seed, in whatever order people act."""
        return random.Random(f"{self._seed}|{what}").random() < share

    async def patient_id(self) -> str:
        if not self.diary.patient_id:
            number = self.one.second_mrn if self.plan.outcome is Outcome.MERGED else self.one.mrn
            found = await self.hands.post("coordinator", "/v1/patients:search", text=number)
            [patient] = found["patients"]
            self.diary.patient_id = patient["id"]
        return self.diary.patient_id

    async def loops(self, protocol: str) -> list[Any]:
        listed = await self.hands.get("coordinator", "/v1/loops", patientId=await self.patient_id())
        return [loop for loop in listed.get("loops", []) if loop["protocol"] == protocol]

    async def loop(self, protocol: str) -> Any:
        """The open one of a protocol, or else any."""
        found = await self.loops(protocol)
        return next(
            (each for each in found if each["state"] == "STATE_OPEN"), next(iter(found), None)
        )

    async def open_task(self, protocol: str, step: str) -> Any:
        loop = await self.loop(protocol)
        if (
            loop is None and self.plan.outcome is Outcome.MERGED
        ):  # it has just moved to another record
            await self.days.at_rest()
            self.diary.patient_id = ""
            loop = await self.loop(protocol)
        if loop is None or loop["state"] != "STATE_OPEN":
            return None
        listed = await self.hands.get("coordinator", "/v1/tasks", loopId=loop["id"], pageSize="100")
        open_ones = (t for t in listed.get("tasks", []) if t["state"] == "STATE_OPEN")
        return next((task for task in open_ones if task["step"] == step), None)


def _somebody(plan: Afterwards) -> Somebody:
    """Whose name is nobody else's, so that nobody is taken for another."""
    letters = "".join(_LETTERS[int(digit)] for digit in f"{plan.number:04}")
    return Somebody(
        number=plan.number,
        is_high_risk=plan.is_high_risk,
        given=_GIVEN[plan.number // len(_FAMILIES) % len(_GIVEN)],
        family=f"{_FAMILIES[plan.number % len(_FAMILIES)]}{letters}",
    )
