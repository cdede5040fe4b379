"""Steps 1 to 4: she is in hospital and goes home, is scored, her transition is followed, and her plan is made."""

from datetime import timedelta
from typing import Any

from libs.local.story.tale import QUESTION, TRANSITION, Tale, staff_id, utc

_STAY_HOME = ("contact", "home_visit", "medication_reconciliation", "visit")
_WORKLISTS = {"nurse": "contact", "chw": "home_visit", "pharmacist": "medication_reconciliation", "scheduler": "visit"}  # fmt: skip
_BEFORE = "metformin 500 mg tablet, twice a day\nlisinopril 10 mg tablet, once a day\nibuprofen 400 mg tablet, three times a day"
_AFTER = "metformin 500 mg tablet, twice a day\nlisinopril 20 mg tablet, once a day\nfurosemide 40 mg tablet, once a day"
# What the pharmacist decides about what differs, by the name's beginning.
_DECISIONS = {"lisinopril": "CHANGE", "furosemide": "ASK", "ibuprofen": "STOP"}


async def arrives_and_goes_home(tale: Tale) -> None:
    """1: interop and registry."""
    stage, patient = tale.stage, tale.patient
    admitted, sent_home = tale.day(-4, 9, 15), tale.day(0, 17, 40)
    stage.forward_to(admitted + timedelta(minutes=2))
    began = tale.clinic_day(-24, 10, 0)
    await stage.hear(
        patient.at_clinic("A04", began),
        patient.at_clinic("A03", began, ended=began + timedelta(minutes=25)),
        patient.at_home(tale.clinic_day(-10, 11, 0)),
    )
    known = await stage.until(
        "the clinic's record is there", lambda: _found(tale, patient.clinic_number)
    )
    await stage.hear(patient.at_hospital("A01", admitted))

    async def joined() -> Any:
        found = await _found(tale, patient.hospital_number)
        return found if found and found["id"] == known["id"] else None

    record = await stage.until("the hospital's patient is the clinic's", joined)
    tale.patient_id = record["id"]
    await stage.until("her numbers are all in one record", lambda: _joined_by_all(tale))
    inside = await stage.until(
        "a loop follows the stay", lambda: tale.loop(TRANSITION, state="STATE_OPEN")
    )
    stage.tell(
        f"Her clinic knows her as {patient.clinic_number}, her neighbors as {patient.neighbors_number}, the hospital as {patient.hospital_number}: one record.",
        "Admitted with heart failure and diabetes. The way home is planned from the first day.",
    )
    stage.forward_to(sent_home + timedelta(minutes=2))
    await stage.hear(patient.at_hospital("A03", admitted, ended=sent_home))

    async def home() -> Any:
        loop = await tale.loop(TRANSITION, state="STATE_OPEN")
        return loop if loop and loop.get("anchorTime") else None

    loop = await stage.until("the loop counts from the discharge", home)
    stage.check(loop["id"] == inside["id"], "it is the same loop")
    tale.transition_id, tale.encounter_id = loop["id"], loop["encounterId"]
    stage.tell(
        "Friday, 17:40: she is sent home. Both messages were acknowledged when they were safe."
    )
    await stage.look(f"/patients/{tale.patient_id}", "coordinator", "her record, with one timeline")


async def _joined_by_all(tale: Tale) -> Any:
    """Her record, once it has the numbers of the hospital, the clinic and the neighbors."""
    record = await tale.stage.get("coordinator", f"/v1/patients/{tale.patient_id}")
    tale.seen["numbers"] = sorted(number["value"] for number in record["identifiers"])
    patient = tale.patient
    wanted = {patient.clinic_number, patient.neighbors_number, patient.hospital_number}
    return record if wanted <= set(tale.seen["numbers"]) else None


async def _found(tale: Tale, number: str) -> Any:
    body = await tale.stage.post("coordinator", "/v1/patients:search", text=number)
    found = body.get("patients", [])
    return found[0] if len(found) == 1 else None


