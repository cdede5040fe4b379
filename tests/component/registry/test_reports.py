"""From a report to the record, its events and its outcome."""

import random
from uuid import uuid4

import pytest
from carehub.interop.v1 import interop_events_pb2, report_pb2
from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_events_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from sqlalchemy import column, func, select, table

from libs.chassis.database import sql
from libs.chassis.wire import CallFailed
from libs.conveyor.inbox import Delivery
from services.registry.consumers import consumers
from services.registry.domain.matching import ExactMatcher
from tests.component.registry.conftest import HARBOR, MERCY, identifier, person

HANDLED = registry_events_pb2.ReportHandled
_reports = table("reports", column("outcome"))
_COUNT = sql(select(func.count()).select_from(_reports))


async def test_an_admission_and_a_discharge_become_one_patient_and_one_finished_visit(feed):
    who = person(identifier("1"))
    admitted = await feed.visit("A01", 0, who, location="3W^312^1")
    discharged = await feed.visit("A03", 50, who, discharge_disposition="01")

    assert admitted.outcome == discharged.outcome == HANDLED.OUTCOME_APPLIED
    assert admitted.patient_id == discharged.patient_id
    visit = await feed.call("GetEncounter", encounter_id=discharged.encounter_id)
    assert visit.state == encounter_pb2.Encounter.STATE_FINISHED
    assert getattr(visit, "class") == encounter_pb2.Encounter.CLASS_INPATIENT
    assert visit.discharge_time.seconds - visit.admit_time.seconds == 50 * 3600
    assert visit.discharge_disposition == "01"
    told = await feed.published(registry_events_pb2.EncounterChanged)
    assert [t.version for t in told] == [1, 2]
    assert told[-1].encounter == visit
    patients = await feed.published(registry_events_pb2.PatientChanged)
    assert [p.version for p in patients] == [1]
    assert list(patients[0].patient.facility_ids) == [str(MERCY)]


async def test_an_update_that_changes_nothing_publishes_nothing(feed):
    who = person(identifier("1"))
    await feed.visit("A01", 0, who)
    again = await feed.visit("A08", 1, who)

    assert again.outcome == HANDLED.OUTCOME_APPLIED
    assert len(await feed.published(registry_events_pb2.EncounterChanged)) == 1
    assert len(await feed.published(registry_events_pb2.PatientChanged)) == 1


async def test_events_that_are_not_followed_and_duplicates_are_no_ops_with_a_reason(feed):
    who = person(identifier("1"))
    first = interop_events_pb2.VisitReported(
        source=feed.source("A01", 0, content="the same"), person=who,
        visit=report_pb2.ReportedVisit(visit_number="V1", patient_class="I"),
    )  # fmt: skip
    twin = interop_events_pb2.VisitReported()
    twin.CopyFrom(first)
    twin.source.message_id = str(uuid4())

    assert (await feed.report(first)).reason == ""
    assert (await feed.report(twin)).reason == "DUPLICATE"
    assert (await feed.visit("A25", 2, who)).reason == "EVENT_NOT_FOLLOWED"
    assert (await feed.visit("A13", 3, who)).reason == "NOTHING_TO_CANCEL"
    unknown = report_pb2.ReportedPerson(names=[report_pb2.ReportedName(family="Nobody")])
    parked = await feed.person(4, unknown)
    assert (parked.outcome, parked.reason) == (HANDLED.OUTCOME_PARKED, "PERSON_NOT_IDENTIFIED")
    async with feed.hub.system("registry") as tx:
        assert await tx.one(_COUNT) == 5


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"facility_id": "Mercy"}, "ID_INVALID"),
        ({"event_time": Timestamp(seconds=2**60)}, "REPORT_UNREADABLE"),
    ],
)
async def test_a_report_that_cannot_be_read_is_answered_all_the_same(feed, broken, reason):
    source = feed.source("A01", 0)
    for name, value in broken.items():
        source.ClearField(name)
        source.MergeFrom(report_pb2.ReportSource(**{name: value}))
    spoiled = interop_events_pb2.VisitReported(source=source, person=person(identifier("1")))
    sound = feed.source("A01", 1)
    await feed.send(spoiled)
    assert (await feed.visit("A01", 1, person(identifier("2")), source=sound)).reason == ""
    parked = await feed.outcome(source.message_id)
    assert (parked.outcome, parked.reason) == (HANDLED.OUTCOME_PARKED, reason)


