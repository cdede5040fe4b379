"""A network of two organizations, a patient whom one knows and the other treats, and hands to record facts with."""

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import (
    agreement_service_pb2,
    care_team_service_pb2,
    consent_service_pb2,
    hold_service_pb2,
    proxy_service_pb2,
)
from carehub.identity.v1.care_team_pb2 import CareTeamMember, ReferralFact
from carehub.identity.v1.consent_pb2 import Consent
from carehub.identity.v1.hold_pb2 import Hold
from carehub.identity.v1.proxy_pb2 import Proxy
from carehub.registry.v1.patient_pb2 import Patient
from carehub.registry.v1.registry_events_pb2 import PatientChanged
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from services.identity.domain.access.boxes import Access, Denial, Grant, Question, may
from services.identity.domain.access.terms import (
    DataClass,
    Label,
    Purpose,
    Reason,
    Standing,
    Weight,
)
from services.identity.store.access import AccessStore
from tests.component.identity.test_access import Network

CONTRACTS = {
    "ConsentService": consent_service_pb2,
    "AgreementService": agreement_service_pb2,
    "ProxyService": proxy_service_pb2,
    "CareTeamService": care_team_service_pb2,
    "HoldService": hold_service_pb2,
}


def instant(at):
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def words(enum, prefix, *names):
    return [enum.Value(f"{prefix}_{name}") for name in names]


def purposes(*names):
    return words(access_pb2.Purpose, "PURPOSE", *names)


def labels(*names):
    return words(access_pb2.Label, "LABEL", *names)


def classes(*names):
    return words(access_pb2.DataClass, "DATA_CLASS", *names)


