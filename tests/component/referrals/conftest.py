"""referrals and identity running for a test, with a clinic, a patient, three ride services and a shorthand for the RPCs."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import (
    consent_pb2,
    consent_service_pb2,
    identity_events_pb2,
    identity_service_pb2,
    organization_pb2,
)
from carehub.referrals.v1 import partner_service_pb2 as partner
from carehub.referrals.v1 import referral_pb2, referrals_events_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc
from carehub.registry.v1 import registry_events_pb2
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.fields import to_timestamp
from libs.testing.feeds import feed_changed
from libs.testing.hub import caller_token

CONTRACT = rpc.DESCRIPTOR.services_by_name["ReferralsService"]
CONSENTS = consent_service_pb2.DESCRIPTOR.services_by_name["ConsentService"]
DIRECTORY = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"]
PARTNER = partner.DESCRIPTOR.services_by_name["PartnerService"]
PERMISSIONS = ("directory.read", "directory.write", "referrals.read", "referrals.write")
RIDE = "transportation-insecurity"
State, Consent = referral_pb2.Referral, referral_pb2.ReferralConsent


def at(text, zone="America/Chicago"):
    """A local time, such as "2026-09-04 17:40"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def ride_service(number, name, *, drivers=1, **fields):
    """A volunteer-driver programme in HSDS."""
    id = str(UUID(int=0xD0 + number))
    terms = {
        "ride-volunteer": "",
        "drivers": str(drivers),
        "answer-hours": "4",
        "capacity-hours": "24",
    }
    told = {
        "id": id, "name": name, "description": "Rides.", "status": "active", "email": f"{number}@rides.example",
        "assured_date": "2026-08-01",
        "phones": [{"id": str(uuid4()), "number": "(555) 010-0140"}],
        "schedules": [
            {"id": str(uuid4()), "freq": "WEEKLY", "byday": "MO,TU,WE,TH,FR", "opens_at": "07:00", "closes_at": "18:00"}
        ],
        "service_areas": [{"id": str(uuid4()), "extent": "62701, 62558", "extent_type": "text"}],
        "languages": [{"id": str(uuid4()), "code": "es"}],
        "attributes": [
            {"id": str(uuid4()), "value": value, "taxonomy_term": {
                "id": str(uuid4()), "code": code, "name": code, "description": code}}
            for code, value in terms.items()
        ],
    }  # fmt: skip
    return told | fields


def organization(*services, number=1):
    return {
        "id": str(UUID(int=0xA000 + number)),
        "name": f"Ridge Neighbors {number}",
        "description": "Neighbors.",
        "services": list(services),
    }