async def test_a_message_that_contradicts_its_numbers_is_parked_and_changes_nothing(feed):
    known = await feed.visit("A01", 0, person(identifier("1")))
    other = {"family": "Reyes", "given": "John", "birth_date": Date(year=1951), "sex": "M"}
    taken = person(identifier("1"), **other)
    parked = await feed.person(1, taken, facility=HARBOR)
    assert (parked.outcome, parked.reason) == (HANDLED.OUTCOME_PARKED, "PERSON_CONTRADICTS")
    with pytest.raises(CallFailed):
        await feed.call("GetPatient", feed.token(HARBOR), patient_id=known.patient_id)
    [told] = await feed.published(registry_events_pb2.PatientChanged)
    assert told.patient.names[0].family == "Okafor"


async def test_a_replayed_message_replaces_what_it_said_before(feed):
    who, message_id = person(identifier("1")), uuid4()
    wrong = feed.source("A01", 0, message_id=message_id)
    await feed.visit("A01", 0, who, source=wrong, visit_number="WRONG")
    right = feed.source("A01", 0, message_id=message_id, replay=1)
    handled = await feed.visit("A01", 0, who, source=right, visit_number="RIGHT")

    assert handled.version == 2
    listed = await feed.call("ListEncounters", patient_id=handled.patient_id)
    assert [e.visit_number for e in listed.encounters] == ["RIGHT"]
    told = await feed.published(registry_events_pb2.EncounterChanged)
    of_wrong = [t.encounter for t in told if t.encounter.visit_number == "WRONG"]
    assert of_wrong[-1].state == encounter_pb2.Encounter.STATE_CANCELLED


async def test_a_replay_of_a_message_that_came_twice_is_no_duplicate_of_its_duplicate(feed):
    who, message_id = person(identifier("1")), uuid4()
    said = report_pb2.ReportedVisit(visit_number="V1", patient_class="I")

    def sent(id, replay=0):
        source = feed.source("A01", 0, message_id=id, content="the same", replay=replay)
        return interop_events_pb2.VisitReported(source=source, person=who, visit=said)

    await feed.report(sent(message_id))
    assert (await feed.report(sent(uuid4()))).reason == "DUPLICATE"
    assert (await feed.report(sent(message_id, replay=1))).outcome == HANDLED.OUTCOME_APPLIED


async def test_a_merge_moves_visits_and_both_numbers_lead_to_the_survivor(feed):
    survivor, retired = person(identifier("1")), person(identifier("2"))
    kept = await feed.visit("A01", 0, survivor)
    moved = await feed.visit("A01", 1, retired, visit_number="V2")
    assert kept.patient_id != moved.patient_id

    merged = await feed.merge(2, survivor, identifier("2"))
    assert merged.outcome == HANDLED.OUTCOME_APPLIED
    found = await feed.call("GetPatient", patient_id=moved.patient_id)
    assert found.id == kept.patient_id
    assert {i.value for i in found.identifiers} == {"1", "2"}
    listed = await feed.call("ListEncounters", patient_id=moved.patient_id)
    assert {e.visit_number for e in listed.encounters} == {"V1", "V2"}
    [told] = await feed.published(registry_events_pb2.PatientsMerged)
    assert (told.survivor_id, told.retired_id) == (kept.patient_id, moved.patient_id)
    records = await feed.published(registry_events_pb2.PatientChanged)
    tomb = next(r.patient for r in reversed(records) if r.patient.id == moved.patient_id)
    assert tomb.state == patient_pb2.Patient.STATE_MERGED
    assert tomb.merged_into_id == kept.patient_id
    visits = await feed.published(registry_events_pb2.EncounterChanged)
    assert visits[-1].encounter.patient_id == kept.patient_id

    later = await feed.visit("A03", 3, retired, visit_number="V2")
    assert later.patient_id == kept.patient_id
    assert (await feed.merge(4, survivor, identifier("2"))).reason == "ALREADY_MERGED"
    assert (await feed.merge(5, retired, identifier("1"))).reason == "MERGE_CYCLE"
    again = await feed.merge(6, person(identifier("9")), identifier("1"))
    assert again.patient_id not in (kept.patient_id, moved.patient_id)
    assert (await feed.call("GetPatient", patient_id=moved.patient_id)).id == again.patient_id


async def test_a_merge_of_numbers_that_nobody_knows_yet_takes_effect_later(feed):
    merged = await feed.merge(0, person(identifier("1")), identifier("2"))
    later = await feed.visit("A01", 1, person(identifier("2")))
    assert later.patient_id == merged.patient_id


