"""Words planted in what is sensitive are in the answers to whom may see it, and nowhere else: no answer to others, no
event, log, metric, ledger, letter or error.
"""

import logging
from datetime import timedelta
from uuid import UUID

import nats
import prometheus_client
import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import (
    break_glass_service_pb2,
    consent_service_pb2,
)
from carehub.identity.v1.break_glass_pb2 import BreakGlass
from carehub.identity.v1.consent_pb2 import Consent
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2
from nats.js.api import AckPolicy, ConsumerConfig

from libs.chassis.contracts import method_of
from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token
from services.identity.domain.role import PERMISSIONS
from tests.component.spine.calling import methods, path_of
from tests.component.spine.test_labels import SITES, hl7, region

__all__ = ["region"]
DIAGNOSIS, WARD, NUMBER, PHONE = "Grommetosis", "Zqxward", "QVX7723184419", "6025550103"
COMMENT, EVIDENCE, GLASS = "Plumbukketnote", "Vexilloscan", "Wumblereason"
CANARIES = (DIAGNOSIS, WARD, NUMBER, PHONE, COMMENT, EVIDENCE, GLASS)
# The program tells it; the hospital has the patient's signature; the clinic knows the patient and broke the glass; the
# ward knows nobody. A word about the glass is for privacy officers of whoever knows the patient.
MAY_SEE = {
    DIAGNOSIS: {"PROGRAM", "HOSPITAL"},
    WARD: {"PROGRAM", "HOSPITAL"},
    NUMBER: {"PROGRAM", "HOSPITAL"},
    PHONE: {"PROGRAM", "HOSPITAL"},
    COMMENT: {"PROGRAM", "HOSPITAL"},
    EVIDENCE: {"PROGRAM"},
    GLASS: {"CLINIC", "PROGRAM"},
}
EVERYTHING = frozenset[str]().union(*PERMISSIONS.values())
CHANGES = ("Replay", "Discard", "Apply", "ExchangeToken")
ASKED_WITH = {
    "encounter_id": ("registry", "encounters"),
    "loop_id": ("tasking", "loops"),
    "task_id": ("tasking", "tasks"),
    "message_id": ("interop", "messages"),
    "feed_id": ("interop", "feeds"),
    "facility_id": ("identity", "facilities"),
    "consent_id": ("identity", "consents"),
    "break_glass_id": ("identity", "break_glass"),
}


def found_in(text):
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    return {canary for canary in CANARIES if canary.lower() in text.lower()}


class Planted:
    """A patient of a Part 2 program, in whose every sensitive row there is a word that occurs nowhere else."""

    def __init__(self, region):
        self.region = region
        self.nurses = {}

    def token(self, site, purpose="TREATMENT", **claims):
        """Somebody with every permission that there is, at one place: whatever they are not shown, nobody there is."""
        acting = ["EMERGENCY", "TREATMENT"] if purpose == "EMERGENCY" else [purpose]
        since = self.region.hub.clock() - timedelta(minutes=1)
        return caller_token(
            permissions=EVERYTHING, facilities=[UUID(self.region.places[site])], roles=["nurse"],
            subject=UUID(self.nurses[site]), purpose=purpose, purposes=acting, acr="2",
            auth_time=int(since.timestamp()), **claims,
        )  # fmt: skip

    async def call(self, site, contract, method, **fields):
        described = contract.methods_by_name[method]
        request = GetMessageClass(described.input_type)(**fields)
        kind = GetMessageClass(described.output_type)
        return await self.region.hub.call(contract, method, request, kind, token=self.token(site))

    async def plant(self):
        region = self.region
        for site, place in region.places.items():
            staff = await region.identity.create_staff(f"{site.lower()}.nurse", ("nurse", place))
            self.nurses[site] = staff.id
        await region.send(hl7("CLINIC", "A04", 9, kind="O"))
        stay = [hl7("PROGRAM", "A01", 5, number=NUMBER), hl7("PROGRAM", "A03", 4, number=NUMBER)]
        words = {"4W^1^A": f"{WARD}^1^A", "F11.20^^I10": f"F11.20^{DIAGNOSIS}^I10"}
        for old, new in words.items():
            stay = [message.replace(old, new) for message in stay]
        await region.send(*stay)
        self.patient = (await region.found("CLINIC", "Okafor"))[0]
        await region.until_rows(
            "tasking", "SELECT count(*) FROM loops WHERE anchor_at IS NOT NULL", 1
        )
        tasks = (await region.call("PROGRAM", "ListTasks", patient_id=self.patient)).tasks
        await region.call("PROGRAM", "CommentOnTask", task_id=tasks[0].id, text=f"{COMMENT}.")
        await self.sign()
        await self.break_glass()

    async def sign(self):
        given = Timestamp()
        given.FromDatetime(self.region.hub.clock() - timedelta(minutes=1))
        consent = Consent(
            patient_id=self.patient, facility_id=self.region.places["PROGRAM"], decision=Consent.DECISION_PERMIT,
            recipient_ids=[self.region.places["HOSPITAL"]], purposes=[access_pb2.PURPOSE_TREATMENT],
            labels=[access_pb2.LABEL_NORMAL, access_pb2.LABEL_SUD, access_pb2.LABEL_PART2],
            data_classes=access_pb2.DataClass.values()[1:], give_time=given, form=Consent.FORM_PAPER,
            evidence_id="00000000-0000-4000-8000-000000000001", evidence_note=f"{EVIDENCE}.",
        )  # fmt: skip
        contract = consent_service_pb2.DESCRIPTOR.services_by_name["ConsentService"]
        await self.call("PROGRAM", contract, "GiveConsent", consent=consent)

    async def break_glass(self):
        contract = break_glass_service_pb2.DESCRIPTOR.services_by_name["BreakGlassService"]
        await self.call(
            "CLINIC", contract, "BreakGlass", patient_id=self.patient, facility_id=self.region.places["CLINIC"],
            reason=BreakGlass.REASON_UNABLE_TO_CONSENT, reason_text=f"Found unconscious, {GLASS}",
        )  # fmt: skip

    async def ids(self):
        return {
            field: [row[0] for row in await self.region.rows(service, f"SELECT id::text FROM {table}")]
            for field, (service, table) in ASKED_WITH.items()
        }  # fmt: skip

    async def answers(self, site, purpose):
        """Whatever can be read, asked by every id that there is: (what, site, text of the answer or of the error)."""
        known, told = await self.ids(), []
        for method in methods():
            if not method_of(method).is_idempotent or method.name.startswith(CHANGES):
                continue
            for request in self.requests(method, known):
                try:
                    answer = await self.region.hub.channels.call(
                        method, request, caller_token=self.token(site, purpose), timeout=10
                    )
                    text = answer.SerializeToString()
                except CallFailed as failed:
                    text = f"{failed} {failed.__dict__}"
                told.append((path_of(method), site, found_in(text)))
        return told

    def requests(self, method, known):
        kind = GetMessageClass(method.input_type)
        names = set(kind.DESCRIPTOR.fields_by_name)
        fields = {"patient_id": self.patient} if "patient_id" in names else {}
        if method.name == "FindForEmergency":
            born = date_pb2.Date(year=1980, month=4, day=30)
            return [kind(family="OKAFOR", birth_date=born), kind(identifier=NUMBER)]
        if method.name == "SearchPatients":
            return [kind(text=text) for text in ("Okafor", NUMBER, PHONE)]
        by_id = [kind(**{field: id}) for field in names & set(known) for id in known[field]]
        return [kind(**fields), *by_id]


