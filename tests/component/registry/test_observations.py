"""Results that laboratories tell of: kept by what they are of, shown where they may be, and told to the others."""

from datetime import timedelta
from uuid import UUID

import pytest
from carehub.access.v1 import access_pb2
from carehub.interop.v1 import interop_events_pb2, report_pb2
from carehub.registry.v1 import observation_pb2, patient_pb2, registry_events_pb2
from carehub.registry.v1.registry_events_pb2 import ReportHandled
from google.type.date_pb2 import Date

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from services.registry.consumers import relabel_some_results
from tests.component.registry.conftest import HARBOR, MERCY, START, identifier, person

RESULT = registry_events_pb2.ResultReceived
STATE = observation_pb2.Observation
WHO = person(identifier("1"))


def said(hours, status="F", quantity=6.8, **fields):
    fields = {
        "number": "F-1", "code": "2823-3", "code_system": "LN", "name": "Potassium", "unit": "mmol/L",
        "reference_range": "3.5-5.1", "value": str(quantity), "quantity": quantity,
    } | fields  # fmt: skip
    at = to_timestamp(START + timedelta(hours=hours))
    return report_pb2.ReportedObservation(status=status, report_time=at, observed_time=at, **fields)


async def tell(feed, hours, *results, who=WHO, source=None, facility=MERCY, **provenance):
    event = interop_events_pb2.ResultReported(
        source=source or feed.source("R01", hours, facility), person=who, observations=results
    )
    for name, value in provenance.items():
        setattr(event.source.provenance, name, value)
    return await feed.report(event)


async def listed(feed, patient_id, token=None, **fields):
    return await feed.call("ListObservations", token, patient_id=patient_id, **fields)


async def test_a_result_is_the_patients_and_the_others_hear_of_it(feed):
    visited = await feed.visit("A01", 0, WHO)
    handled = await tell(
        feed, 1, said(1, flags=["HH"]), said(1, code="2951-2", name="Sodium", quantity=140)
    )
    assert (handled.outcome, handled.patient_id) == (ReportHandled.OUTCOME_APPLIED, visited.patient_id)  # fmt: skip
    shown = (await listed(feed, visited.patient_id)).observations
    assert {o.name for o in shown} == {"Potassium", "Sodium"}
    (potassium,) = (o for o in shown if o.name == "Potassium")
    assert (potassium.value, potassium.quantity, potassium.unit) == ("6.8", 6.8, "mmol/L")
    assert (potassium.state, potassium.criticality) == (STATE.STATE_FINAL, STATE.CRITICALITY_HIGH)
    assert (potassium.analyte, potassium.critical_version) == ("potassium", 1)
    assert list(potassium.labels) == [access_pb2.LABEL_NORMAL]
    told = await feed.published(RESULT)
    assert {(t.observation.id, t.version) for t in told} == {(o.id, 1) for o in shown}


async def test_an_older_message_after_a_newer_one_changes_nothing(feed):
    await tell(feed, 3, said(3, "C", 5.1))
    late = await tell(feed, 2, said(2, "F", 6.8))
    assert (late.outcome, late.reason) == (ReportHandled.OUTCOME_NO_OP, "NOTHING_NEW")
    (shown,) = (await listed(feed, late.patient_id)).observations
    assert (shown.value, shown.state, shown.etag) == ("5.1", STATE.STATE_CORRECTED, '"1"')
    assert len(await feed.published(RESULT)) == 1


async def test_one_that_was_posted_to_the_wrong_patient_is_taken_back_there(feed):
    first = await tell(feed, 1, said(1))
    other = person(identifier("2"), family="Quill", given="Ada", birth_date=None, telecoms=[])
    second = await tell(feed, 2, said(2), who=other)
    assert second.patient_id != first.patient_id
    (wrong,) = (await listed(feed, first.patient_id)).observations
    (right,) = (await listed(feed, second.patient_id)).observations
    assert (wrong.state, right.state) == (STATE.STATE_ENTERED_IN_ERROR, STATE.STATE_FINAL)
    assert [t.observation.id for t in await feed.published(RESULT)][-1] in {wrong.id, right.id}


async def test_a_merge_moves_results(feed):
    first = await tell(feed, 1, said(1))
    other = person(identifier("2"), birth_date=None, telecoms=[], family="", given="")
    second = await tell(feed, 2, said(2, number="F-2"), who=other)
    await feed.merge(3, WHO, identifier("2"))
    shown = (await listed(feed, second.patient_id)).observations
    assert {o.number for o in shown} == {"F-1", "F-2"}
    assert {o.patient_id for o in shown} == {first.patient_id}