async def test_somebody_described_alike_at_another_facility_is_the_same_patient(feed):
    here = await feed.visit("A01", 0, person(identifier("1")))
    there = await feed.visit(
        "A04", 5, person(identifier("77", "HARBOR")), facility=HARBOR, visit_number="H1"
    )
    assert there.patient_id == here.patient_id
    stranger = person(identifier("78", "HARBOR"), telecoms=[])
    other = await feed.visit("A04", 6, stranger, facility=HARBOR, visit_number="H2")
    assert other.patient_id != here.patient_id, "name and birth date alone never suffice"
    seen = await feed.call("GetPatient", patient_id=here.patient_id)
    assert list(seen.facility_ids) == [str(MERCY)]
    events = await feed.published(registry_events_pb2.PatientChanged)
    told = [e.patient for e in events if e.patient.id == here.patient_id][-1]
    assert list(told.facility_ids) == [str(MERCY), str(HARBOR)]


async def test_whatever_the_text_is_every_report_gets_its_outcome(feed):
    hostile = "\0 '; DROP TABLE patients; -- \\ \u202e \U0001f9d1 \" & | ! :* " + "Ă" * 5_000
    names = [report_pb2.ReportedName(family=f"{hostile}{n}", given=[hostile] * 3) for n in range(5)]
    many = [report_pb2.ReportedName(family=f"Family{n} of{n} Many{n}") for n in range(500)]
    birth = Date(year=-5, month=99, day=77)
    telecoms = [report_pb2.ReportedTelecom(value=f"{hostile}@x.y", is_email=True)]
    first = person(identifier("1"), birth_date=birth, telecoms=telecoms)
    first.names.extend(names)
    second = person(identifier(hostile, assigner=hostile, type=hostile))
    second.names.extend(many)

    assert (await feed.visit("A01", 0, first)).outcome == HANDLED.OUTCOME_APPLIED
    strange = await feed.visit("A01", 1, second, visit_number=hostile, location=hostile)
    assert strange.outcome == HANDLED.OUTCOME_APPLIED
    found = await feed.call("GetEncounter", encounter_id=strange.encounter_id)
    assert "DROP TABLE" in found.visit_number
    assert (await feed.search("family499 many499")).patients
    assert (await feed.call("GetPatient", patient_id=strange.patient_id)).names


async def test_a_hundred_patients_in_any_order_at_once_make_a_hundred_records(feed):
    messages = []
    for n in range(100):
        who = person(identifier(str(n)), given=f"Jane{n}", telecoms=[])
        for trigger, hours in (("A01", 0), ("A02", 5), ("A08", 6), ("A03", 50)):
            messages.append(
                interop_events_pb2.VisitReported(
                    source=feed.source(trigger, hours),
                    person=who,
                    visit=report_pb2.ReportedVisit(visit_number=f"V{n}", patient_class="I"),
                )
            )
    random.Random(7).shuffle(messages)
    for message in messages:
        await feed.send(message)

    async def all_handled():
        async with feed.hub.system("registry") as tx:
            return await tx.one(_COUNT) == len(messages)

    await feed.hub.until(all_handled, seconds=60)
    visits = {}
    for told in await feed.published(registry_events_pb2.EncounterChanged):
        visits[told.encounter.id] = told.encounter
    assert len(visits) == 100
    assert {v.state for v in visits.values()} == {encounter_pb2.Encounter.STATE_FINISHED}
    assert len({v.patient_id for v in visits.values()}) == 100


async def test_a_report_that_was_set_aside_is_answered_so_that_its_feed_does_not_wait(feed):
    """Whatever made it fail: the answer commits with the parked row."""
    event = interop_events_pb2.VisitReported(source=feed.source("A01", 0), person=person())
    consumer = next(c for c in consumers(ExactMatcher(), uuid4) if c.parked)
    delivery = Delivery(
        id=uuid4(), event=event, key=event.source.message_id, version=1, facility_id=None
    )
    async with feed.hub.system("registry") as tx:
        await consumer.parked(tx, delivery, "FAILED_TOO_OFTEN")
    (told,) = await feed.published(HANDLED)
    assert (told.outcome, told.reason) == (HANDLED.OUTCOME_PARKED, "FAILED_TOO_OFTEN")
    assert told.message_id == event.source.message_id
