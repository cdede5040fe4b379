"""Minutes and what could be billed, as they travel."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from carehub.tasking.v1 import claim_pb2, time_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_datetime, to_timestamp
from services.tasking.convert import labels_to_proto
from services.tasking.domain.billing import billing_rules, rule_on
from services.tasking.domain.claims import Candidate, Check, Decision, Mdm, Shown
from services.tasking.domain.loop import Loop, LoopState
from services.tasking.domain.time_ledger import MonthTotal, TimeEntry

Level = claim_pb2.MedicalDecision.Level


def entry_to_proto(entry: TimeEntry) -> time_pb2.TimeEntry:
    return time_pb2.TimeEntry(
        id=str(entry.id),
        facility_id=str(entry.facility_id),
        patient_id=str(entry.patient_id),
        staff_id=str(entry.staff_id),
        role_class=entry.role_class,
        program=entry.program,
        start_time=to_timestamp(entry.start_at),
        end_time=to_timestamp(entry.end_at),
        activity=entry.activity,
        is_face_to_face=entry.is_face_to_face,
        is_interactive=entry.is_interactive,
        task_id=_id(entry.task_id),
        labels=labels_to_proto(entry.labels),
        record_time=to_timestamp(entry.recorded_at),
        revision=entry.revision,
        replaces_id=_id(entry.replaces_id),
        reason=entry.reason,
        is_withdrawn=entry.is_withdrawn,
    )


def totals_to_proto(totals: Iterable[MonthTotal]) -> list[time_pb2.TimeTotal]:
    return [
        time_pb2.TimeTotal(
            month=f"{each.month:%Y-%m}",
            program=each.program,
            role_class=each.role_class,
            minutes=each.minutes,
            codes=_enough_for(each),
        )
        for each in totals
    ]


def _enough_for(total: MonthTotal) -> tuple[str, ...]:
    """Codes for the minutes of chronic care, by the rule of the month. What else they ask for is not looked at."""
    rule = rule_on(billing_rules().ccm, total.month) if total.program == "ccm" else None
    return rule.codes(total.minutes, total.role_class) if rule else ()


def to_program(value: str, otherwise: str = "other") -> str:
    """A program that minutes can belong to."""
    return _one_of("program", "PROGRAM_UNKNOWN", value or otherwise, billing_rules().programs)


def to_activity(value: str, otherwise: str = "other") -> str:
    return _one_of("activity", "ACTIVITY_UNKNOWN", value or otherwise, billing_rules().activities)


def _one_of(field: str, reason: str, value: str, known: frozenset[str]) -> str:
    if value not in known:
        options = ", ".join(sorted(known))
        raise InvalidArgument(reason, f"Choose one of: {options}.", field=field)
    return value


def to_times(told: time_pb2.TimeEntry) -> tuple[datetime, datetime]:
    """From when until when. Both have to be told."""
    for field in ("start_time", "end_time"):
        if not told.HasField(field):
            raise InvalidArgument("TIME_MISSING", "Say from when until when.", field=field)
    return to_datetime(told.start_time), to_datetime(told.end_time)


def to_spent(told: time_pb2.TimeSpent, until: datetime) -> tuple[datetime, datetime]:
    """From when until when: told so, or as so many minutes up to what was done."""
    if told.minutes > 0 and not told.HasField("start_time") and not told.HasField("end_time"):
        return until - timedelta(minutes=min(told.minutes, 24 * 60)), until
    if told.minutes == 0 and told.HasField("start_time") and told.HasField("end_time"):
        return to_datetime(told.start_time), to_datetime(told.end_time)
    raise InvalidArgument(
        "TIME_AMBIGUOUS", "Tell either minutes, or start_time and end_time.", field="time_spent"
    )


def to_mdm(level: Level.ValueType) -> Mdm:
    name = Level.Name(level).removeprefix("LEVEL_")
    if name == "UNSPECIFIED":
        raise InvalidArgument("LEVEL_MISSING", "Say how hard the decisions were.", field="level")
    return Mdm(name)


def decision_to_proto(decision: Decision) -> claim_pb2.MedicalDecision:
    return claim_pb2.MedicalDecision(
        loop_id=str(decision.loop_id),
        level=Level.Value(f"LEVEL_{decision.mdm}"),
        is_billed_elsewhere=decision.is_billed_elsewhere,
        is_global_period=decision.is_global_period,
        staff_id=str(decision.staff_id),
        time=to_timestamp(decision.said_at),
    )


def candidate_to_proto(
    found: Candidate, loop: Loop, decision: Decision | None
) -> claim_pb2.ClaimCandidate:
    return claim_pb2.ClaimCandidate(
        loop_id=str(loop.id),
        facility_id=str(loop.facility_id),
        patient_id=str(loop.patient_id),
        code=found.code,
        reasons=found.reasons,
        service_date=_date(found.service_on) if found.service_on else None,
        rules_version=found.rules_version,
        effective_from=found.effective_from.isoformat() if found.effective_from else "",
        effective_to=found.effective_to.isoformat() if found.effective_to else "",
        trace=[_check(each) for each in found.trace],
        evidence=[_evidence(each) for each in found.evidence],
        decision=decision_to_proto(decision) if decision else None,
        discharge_time=_left_at(loop),
    )


def _left_at(loop: Loop) -> Timestamp | None:
    is_taken_back = loop.state is LoopState.CANCELLED
    return to_timestamp(loop.anchor_at) if loop.anchor_at and not is_taken_back else None


def _check(check: Check) -> claim_pb2.ClaimCheck:
    return claim_pb2.ClaimCheck(
        rule=check.rule, finding=check.finding, holds=check.holds, source_id=_id(check.source_id)
    )


def _evidence(shown: Shown) -> claim_pb2.ClaimEvidence:
    return claim_pb2.ClaimEvidence(
        kind=shown.kind,
        source_id=str(shown.source_id),
        time=to_timestamp(shown.at),
        staff_id=_id(shown.staff_id),
    )


def _date(day: date) -> date_pb2.Date:
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def _id(value: UUID | None) -> str:
    return str(value) if value else ""