async def test_other_facilities_see_none_and_no_patient(feed):
    handled = await tell(feed, 1, said(1))
    with pytest.raises(CallFailed, match="PATIENT_NOT_FOUND"):
        await listed(feed, handled.patient_id, feed.token(HARBOR))
    # Who knows the patient as well sees no result of elsewhere without a grant.
    await feed.visit("A04", 2, WHO, facility=HARBOR)
    assert not (await listed(feed, handled.patient_id, feed.token(HARBOR))).observations


async def test_labels_follow_code_and_feed(feed):
    await tell(feed, 1, said(1, number="F-1", code="25836-8"))
    await tell(feed, 2, said(2, number="F-2"), is_part2_program=True)
    handled = await tell(feed, 3, said(3, number="F-3"), sends_labels=True)
    shown = (await listed(feed, handled.patient_id)).observations
    assert {o.number: list(o.labels) for o in shown} == {
        "F-1": [access_pb2.LABEL_HIV],
        "F-2": [access_pb2.LABEL_PART2],
        "F-3": [access_pb2.LABEL_WITHHELD],
    }


def born(years, *identifiers):
    """Somebody of an age at the first result, to the day."""
    who = person(*identifiers)
    who.birth_date.CopyFrom(Date(year=START.year - years, month=START.month, day=START.day))
    return who


async def labeled(feed, expected):
    """Wait until each result was last told of with these labels, and is listed with no others."""

    async def said():
        told = sorted(await feed.published(RESULT), key=lambda each: each.version)
        newest = {each.observation.number: set(each.observation.labels) for each in told}
        return newest == expected

    await feed.hub.until(said, what=f"labels {expected}")


async def test_another_day_of_birth_and_a_merge_label_results_anew(feed):
    hiv, own = {access_pb2.LABEL_HIV}, {access_pb2.LABEL_HIV, access_pb2.LABEL_MINOR_CONFIDENTIAL}
    known = person(identifier("1"), birth_date=None)
    handled = await tell(feed, 1, said(1, code="25836-8"), who=known)
    await labeled(feed, {"F-1": hiv})
    # Learned by a message that is not about the result.
    await feed.person(2, born(14, identifier("1")))
    await labeled(feed, {"F-1": own})
    # Corrected by hand.
    patient = patient_pb2.Patient(id=handled.patient_id)
    patient.birth_date.CopyFrom(born(40).birth_date)
    await feed.call("UpdatePatient", feed.token(MERCY), patient=patient)
    await labeled(feed, {"F-1": hiv})
    # Of somebody of unknown age, who turns out to be them.
    nobody = person(identifier("2"), family="", given="", birth_date=None, telecoms=[])
    await tell(feed, 3, said(3, number="F-2", code="25836-8"), who=nobody)
    teenager = born(14, identifier("3"))
    teenager.names[0].given[0] = "Ada"
    await feed.person(4, teenager)
    await feed.merge(5, teenager, identifier("2"))
    await labeled(feed, {"F-1": hiv, "F-2": own})


async def test_what_older_value_sets_labeled_is_labeled_anew_once(feed):
    await tell(feed, 1, said(1, number="F-1", code="25836-8"), said(1, number="F-2"))
    async with feed.hub.system("registry") as tx:
        await tx._connection.execute(
            "UPDATE observations SET labels = '{NORMAL}', label_version = 0"
        )
    for _ in range(2):
        async with feed.hub.system("registry") as tx:
            assert await relabel_some_results(tx, UUID(int=0)) is None
    await labeled(feed, {"F-1": {access_pb2.LABEL_HIV}, "F-2": {access_pb2.LABEL_NORMAL}})
    assert sorted(each.version for each in await feed.published(RESULT)) == [1, 1, 2, 2]


async def test_pages_go_from_the_newest_on(feed):
    for n in range(3):
        handled = await tell(feed, n, said(n, number=f"F-{n}"))
    page = await listed(feed, handled.patient_id, page_size=2)
    assert [o.number for o in page.observations] == ["F-2", "F-1"]
    rest = await listed(feed, handled.patient_id, page_size=2, page_token=page.next_page_token)
    assert [o.number for o in rest.observations] == ["F-0"]
    assert not rest.next_page_token


async def test_a_broken_report_is_answered_for(feed):
    nameless = await tell(feed, 1, said(1, number=" "))
    assert (nameless.outcome, nameless.reason) == (ReportHandled.OUTCOME_PARKED, "REPORT_WITHOUT_RESULT")  # fmt: skip
    stateless = await tell(feed, 1, said(1, "Q"))
    assert (stateless.outcome, stateless.reason) == (ReportHandled.OUTCOME_PARKED, "REPORT_WITHOUT_STATUS")  # fmt: skip