class Referrals:
    def __init__(self, hub):
        self.hub = hub
        self.here, self.patient, self.person = uuid4(), uuid4(), uuid4()
        self.as_coordinator = self.token(self.person)

    def token(self, subject=None, *facilities, permissions=PERMISSIONS, **claims):
        return caller_token(
            permissions=permissions, facilities=facilities or [self.here], subject=subject, **claims
        )

    async def call(self, method, request, token=None, headers=None):
        kind = GetMessageClass(CONTRACT.methods_by_name[method].output_type)
        token = self.as_coordinator if token is None else token
        return await self.hub.call(CONTRACT, method, request, kind, token=token, headers=headers)

    async def as_partner(self, method, **fields):
        descriptor = PARTNER.methods_by_name[method]
        request = GetMessageClass(descriptor.input_type)(**fields)
        return await self.hub.call(PARTNER, method, request, partner.PartnerRequest)

    async def rows(self, text, *values):
        async with self.hub.system("referrals") as tx:
            return await tx._connection.fetch(text, *values)

    async def until_waited_for(self, tx):
        """Until somebody wants what this transaction has locked."""
        waits = (
            "SELECT count(*) FROM pg_locks "
            "WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        await self.hub.until(lambda: tx._connection.fetchval(waits), what="somebody waits")

    async def until(self, text, wanted, *values):
        async def settled():
            return (await self.rows(text, *values))[0][0] == wanted

        await self.hub.until(settled, what=f"{text} = {wanted}")

    async def told(self, kind=referrals_events_pb2.ReferralChanged):
        found = await self.rows(
            "SELECT payload FROM outbox WHERE subject = $1 ORDER BY position",
            kind.DESCRIPTOR.full_name,
        )
        return [kind.FromString(row["payload"]) for row in found]

    async def settle(self):
        """The clinic and the patient, as neighbors tell of them; and the directory."""
        event = identity_events_pb2.FacilityChanged(version=1)
        event.facility.id, event.facility.name = str(self.here), "Pine Creek Clinic"
        event.facility.time_zone = "America/Chicago"
        event.facility.holiday_calendar, event.facility.phone = "us-federal", "(555) 010-0107"
        await self.hub.publish(event, key=self.here)
        await self.until("SELECT count(*) FROM facilities", 1)
        await self.known(self.patient)
        await self.directory(
            organization(
                ride_service(1, "Ridge Drivers", drivers=2),
                ride_service(2, "Good Road Cars", languages=[]),
                ride_service(3, "Far Wheels", service_areas=[
                    {"id": str(uuid4()), "extent": "99999", "extent_type": "text"}]),
            )
        )  # fmt: skip

    async def known(self, patient):
        event = registry_events_pb2.PatientChanged(version=1)
        event.patient.id = str(patient)
        event.patient.names.add(family="Ejemplo", given=["Marisol"])
        event.patient.facility_ids.append(str(self.here))
        await self.hub.publish(event, key=patient)

        async def is_known():
            async with self.hub.system("identity") as tx:
                return await tx._connection.fetchval(
                    "SELECT count(*) FROM access_facts WHERE patient_id = $1", patient
                )

        await self.hub.until(is_known, what="the patient")

    async def feed(self, *facilities, id=None, version=1, is_program=True):
        """A feed that speaks for these facilities; its id, once it is heard."""
        id = id or uuid4()
        event = feed_changed(id, *facilities, version=version, is_program=is_program)
        await self.hub.publish(event, key=id, version=version)
        await self.until(
            "SELECT count(*) FROM feeds WHERE id = $1 AND version >= $2", 1, id, version
        )
        return id

    async def let_see(self, facility):
        """Identity lets a facility see what is ordinary of the patient's referrals, to treat them; and is heard."""
        grant = access_pb2.Grant(
            grantee_id=str(facility), is_from_anywhere=True, purposes=[access_pb2.PURPOSE_TREATMENT],
            data_classes=[access_pb2.DATA_CLASS_REFERRALS], labels=[access_pb2.LABEL_NORMAL], reason="TREATED",
        )  # fmt: skip
        access = access_pb2.PatientAccess(patient_id=str(self.patient), version=99, grants=[grant])
        changed = identity_events_pb2.AccessChanged(access=access, version=99)
        await self.hub.publish(changed, key=self.patient, version=99)
        await self.until("SELECT count(*) FROM grants", 1)
        beat = identity_events_pb2.AccessBeat(version=1)
        beat.beat_time.GetCurrentTime()
        await self.hub.publish(beat, key="identity")
        await self.until("SELECT count(*) FROM access_heartbeat", 1)

    async def directory(self, *organizations, **fields):
        request = rpc.ImportDirectoryRequest(json=json.dumps(organizations), **fields)
        return await self.call("ImportDirectory", request)

    def details(self, day="2026-09-11", hour=8, **fields):
        told = {
            "first_name": "Marisol", "telephone": "(555) 010-0199", "address": "12 Sample Road",
            "destination": "Rural Clinic North", "area": "Sample Road area", "postal_code": "62701", "language": "es",
            "start_time": to_timestamp(at(f"{day} {hour:02d}:30")),
            "end_time": to_timestamp(at(f"{day} {hour + 2:02d}:15")),
        }  # fmt: skip
        return referral_pb2.ReferralDetails(**(told | fields))

    async def draft(self, service=1, *, token=None, labels=(), details=None, **fields):
        told = {
            "facility_id": str(self.here), "patient_id": str(self.patient), "need": RIDE,
            "service_id": self.service(service), "details": details or self.details(),
        }  # fmt: skip
        referral = referral_pb2.Referral(**(told | fields))
        request = rpc.CreateReferralRequest(referral=referral, labels=labels)
        return await self.call("CreateReferral", request, token)

    @staticmethod
    def service(number):
        return str(UUID(int=0xD0 + number))

    def consent(self, *services, **fields):
        told = {
            "form": Consent.FORM_VERBAL, "witness": "N. Nurse",
            "service_ids": [self.service(each) for each in services or (1,)],
            "items": [Consent.ITEM_FIRST_NAME, Consent.ITEM_TELEPHONE, Consent.ITEM_ADDRESS, Consent.ITEM_DESTINATION],
        }  # fmt: skip
        return Consent(**(told | fields))

    async def send(self, referral, *services, token=None, headers=None, **consent):
        request = rpc.SendReferralRequest(
            referral_id=referral.id, consent=self.consent(*services, **consent)
        )
        return await self.call("SendReferral", request, token, headers)

    async def sent(self, service=1, *consented, **fields):
        """A referral that its partner was asked about."""
        return await self.send(await self.draft(service, **fields), *(consented or (service,)))

    async def link(self, referral):
        """The token of a link to the partner's page."""
        request = rpc.CreatePartnerLinkRequest(referral_id=referral.id)
        url = (await self.call("CreatePartnerLink", request)).url
        return url.rpartition("/p/")[2]

    async def sent_to_member(self):
        """A referral to a partner that is an organization of the network, so that a patient can forbid it by name."""
        member = organization_pb2.Organization(
            name="Riders", kind=organization_pb2.Organization.KIND_COMMUNITY
        )
        request = identity_service_pb2.CreateOrganizationRequest(organization=member)
        token = self.token(permissions=["organizations.write"], roles=["network_admin"])
        made = await self.hub.call(
            DIRECTORY, "CreateOrganization", request, organization_pb2.Organization, token=token
        )
        await self.directory(organization(ride_service(9, "Riders", id=made.id), number=9))
        draft = await self.draft(service_id=made.id)
        return await self.send(draft, service_ids=[made.id])

    async def forbid(self, referral=None, *, recipient_id=""):
        """The patient forbids that the partner is told anything, whoever that is."""
        consent = consent_pb2.Consent(
            patient_id=str(self.patient),
            facility_id=str(self.here),
            decision=consent_pb2.Consent.DECISION_DENY,
            recipient_ids=[recipient_id or referral.service_id],
            form=consent_pb2.Consent.FORM_PAPER,
        )
        token = self.token(self.person, permissions=["consents.write"])
        request = consent_service_pb2.GiveConsentRequest(consent=consent)
        await self.hub.call(CONSENTS, "GiveConsent", request, consent_pb2.Consent, token=token)

    @asynccontextmanager
    async def identity_away(self):
        """identity answers nothing: what it would have to look at is locked."""
        locked, is_over = asyncio.Event(), asyncio.Event()

        async def lock():
            async with self.hub.system("identity") as tx:
                # For as long as it takes, however slow the machine is.
                await tx._connection.execute(
                    "SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE access_facts"
                )
                locked.set()
                await is_over.wait()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(lock())
            await locked.wait()
            yield
            is_over.set()

    async def disclosures(self):
        async with self.hub.system("identity") as tx:
            return await tx._connection.fetch("SELECT * FROM disclosures ORDER BY at")

    async def merged(self):
        """The patient's record lives on in another one, whose id is returned."""
        survivor = uuid4()
        await self.known(survivor)
        event = registry_events_pb2.PatientsMerged(
            survivor_id=str(survivor), retired_id=str(self.patient), version=1
        )
        await self.hub.publish(event, key=self.patient)
        await self.until("SELECT count(*) FROM merges", 1)
        return survivor

    async def get(self, referral, token=None):
        return await self.call(
            "GetReferral", rpc.GetReferralRequest(referral_id=referral.id), token
        )

    async def listed(self, token=None, **fields):
        fields = {"patient_id": str(self.patient)} | fields
        answer = await self.call("ListReferrals", rpc.ListReferralsRequest(**fields), token)
        return list(answer.referrals)


@pytest.fixture
def referrals(hub):
    @asynccontextmanager
    async def running(**env):
        now = at("2026-09-08 09:00")
        async with hub("identity", "referrals", env=env, now=now) as running_hub:
            r = Referrals(running_hub)
            await r.settle()
            yield r

    return running
