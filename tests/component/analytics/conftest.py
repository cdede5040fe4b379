"""analytics running for a test, with two hospitals, what registry, tasking and referrals tell, and a shorthand for its RPCs."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.analytics.v1 import analytics_events_pb2, analytics_service_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.referrals.v1 import referral_pb2, referrals_events_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.tasking.v1 import loop_pb2, tasking_events_pb2
from google.protobuf.message_factory import GetMessageClass
from google.type.date_pb2 import Date

from libs.chassis.fields import to_timestamp
from libs.testing.hub import caller_token

CONTRACT = analytics_service_pb2.DESCRIPTOR.services_by_name["AnalyticsService"]
PERMISSIONS = ("patients.read", "risks.read", "measures.read")
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
NORMAL, PART2 = access_pb2.LABEL_NORMAL, access_pb2.LABEL_PART2
CONSUMERS = {
    "EncounterChanged": "analytics-record", "PatientsMerged": "analytics-record", "LoopChanged": "analytics-loops",
    "ReferralChanged": "analytics-referrals", "FacilityChanged": "analytics-facilities",
}  # fmt: skip


def day(value):
    return Date(year=value.year, month=value.month, day=value.day)


class Analytics:
    """Two hospitals in Chicago, what is told of their patients, and the RPCs of analytics."""

    def __init__(self, hub):
        self.hub = hub
        self.here, self.there, self.patient = uuid4(), uuid4(), uuid4()
        self._told = dict.fromkeys(CONSUMERS.values(), 0)

    def token(self, *facilities, permissions=PERMISSIONS, **claims):
        return caller_token(
            permissions=permissions, facilities=facilities or [self.here, self.there], **claims
        )

    async def call(self, method, token=None, **fields):
        described = CONTRACT.methods_by_name[method]
        request = GetMessageClass(described.input_type)()
        for name, value in fields.items():
            if hasattr(value, "DESCRIPTOR"):
                getattr(request, name).CopyFrom(value)
            else:
                setattr(request, name, value)
        kind = GetMessageClass(described.output_type)
        return await self.hub.call(CONTRACT, method, request, kind, token=token or self.token())

    # What neighbors tell.

    def facility(self, id, version=1, time_zone="America/Chicago"):
        event = identity_events_pb2.FacilityChanged(version=version)
        event.facility.id, event.facility.time_zone = str(id), time_zone
        return event

    def visit(self, id, admitted, discharged=None, version=1, **fields):
        event = registry_events_pb2.EncounterChanged(version=version)
        told = event.encounter
        told.id, told.patient_id = str(id), str(fields.get("patient", self.patient))
        told.facility_id = str(fields.get("facility", self.here))
        state = "FINISHED" if discharged else "IN_PROGRESS"
        told.state = encounter_pb2.Encounter.State.Value(f"STATE_{fields.get('state', state)}")
        kind = f"CLASS_{fields.get('kind', 'INPATIENT')}"
        setattr(told, "class", encounter_pb2.Encounter.Class.Value(kind))
        if admitted:
            told.admit_time.CopyFrom(to_timestamp(admitted))
        if discharged:
            told.discharge_time.CopyFrom(to_timestamp(discharged))
        told.admission_type = fields.get("admission", "E")
        told.discharge_disposition = fields.get("disposition", "")
        for code in fields.get("codes", ()):
            told.diagnoses.add(code=code)
        told.labels.extend(fields.get("labels", (NORMAL,)))
        return event

    def loop(self, id, encounter, discharged=None, due=None, version=1, **fields):
        event = tasking_events_pb2.LoopChanged(version=version)
        told = event.loop
        told.id, told.encounter_id = str(id), str(encounter)
        told.protocol = fields.get("protocol", "discharge-transition")
        told.facility_id = str(fields.get("facility", self.here))
        told.patient_id = str(fields.get("patient", self.patient))
        told.state = loop_pb2.Loop.State.Value(f"STATE_{fields.get('state', 'OPEN')}")
        if discharged:
            told.anchor_time.CopyFrom(to_timestamp(discharged))
        if due:
            told.key_dates.add(key="contact_due", time=to_timestamp(due))
        if at := fields.get("contacted"):
            told.evidence.add(
                kind="TASK_OUTCOME", step="contact", source_id=str(id), time=to_timestamp(at),
                outcome=fields.get("outcome", "reached"),
            )  # fmt: skip
        if at := fields.get("tried"):
            told.evidence.add(
                kind="CONTACT_ATTEMPTS", step="contact", source_id=str(id), time=to_timestamp(at)
            )
        told.close_reason = fields.get("reason", "")
        told.labels.extend(fields.get("labels", (NORMAL,)))
        return event

    def alarm(self, id, result, verified, read_back=None, version=1, **fields):
        """The loop of a critical result; `read_back` and `ended` are moments."""
        event = tasking_events_pb2.LoopChanged(version=version)
        told = event.loop
        told.id, told.result_id, told.protocol = str(id), str(result), "critical-result"
        told.facility_id = str(fields.get("facility", self.here))
        told.patient_id = str(fields.get("patient", self.patient))
        told.state = loop_pb2.Loop.State.Value(f"STATE_{fields.get('state', 'OPEN')}")
        told.open_time.CopyFrom(to_timestamp(verified))
        if read_back:
            told.evidence.add(
                kind="TASK_OUTCOME", step="acknowledge", outcome="read_back", source_id=str(id),
                time=to_timestamp(read_back),
            )  # fmt: skip
        if at := fields.get("ended"):
            told.close_time.CopyFrom(to_timestamp(at))
        told.close_reason = fields.get("reason", "")
        told.labels.extend(fields.get("labels", (NORMAL,)))
        return event

    def referral(self, id, sent=None, ended=None, state="COMPLETED", version=1, **fields):
        event = referrals_events_pb2.ReferralChanged(version=version)
        told = event.referral
        told.id, told.patient_id = str(id), str(fields.get("patient", self.patient))
        told.facility_id = str(fields.get("facility", self.here))
        told.state = referral_pb2.Referral.State.Value(f"STATE_{state}")
        if sent:
            told.send_time.CopyFrom(to_timestamp(sent))
        if ended:
            told.end_time.CopyFrom(to_timestamp(ended))
        told.labels.append(NORMAL)
        return event

    def merge(self, retired, survivor, version=9):
        return registry_events_pb2.PatientsMerged(
            survivor_id=str(survivor), retired_id=str(retired), version=version
        )

    async def tell(self, *events):
        """Publish in this order, and wait until all of it is worked off."""
        for event in events:
            name = event.DESCRIPTOR.name
            await self.hub.publish(event, key=_key(event), version=event.version)
            self._told[CONSUMERS[name]] += 1
        for consumer, count in self._told.items():
            await self.until_handled(consumer, count)

    async def until_handled(self, consumer, count):
        async def settled():
            text = "SELECT count(*) FROM inbox WHERE consumer = $1"
            return (await self.rows(text, consumer))[0][0] == count

        await self.hub.until(settled, seconds=60, what=f"{consumer} = {count}")

    # What is there.

    async def rows(self, text, *values):
        async with self.hub.system("analytics") as tx:
            return await tx._connection.fetch(text, *values)

    async def risks(self, token=None, patient=None):
        answer = await self.call("ListRisks", token, patient_id=str(patient or self.patient))
        return list(answer.risks)

    async def measures(self, token=None, **fields):
        answer = await self.call("ListMeasures", token, **fields)
        return {each.key: each for each in answer.measures}

    async def units(self, measure, token=None, **fields):
        """All pages of them."""
        found, page = [], ""
        while True:
            answer = await self.call(
                "ListMeasureUnits", token, measure=measure, page_token=page, **fields
            )
            found += answer.units
            page = answer.next_page_token
            if not page:
                return found

    async def computed(self):
        """All scores and units, but for when they were computed and how often they changed."""
        risks = await self.rows("SELECT * FROM risks ORDER BY id")
        units = await self.rows("SELECT * FROM units ORDER BY id")
        moving = {"version", "computed_at"}
        return [{k: v for k, v in row.items() if k not in moving} for row in (*risks, *units)]

    async def told_risks(self, encounter=None):
        """What was told of scores, in order."""
        found = await self.rows(
            "SELECT payload FROM outbox WHERE subject = $1 ORDER BY position",
            analytics_events_pb2.RiskScored.DESCRIPTOR.full_name,
        )
        events = [analytics_events_pb2.RiskScored.FromString(row["payload"]) for row in found]
        return [e for e in events if encounter is None or e.risk.encounter_id == str(encounter)]


def _key(event):
    for name in ("facility", "encounter", "loop", "referral"):
        if name in event.DESCRIPTOR.fields_by_name:
            return getattr(event, name).id
    return event.retired_id


@pytest.fixture
def analytics(hub):
    @asynccontextmanager
    async def running(*, with_clocks=True):
        async with hub("analytics", now=NOW) as running_hub:
            here = Analytics(running_hub)
            if with_clocks:
                await here.tell(here.facility(here.here), here.facility(here.there))
            yield here

    return running