@pytest.mark.timeout(600)
async def test_what_is_planted_in_sensitive_rows_is_where_it_may_be_and_nowhere_else(
    region, caplog
):
    caplog.set_level(logging.INFO)
    here = Planted(region)
    await here.plant()

    asked = [(site, purpose) for site in SITES for purpose in ("TREATMENT", "EMERGENCY")]
    answers = [answer for site, purpose in asked for answer in await here.answers(site, purpose)]
    print(f"{len(answers):,} answers read")
    astray = [
        f"{canary} in {method} to {to}"
        for method, to, found in answers
        for canary in found
        if to not in MAY_SEE[canary]
    ]
    assert astray == []
    seen = {canary: {to for _, to, found in answers if canary in found} for canary in CANARIES}
    assert seen == MAY_SEE, "eyes that see nothing prove nothing"

    assert found_in(caplog.text) == set()
    assert found_in(prometheus_client.generate_latest()) == set()
    for service in ("identity", "interop", "registry", "tasking"):
        assert found_in(str(await region.rows(service, "SELECT audit::text FROM audit"))) == set()
    letters = await region.rows("tasking", "SELECT n::text FROM notifications n")
    assert letters
    assert found_in(str(letters)) == set()
    await is_in_no_header(region.hub)


async def is_in_no_header(hub):
    """Events tell the neighbors what a resource is; a word of evidence or about an emergency is in none of them."""
    events = await told_by_events(hub)
    assert {subject for subject, _, _ in events} >= {
        "carehub.identity.v1.ConsentChanged", "carehub.identity.v1.BreakGlassChanged",
        "carehub.registry.v1.PatientChanged", "carehub.registry.v1.ProgramRecordChanged",
    }  # fmt: skip
    assert [subject for subject, headers, _ in events if found_in(headers)] == []
    assert [subject for subject, _, data in events if found_in(data) & {EVIDENCE, GLASS}] == []
    shared = [data for subject, _, data in events if subject.endswith(".PatientChanged")]
    assert [found_in(data) for data in shared if found_in(data)] == []


async def told_by_events(hub):
    """(subject, subject and headers, payload) of every message on every stream."""
    client = await nats.connect(hub.servers.nats.url)
    try:
        js, seen = client.jetstream(), []
        for stream in await js.streams_info():
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            pull = await js.pull_subscribe("", stream=str(stream.config.name), config=config)
            missing = stream.state.messages
            while missing > 0:
                for each in await pull.fetch(min(missing, 500), timeout=10):
                    seen.append((each.subject, f"{each.subject} {each.headers}", each.data))
                    missing -= 1
        return seen
    finally:
        await client.close()
