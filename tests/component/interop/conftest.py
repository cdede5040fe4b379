"""interop running for a test, with one feed of one facility, over real servers."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from carehub.identity.v1.facility_pb2 import Facility
from carehub.identity.v1.identity_events_pb2 import FacilityChanged
from carehub.interop.v1 import interop_service_pb2 as rpc
from carehub.interop.v1.feed_pb2 import Feed
from google.protobuf.message_factory import GetMessageClass
from sqlalchemy import text

from libs.chassis.database import sql
from libs.testing.hub import caller_token
from services.interop.mllp.server import MllpServer
from services.interop.mllp.settings import Settings

CONTRACT = rpc.DESCRIPTOR.services_by_name["InteropService"]
PERMISSIONS = ("feeds.read", "feeds.write", "feeds.send", "messages.read")
EVENTS = sql(text("SELECT subject || ' ' || version FROM outbox ORDER BY position").columns())


def adt(control_id="C1", trigger="A01", facility="MERCY", **fields):
    """A message as a hospital would send it; fields by place, such as PID_7."""
    said = {
        "PID_3": "12345^^^MERCY^MR",
        "PID_5": "DOE^JANE^Q",
        "PID_7": "19500102",
        "PID_8": "F",
        "PV1_2": "I",
        "PV1_3": "4W^401^A",
        "PV1_19": "V100",
        "PV1_44": "20260901100000",
        "MSH_11": "P",
    } | fields
    segments = [
        f"MSH|^~\\&|ADT|{facility}|CAREHUB|HUB|20260901100000||ADT^{trigger}|{control_id}|{said['MSH_11']}|2.5.1",
        f"EVN|{trigger}|20260901100000",
        _segment("PID", said),
        _segment("PV1", said),
    ]
    return ("\r".join(segments) + "\r").encode()


def _segment(name, said):
    places = {int(k.partition("_")[2]): v for k, v in said.items() if k.startswith(f"{name}_")}
    fields = [name, *("" for _ in range(max(places)))]
    for place, value in places.items():
        fields[place] = value
    return "|".join(fields)


class Interop:
    """The RPCs of interop, called as somebody who may do everything at the facility."""

    def __init__(self, hub, facility_id):
        self.hub = hub
        self.facility_id = facility_id
        self.token = self.token_at(facility_id)
        self.feed = None

    @staticmethod
    def token_at(*facilities, permissions=PERMISSIONS):
        return caller_token(permissions=permissions, facilities=facilities)

    async def call(self, method, token=None, **fields):
        descriptor = CONTRACT.methods_by_name[method]
        request = GetMessageClass(descriptor.input_type)(**fields)
        kind = GetMessageClass(descriptor.output_type)
        return await self.hub.call(CONTRACT, method, request, kind, token=token or self.token)

    async def add_facility(self, facility_id, time_zone="America/Chicago", version=1):
        event = FacilityChanged(
            facility=Facility(id=str(facility_id), name="Mercy", time_zone=time_zone),
            version=version,
        )
        await self.hub.publish(event, key=facility_id, version=version)
        known = sql(
            text("SELECT count(*) FROM facilities WHERE id = :id").bindparams(id=facility_id)
        )
        await self.hub.until(lambda: self.look(known))

    async def look(self, statement):
        async with self.hub.system("interop") as tx:
            return await tx.one(statement)

    async def count(self, statement):
        return await self.look(sql(text(statement)))

    async def create_feed(self, **fields):
        fields = {
            "facility_id": str(self.facility_id),
            "name": "Mercy ADT",
            "sending_facility": "MERCY",
        } | fields
        return await self.call("CreateFeed", feed=Feed(**fields))

    async def send(self, message):
        return await self.call(
            "SendMessage", feed_id=self.feed.id, message=message.decode("latin-1")
        )

    async def accounts(self):
        return (await self.call("GetFeed", feed_id=self.feed.id)).accounts

    @asynccontextmanager
    async def listening(self, **settings):
        runtime = self.hub.host.runtimes["interop"]
        server = MllpServer(Settings(mllp_port=0, **settings), runtime)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


class Peer:
    """A sender at the other end of a connection."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, server, tls=None):
        host = "localhost" if tls else "127.0.0.1"
        return cls(*await asyncio.open_connection(host, server.port, ssl=tls))

    def send(self, *messages):
        for message in messages:
            self.writer.write(b"\x0b" + message + b"\x1c\r")

    async def answers(self, count):
        return [
            (await asyncio.wait_for(self.reader.readuntil(b"\x1c\r"), 60))[1:-2].decode()
            for _ in range(count)
        ]

    async def ask(self, message):
        self.send(message)
        (answer,) = await self.answers(1)
        return answer

    def close(self):
        self.writer.close()


def code_of(answer):
    return _field(answer, "MSA", 1)


def control_id_of(answer):
    return _field(answer, "MSA", 2)


def error_of(answer):
    return _field(answer, "ERR", 3).partition("^")[0]


def _field(answer, name, number):
    for line in answer.split("\r"):
        if line.startswith(name):
            return line.split("|")[number]
    return ""


@pytest.fixture
async def interop(hub):
    async with hub("interop", neighbors=("identity", "registry", "interop")) as running:
        facility_id = uuid4()
        interop = Interop(running, facility_id)
        await interop.add_facility(facility_id)
        interop.feed = await interop.create_feed()
        yield interop
