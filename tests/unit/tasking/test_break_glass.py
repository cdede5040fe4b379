"""The loop that an emergency access wants, and a protocol that is about one."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.tasking.domain.loop import Evidence, EvidenceKind, LoopState, loop_id
from services.tasking.domain.plan import GlassFacts, LoopPlan, PlanState, Subject, plan_loop
from services.tasking.domain.protocol import parse_protocol, shipped_protocols, validate_protocol
from services.tasking.domain.reconcile import reconcile
from services.tasking.domain.task import TaskState
from services.tasking.domain.words import vocabulary
from tests.unit.tasking.hospital import directory
from tests.unit.tasking.record import ALIVE, CHICAGO, FACILITY, PATIENT, PROTOCOL, at, stay

TEXT = next(text for text in shipped_protocols() if "key: break-glass-review" in text)
REVIEW = parse_protocol(TEXT, 1)
OFFICER = UUID(int=77)
FRIDAY = at("2026-09-04 17:40")
GLASS = GlassFacts(
    id=UUID(int=50),
    facility_id=FACILITY,
    patient_id=PATIENT,
    opened_at=FRIDAY,
    is_part2_emergency=False,
    uses_in_30_days=1,
    reviewed_at=None,
    reviewed_by_id=None,
)
REVIEWED = replace(GLASS, reviewed_at=FRIDAY + timedelta(hours=1), reviewed_by_id=OFFICER)


def planned(glass: GlassFacts, protocol=REVIEW) -> LoopPlan:
    plan = plan_loop(protocol, glass, CHICAGO)
    assert plan is not None
    return plan


def changes(glass, loop=None, tasks=(), now=FRIDAY):
    return reconcile(planned(glass), loop, tasks, directory(), about=glass, now=now)


def test_each_is_reviewed_by_the_end_of_the_next_business_day():
    plan = planned(GLASS)
    (step,) = plan.steps
    assert (step.key, step.role) == ("review", "privacy_officer")
    assert step.due_at == at("2026-09-08 23:59:59")  # over a weekend and Labor Day
    assert plan.why.startswith("Somebody saw a patient in an emergency on 2026-09-04")
    assert plan.closes_when == ("A privacy officer has said what they found.",)
    assert (plan.about, plan.subject_id) == ("break_glass", GLASS.id)


def test_the_third_within_thirty_days_tells_the_first_rung_at_once():
    (step,) = planned(replace(GLASS, uses_in_30_days=3)).steps
    assert (step.key, step.rungs[0].at, step.rungs[0].notify) == (
        "review_at_once",
        FRIDAY,
        "privacy_officer",
    )
    (usual,) = planned(replace(GLASS, uses_in_30_days=2)).steps
    assert usual.rungs[0].at > FRIDAY


def test_a_protocol_is_about_visits_or_about_emergencies():
    visit = Subject(encounter=stay(), patient=ALIVE, others=())
    for text in (TEXT, PROTOCOL.text):
        always = parse_protocol(text)
        trigger = replace(always.trigger, when=vocabulary().compile("true"))
        always = replace(always, trigger=trigger)
        of_visit, of_glass = (plan_loop(always, each, CHICAGO) for each in (visit, GLASS))
        assert (of_visit is None) is (text is TEXT)
        assert (of_glass is None) is (text is not TEXT)


def test_the_review_closes_it_and_is_its_evidence():
    opened = changes(GLASS)
    assert opened.loop.id == loop_id("break-glass-review", GLASS.id)
    assert opened.loop.is_open
    after = changes(REVIEWED, opened.loop, opened.tasks).loop
    assert (after.state, after.close_reason) == (LoopState.CLOSED, "REVIEWED")
    assert after.evidence == (
        Evidence(
            kind=EvidenceKind.REVIEW,
            description="A privacy officer has said what they found.",
            source_id=GLASS.id,
            at=REVIEWED.reviewed_at,
            staff_id=OFFICER,
        ),
    )
    again = changes(REVIEWED, after, opened.tasks)
    assert again.loop is None


def test_reviewed_before_it_was_planned_it_opens_nothing():
    assert planned(REVIEWED).state is PlanState.CLOSED
    assert changes(REVIEWED).loop is None


def test_tasks_that_were_done_all_the_same_close_nothing():
    opened = changes(GLASS)
    done = [
        replace(task, state=TaskState.COMPLETED, closed_at=FRIDAY, completed_by_id=OFFICER)
        for task in opened.tasks
    ]
    after = changes(GLASS, opened.loop, done).loop or opened.loop
    assert after.is_open


@pytest.mark.parametrize(
    ("old", "new", "path", "problem"),
    [
        ("glass.uses_in_30_days <= 2", "encounter.is_discharged", "steps.review.when", "encounter"),
        ("when: glass.is_reviewed", "when: other.is_discharged", "closes.0.when", "other"),
        ("after: opening", "after: discharge", "key_dates.review_due.deadline.after", "discharge"),
        ("at: review", "at: death", "closes.0.at", "death"),
        ("{opening}", "{admission}", "why.0.text", "{admission}"),
        (
            "    role: privacy_officer\n",
            "    role: privacy_officer\n    outcomes: [{key: ok, title: Ok}]\n",
            "steps.review.outcomes",
            "A review is not completed by hand",
        ),
    ],
)
def test_what_it_cannot_speak_of_is_named(old, new, path, problem):
    found = validate_protocol(TEXT.replace(old, new, 1))
    assert [(each.path, each.problem.startswith(problem)) for each in found] == [(path, True)]


def test_a_visit_has_no_opening():
    text = PROTOCOL.text.replace("after: discharge", "after: opening", 1)
    assert "opening is not known here" in {each.problem for each in validate_protocol(text)}
