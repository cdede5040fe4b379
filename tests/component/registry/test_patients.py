"""What people can ask of registry, and what they are not shown."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.registry.v1 import patient_pb2, registry_events_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from libs.chassis.access import keep_beat, project_access, to_access
from libs.chassis.wire import CallFailed
from services.registry.domain import search
from tests.component.registry.conftest import ELSEWHERE, HARBOR, MERCY, identifier, person


def typed(**fields):
    fields = {
        "facility_id": str(MERCY),
        "names": [patient_pb2.PersonName(family="Nguyễn", given=["Katherine", "Mai"])],
        "birth_date": Date(year=1975, month=12, day=3),
        "sex": patient_pb2.Patient.SEX_FEMALE,
        "identifiers": [patient_pb2.Identifier(assigner="mercy", value="MRN-0042", type="MR")],
        "telecoms": [
            patient_pb2.Telecom(system=patient_pb2.Telecom.SYSTEM_PHONE, value="+14155550187")
        ],
    } | fields
    return patient_pb2.Patient(**fields)


async def test_a_created_patient_is_read_back_and_told_of(feed):
    created = await feed.call("CreatePatient", patient=typed())
    assert created.etag == '"1"'
    assert created.identifiers[0].assigner == "MERCY"
    assert await feed.call("GetPatient", patient_id=created.id) == created
    [told] = await feed.published(registry_events_pb2.PatientChanged)
    assert told.patient == created


async def test_the_same_request_creates_one_patient(feed):
    token, request_id = feed.token(MERCY, subject=uuid4()), str(uuid4())
    first = await feed.call("CreatePatient", token, patient=typed(), request_id=request_id)
    again = await feed.call("CreatePatient", token, patient=typed(), request_id=request_id)
    assert again == first
    assert len(await feed.published(registry_events_pb2.PatientChanged)) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"names": []}, "NAME_REQUIRED"),
        ({"facility_id": "Mercy"}, "ID_INVALID"),
        ({"facility_id": str(HARBOR)}, "FACILITY_NOT_YOURS"),
        ({"identifiers": [patient_pb2.Identifier(value="1")]}, "IDENTIFIER_INCOMPLETE"),
    ],
)
async def test_a_record_that_cannot_be_is_refused(feed, fields, reason):
    with pytest.raises(CallFailed) as refused:
        await feed.call("CreatePatient", patient=typed(**fields))
    assert refused.value.reason == reason


async def test_a_number_of_a_record_that_one_sees_makes_no_second_one(feed):
    await feed.visit("A01", 0, person(identifier("MRN-0042")))
    other = await feed.call("CreatePatient", patient=typed(identifiers=[]))
    for method, patient in (
        ("CreatePatient", typed()),
        ("UpdatePatient", patient_pb2.Patient(id=other.id, identifiers=typed().identifiers)),
    ):
        with pytest.raises(CallFailed) as refused:
            await feed.call(method, patient=patient)
        assert refused.value.reason == "DUPLICATE_IDENTIFIER"


async def test_a_number_does_not_tell_that_somebody_is_known_elsewhere(feed):
    hidden = await feed.visit("A01", 0, person(identifier("MRN-0042")), facility=ELSEWHERE)
    created = await feed.call("CreatePatient", patient=typed())
    other = await feed.call("CreatePatient", patient=typed(identifiers=[]))
    added = patient_pb2.Patient(id=other.id, identifiers=typed().identifiers)
    assert (await feed.call("UpdatePatient", patient=added)).identifiers == created.identifiers
    later = await feed.visit("A08", 1, person(identifier("MRN-0042")), facility=ELSEWHERE)
    assert later.patient_id == hidden.patient_id, "the number goes on leading where it led"


async def test_a_message_with_the_number_of_a_typed_in_patient_is_theirs(feed):
    created = await feed.call("CreatePatient", patient=typed())
    handled = await feed.visit("A01", 0, person(identifier("MRN-0042"), family="Nguyen"))
    assert handled.patient_id == created.id


async def test_a_change_replaces_what_the_mask_names_and_only_that(feed):
    created = await feed.call("CreatePatient", patient=typed())
    wanted = patient_pb2.Patient(
        id=created.id, etag=created.etag, language="vi", names=[patient_pb2.PersonName(family="Le")]
    )
    changed = await feed.call("UpdatePatient", patient=wanted)
    assert changed.etag == '"2"'
    assert changed.language == "vi"
    assert [n.family for n in changed.names] == ["Le"]
    assert changed.telecoms == created.telecoms

    cleared = await feed.call(
        "UpdatePatient",
        patient=patient_pb2.Patient(id=created.id),
        update_mask=FieldMask(paths=["telecoms", "language"]),
    )
    assert not cleared.telecoms
    assert not cleared.language
    with pytest.raises(CallFailed) as stale:
        await feed.call("UpdatePatient", patient=wanted)
    assert stale.value.reason == "STALE_ETAG"
    with pytest.raises(CallFailed) as removed:
        await feed.call(
            "UpdatePatient",
            patient=patient_pb2.Patient(id=created.id),
            update_mask=FieldMask(paths=["identifiers"]),
        )
    assert removed.value.reason == "IDENTIFIER_NOT_REMOVABLE"


async def test_a_change_keeps_facilities_that_its_author_does_not_know_of(feed):
    seen = await feed.visit("A01", 0, person(identifier("1")))
    await feed.visit("A04", 1, person(identifier("1")), facility=HARBOR, visit_number="H1")
    changed = await feed.call(
        "UpdatePatient", patient=patient_pb2.Patient(id=seen.patient_id, language="es")
    )
    assert list(changed.facility_ids) == [str(MERCY)]
    told = (await feed.published(registry_events_pb2.PatientChanged))[-1].patient
    assert list(told.facility_ids) == [str(MERCY), str(HARBOR)]
    there = feed.token(HARBOR)
    assert (await feed.call("SearchPatients", there, text="okafor")).patients
    assert (await feed.call("GetPatient", there, patient_id=seen.patient_id)).language == "es"


@pytest.mark.parametrize("method", ["GetPatient", "ListEncounters", "UpdatePatient"])
async def test_a_stranger_cannot_tell_a_hidden_patient_from_none(feed, method):
    seen = await feed.visit("A01", 0, person(identifier("1")))

    async def refusal(patient_id):
        fields = {"patient_id": patient_id}
        if method == "UpdatePatient":
            fields = {"patient": patient_pb2.Patient(id=patient_id, language="es")}
        with pytest.raises(CallFailed) as refused:
            await feed.call(method, feed.token(ELSEWHERE), **fields)
        return refused.value.reason

    assert await refusal(seen.patient_id) == await refusal(str(uuid4())) == "PATIENT_NOT_FOUND"
    with pytest.raises(CallFailed):
        await feed.call("GetEncounter", feed.token(ELSEWHERE), encounter_id=seen.encounter_id)


async def test_a_visit_elsewhere_is_seen_by_whom_identity_lets_and_not_for_knowing_the_patient(
    feed,
):
    await feed.visit("A01", 0, person(identifier("1")))
    there = await feed.visit("A04", 1, person(identifier("1")), facility=HARBOR, visit_number="H1")
    with pytest.raises(CallFailed, check=lambda e: e.reason == "ENCOUNTER_NOT_FOUND"):
        await feed.call("GetEncounter", encounter_id=there.encounter_id)
    grant = access_pb2.Grant(
        grantee_id=str(MERCY),
        source_ids=[str(HARBOR)],
        purposes=[access_pb2.PURPOSE_TREATMENT],
        data_classes=[access_pb2.DATA_CLASS_VISITS],
        labels=[access_pb2.LABEL_NORMAL],
        reason="TREATED",
    )
    access = access_pb2.PatientAccess(patient_id=there.patient_id, version=1, grants=[grant])
    async with feed.hub.system("registry") as tx:
        await project_access(tx, [to_access(access)])
        await keep_beat(tx, datetime.now(UTC))
    assert await feed.call("GetEncounter", encounter_id=there.encounter_id)


async def test_pages_of_visits_go_from_the_newest_to_the_oldest(feed):
    who = person(identifier("1"))
    for n in range(5):
        seen = await feed.visit("A01", n, who, visit_number=f"V{n}")
    numbers, token = [], ""
    while True:
        page = await feed.call(
            "ListEncounters", patient_id=seen.patient_id, page_size=2, page_token=token
        )
        numbers += [e.visit_number for e in page.encounters]
        if not (token := page.next_page_token):
            break
    assert numbers == ["V4", "V3", "V2", "V1", "V0"]


@pytest.mark.parametrize(
    "text",
    [
        "nguyen",
        "Nguyễn katherine",
        "mai NGUYEN",
        "catherine nguyen",
        "Nguyen, Kathrine",
        "ngu kath",
        "nguyen 12/03/1975",
        "1975-12-03",
        "3 Dec 1975 nguyen",
        "mrn-0042",
        "MRN0042",
        "(415) 555-0187",
        "555-0187",
        "4155550187 katherine",
    ],
)
async def test_a_patient_is_found_by_whatever_is_known(searched, text):
    assert [p.names[0].family for p in (await searched.search(text)).patients] == ["Nguyễn"]


@pytest.mark.parametrize("text", ["nguyen 1980-01-01", "katherine okafor", "9999999", "zzz"])
async def test_every_word_has_to_be_met(searched, text):
    assert not (await searched.search(text)).patients


async def test_the_better_match_comes_first_and_more_are_told_of(searched):
    found = await searched.search("okafor")
    assert [p.names[0].family for p in found.patients] == ["Okafor", "Okafo"]
    few = await searched.call("SearchPatients", text="okafor", page_size=1)
    assert few.has_more
    assert [p.names[0].family for p in few.patients] == ["Okafor"]


@pytest.mark.parametrize(
    "text", ["mai nguyen", "catherine nguyen", "ngu kath", "mrn-0042", "555-0187"]
)
async def test_who_works_at_many_places_finds_them_too_and_there_only(searched, text):
    many = [uuid4() for _ in range(search.FEW_PLACES)]
    found = await searched.search(text, searched.token(MERCY, *many))
    assert [p.names[0].family for p in found.patients] == ["Nguyễn"]
    assert not (await searched.search(text, searched.token(ELSEWHERE, *many))).patients


async def test_a_search_shows_only_patients_of_the_callers_facilities(searched):
    assert not (await searched.search("nguyen", searched.token(ELSEWHERE))).patients


@pytest.mark.parametrize("text", ["", "  ,", "x" * 201])
async def test_a_search_for_nothing_is_refused(searched, text):
    with pytest.raises(CallFailed):
        await searched.search(text)


@pytest.mark.parametrize("text", ["o'brien & (x", "' | 'f:", "!okafor", "x <-> y", "a@b.c'"])
async def test_a_text_is_never_read_as_a_query(searched, text):
    assert (await searched.search(text)) is not None


@pytest.fixture(scope="module")
async def searched(servers):
    from libs.testing.hub import running_hub
    from tests.component.registry.conftest import Registry

    async with running_hub(servers, ["registry"]) as hub:
        feed = Registry(hub)
        await feed.call("CreatePatient", patient=typed())
        await feed.visit("A01", 0, person(identifier("1")))
        await feed.visit("A01", 0, person(identifier("2"), family="Okafo"), visit_number="V2")
        yield feed
