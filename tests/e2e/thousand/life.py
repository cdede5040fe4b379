"""One of the thousand: what the hospital sends, what the staff does, what the patient answers, from admission to the end."""

from dataclasses import replace
from datetime import datetime, timedelta

from libs.simulator.afterwards import HOME, Bed, How, Outcome
from libs.simulator.stories import somebody as messages
from tests.e2e.thousand.case import MERCY, REPLY, TRANSITION, Case
from tests.e2e.thousand.visit import Visit

CHANNELS = ("sms", "email", "voice")


class Life:
    """A life, and the hands that it needs."""

    def __init__(self, case: Case) -> None:
        self.case, self.plan, self.one, self.diary = case, case.plan, case.one, case.diary
        self.days, self.hands = case.days, case.hands

    # In hospital.

    async def live(self) -> None:
        plan, days, stay = self.plan, self.days, self.plan.stay
        await days.until(stay.admitted_at)
        if plan.outcome is Outcome.MERGED:
            await self.hands.hear(messages.person("A28", self.one, stay.admitted_at))
        is_told_late = plan.outcome is Outcome.REACHED and self.case.happens(0.15, "told late")
        if not is_told_late:
            await self._of_stay("A01", stay, stay.admitted_at)
        if plan.outcome is Outcome.NOT_ADMITTED:
            await days.until(stay.admitted_at + timedelta(hours=5))
            await self._of_stay("A11", stay, stay.admitted_at + timedelta(hours=5))
        elif stay.discharged_at is None:
            self.diary.stays.append(stay)
        else:
            await self._is_inside(stay)
            await self._leaves(stay, stay.discharged_at, is_told_late=is_told_late)

    async def _is_inside(self, stay: Bed) -> None:
        await self.days.at_rest()
        if self.plan.outcome is Outcome.REFUSED_MESSAGES:
            refused = [{"channel": c, "state": "STATE_REFUSED"} for c in CHANNELS]
            path = f"/v1/contacts/{await self.case.patient_id()}"
            response = await self.hands.tried("coordinator", "PATCH", path, consents=refused)
            assert response.status_code == 200, response.text
            self.diary.stopped_at = self.days.now()
        if taken_back_at := self.plan.taken_back_at:
            await self.days.until(taken_back_at)
            early = replace(stay, discharged_at=taken_back_at)
            await self._of_stay("A03", early, taken_back_at)
            await self.days.until(taken_back_at + timedelta(hours=6))
            await self._of_stay("A13", stay, taken_back_at + timedelta(hours=6))

    async def _leaves(self, stay: Bed, left: datetime, *, is_told_late: bool) -> None:
        """Home, or elsewhere. Some discharges are told late in the evening; some updates after what they were before.

        One at least in every run: what is due at night has to wait for the morning.
        """
        is_slow = self.plan.outcome is Outcome.WROTE or self.case.happens(0.05, "slow")
        await self.days.until(self.case.on(0, 22) if is_slow else left)
        await self._of_stay("A03", stay, left)
        if is_told_late:
            await self._of_stay("A01", stay, stay.admitted_at)
            self.hands.count("messages out of order")
        elif self.case.happens(0.1, "old news"):
            await self._of_stay("A08", stay, left - timedelta(hours=3))
            self.hands.count("messages out of order")
        self.diary.stays.append(stay)
        if stay.disposition != HOME or self.plan.outcome is Outcome.LEFT_ALONE:
            return
        for goes_on in (self._calls, self._desk, self._telephone, self._follow_up, self._changes, self._hands_over):  # fmt: skip
            self.days.spawn(goes_on())

    async def _of_stay(self, event: str, stay: Bed, at: datetime, *, again: bool = False) -> None:
        number = self.one.second_mrn if self.plan.outcome is Outcome.MERGED and not again else ""
        visit = f"{'TA' if again else 'TV'}{self.plan.number:05}"
        await self.hands.hear(messages.stay(event, self.one, stay, visit, at, number))

    # What is true of somebody changes.

    async def _changes(self) -> None:
        """A death, a move, a merge, another stay."""
        plan, left = self.plan, self.case.left
        if plan.outcome is Outcome.MOVED_AWAY:
            await self._emergency(self.case.on(2, 14))
            await self.case.at(3, 16)
            await self.hands.hear(messages.person("A31", self.one, self.case.on(3, 16), moved=True))
        if plan.outcome is Outcome.MERGED:
            await self.days.until(left + timedelta(days=self.case.chance.randint(1, 8)))
            await self.hands.hear(messages.merge(self.one, self.days.now()))
            await self.days.at_rest()
            self.diary.patient_id = ""
        if plan.died_at:
            await self.days.until(plan.died_at)
            await self.hands.hear(
                messages.person("A31", self.one, self.days.now(), died=plan.died_at)
            )
        if again := plan.again:
            await self.days.until(again.admitted_at)
            await self._of_stay("A01", again, again.admitted_at, again=True)
            assert again.discharged_at
            await self.days.until(again.discharged_at)
            await self._of_stay("A03", again, again.discharged_at, again=True)
            self.diary.stays.append(again)

    async def _emergency(self, began: datetime) -> None:
        """To the emergency department and home again: no stay, and nobody's visit after one."""
        await self.days.until(began)
        ended = began + timedelta(hours=4)
        await self.hands.hear(messages.emergency(self.one, "A04", began, began))
        await self.days.until(ended)
        await self.hands.hear(messages.emergency(self.one, "A03", began, ended))

    # What the staff does.

    async def _calls(self) -> None:
        # Who declines is not called in every run: declining is then all that came of it, and no contact.
        is_left_out = self.plan.outcome is Outcome.DECLINED and self.plan.number < len(Outcome)
        for call in () if is_left_out else self.plan.calls:
            await self.days.until(call.at)
            if self.case.is_gone:  # since the hour of the call: people act at a few hours only
                return
            task = await self.case.open_task(TRANSITION, "contact")
            assert task, (
                f"{self.plan.outcome} {self.plan.number}: nobody is to be called at {call.at}"
            )
            body = {
                "result": f"RESULT_{call.result}",
                "channel": "phone",
                "time": call.at.isoformat(),
            }
            await self.case.work(self.case.nurse, task, "recordAttempt", 8, **body)
            self.diary.calls.append(call)

    async def _desk(self) -> None:
        await self.case.at(1, 11)
        await self.case.do("admission_notice")
        await self.case.do("discharge_information")
        if self.plan.outcome is Outcome.DECLINED:
            await self.case.at(2, 12)
            await self.case.do("contact", "declined")
        await self.case.at(3, 9)
        await self.case.do("home_visit")
        await self.case.at(4, 13)
        await self.case.do("medication_reconciliation")
        await self.case.at(20, 10)
        if self.case.happens(0.5, "decided") and not self.case.is_gone:
            loop = await self.case.loop(TRANSITION)
            level = self.case.chance.choice(("LEVEL_HIGH", "LEVEL_MODERATE", "LEVEL_LOW"))
            await self.hands.post(
                "physician", f"/v1/claimCandidates/{loop['id']}:decide", level=level
            )

    async def _hands_over(self) -> None:
        """The last of it: what was not done is said to be not done."""
        await self.case.at(28, 10)
        if self.case.happens(0.2, "two") and not self.case.is_gone:
            await self._two_at_once()
        for step in (
            "admission_notice",
            "discharge_information",
            "home_visit",
            "medication_reconciliation",
        ):
            await self.case.do(step)
        await self.case.do("visit", "declined")
        await self.case.do("close")
        await self.case.at(30, 11)
        await self.case.do("contact", "unable")
        await self.case.read_threads()

    async def _two_at_once(self) -> None:
        """Two people talk to somebody at the same time: each has the minutes, and they count once."""
        now = self.days.now().replace(microsecond=0)
        end = now - timedelta(minutes=5 + 13 * self.plan.number)
        span = {"startTime": (end - timedelta(minutes=12)).isoformat(), "endTime": end.isoformat()}
        about = {"facilityId": MERCY, "patientId": await self.case.patient_id(), "program": "tcm", "activity": "call"}  # fmt: skip
        for account in ("physician", "social-worker"):
            response = await self.hands.tried(account, "POST", "/v1/timeEntries", **about, **span)
            if response.status_code == 200:
                self.hands.count("minutes of two at once")
            else:
                assert response.json()["reason"] == "TIME_OVERLAPS", response.text

    # What the patient does.

    async def _telephone(self) -> None:
        """Answer the first message, on the next afternoon; what is in words, somebody reads."""
        await self.case.at(1, 14)
        if not self.plan.says or self.case.is_gone or not await self.case.received():
            return
        await self.case.answers(self.plan.says)
        if self.plan.outcome is Outcome.SAID_STOP:
            self.diary.stopped_at = self.days.now()
        if self.plan.outcome not in (Outcome.IN_DANGER, Outcome.WROTE):
            return
        self.diary.words += 1
        await self.days.at_rest()
        for step in ("act_at_once", "read_answer"):
            await self.case.do(step, protocol=REPLY)
        await self.case.read_threads()

    async def _follow_up(self) -> None:
        """A visit without a slot, here; those with one are a story of their own."""
        wanted = self.plan.follow_up
        if wanted is None:
            return
        if wanted.how is How.SLOT:
            await Visit(self.case).booked(wanted)
            return
        if wanted.how is How.TOLD:
            await self.case.at(1, 12)
            if not self.case.is_gone:
                await self.hands.hear(messages.booking(self.one, self.days.now(), wanted.at))
        await self.days.until(wanted.at)
        where = "MERCY" if self.plan.outcome is Outcome.MERGED else "VALLEY"
        await self.case.comes(where, wanted.at)

    async def comes(self, sender: str, began: datetime) -> None:
        self._visits += 1
        number = f"{self.one.visit('F')}-{self._visits}"
        await self.hands.hear(messages.visit(self.one, sender, number, began))
        self.diary.visits.append(began)
