"""RegistryService. The contract, its paths and its permissions: protos/carehub/registry/v1."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid5

from carehub.registry.v1 import encounter_pb2, patient_pb2
from carehub.registry.v1 import registry_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument, PermissionDenied
from libs.chassis.fields import apply_mask, check_etag, to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.registry import events
from services.registry.convert import (
    day_text,
    encounter_to_proto,
    found_to_proto,
    observation_to_proto,
    own_to_proto,
    to_person,
    to_proto,
)
from services.registry.domain import emergency, search
from services.registry.domain.demographics import Facts
from services.registry.domain.encounter import Encounter
from services.registry.domain.identity import person_keys
from services.registry.domain.matching import Matcher
from services.registry.domain.observation import Observation
from services.registry.domain.patient import Patient
from services.registry.domain.report import stamp
from services.registry.store.encounter import EncounterStore
from services.registry.store.feeds import Programs
from services.registry.store.observation import ObservationStore
from services.registry.store.patient import PatientStore

# The root of ids of patients whose creation may be retried; never change it.
_CREATED = UUID("7d1f5a64-5f7e-53ab-9a1c-8c8f8f3b5d10")
_END_OF_TIME = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))
_LONGEST_TEXT = 200
# More of one name and day of birth than this: the number decides.
_MOST_MET = 50


class RegistryService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change. The guard does the rest."""

    def __init__(
        self, matcher: Matcher, now: Callable[[], datetime], new_id: Callable[[], UUID]
    ) -> None:
        self._matcher = matcher
        self._now = now
        self._new_id = new_id
        self._programs = Programs()

    async def GetPatient(self, request: rpc.GetPatientRequest, call: Call) -> patient_pb2.Patient:
        patient_id = to_uuid("patient_id", request.patient_id)
        patient = await PatientStore(call.tx, self._matcher).get(patient_id)
        call.show(patient.id)
        return to_proto(patient, call.facilities)

    async def GetOwnRecord(self, request: rpc.GetOwnRecordRequest, call: Call) -> rpc.OwnRecord:
        patient_id = to_uuid("patient_id", request.patient_id)
        patient = await PatientStore(call.tx, self._matcher).get(patient_id)
        call.show(patient.id)
        return own_to_proto(patient)

    async def CreatePatient(
        self, request: rpc.CreatePatientRequest, call: Call
    ) -> patient_pb2.Patient:
        store = PatientStore(call.tx, self._matcher)
        patient = await self._registered(request, call)
        if request.request_id and await store.find(patient.id):
            patient = await store.get(patient.id)
        else:
            store.add(patient, person_keys(patient.person))
            await events.patient_changed(call.tx, patient)
            for program in patient.programs.values():
                await events.program_record_changed(call.tx, program)
        call.show(patient.id)
        return to_proto(patient, call.facilities)

    async def UpdatePatient(
        self, request: rpc.UpdatePatientRequest, call: Call
    ) -> patient_pb2.Patient:
        store = PatientStore(call.tx, self._matcher)
        before = await store.hold(to_uuid("patient.id", request.patient.id))
        check_etag(request.patient.etag, before.revision)
        wanted = to_proto(before, call.facilities)
        apply_mask(wanted, request.patient, request.update_mask)
        after = before.edit(to_person(wanted), self._stamp(), call.facilities)
        if after.person != before.person:
            await self._save(call.tx, store, before, after)
        call.show(after.id)
        return to_proto(after, call.facilities)

    async def SearchPatients(
        self, request: rpc.SearchPatientsRequest, call: Call
    ) -> rpc.SearchPatientsResponse:
        size = page_size(request.page_size, default=20, most=100)
        words = _words(request.text)
        found = await PatientStore(call.tx, self._matcher).search(words, call.facilities, size * 2)
        found.sort(key=lambda p: (-search.relevance(words, search.filed_under(p.person)), p.id))
        call.show(*(patient.id for patient in found[:size]))
        return rpc.SearchPatientsResponse(
            patients=[to_proto(patient, call.facilities) for patient in found[:size]],
            has_more=len(found) > size,
        )

    async def FindForEmergency(
        self, request: rpc.FindForEmergencyRequest, call: Call
    ) -> rpc.FindForEmergencyResponse:
        caller = call.caller
        emergency.check_emergency(caller.purposes, caller.acr, caller.authenticated_at, call.tx.at)
        born_on = day_text(request.birth_date)
        emergency.check_asked(request.family, born_on)
        words = search.exactly(request.family, born_on, request.identifier)
        store = PatientStore(call.tx, self._matcher)
        in_person = {caller.subject, *caller.teams}
        met = await store.find_for_emergency(words, in_person, _MOST_MET)
        found = sorted(emergency.named_so(met, request.family), key=lambda one: one.patient_id)
        shown = found[: emergency.MOST]
        call.show(*(one.patient_id for one in shown))
        return rpc.FindForEmergencyResponse(
            patients=[found_to_proto(one) for one in shown], has_more=len(found) > len(shown)
        )

    async def GetEncounter(
        self, request: rpc.GetEncounterRequest, call: Call
    ) -> encounter_pb2.Encounter:
        encounter_id = to_uuid("encounter_id", request.encounter_id)
        encounter = await EncounterStore(call.tx).get(encounter_id)
        call.show(encounter.patient_id)
        return encounter_to_proto(encounter)

    async def ListEncounters(
        self, request: rpc.ListEncountersRequest, call: Call
    ) -> rpc.ListEncountersResponse:
        size = page_size(request.page_size)
        patient_id = to_uuid("patient_id", request.patient_id)
        patient = await PatientStore(call.tx, self._matcher).get(patient_id)
        before = page_start(request.page_token, request, _END_OF_TIME)
        page = await EncounterStore(call.tx).page(patient.id, before, size + 1)
        call.show(patient.id)
        return rpc.ListEncountersResponse(
            encounters=[encounter_to_proto(encounter) for encounter in page[:size]],
            next_page_token=_token(page[size - 1], request) if len(page) > size else "",
        )

    async def ListObservations(
        self, request: rpc.ListObservationsRequest, call: Call
    ) -> rpc.ListObservationsResponse:
        size = page_size(request.page_size)
        patient_id = to_uuid("patient_id", request.patient_id)
        patient = await PatientStore(call.tx, self._matcher).get(patient_id)
        before = page_start(request.page_token, request, _END_OF_TIME)
        page = await ObservationStore(call.tx).page(patient.id, before, size + 1)
        call.show(patient.id)
        return rpc.ListObservationsResponse(
            observations=[observation_to_proto(observation) for observation in page[:size]],
            next_page_token=_token(page[size - 1], request) if len(page) > size else "",
        )

    async def _save(
        self, tx: Transaction, store: PatientStore, before: Patient, after: Patient
    ) -> None:
        """Write a changed record and tell of it: of the shared one, or of what a program keeps apart."""
        if after.differs_from(before):
            await store.save([(before, after)])
            await events.patient_changed(tx, after)
        if after.person.birth_on != before.person.birth_on:
            await events.age_soon(tx, after.id)
        changed = [p for place, p in after.programs.items() if p != before.programs.get(place)]
        await store.save_programs(changed)
        for program in changed:
            await events.program_record_changed(tx, program)
        await store.link(after, set(person_keys(after.person)) - set(person_keys(before.person)))

    async def _registered(self, request: rpc.CreatePatientRequest, call: Call) -> Patient:
        """The record that is asked for; its id is the same for the same request of the same caller."""
        facility_id = to_uuid("patient.facility_id", request.patient.facility_id)
        if facility_id not in call.facilities:
            raise PermissionDenied(
                "FACILITY_NOT_YOURS", "Register patients at a facility where you work."
            )
        patient_id = self._new_id()
        if request.request_id:
            request_id = to_uuid("request_id", request.request_id)
            patient_id = uuid5(_CREATED, f"{call.caller.subject}|{request_id}")
        patient = Patient(id=patient_id, facts=Facts(), facility_ids=(), created_at=self._now())
        is_program = await self._programs.include(facility_id, call.tx)
        person = to_person(request.patient)
        return patient.register(person, self._stamp(), facility_id, is_program=is_program)

    def _stamp(self) -> str:
        now = self._now()
        return stamp(now, now, f"edit|{self._new_id()}")


def _words(text: str) -> tuple[search.Word, ...]:
    if len(text) > _LONGEST_TEXT:
        raise InvalidArgument(
            "SEARCH_TEXT_TOO_LONG", "Search for at most 200 characters.", field="text"
        )
    words = search.asked_for(text)
    if not words:
        raise InvalidArgument(
            "SEARCH_TEXT_EMPTY", "Say a name, a birth date or a number.", field="text"
        )
    return words


def _token(
    last: Encounter | Observation, request: rpc.ListEncountersRequest | rpc.ListObservationsRequest
) -> str:
    return token_after(last.listed_at, last.id, request)
