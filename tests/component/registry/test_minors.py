"""Visits that a minor decides alone about say so as they enter, and again when another day of birth is told."""

from carehub.access.v1.access_pb2 import LABEL_HIV, LABEL_MINOR_CONFIDENTIAL, LABEL_NORMAL
from carehub.interop.v1 import report_pb2
from carehub.registry.v1 import patient_pb2, registry_events_pb2
from google.type.date_pb2 import Date

from tests.component.registry.conftest import HARBOR, MERCY, START, identifier, person
from tests.component.registry.test_relabeling import relabel

HIV = report_pb2.ReportedDiagnosis(code="B20", system="ICD10CM")
OWN = {LABEL_HIV, LABEL_MINOR_CONFIDENTIAL}


def born(years, *identifiers):
    """Somebody of an age at the first visit, to the day."""
    day = Date(year=START.year - years, month=START.month, day=START.day)
    who = person(*identifiers)
    who.birth_date.CopyFrom(day)
    return who


async def labels(feed):
    """Of each visit as it was last told of."""
    told = await feed.published(registry_events_pb2.EncounterChanged)
    newest = {e.encounter.visit_number: e for e in sorted(told, key=lambda e: e.version)}
    return {number: set(e.encounter.labels) for number, e in newest.items()}


async def until(feed, expected):
    async def said():
        return await labels(feed) == expected

    await feed.hub.until(said, what=f"labels {expected}")


async def test_a_visit_bears_it_by_what_it_is_about_and_by_the_age_then(feed):
    for years, number in ((14, "1"), (9, "2"), (40, "3")):
        who = born(years, identifier(number))
        await feed.visit("A01", 0, who, visit_number=f"S{number}", diagnoses=[HIV])
        await feed.visit("A01", 1, who, visit_number=f"N{number}")
    ordinary = {f"N{number}": {LABEL_NORMAL} for number in "123"}
    assert await labels(feed) == ordinary | {"S1": OWN, "S2": {LABEL_HIV}, "S3": {LABEL_HIV}}


async def test_another_day_of_birth_labels_the_visits_of_every_place_anew(feed):
    here, there = identifier("1"), identifier("2", assigner="HARBOR")
    adult = born(40, here, there)
    await feed.visit("A01", 0, adult, visit_number="V1", diagnoses=[HIV])
    await feed.visit("A01", 1, adult, visit_number="V2", diagnoses=[HIV], facility=HARBOR)
    assert await labels(feed) == {"V1": {LABEL_HIV}, "V2": {LABEL_HIV}}
    handled = await feed.person(2, born(14, here, there))
    await until(feed, {"V1": OWN, "V2": OWN})
    # By hand, at one place that may not change the rows of the other.
    patient = patient_pb2.Patient(id=handled.patient_id)
    patient.birth_date.CopyFrom(born(40).birth_date)
    await feed.call("UpdatePatient", feed.token(MERCY), patient=patient)
    await until(feed, {"V1": {LABEL_HIV}, "V2": {LABEL_HIV}})


async def test_what_was_labeled_before_there_was_such_a_rule_is_labeled_anew(feed):
    await feed.visit("A01", 0, born(14, identifier("1")), visit_number="V1", diagnoses=[HIV])
    async with feed.hub.system("registry") as tx:
        await tx._connection.execute("UPDATE encounters SET labels = '{HIV}', label_version = 1")
    await relabel(feed)
    assert await labels(feed) == {"V1": OWN}