async def is_scored(tale: Tale) -> None:
    """2: analytics."""
    stage = tale.stage

    async def scored() -> Any:
        listed = await stage.get("coordinator", "/v1/risks", patientId=tale.patient_id)
        scores = {each["instrument"]: each for each in listed.get("risks", [])}
        if not {"LACE", "HOSPITAL"} <= scores.keys():
            return None
        # While she was in hospital it was less: each day of the stay counts.
        return scores if scores["LACE"]["score"] >= 10 else None

    scores = await stage.until("LACE is 10 or more, a high risk, and HOSPITAL is there", scored)
    for name, score in sorted(scores.items()):
        terms = ", ".join(
            f"{t['key']} {t.get('points', 0)}" for t in score["terms"] if not t.get("isMissing")
        )
        stage.tell(
            f"{name}: {score['score']} ({terms}){', partial' if score.get('isPartial') else ''}"
        )
        stage.check(
            score["score"] == sum(term.get("points", 0) for term in score["terms"]),
            f"the terms of {name} add up",
        )
    tale.seen["scores"] = scores
    await stage.look(
        f"/patients/{tale.patient_id}", "coordinator", "coming back: each score with its terms"
    )


async def is_followed(tale: Tale) -> None:
    """3: tasking."""
    stage = tale.stage

    async def planned() -> Any:
        tasks = await tale.tasks(tale.transition_id)
        return tasks if tasks.keys() >= set(_STAY_HOME) else None

    tasks = await stage.until("the steps after the discharge are there", planned)
    due = {step: _day(tasks[step]["dueDate"]) for step in _STAY_HOME}
    second = tale.day(5, 0, 0)  # Saturday, Sunday and the holiday do not count
    stage.check(
        due["contact"] == f"{second:%Y-%m-%d}",
        "the call is due on Wednesday: the holiday does not count",
    )
    stage.check(
        due["home_visit"] == f"{tale.day(3, 0, 0):%Y-%m-%d}",
        "the home visit is due within 72 hours",
    )
    stage.check(due["visit"] == f"{tale.day(7, 0, 0):%Y-%m-%d}", "the visit is due within 7 days")
    for account, step in _WORKLISTS.items():
        mine = await stage.get(
            account, "/v1/tasks", scope="SCOPE_MY_TEAMS", patientId=tale.patient_id
        )
        task = next((each for each in mine.get("tasks", []) if each["step"] == step), None)
        stage.check(task is not None, f"{step} is on the worklist of {account}")
        stage.tell(
            f"{account}: {tasks[step]['title']}, by {due[step]} ({tasks[step]['owner']['displayName']})"
        )
    stage.tell(tasks["contact"]["dueExplanation"])
    stage.check(
        all(task["owner"].get("accountableStaffId") for task in tasks.values()),
        "every task has an owner",
    )
    tale.seen["due"] = due
    await stage.look("/worklist", "nurse", "what she has to do, and by when")


def _day(date: Any) -> str:
    return f"{date['year']:04}-{date['month']:02}-{date['day']:02}"


async def is_planned(tale: Tale) -> None:
    """4: careplans."""
    stage = tale.stage
    await _plan(tale)
    reconciliation = await _compared(tale)
    for line in reconciliation["lines"]:
        decision = next(
            (d for name, d in _DECISIONS.items() if _name(line).lower().startswith(name)),
            "CONTINUE",
        )
        await _decide(tale, reconciliation["id"], line, decision)
        stage.tell(f"{_name(line)}: {decision.lower()}")
    signed = await stage.post("pharmacist", f"/v1/reconciliations/{reconciliation['id']}:sign")
    stage.check(
        signed["state"] == "STATE_SIGNED" and signed["unansweredCount"] == 1,
        "it is signed, with one question",
    )
    done = await tale.task(tale.transition_id, "medication_reconciliation", "COMPLETED")
    stage.check(
        not done.get("completedById"),
        "the signed reconciliation completes the task, and nobody's word",
    )
    asked = await stage.until(
        "the question has a loop", lambda: tale.loop(QUESTION, state="STATE_OPEN")
    )
    question = await tale.task(asked["id"], "ask_physician")
    stage.tell(
        f"The question is a task of {question['owner']['displayName']}; the physician answers."
    )
    answer = {"decision": "DECISION_CONTINUE", "answer": "Yes, and check potassium at the visit."}
    line_id = next(line["id"] for line in signed["lines"] if line.get("decision") == "DECISION_ASK")
    await stage.post(
        "physician", f"/v1/reconciliations/{reconciliation['id']}/lines/{line_id}:answer", **answer
    )
    await tale.closed(QUESTION, "ANSWERED")
    await stage.look(
        f"/patients/{tale.patient_id}/plan",
        "pharmacist",
        "the plan, and the medicines line by line",
    )


