"""Visits that older value sets labeled are labeled anew, and told of."""

from uuid import UUID

from carehub.access.v1.access_pb2 import LABEL_HIV, LABEL_NORMAL
from carehub.interop.v1 import report_pb2
from carehub.registry.v1 import registry_events_pb2

from services.registry.consumers import RELABELED_AT_ONCE, relabel_some
from services.registry.domain.labels import VERSION
from tests.component.registry.conftest import identifier, person

HIV = report_pb2.ReportedDiagnosis(code="B20", system="ICD10CM")


async def relabel(feed):
    async with feed.hub.system("registry") as tx:
        return await relabel_some(tx, UUID(int=0))


async def test_what_an_older_version_labeled_is_labeled_anew_once(feed):
    who = person(identifier("1"))
    await feed.visit("A01", 0, who, diagnoses=[HIV])
    await feed.visit("A03", 5, who)
    await feed.visit("A01", 8, who, visit_number="V2")
    async with feed.hub.system("registry") as tx:
        await tx._connection.execute("UPDATE encounters SET labels = '{NORMAL}', label_version = 0")
    told = len(await feed.published(registry_events_pb2.EncounterChanged))

    assert await relabel(feed) is None
    news = (await feed.published(registry_events_pb2.EncounterChanged))[told:]
    assert {(e.encounter.visit_number, *e.encounter.labels) for e in news} == {
        ("V1", LABEL_HIV),
        ("V2", LABEL_NORMAL),
    }
    assert {e.encounter.label_version for e in news} == {VERSION}
    assert {e.encounter.visit_number: e.version for e in news} == {"V1": 3, "V2": 2}

    await relabel(feed)
    assert len(await feed.published(registry_events_pb2.EncounterChanged)) == told + 2
    assert RELABELED_AT_ONCE > 1
