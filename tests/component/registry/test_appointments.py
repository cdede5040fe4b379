"""What facilities tell of appointments: whose they are is found as for visits, and the newest counts."""

from datetime import timedelta

from carehub.access.v1 import access_pb2
from carehub.interop.v1 import interop_events_pb2, report_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.registry.v1.registry_events_pb2 import ReportHandled

from libs.chassis.fields import to_timestamp
from tests.component.registry.conftest import START, identifier, person

TOLD = registry_events_pb2.AppointmentTold


async def tell(feed, trigger, hours, who, *, source=None, starts=None, program=False, **said):
    said = {"number": "A-1", "status": "BOOKED"} | said
    event = interop_events_pb2.AppointmentReported(
        source=source or feed.source(trigger, hours),
        person=who,
        appointment=report_pb2.ReportedAppointment(**said),
    )
    event.source.provenance.is_part2_program = program
    if starts is not None:
        at = to_timestamp(START + timedelta(hours=starts))
        event.appointment.start_time.CopyFrom(at)
    return await feed.report(event)


async def newest(feed):
    return (await feed.published(TOLD))[-1]


async def test_it_is_the_patients_whose_visits_are_known(registry):
    async with registry() as feed:
        who = person(identifier("1"))
        visited = await feed.visit("A01", 0, who)
        handled = await tell(feed, "S12", 1, who, starts=48, practitioner="Ada Quill")
        assert (handled.outcome, handled.patient_id) == (ReportHandled.OUTCOME_APPLIED, visited.patient_id)  # fmt: skip
        told = await newest(feed)
        assert (told.patient_id, told.number, told.status) == (visited.patient_id, "A-1", "BOOKED")
        assert (told.practitioner, told.version) == ("Ada Quill", 1)
        assert list(told.labels) == [access_pb2.LABEL_NORMAL]


async def test_somebody_new_becomes_a_patient(registry):
    async with registry() as feed:
        handled = await tell(feed, "S12", 1, person(identifier("7")), starts=48)
        assert handled.patient_id
        (known,) = await feed.published(registry_events_pb2.PatientChanged)
        assert known.patient.id == handled.patient_id
        nobody = await tell(feed, "S12", 1, report_pb2.ReportedPerson(), number="A-2", starts=1)
        assert (nobody.outcome, nobody.reason) == (ReportHandled.OUTCOME_PARKED, "PERSON_NOT_IDENTIFIED")  # fmt: skip


async def test_what_came_late_changes_nothing_and_what_repeats_is_a_duplicate(registry):
    async with registry() as feed:
        who = person(identifier("1"))
        source = feed.source("S15", 5, content="cancelled")
        await tell(feed, "S15", 5, who, source=source, status="CANCELLED", starts=48)
        late = await tell(feed, "S12", 1, who, starts=24)
        assert (late.outcome, late.reason) == (ReportHandled.OUTCOME_NO_OP, "NOTHING_NEW")
        again = feed.source("S15", 5, content="cancelled")
        repeated = await tell(feed, "S15", 5, who, source=again, status="CANCELLED", starts=48)
        assert (repeated.outcome, repeated.reason) == (ReportHandled.OUTCOME_NO_OP, "DUPLICATE")
        (told,) = await feed.published(TOLD)
        assert told.status == "CANCELLED"


async def test_one_of_a_program_is_the_programs(registry):
    async with registry() as feed:
        await tell(feed, "S12", 1, person(identifier("1")), starts=48, program=True)
        assert list((await newest(feed)).labels) == [access_pb2.LABEL_PART2]


async def test_one_without_a_number_is_answered_for(registry):
    async with registry() as feed:
        handled = await tell(feed, "S12", 1, person(identifier("1")), number=" ")
        assert (handled.outcome, handled.reason) == (ReportHandled.OUTCOME_PARKED, "REPORT_WITHOUT_NUMBER")  # fmt: skip
