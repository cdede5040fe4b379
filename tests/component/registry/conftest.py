"""registry running for a test, fed as interop feeds it and asked as people ask it."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from carehub.interop.v1 import interop_events_pb2, report_pb2
from carehub.registry.v1 import registry_events_pb2, registry_service_pb2
from google.protobuf.message_factory import GetMessageClass
from google.type.date_pb2 import Date
from sqlalchemy import column, select, table

from libs.chassis.database import param, sql
from libs.chassis.fields import to_timestamp
from libs.testing.hub import caller_token

CONTRACT = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"]
MERCY, HARBOR, ELSEWHERE = UUID(int=1), UUID(int=2), UUID(int=3)
START = datetime(2026, 11, 1, 8, tzinfo=UTC)

_outbox = table("outbox", column("subject"), column("payload"), column("position"))
_PUBLISHED = sql(
    select(_outbox.c.payload)
    .where(_outbox.c.subject == param("subject"))
    .order_by(_outbox.c.position)
)


def identifier(value, assigner="MERCY", type="MR"):
    return report_pb2.ReportedIdentifier(assigner=assigner, value=value, type=type)


def person(*identifiers, family="Okafor", given="Jane", **fields):
    fields = {
        "birth_date": Date(year=1980, month=4, day=30),
        "sex": "F",
        "telecoms": [report_pb2.ReportedTelecom(value="+16025550134")],
    } | fields
    return report_pb2.ReportedPerson(
        identifiers=identifiers,
        names=[report_pb2.ReportedName(family=family, given=[given])],
        **fields,
    )


class Registry:
    """What goes into registry and what comes out of it."""

    def __init__(self, hub):
        self.hub = hub

    @staticmethod
    def token(*facilities, permissions=("patients.read", "patients.write"), subject=None):
        return caller_token(permissions=permissions, facilities=facilities, subject=subject)

    async def call(self, method, token=None, **fields):
        descriptor = CONTRACT.methods_by_name[method]
        request = GetMessageClass(descriptor.input_type)(**fields)
        kind = GetMessageClass(descriptor.output_type)
        return await self.hub.call(
            CONTRACT, method, request, kind, token=token or self.token(MERCY)
        )

    async def search(self, text, token=None):
        return await self.call("SearchPatients", token, text=text)

    def source(self, trigger, hours, facility=MERCY, replay=0, message_id=None, content=None):
        at = to_timestamp(START + timedelta(hours=hours))
        message_id = message_id or uuid4()
        return report_pb2.ReportSource(
            message_id=str(message_id),
            feed_id=str(UUID(int=9)),
            facility_id=str(facility),
            trigger=trigger,
            event_time=at,
            message_time=at,
            content_hash=sha256((content or str(message_id)).encode()).hexdigest(),
            replay=replay,
        )

    async def visit(self, trigger, hours, who, *, facility=MERCY, source=None, **said):
        said = {"visit_number": "V1", "patient_class": "I"} | said
        event = interop_events_pb2.VisitReported(
            source=source or self.source(trigger, hours, facility),
            person=who,
            visit=report_pb2.ReportedVisit(**said),
        )
        return await self.report(event)

    async def person(self, hours, who, *, trigger="A31", facility=MERCY):
        return await self.report(
            interop_events_pb2.PersonReported(
                source=self.source(trigger, hours, facility), person=who
            )
        )

    async def merge(self, hours, survivor, *retired):
        merges = [interop_events_pb2.ReportedMerge(survivor=survivor, retired=retired)]
        return await self.report(
            interop_events_pb2.MergeReported(source=self.source("A40", hours), merges=merges)
        )

    async def report(self, event):
        """Report and wait for what became of it."""
        await self.send(event)
        return await self.outcome(event.source.message_id, event.source.replay + 1)

    async def send(self, event):
        source = event.source
        await self.hub.publish(event, key=source.message_id, version=source.replay + 1)

    async def outcome(self, message_id, version=1):
        async def handled():
            told = await self.published(registry_events_pb2.ReportHandled)
            return next(
                (t for t in told if (t.message_id, t.version) == (message_id, version)), None
            )

        return await self.hub.until(handled, what="the report's outcome")

    async def published(self, kind):
        """Every event of a kind, in the order of publication."""
        async with self.hub.system("registry") as tx:
            payloads = await tx.fetch(_PUBLISHED, subject=kind.DESCRIPTOR.full_name)
        return [kind.FromString(payload) for payload in payloads]


@pytest.fixture
def registry(hub):
    @asynccontextmanager
    async def running():
        async with hub("registry") as running_hub:
            yield Registry(running_hub)

    return running


@pytest.fixture
async def feed(registry):
    async with registry() as running:
        yield running
