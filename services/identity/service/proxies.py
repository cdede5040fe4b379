"""ProxyService: who acts for patients, and their own accounts. Its contract: proxy_service.proto."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from carehub.identity.v1 import proxy_pb2
from carehub.identity.v1 import proxy_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import NotFound
from libs.chassis.fields import check_etag, to_uuid
from services.identity.convert.recorded import account_to_proto, proxy_to_domain, proxy_to_proto
from services.identity.deciding import Decider
from services.identity.domain.recorded import PatientAccount, RecordedProxy
from services.identity.service.recording import (
    check_place,
    entry_of,
    id_of_request,
    page_of,
    take_effect,
)
from services.identity.store.account import AccountStore
from services.identity.store.records import proxy_store


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyService:
    """Who may act for a patient is decided after it has committed."""

    decider: Decider
    new_id: Callable[[], UUID]

    async def AddProxy(self, request: rpc.AddProxyRequest, call: Call) -> proxy_pb2.Proxy:
        message = request.proxy
        patient_id = to_uuid("proxy.patient_id", message.patient_id)
        entry = entry_of(call, patient_id, to_uuid("proxy.facility_id", message.facility_id))
        proxy_id = id_of_request(call, request.request_id)
        proxy = proxy_to_domain(message, entry, proxy_id or self.new_id())
        await check_place(call, entry.facility_id, patient_id)
        store = proxy_store(call.tx)
        if proxy_id and (same := await store.find(proxy_id)):
            return await self._answer(call, same)
        proxy.check()
        await store.add(proxy)
        return await self._answer(call, proxy)

    async def RevokeProxy(self, request: rpc.RevokeProxyRequest, call: Call) -> proxy_pb2.Proxy:
        before = await _current(call, request)
        return await self._save(call, before, before.revoke(at=call.tx.at))

    async def BarProxy(self, request: rpc.BarProxyRequest, call: Call) -> proxy_pb2.Proxy:
        before = await _current(call, request)
        return await self._save(call, before, before.bar())

    async def ListProxies(
        self, request: rpc.ListProxiesRequest, call: Call
    ) -> rpc.ListProxiesResponse:
        found, token = await page_of(call, proxy_store(call.tx), request)
        return rpc.ListProxiesResponse(
            proxies=[proxy_to_proto(one, call.tx.at) for one in found], next_page_token=token
        )

    async def LinkPatientAccount(
        self, request: rpc.LinkPatientAccountRequest, call: Call
    ) -> proxy_pb2.PatientAccount:
        patient_id = to_uuid("patient_id", request.patient_id)
        entry = entry_of(call, patient_id, to_uuid("facility_id", request.facility_id))
        person_id = to_uuid("person_id", request.person_id)
        await check_place(call, entry.facility_id, patient_id)
        account = PatientAccount(
            patient_id=patient_id,
            person_id=person_id,
            facility_id=entry.facility_id,
            recorded_at=entry.at,
            recorded_by=entry.by,
        )
        store = AccountStore(call.tx)
        if existing := await store.find(patient_id):
            existing.check_same(person_id)
        else:
            await store.add(account)
        return await self._linked(call, existing or account)

    async def UnlinkPatientAccount(
        self, request: rpc.UnlinkPatientAccountRequest, call: Call
    ) -> proxy_pb2.PatientAccount:
        patient_id = to_uuid("patient_id", request.patient_id)
        store = AccountStore(call.tx)
        account = await store.find(patient_id)
        if account is None:
            raise NotFound(
                "ACCOUNT_NOT_LINKED", "No account was linked here.", patient_id=str(patient_id)
            )
        await store.drop(patient_id)
        return await self._linked(call, account)

    async def _save(
        self, call: Call, before: RecordedProxy, after: RecordedProxy
    ) -> proxy_pb2.Proxy:
        if after != before:
            await proxy_store(call.tx).save(after)
        return await self._answer(call, after)

    async def _answer(self, call: Call, proxy: RecordedProxy) -> proxy_pb2.Proxy:
        call.show(proxy.patient_id)
        answer = proxy_to_proto(proxy, call.tx.at)
        await take_effect(call, self.decider, proxy.patient_id, answer)
        return answer

    async def _linked(self, call: Call, account: PatientAccount) -> proxy_pb2.PatientAccount:
        call.show(account.patient_id)
        answer = account_to_proto(account)
        await take_effect(call, self.decider, account.patient_id, answer)
        return answer


async def _current(
    call: Call, request: rpc.RevokeProxyRequest | rpc.BarProxyRequest
) -> RecordedProxy:
    proxy = await proxy_store(call.tx).get(to_uuid("proxy_id", request.proxy_id))
    check_etag(request.etag, proxy.version)
    return proxy