async def _plan(tale: Tale) -> None:
    stage = tale.stage

    async def opened() -> Any:
        listed = await stage.get("coordinator", "/v1/carePlans", patientId=tale.patient_id)
        return next(
            (p for p in listed.get("carePlans", []) if p.get("loopId") == tale.transition_id), None
        )

    plan = await stage.until("the plan is opened by its template", opened)
    tale.plan_id = plan["id"]
    path = f"/v1/carePlans/{plan['id']}"
    goal = {"text": "Volver a cuidar mis gallinas", "language": "es", "isPatientsOwn": True, "measure": "Walks to the coop and back", "dueDate": _date(tale.day(29, 0, 0))}  # fmt: skip
    await stage.post("coordinator", f"{path}/goals", goal=goal)
    activity = {"title": "Draw blood for potassium at the visit", "facilityId": tale.clinic_id, "role": "nurse", "dueTime": utc(tale.day(7, 17, 0))}  # fmt: skip
    plan = await stage.post("coordinator", f"{path}/activities", activity=activity)
    wishes = {"patientId": tale.patient_id, "facilityId": tale.hospital_id, "language": "es", "telephone": "TELEPHONE_CALLS_AND_TEXTS", "bestFrom": "09:00", "bestUntil": "20:00", "reading": "READING_SIMPLE"}  # fmt: skip
    await stage.patch("coordinator", "/v1/preferences", **wishes)
    await _team(tale, plan)
    stage.check(
        all(g.get("ownerId") and g.get("dueDate") for g in plan["goals"]),
        "every goal has an owner and a day",
    )
    stage.tell(
        f"“{plan['title']}”: {len(plan['goals'])} goals, {len(plan['activities'])} activities.",
        "She speaks Spanish, has a telephone without apps, and is called from 9 to 20 o'clock.",
    )


async def _team(tale: Tale, plan: Any) -> None:
    """Nobody put it together: it follows from who has the tasks, and from who has seen her before."""
    stage = tale.stage
    stage.check(
        plan["coordinatorId"] == staff_id("coordinator"), "the plan has one coordinator, by name"
    )
    coordinators = [m["memberId"] for m in plan["team"] if m.get("isCoordinator")]
    stage.check(coordinators == [plan["coordinatorId"]], "she is the only one on the care team")
    stage.check(all(a.get("ownerId") for a in plan["activities"]), "every activity has an owner")
    places = {each["facilityId"] for each in plan["activities"]}
    stage.check(
        places == {tale.hospital_id, tale.clinic_id, tale.neighbors_id},
        "hospital, clinic and neighbors each have something to do",
    )
    seen = await stage.get("neighbor", f"/v1/carePlans/{plan['id']}")
    own = [each["title"] for each in seen["activities"] if each.get("isOwn")]
    stage.check(len(own) == 1, "the neighbors see the plan, and what is theirs to do")
    tale.seen["team"] = plan["team"]
    names = {each["id"]: each["displayName"] for each in await _staff(tale)}
    stage.tell(
        f"{names[plan['coordinatorId']]} coordinates; {len(plan['team'])} are on the care team, of three organizations.",
        f"The neighbors: {own[0]}.",
    )


async def _staff(tale: Tale) -> Any:
    return (await tale.stage.get("coordinator", "/v1/staff", pageSize=500)).get("staff", [])


def _date(at: Any) -> dict[str, int]:
    return {"year": at.year, "month": at.month, "day": at.day}


async def _compared(tale: Tale) -> Any:
    stage = tale.stage
    for side, text, source in (
        ("BEFORE", _BEFORE, "clinic list and what she says"),
        ("AFTER", _AFTER, "discharge list"),
    ):
        body = {
            "encounterId": tale.encounter_id,
            "side": f"SIDE_{side}",
            "text": text,
            "source": source,
        }
        await stage.post("pharmacist", "/v1/medicineLists", **body)
    opened = await stage.post("pharmacist", "/v1/reconciliations", encounterId=tale.encounter_id)
    stage.check(len(opened["lines"]) == 4, "four medicines are on the two lists")
    return opened


def _name(line: Any) -> str:
    found: str = (line.get("after") or line.get("before"))["name"]
    return found


async def _decide(tale: Tale, reconciliation_id: str, line: Any, decision: str) -> None:
    body: dict[str, Any] = {"decision": f"DECISION_{decision}"}
    if decision == "ASK":
        due = utc(tale.stage.now() + timedelta(hours=20))
        body |= {
            "askRole": "physician",
            "askDueTime": due,
            "note": "With lisinopril doubled: is 40 mg meant?",
        }
    await tale.stage.post(
        "pharmacist", f"/v1/reconciliations/{reconciliation_id}/lines/{line['id']}:decide", **body
    )
