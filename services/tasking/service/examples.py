"""Made-up visits as they are asked for, and dry runs as they are answered."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from carehub.registry.v1 import encounter_pb2
from carehub.tasking.v1 import dry_run_pb2
from google.type import date_pb2

from libs.calendars.calendar import Calendar
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_timestamp
from services.tasking.convert import task_to_proto
from services.tasking.domain.dry_run import EXAMPLE, DayCounted, DryRun
from services.tasking.domain.labels import ORDINARY
from services.tasking.domain.owner import Directory
from services.tasking.domain.plan import EncounterFacts, PatientFacts
from services.tasking.domain.task import Task

CLASSES = tuple(
    name.removeprefix("CLASS_")
    for name in encounter_pb2.Encounter.Class.keys()  # noqa: SIM118
)
STATES = tuple(
    name.removeprefix("STATE_")
    for name in encounter_pb2.Encounter.State.keys()  # noqa: SIM118
    if name != "STATE_UNSPECIFIED"
)


def dry_run_task_to_proto(task: Task, directory: Directory) -> dry_run_pb2.DryRunTask:
    """A task that would be there, with the names of those who would hear of it."""
    levels = []
    for rung in task.rungs:
        told = directory.recipients(rung.notify, task.owner, task.facility_id)
        people = [person for each in told if (person := directory.person(each))]
        levels.append(
            dry_run_pb2.DryRunLevel(
                level=rung.level,
                time=to_timestamp(rung.at),
                notify=rung.notify,
                channels=rung.channels,
                recipients=[person.display_name for person in people],
            )
        )
    return dry_run_pb2.DryRunTask(task=task_to_proto(task, directory), levels=levels)


def dry_run_days_to_proto(days: Iterable[DayCounted]) -> list[dry_run_pb2.DryRunDay]:
    return [
        dry_run_pb2.DryRunDay(
            date=date_pb2.Date(year=day.on.year, month=day.on.month, day=day.on.day),
            is_business_day=day.is_business_day,
            holiday=day.holiday,
            clock_change_minutes=day.clock_change // timedelta(minutes=1),
        )
        for day in days
    ]


def dry_run_notices_to_proto(tried: DryRun) -> list[dry_run_pb2.DryRunNotice]:
    return [
        dry_run_pb2.DryRunNotice(reason=n.reason, step=n.step, detail=n.detail)
        for n in tried.notices
    ]


def example_to_proto(facts: EncounterFacts, calendar: Calendar) -> dry_run_pb2.ExampleEncounter:
    return dry_run_pb2.ExampleEncounter(
        visit_class=facts.visit_class,
        state=facts.state,
        local_admit_time=_wall_clock(facts.admitted_at, calendar),
        local_discharge_time=_wall_clock(facts.discharged_at, calendar),
        discharge_disposition=facts.disposition,
        diagnoses=facts.diagnoses,
        admission_type=facts.admission_type,
    )


def _wall_clock(at: datetime | None, calendar: Calendar) -> str:
    return f"{calendar.local(at):%Y-%m-%dT%H:%M}" if at else ""


def to_example(
    field: str,
    told: dry_run_pb2.ExampleEncounter,
    calendar: Calendar,
    *,
    encounter_id: UUID,
    facility_id: UUID,
) -> EncounterFacts:
    """A made-up visit of the patient who was made up with it."""
    discharged_at = _instant(f"{field}.local_discharge_time", told.local_discharge_time, calendar)
    admitted_at = _instant(f"{field}.local_admit_time", told.local_admit_time, calendar)
    if admitted_at and discharged_at and discharged_at < admitted_at:
        raise InvalidArgument(
            "EXAMPLE_ENDS_BEFORE_IT_BEGINS",
            "The discharge is before the admission.",
            field=f"{field}.local_discharge_time",
        )
    state = told.state or ("FINISHED" if discharged_at else "IN_PROGRESS")
    return EncounterFacts(
        id=encounter_id,
        facility_id=facility_id,
        patient_id=EXAMPLE,
        visit_class=_known(f"{field}.visit_class", told.visit_class or "INPATIENT", CLASSES),
        state=_known(f"{field}.state", state, STATES),
        admitted_at=admitted_at,
        discharged_at=discharged_at,
        disposition=told.discharge_disposition.strip(),
        diagnoses=tuple(told.diagnoses),
        admission_type=told.admission_type.strip(),
        labels=ORDINARY,
    )


def to_example_patient(told: dry_run_pb2.ExamplePatient, calendar: Calendar) -> PatientFacts:
    died_at = _instant("patient.local_death_time", told.local_death_time, calendar)
    return PatientFacts(
        is_deceased=died_at is not None, died_at=died_at, language=told.language.strip()
    )


def _instant(field: str, text: str, calendar: Calendar) -> datetime | None:
    """A wall-clock time of the facility as the moment that it is. Of an hour that comes twice, the first."""
    if not text:
        return None
    try:
        return calendar.at_wall_clock(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise InvalidArgument(
            "LOCAL_TIME_INVALID", "Write it as 2026-09-04T17:40.", field=field
        ) from None


def _known(field: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise InvalidArgument("EXAMPLE_UNKNOWN", f"Choose one of: {', '.join(known)}.", field=field)
    return value
