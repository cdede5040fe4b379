"""Steps 10 and 11: what was worked, what could be billed, and what moved in the measures."""

from functools import partial
from typing import Any

from libs.local.story.tale import Tale

_MEASURES = {
    "contact-2-business-days": "STATUS_MET",
    "follow-up-7-days": "STATUS_MET",
    "follow-up-14-days": "STATUS_MET",
    "readmission-30-days": "STATUS_NOT_MET",
    "referral-closed": "STATUS_MET",
}


async def is_counted(tale: Tale) -> None:
    """10: the ledger of minutes, and the claim that could be made."""
    stage = tale.stage
    listed = await stage.get(
        "coordinator", "/v1/timeEntries", patientId=tale.patient_id, pageSize=100
    )
    entries = listed.get("entries", [])
    stage.check(len(entries) >= 4, "every minute that was told is in the ledger")
    stage.check(all(entry["staffId"] for entry in entries), "and whose it was")
    decided = {"level": "LEVEL_HIGH"}
    await stage.post("physician", f"/v1/claimCandidates/{tale.transition_id}:decide", **decided)
    claim = await stage.get("coordinator", f"/v1/claimCandidates/{tale.transition_id}")
    stage.check(
        claim.get("code") == "99496", f"it is 99496 ({claim.get('code')}; {claim.get('reasons')})"
    )
    stage.check(bool(claim["evidence"]) and bool(claim["trace"]), "with everything that shows it")
    for check in claim["trace"]:
        stage.tell(f"{'yes' if check.get('holds') else 'no'}: {check['finding']}")
    stage.tell(
        f"{len(entries)} entries of the ledger; claim candidate {claim['code']}, rules {claim['rulesVersion']}."
    )
    tale.seen |= {"entries": entries, "claim": claim}
    await stage.look(
        f"/patients/{tale.patient_id}", "coordinator", "the transition, with its evidence"
    )


async def is_measured(tale: Tale) -> None:
    """11: analytics."""
    stage = tale.stage
    # A unit counts when its window is closed: thirty days after a discharge, ninety after a referral was sent.
    closed_at = tale.day(96, 0, 5)
    stage.forward_to(closed_at)
    stage.tell(f"It is {closed_at:%A, %B} {closed_at.day}: every window of hers is closed.")
    units = {
        key: await stage.until(f"{key} counts her: {status}", partial(_unit, tale, key, status))
        for key, status in _MEASURES.items()
    }
    measures = {m["key"]: m for m in (await stage.get("analyst", "/v1/measures"))["measures"]}
    for key, unit in units.items():
        rate, status = measures[key]["rate"], unit["status"].removeprefix("STATUS_").lower()
        if measures[key]["better"] == "BETTER_LESS":
            status = {"met": "happened", "not_met": "did not happen"}.get(status, status)
        of = f"{rate.get('numerator', 0)} of {rate.get('denominator', 0)}"
        stage.tell(f"{measures[key]['title']}: {of} (hers: {status.replace('_', ' ')})")
        stage.check(bool(measures[key]["definition"]), f"{key} says exactly what it counts")
    tale.seen["units"] = units
    await stage.look(
        "/measures", "coordinator", "each opens to its definition and to the patients behind it"
    )


async def _unit(tale: Tale, key: str, status: str) -> Any:
    listed = await tale.stage.get("coordinator", f"/v1/measures/{key}/units", pageSize=500)
    mine = (unit for unit in listed.get("units", []) if unit.get("patientId") == tale.patient_id)
    return next((unit for unit in mine if unit["status"] == status), None)
