"""ConsentService: what patients allow and forbid. Its contract: consent_service.proto."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from carehub.identity.v1 import consent_pb2
from carehub.identity.v1 import consent_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import check_etag, to_uuid
from libs.chassis.pages import bad_token, decode_cursor, encode_cursor, id_in_token, page_size
from services.identity import events
from services.identity.convert.consent import consent_to_domain, consent_to_proto, effect_to_proto
from services.identity.deciding import Decider, known_about
from services.identity.domain.consent import RecordedConsent
from services.identity.domain.entry import Entry
from services.identity.domain.explaining import without_programs
from services.identity.domain.preview import grantees, preview
from services.identity.service.recording import check_place, id_of_request, take_effect
from services.identity.store.consent import ConsentStore
from services.identity.store.merge import MergeStore
from services.identity.store.network import NetworkStore
from services.identity.store.records import proxy_store


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentService:
    """Each change is a new version; who may see what because of it is decided after it has committed."""

    decider: Decider
    new_id: Callable[[], UUID]

    async def GiveConsent(self, request: rpc.GiveConsentRequest, call: Call) -> consent_pb2.Consent:
        consent_id = id_of_request(call, request.request_id)
        consent = _first(request.consent, consent_id or self.new_id(), call)
        await check_place(call, consent.facility_id, consent.patient_id)
        store = ConsentStore(call.tx)
        if consent_id and (same := await store.find(consent_id)):
            return await self._answer(call, same)
        consent.check()
        await _check_names(call, consent)
        return await self._keep(call, consent)

    async def ChangeConsent(
        self, request: rpc.ChangeConsentRequest, call: Call
    ) -> consent_pb2.Consent:
        before = await ConsentStore(call.tx).get(to_uuid("consent_id", request.consent_id))
        check_etag(request.etag, before.version)
        wanted = _next(request.consent, before, call)
        after = before.changed_to(wanted)
        await _check_names(call, after)
        return await (self._keep if after != before else self._answer)(call, after)

    async def WithdrawConsent(
        self, request: rpc.WithdrawConsentRequest, call: Call
    ) -> consent_pb2.Consent:
        before = await ConsentStore(call.tx).get(to_uuid("consent_id", request.consent_id))
        check_etag(request.etag, before.version)
        after = before.taken_back(at=call.tx.at, by=call.caller.subject)
        return await (self._keep if after != before else self._answer)(call, after)

    async def GetConsent(self, request: rpc.GetConsentRequest, call: Call) -> consent_pb2.Consent:
        consent_id = to_uuid("consent_id", request.consent_id)
        if request.version < 0:
            raise InvalidArgument("VERSION_NEGATIVE", "Versions begin with 1.", field="version")
        found = await ConsentStore(call.tx).get(consent_id, request.version)
        call.show(found.patient_id)
        return consent_to_proto(found, call.tx.at)

    async def ListConsents(
        self, request: rpc.ListConsentsRequest, call: Call
    ) -> rpc.ListConsentsResponse:
        size = page_size(request.page_size)
        patient_id = to_uuid("patient_id", request.patient_id)
        whose = await MergeStore(call.tx).retired_into([patient_id])
        found = await ConsentStore(call.tx).page(
            whose, _after(request), size + 1, versions=request.show_versions
        )
        if found:
            call.show(patient_id, *(one.patient_id for one in found[:size]))
        last = found[size - 1 : size] if found[size:] else []
        return rpc.ListConsentsResponse(
            consents=[consent_to_proto(one, call.tx.at) for one in found[:size]],
            next_page_token="".join(
                encode_cursor([str(one.id), one.version], request) for one in last
            ),
        )

    async def PreviewConsent(
        self, request: rpc.PreviewConsentRequest, call: Call
    ) -> rpc.PreviewConsentResponse:
        draft = await self._draft(request, call)
        await check_place(call, draft.facility_id, draft.patient_id)
        draft.check()
        await _check_names(call, draft)
        async with self.decider.system() as tx:
            facts = await known_about(tx, [draft.patient_id])
            known = without_programs(facts[draft.patient_id], call.facilities)
            whom = await NetworkStore(tx).readers(grantees(known, draft, call.tx.at))
        told = preview(known, draft, whom, call.tx.at)
        call.show(draft.patient_id)
        return rpc.PreviewConsentResponse(
            effects=map(effect_to_proto, told.effects), remarks=told.remarks
        )

    async def _draft(self, request: rpc.PreviewConsentRequest, call: Call) -> RecordedConsent:
        """What would be recorded, once it is signed."""
        if request.consent_id:
            before = await ConsentStore(call.tx).get(to_uuid("consent_id", request.consent_id))
            return before.changed_to(_signed(_next(request.consent, before, call), self.new_id()))
        return _signed(_first(request.consent, self.new_id(), call), self.new_id())

    async def _keep(self, call: Call, consent: RecordedConsent) -> consent_pb2.Consent:
        """Write a version, tell of it, and answer once it is in effect."""
        await ConsentStore(call.tx).add(consent)
        await events.consent_changed(call.tx, consent)
        return await self._answer(call, consent)

    async def _answer(self, call: Call, consent: RecordedConsent) -> consent_pb2.Consent:
        """Also what was recorded before is seen into effect: the first answer may have been lost before it was."""
        call.show(consent.patient_id)
        answer = consent_to_proto(consent, call.tx.at)
        await take_effect(call, self.decider, consent.patient_id, answer)
        return answer


def _first(message: consent_pb2.Consent, id: UUID, call: Call) -> RecordedConsent:
    entry = Entry(
        patient_id=to_uuid("consent.patient_id", message.patient_id),
        facility_id=to_uuid("consent.facility_id", message.facility_id),
        at=call.tx.at,
        by=call.caller.subject,
    )
    return consent_to_domain(message, entry, id=id, given_at=call.tx.at)


def _next(message: consent_pb2.Consent, before: RecordedConsent, call: Call) -> RecordedConsent:
    entry = Entry(
        patient_id=before.patient_id,
        facility_id=before.facility_id,
        at=call.tx.at,
        by=call.caller.subject,
    )
    return consent_to_domain(message, entry, id=before.id, given_at=before.given_at)


def _signed(draft: RecordedConsent, evidence_id: UUID) -> RecordedConsent:
    return draft if draft.evidence_id else replace(draft, evidence_id=evidence_id)


async def _check_names(call: Call, consent: RecordedConsent) -> None:
    store = NetworkStore(call.tx)
    places = await store.places_among(consent.recipients | consent.sources)
    people = await store.people_among(consent.recipients)
    acting = {proxy.person_id for proxy in await proxy_store(call.tx).about([consent.patient_id])}
    consent.check_names(known=places | people | acting, places=places)


def _after(request: rpc.ListConsentsRequest) -> tuple[UUID, int]:
    match decode_cursor(request.page_token, request):
        case None:
            return UUID(int=0), 0
        case [str(id), int(version)]:
            return id_in_token(id), version
    raise bad_token()
