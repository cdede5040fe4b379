"""A protocol's text followed for a made-up encounter, without a trace."""

from collections.abc import Sequence
from uuid import UUID

from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.calendars.calendar import Calendar, calendar_for
from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument, NotFound
from libs.chassis.fields import to_uuid
from services.tasking.convert import loop_to_proto, problem_to_proto
from services.tasking.domain.dry_run import EXAMPLE, dry_run, hardest_example
from services.tasking.domain.plan import Subject
from services.tasking.domain.protocol import Protocol, ProtocolInvalid, parse_protocol
from services.tasking.domain.protocol_text import ProtocolProblem
from services.tasking.service.examples import (
    dry_run_days_to_proto,
    dry_run_notices_to_proto,
    dry_run_task_to_proto,
    example_to_proto,
    to_example,
    to_example_patient,
)
from services.tasking.store import DirectoryStore, ProtocolStore

MOST_OTHERS = 10


async def run_dry(request: rpc.DryRunProtocolRequest, call: Call) -> rpc.DryRunProtocolResponse:
    """What the text would do for the example; or what is wrong with the text."""
    protocol, problems = await _read(request.text, call)
    facility_id = to_uuid("facility_id", request.facility_id)
    directory = await DirectoryStore(call.tx).at([facility_id])
    facility = directory.facilities.get(facility_id)
    if facility is None or facility_id not in call.facilities:
        raise NotFound("FACILITY_NOT_FOUND", "There is no such facility, or it is not yours.")
    if protocol is None:
        problems_told = [problem_to_proto(each) for each in problems]
        return rpc.DryRunProtocolResponse(problems=problems_told)
    calendar = calendar_for(facility.time_zone, facility.holiday_calendar)
    subject = _subject(request, calendar, facility_id, call)
    tried = dry_run(protocol, subject, calendar, directory)
    return rpc.DryRunProtocolResponse(
        version=protocol.version,
        encounter=example_to_proto(subject.encounter, calendar),
        loop=loop_to_proto(tried.loop, directory) if tried.loop else None,
        tasks=[dry_run_task_to_proto(task, directory) for task in tried.tasks],
        days=dry_run_days_to_proto(tried.days),
        notices=dry_run_notices_to_proto(tried),
        none_reason=tried.none_reason or "",
    )


async def _read(text: str, call: Call) -> tuple[Protocol | None, Sequence[ProtocolProblem]]:
    """The protocol with the version that its text has or would get."""
    try:
        protocol = parse_protocol(text)
    except ProtocolInvalid as error:
        return None, error.problems
    newest = await ProtocolStore(call.tx).find(protocol.key)
    if newest is None:
        return parse_protocol(text, 1), ()
    return parse_protocol(text, newest.version + (newest.text != text)), ()


def _subject(
    request: rpc.DryRunProtocolRequest, calendar: Calendar, facility_id: UUID, call: Call
) -> Subject:
    if len(request.others) > MOST_OTHERS:
        raise InvalidArgument(
            "TOO_MANY_EXAMPLES", f"At most {MOST_OTHERS} other visits.", field="others"
        )
    if request.HasField("encounter"):
        encounter = to_example(
            "encounter", request.encounter, calendar, encounter_id=EXAMPLE, facility_id=facility_id
        )
    else:
        today = calendar.local_date(call.tx.at)
        encounter = hardest_example(facility_id, calendar, today)
    others = (
        to_example(
            f"others.{at}", other, calendar, encounter_id=UUID(int=at + 1), facility_id=facility_id
        )
        for at, other in enumerate(request.others)
    )
    return Subject(
        encounter=encounter,
        patient=to_example_patient(request.patient, calendar),
        others=tuple(others),
    )
