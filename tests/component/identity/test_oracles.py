"""What is asked about one patient tells nobody that a Part 2 program knows them."""

from uuid import uuid4

from carehub.identity.v1 import access_service_pb2 as rpc
from carehub.registry.v1.patient_pb2 import Patient
from carehub.registry.v1.registry_events_pb2 import ProgramRecordChanged
from google.protobuf.message_factory import GetMessageClass

from tests.component.identity.recording import Records, labels

EXPLAINING = rpc.DESCRIPTOR.services_by_name["AccessService"]


async def enrolled(records):
    """Has a program know the patient: the one place of the three that the record does not mention."""
    event = ProgramRecordChanged(
        id=str(uuid4()),
        patient=Patient(id=str(records.patient), state=Patient.STATE_ACTIVE),
        facility_id=str(records.partner),
        version=1,
    )
    await records.identity.hub.publish(event, key=records.patient)
    await records.network.treated(uuid4(), records.patient, records.partner)
    await records.network.until_told(
        records.patient,
        (records.here, "REGISTERED"),
        (records.there, "REGISTERED"),
        (records.there, "TREATED"),
        (records.partner, "REGISTERED"),
        (records.partner, "TREATED"),
    )


async def explained(records, token, method="ExplainMyAccess", **fields):
    kind = GetMessageClass(EXPLAINING.methods_by_name[method].input_type)
    answer = GetMessageClass(EXPLAINING.methods_by_name[method].output_type)
    request = kind(patient_id=str(records.patient), **fields)
    return await records.identity.hub.call(EXPLAINING, method, request, answer, token=token)


async def test_a_preview_names_no_program(identity):
    async with Records.kept(identity) as r:
        drafts = [r.deny(), r.deny(r.there), r.permit(labels=labels("PART2")), r.permit(r.there)]
        before = [await r.preview(draft) for draft in drafts]
        await enrolled(r)
        assert [await r.preview(draft) for draft in drafts] == before


async def test_an_explanation_names_no_program(identity):
    async with Records.kept(identity) as r:
        clerk = await r.identity.create_staff("clerk", ("nurse", str(r.there)))
        counselor = await r.identity.create_staff("counselor", ("nurse", str(r.partner)))
        mine = r.identity.token("nurse", r.there, subject=clerk.id)
        admin = r.identity.token("facility_admin", r.here)

        async def told():
            own = await explained(r, mine, source_facility_id=str(r.partner))
            theirs = await explained(r, admin, "ExplainAccess", person_id=counselor.id)
            return [one for answer in (own, theirs) for one in answer.answers]

        before = await told()
        await enrolled(r)
        assert await told() == before