class Records:
    """`here` knows the patient, `there` treats them; each has a nurse. A third place, `partner`, knows nobody."""

    def __init__(self, identity, network, partner):
        self.identity, self.network, self.partner = identity, network, partner
        self.here, self.there = network.here, network.there
        self.patient = uuid4()
        self.nurse_id, self.privacy_id = uuid4(), uuid4()
        self.nurse = identity.token("nurse", self.here, subject=self.nurse_id)
        self.nurse_there = network.nurse_there
        self.physician = identity.token("physician", self.here)
        self.privacy = identity.token("privacy_officer", self.here, subject=self.privacy_id)

    @classmethod
    @asynccontextmanager
    async def kept(cls, running, *, born_on=date(1960, 5, 1)):
        async with running() as identity:
            network = await Network.joined(identity)
            partner = UUID((await identity.create_facility()).id)
            records = cls(identity, network, partner)
            await records.known(records.patient, born_on=born_on)
            await identity.hub.until(records.nobody_is_decided_anew, what="everybody was decided")
            yield records

    async def nobody_is_decided_anew(self):
        """Nothing but what a test does from now on has anybody's access decided."""
        async with self.identity.hub.system("identity") as tx:
            waiting = await tx._connection.fetchval(
                "SELECT count(*) FROM timers WHERE kind LIKE 'access%'"
            )
        return not waiting

    async def is_decided(self):
        """Nothing is waiting to be decided now; what turns by itself later may."""
        async with self.identity.hub.system("identity") as tx:
            waiting = await tx._connection.fetchval(
                "SELECT count(*) FROM timers WHERE kind LIKE 'access%' AND due_at <= $1", tx.at
            )
        return not waiting

    async def known(self, patient, *, born_on=date(1960, 5, 1)):
        """At `here` and at `there`; `there` treats them."""
        message = Patient(id=str(patient), facility_ids=[str(self.here), str(self.there)])
        message.state = Patient.STATE_ACTIVE
        if born_on:
            message.birth_date.year = born_on.year
            message.birth_date.month, message.birth_date.day = born_on.month, born_on.day
        event = PatientChanged(patient=message, version=1)
        await self.identity.hub.publish(event, key=patient)
        await self.network.treated(uuid4(), patient, self.there)
        known = ((self.here, "REGISTERED"), (self.there, "REGISTERED"), (self.there, "TREATED"))
        await self.network.until_told(patient, *known)

    async def call(self, service, method, request, token=None, **headers):
        contract = CONTRACTS[service].DESCRIPTOR.services_by_name[service]
        kind = GetMessageClass(contract.methods_by_name[method].output_type)
        token = self.nurse if token is None else token
        return await self.identity.hub.call(
            contract, method, request, kind, token=token, headers=headers
        )

    def permit(self, *recipients, **fields):
        """A signed permission for everything that giving care needs, of ordinary rows."""
        said = {
            "decision": Consent.DECISION_PERMIT,
            "purposes": purposes("TREATMENT", "CARE_COORDINATION"),
            "labels": labels("NORMAL"),
            "data_classes": classes("DEMOGRAPHICS", "VISITS", "CLINICAL"),
            "evidence_id": str(uuid4()),
        }
        return self.consent(*recipients, **(said | fields))

    def deny(self, *recipients, **fields):
        return self.consent(*recipients, **({"decision": Consent.DECISION_DENY} | fields))

    def consent(self, *recipients, **fields):
        said = {
            "patient_id": str(self.patient),
            "facility_id": str(self.here),
            "recipient_ids": map(str, recipients),
            "form": Consent.FORM_PAPER,
        }
        return Consent(**(said | fields))

    async def give(self, consent, token=None, **fields):
        request = consent_service_pb2.GiveConsentRequest(consent=consent, **fields)
        return await self.call("ConsentService", "GiveConsent", request, token)

    async def change(self, consent_id, consent, token=None, etag=""):
        request = consent_service_pb2.ChangeConsentRequest(
            consent_id=consent_id, consent=consent, etag=etag
        )
        return await self.call("ConsentService", "ChangeConsent", request, token)

    async def withdraw(self, consent_id, token=None, etag=""):
        request = consent_service_pb2.WithdrawConsentRequest(consent_id=consent_id, etag=etag)
        return await self.call("ConsentService", "WithdrawConsent", request, token)

    async def get(self, consent_id, token=None, version=0):
        request = consent_service_pb2.GetConsentRequest(consent_id=consent_id, version=version)
        return await self.call("ConsentService", "GetConsent", request, token)

    async def list(self, token=None, **fields):
        request = consent_service_pb2.ListConsentsRequest(
            **({"patient_id": str(self.patient)} | fields)
        )
        return await self.call("ConsentService", "ListConsents", request, token)

    async def preview(self, consent, token=None, consent_id=""):
        request = consent_service_pb2.PreviewConsentRequest(consent=consent, consent_id=consent_id)
        return await self.call("ConsentService", "PreviewConsent", request, token)

    async def add_proxy(self, person_id, /, token=None, request_id="", **fields):
        said = {
            "patient_id": str(self.patient),
            "facility_id": str(self.here),
            "person_id": str(person_id),
            "kind": Proxy.KIND_ATTORNEY,
            "data_classes": classes("VISITS", "CLINICAL"),
            "evidence_id": str(uuid4()),
        }
        request = proxy_service_pb2.AddProxyRequest(
            proxy=Proxy(**(said | fields)), request_id=request_id
        )
        return await self.call("ProxyService", "AddProxy", request, token)

    async def revoke(self, proxy_id, token=None, etag=""):
        request = proxy_service_pb2.RevokeProxyRequest(proxy_id=proxy_id, etag=etag)
        return await self.call("ProxyService", "RevokeProxy", request, token)

    async def bar(self, proxy_id, token=None, etag=""):
        request = proxy_service_pb2.BarProxyRequest(proxy_id=proxy_id, etag=etag)
        return await self.call("ProxyService", "BarProxy", request, token)

    async def list_proxies(self, token=None, **fields):
        request = proxy_service_pb2.ListProxiesRequest(
            **({"patient_id": str(self.patient)} | fields)
        )
        return await self.call("ProxyService", "ListProxies", request, token)

    async def link(self, person_id, token=None, **fields):
        said = {
            "patient_id": str(self.patient),
            "facility_id": str(self.here),
            "person_id": str(person_id),
        }
        request = proxy_service_pb2.LinkPatientAccountRequest(**(said | fields))
        return await self.call("ProxyService", "LinkPatientAccount", request, token)

    async def unlink(self, token=None):
        request = proxy_service_pb2.UnlinkPatientAccountRequest(patient_id=str(self.patient))
        return await self.call("ProxyService", "UnlinkPatientAccount", request, token)

    async def join(self, member_id, token=None, request_id="", **fields):
        said = {
            "patient_id": str(self.patient),
            "facility_id": str(self.here),
            "member_id": str(member_id),
        }
        request = care_team_service_pb2.JoinCareTeamRequest(
            member=CareTeamMember(**(said | fields)), request_id=request_id
        )
        return await self.call("CareTeamService", "JoinCareTeam", request, token)

    async def leave(self, membership_id, token=None, etag=""):
        request = care_team_service_pb2.LeaveCareTeamRequest(membership_id=membership_id, etag=etag)
        return await self.call("CareTeamService", "LeaveCareTeam", request, token)

    async def list_care_team(self, token=None, **fields):
        request = care_team_service_pb2.ListCareTeamRequest(
            **({"patient_id": str(self.patient)} | fields)
        )
        return await self.call("CareTeamService", "ListCareTeam", request, token)

    async def refer(self, to_id, token=None, request_id="", **fields):
        said = {
            "patient_id": str(self.patient),
            "from_facility_id": str(self.here),
            "to_id": str(to_id),
        }
        request = care_team_service_pb2.RecordReferralRequest(
            referral=ReferralFact(**(said | fields)), request_id=request_id
        )
        return await self.call("CareTeamService", "RecordReferral", request, token)

    async def end_referral(self, referral_id, token=None, etag=""):
        request = care_team_service_pb2.EndReferralRequest(referral_id=referral_id, etag=etag)
        return await self.call("CareTeamService", "EndReferral", request, token)

    async def hold(self, token=None, request_id="", **fields):
        said = {
            "patient_id": str(self.patient),
            "facility_id": str(self.here),
            "data_classes": classes("RESULTS"),
            "exception": Hold.EXCEPTION_PREVENTING_HARM,
            "end_time": instant(self.now(days=7)),
        }
        request = hold_service_pb2.HoldReleaseRequest(
            hold=Hold(**(said | fields)), request_id=request_id
        )
        return await self.call("HoldService", "HoldRelease", request, token or self.physician)

    async def end_hold(self, hold_id, token=None, etag=""):
        request = hold_service_pb2.EndHoldRequest(hold_id=hold_id, etag=etag)
        return await self.call("HoldService", "EndHold", request, token or self.physician)

    async def list_holds(self, token=None, **fields):
        request = hold_service_pb2.ListHoldsRequest(**({"patient_id": str(self.patient)} | fields))
        return await self.call("HoldService", "ListHolds", request, token)

    async def access(self, patient=None):
        """What was decided, as it is kept and told."""
        patient = patient or self.patient
        async with self.identity.hub.system("identity") as tx:
            store = AccessStore(tx)
            kept = (await store.decided(await store.versions_of([patient])))[patient]
        return Access(
            grants=tuple(map(_grant, kept.grants)), denials=tuple(map(_denial, kept.denials))
        )

    async def sees(self, source, *, patient=None, at=None, **asked):
        """Whether somebody may see a row of `source`: an ordinary visit, for treatment, unless something else is asked."""
        question = {
            "person_id": uuid4(),
            "purpose": Purpose.TREATMENT,
            "source_id": source,
            "labels": frozenset({Label.NORMAL}),
            "data_class": DataClass.VISITS,
            "at": at or self.identity.hub.clock(),
        } | asked
        return may(await self.access(patient), Question(**question))

    async def there_sees_here(self, **asked):
        return await self.sees(self.here, facility_ids=frozenset({self.there}), **asked)

    async def partner_sees_here(self, **asked):
        return await self.sees(self.here, facility_ids=frozenset({self.partner}), **asked)

    def now(self, **later):
        return self.identity.hub.clock() + timedelta(**later)


def _box(row):
    return {
        "grantee_id": row.grantee_id,
        "sources": None if row.sources is None else frozenset(row.sources),
        "purposes": frozenset(map(Purpose, row.purposes)),
        "classes": frozenset(map(DataClass, row.classes)),
        "labels": frozenset(map(Label, row.labels)),
        "expires_at": row.expires_at,
        "fact_id": UUID(int=0),
    }


def _grant(row):
    return Grant(
        **_box(row),
        names=frozenset(row.names),
        standing=Standing(row.standing),
        reason=Reason(row.reason),
        basis_id=row.basis_id,
        consent_id=row.consent_id,
    )


def _denial(row):
    return Denial(**_box(row), weight=Weight(row.weight), reason=Reason.DENIED)


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
