"""A ride to the visit that stands for a missed one: one partner after the other is asked, each answers by a link."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from libs.simulator.afterwards import Afterwards, Outcome
from libs.simulator.stories.act import Act, What
from libs.simulator.stories.hub import Hub, NotNow
from libs.simulator.stories.somebody import Somebody

_WHO = "social-worker"
_ITEMS = ("FIRST_NAME", "TELEPHONE", "ADDRESS", "DESTINATION")
# Whoever is asked first, if they do not say yes. Nothing: they say nothing.
_FIRST = {Outcome.RIDE_REFUSED: "no_capacity", Outcome.RIDE_SILENT: ""}
_ASKED, _ACCEPTED = "STATE_REQUESTED", "STATE_ACCEPTED"


@dataclass(slots=True)
class Ride:
    """Of one patient, for the visit that an act names by its beginning."""

    hub: Hub
    plan: Afterwards
    one: Somebody
    here: str
    patient_id: str

    async def do(self, act: Act) -> list[Act]:
        does = {
            What.FIND_RIDE: self._find,
            What.ANSWER_RIDE: self._answer,
            What.END_RIDE: self._end,
        }
        return await does[act.what](act)

    async def _find(self, act: Act) -> list[Act]:
        """Ask the first that fits, with a consent that names all of them."""
        start = datetime.fromisoformat(act.detail)
        answer = replace(act, what=What.ANSWER_RIDE, at=act.at + timedelta(minutes=30))
        if await self._referrals():
            return [answer]
        begin, end = (
            (start - timedelta(hours=1)).isoformat(),
            (start + timedelta(hours=2)).isoformat(),
        )
        when = {"startTime": begin, "endTime": end}
        where = {
            "facilityId": self.here,
            "postalCode": "62701",
            "need": "transportation-insecurity",
        }
        found = await self.hub.post(_WHO, "/v1/directory/services:search", **where, **when) or {}
        fits = [match["service"]["id"] for match in found.get("matches", []) if match.get("fits")]
        loop = await self._missed_loop()
        if fits and loop:
            await self._ask(fits, loop, when)
            return [answer]
        return await self._otherwise(act)

    async def _ask(self, fits: list[str], loop: str, when: dict[str, str]) -> None:
        one = self.one
        details = {"firstName": one.given, "telephone": f"+1{one.phone}", "address": f"{100 + one.number} Pine St", "destination": "Mercy Regional Hospital", "postalCode": "62701", **when}  # fmt: skip
        wish = {"facilityId": self.here, "patientId": self.patient_id, "need": "transportation-insecurity", "serviceId": fits[0], "loopId": loop, "priority": "PRIORITY_URGENT", "autoNext": True, "details": details}  # fmt: skip
        consent = {"form": "FORM_VERBAL", "serviceIds": fits, "items": [f"ITEM_{i}" for i in _ITEMS], "witness": "Samuel Begay"}  # fmt: skip
        if draft := await self.hub.post(_WHO, "/v1/referrals", referral=wish):
            await self.hub.post(_WHO, f"/v1/referrals/{draft['id']}:send", consent=consent)

    async def _answer(self, act: Act) -> list[Act]:
        """What the partner says that is asked now; one that is silent is passed over by the hub when its time is up."""
        asked = [r for r in await self._referrals() if r["state"] == _ASKED]
        if not asked:
            return await self._settled(act)
        word = "yes" if asked[0].get("followsId") else _FIRST.get(self.plan.outcome, "yes")
        if not word:
            due = datetime.fromisoformat(asked[0]["answerDueTime"]) + timedelta(minutes=10)
            return [replace(act, at=max(due, act.at + timedelta(minutes=10)))]
        await self._says(asked[0]["id"], word)
        if word == "yes" and (await self._now(asked[0]["id"]))["state"] == _ASKED:
            await self._says(asked[0]["id"], "no_capacity")  # all drivers are taken at that time
        return [replace(act, at=act.at + timedelta(minutes=10))]

    async def _settled(self, act: Act) -> list[Act]:
        """Somebody drives, or nobody is left to be asked."""
        accepted = [r for r in await self._referrals() if r["state"] == _ACCEPTED]
        if not accepted:
            return await self._otherwise(act)
        start = datetime.fromisoformat(act.detail)
        comes = replace(act, what=What.COMES, at=start - timedelta(minutes=3), detail="MERCY")
        end = replace(act, what=What.END_RIDE, at=start + timedelta(hours=3))
        return [end] if self.plan.outcome is Outcome.RIDE_FAILED else [comes, end]

    async def _otherwise(self, act: Act) -> list[Act]:
        """No partner can: somebody of the family drives."""
        now = replace(act, what=What.DO, detail="arrange_ride/done")
        start = datetime.fromisoformat(act.detail) - timedelta(minutes=3)
        return [now, replace(act, what=What.COMES, at=start, detail="MERCY")]

    async def _end(self, act: Act) -> list[Act]:
        """The partner says what came of it; a ride that failed is the second visit missed, and no other is wanted."""
        has_failed = self.plan.outcome is Outcome.RIDE_FAILED
        for accepted in [r for r in await self._referrals() if r["state"] == _ACCEPTED]:
            await self._says(accepted["id"], "could_not" if has_failed else "done")
        if not has_failed:
            return []
        steps = ("ask_next/declined", "ask_why/declined")
        later = act.at + timedelta(minutes=30)
        return [replace(act, what=What.DO, at=later, detail=step) for step in steps]

    async def _says(self, referral_id: str, word: str) -> None:
        made = await self.hub.post(_WHO, f"/v1/referrals/{referral_id}:createLink")
        if made is None:
            raise NotNow("there is no link to be had")
        await self.hub.answered(made["url"], word)

    async def _now(self, referral_id: str) -> Any:
        return await self.hub.get(_WHO, f"/v1/referrals/{referral_id}")

    async def _referrals(self) -> list[Any]:
        listed = await self.hub.get(_WHO, "/v1/referrals", patientId=self.patient_id)
        found: list[Any] = listed.get("referrals", [])
        return found

    async def _missed_loop(self) -> str:
        listed = await self.hub.get(_WHO, "/v1/loops", patientId=self.patient_id)
        fits = (each for each in listed.get("loops", []) if each["protocol"] == "missed-visit")
        return next((str(each["id"]) for each in fits if each["state"] == "STATE_OPEN"), "")
