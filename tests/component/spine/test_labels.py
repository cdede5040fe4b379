"""From messages to what people see: a general hospital's diagnosis, a Part 2 program, and a feed that labels and did not."""

from datetime import UTC, datetime, timedelta

import pytest
from carehub.access.v1.access_pb2 import LABEL_NORMAL, LABEL_PART2, LABEL_SUD, LABEL_WITHHELD
from carehub.interop.v1 import interop_service_pb2
from carehub.interop.v1.feed_pb2 import Feed, Provenance
from carehub.registry.v1 import registry_service_pb2
from carehub.tasking.v1 import tasking_service_pb2
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token
from services.identity.app import bootstrap
from services.tasking.domain.protocol import shipped_protocols
from tests.component.identity.conftest import Identity

CONTRACTS = (
    interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"],
    registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"],
    tasking_service_pb2.DESCRIPTOR.services_by_name["TaskingService"],
)
PERMISSIONS = (
    "feeds.read",
    "feeds.write",
    "feeds.send",
    "patients.read",
    "patients.write",
    "tasks.read",
    "tasks.write",
)
# Where Jane goes, in this order: what each feed is, her number and her telephone there, and why she came.
SITES = {
    "CLINIC": (Provenance(), "C-1", "6025550101", "I10"),
    "HOSPITAL": (Provenance(), "H-2", "6025550102", "F11.20"),
    "PROGRAM": (Provenance(is_part2_program=True), "P-3", "6025550103", "F11.20"),
    "WARD": (Provenance(sends_labels=True), "W-4", "6025550104", "I10"),
}
NOW = datetime.now(UTC)


def hl7(site, trigger, days_ago, *segments, number="", **said):
    at = f"{NOW - timedelta(days=days_ago):%Y%m%d%H%M%S}+0000"
    _, medical_record, phone, code = SITES[site]
    stay = f"PV1|1|{said.get('kind', 'I')}|4W^1^A" + "|" * 16 + f"V-{site}"
    stay += "|" * (36 - 19) + ("01" if trigger == "A03" else "")
    return "\r".join(
        [
            f"MSH|^~\\&|ADT|{site}|CAREHUB|HUB|{at}||ADT^{trigger}|{site}{trigger}{days_ago}|P|2.5.1",
            f"EVN|{trigger}|{at}",
            f"PID|1||{number or medical_record}^^^{site}^MR||OKAFOR^JANE||19800430|F|||||{phone}||||||219-09-1234",
            stay,
            f"DG1|1||{code}^^I10",
            *segments,
        ]
    )


class Region:
    def __init__(self, hub):
        self.hub = hub
        self.identity = Identity(hub)
        self.places, self.feeds, self.tokens = {}, {}, {}

    async def settle_in(self):
        async with self.hub.system("identity") as tx:
            await bootstrap(tx, id=self.identity.admin_id, account="root", name="Root", email="")
        for site, (provenance, *_) in SITES.items():
            place = (await self.identity.create_facility(name=site)).id
            someone = await self.identity.create_staff(
                f"{site.lower()}.duty", ("coordinator", place)
            )
            team = await self.identity.create_team(place, someone)
            await self.identity.update_facility(
                id=place, duty_team_id=team.id, mask=["duty_team_id"]
            )
            self.places[site] = place
            self.tokens[site] = caller_token(permissions=PERMISSIONS, facilities=[place])
            feed = Feed(facility_id=place, name=site, sending_facility=site, provenance=provenance)
            self.feeds[site] = (await self.call(site, "CreateFeed", feed=feed)).id
        await self.until_rows("tasking", "SELECT count(*) FROM teams", len(SITES))
        await self.until_rows(
            "tasking", "SELECT count(*) FROM facilities WHERE duty_team_id IS NOT NULL", len(SITES)
        )
        await self.until_rows("tasking", "SELECT count(*) FROM protocols", len(shipped_protocols()))
        await self.until_rows("interop", "SELECT count(*) FROM facilities", len(SITES))

    async def call(self, site, method, **fields):
        contract = next(each for each in CONTRACTS if method in each.methods_by_name)
        descriptor = contract.methods_by_name[method]
        request = GetMessageClass(descriptor.input_type)(**fields)
        kind = GetMessageClass(descriptor.output_type)
        return await self.hub.call(contract, method, request, kind, token=self.tokens[site])

    async def refused(self, site, method, **fields):
        with pytest.raises(CallFailed) as failed:
            await self.call(site, method, **fields)
        return failed.value.reason

    async def send(self, *messages):
        for message in messages:
            site = message.split("|", 4)[3]
            answer = await self.call(site, "SendMessage", feed_id=self.feeds[site], message=message)
            assert answer.code == "AA", answer.acknowledgement

            async def applied(site=site, id=answer.message_id):
                rows = await self.rows("interop", f"SELECT state FROM messages WHERE id = '{id}'")
                return rows[0][0] == "APPLIED"

            await self.hub.until(applied, what="the record's answer")

    async def stay(self, site, since, until, *segments):
        await self.send(hl7(site, "A01", since, *segments), hl7(site, "A03", until, *segments))
        place = self.places[site]
        await self.until_rows(
            "tasking", f"SELECT count(*) FROM loops WHERE facility_id = '{place}' AND anchor_at IS NOT NULL", 1
        )  # fmt: skip

    async def rows(self, service, statement):
        async with self.hub.system(service) as tx:
            return await tx._connection.fetch(statement)

    async def until_rows(self, service, statement, count):
        async def is_so():
            return (await self.rows(service, statement))[0][0] == count

        await self.hub.until(is_so, what=f"{service}: {statement} = {count}")

    async def until_decided(self, site, patient_id, visits):
        async def is_so():
            seen = await self.call(site, "ListEncounters", patient_id=patient_id)
            loops = await self.call(site, "ListLoops", patient_id=patient_id)
            return len(seen.encounters) == visits and len(loops.loops) == visits - 1

        await self.hub.until(is_so, what=f"what {site} may see")
        # What is late already climbs first: nothing changes between two looks.
        await self.until_rows("tasking", "SELECT count(*) FROM timers WHERE due_at <= now()", 0)

    async def found(self, site, text):
        return [p.id for p in (await self.call(site, "SearchPatients", text=text)).patients]

    async def sees(self, site, patient_id):
        """By site, the labels of what staff of one see: visits, loops and tasks; the same by every RPC that lists."""
        names = {place: name for name, place in self.places.items()}
        visits = (await self.call(site, "ListEncounters", patient_id=patient_id)).encounters
        loops = (await self.call(site, "ListLoops", patient_id=patient_id)).loops
        tasks = (await self.call(site, "ListTasks", patient_id=patient_id)).tasks
        for place in self.places.values():
            here = (await self.call(site, "ListTasks", facility_id=place)).tasks
            counts = await self.call(site, "CountTasks", facility_id=place)
            assert len(here) == counts.all.open
            assert {t.id for t in here} == {t.id for t in tasks if is_open_at(t, place)}
            of_place = (await self.call(site, "ListLoops", facility_id=place)).loops
            assert {e.id for e in of_place} == {e.id for e in loops if is_open_at(e, place)}
        await self._each_by_its_id(site, visits, loops, tasks)
        out = {}
        for kind, rows in (("visit", visits), ("loop", loops), ("task", tasks)):
            for row in rows:
                out.setdefault(names[row.facility_id], {})[kind] = tuple(row.labels)
        return out

    async def _each_by_its_id(self, site, *lists):
        """Everything there is answers by its id if and only if it was listed."""
        for method, field, service, rows in (
            ("GetEncounter", "encounter_id", "registry", lists[0]),
            ("GetLoop", "loop_id", "tasking", lists[1]),
            ("GetTask", "task_id", "tasking", lists[2]),
        ):
            table = f"{method.removeprefix('Get').lower()}s"
            listed = {row.id for row in rows}
            for (id,) in await self.rows(service, f"SELECT id::text FROM {table}"):
                if id in listed:
                    assert (await self.call(site, method, **{field: id})).id == id
                else:
                    assert (await self.refused(site, method, **{field: id})).endswith("_NOT_FOUND")


def is_open_at(row, place):
    return row.facility_id == place and row.state == row.STATE_OPEN


def everything(*labels):
    return dict.fromkeys(("visit", "loop", "task"), labels)


@pytest.fixture
async def region(hub):
    async with hub(
        "careplans", "identity", "interop", "registry", "tasking", "scheduling"
    ) as running:
        region = Region(running)
        await region.settle_in()
        yield region


@pytest.mark.timeout(600)
async def test_what_of_a_sensitive_stay_is_seen_where(region):
    await region.send(hl7("CLINIC", "A04", 9, kind="O"))
    await region.stay("HOSPITAL", 8, 6)
    await region.stay("PROGRAM", 5, 4)
    await region.stay("WARD", 3, 2)
    [patient] = await region.found("CLINIC", "Okafor")

    for site, others in (("CLINIC", 2), ("HOSPITAL", 2), ("PROGRAM", 3), ("WARD", 3)):
        await region.until_decided(site, patient, others)
    clinic, hospital = {"visit": (LABEL_NORMAL,)}, everything(LABEL_SUD)
    program = everything(LABEL_PART2, LABEL_SUD)
    ward = everything(LABEL_WITHHELD)
    assert await region.sees("CLINIC", patient) == {"CLINIC": clinic, "HOSPITAL": hospital}
    assert await region.sees("HOSPITAL", patient) == {"CLINIC": clinic, "HOSPITAL": hospital}
    assert await region.sees("PROGRAM", patient) == {
        "CLINIC": clinic, "HOSPITAL": hospital, "PROGRAM": program,
    }  # fmt: skip
    assert await region.sees("WARD", patient) == {
        "CLINIC": clinic, "HOSPITAL": hospital, "WARD": ward,
    }  # fmt: skip
    # Neither stay that followed has shown the hospital that she was admitted again.
    [loop] = (await region.call("HOSPITAL", "ListLoops", patient_id=patient)).loops
    assert (loop.close_reason, list(loop.evidence)) == ("", [])


@pytest.mark.timeout(600)
async def test_nobody_else_learns_that_a_program_knows_somebody(region):
    await region.stay("PROGRAM", 9, 7)
    [patient] = await region.found("PROGRAM", "Okafor")
    assert (await region.call("PROGRAM", "GetPatient", patient_id=patient)).names[
        0
    ].family == "OKAFOR"
    tasks = (await region.call("PROGRAM", "ListTasks")).tasks
    assert {task.patient_name for task in tasks} == {"JANE OKAFOR"}
    told = "SELECT name, facility_ids FROM patients"
    assert [tuple(row) for row in await region.rows("tasking", told)] == [("", [])]
    for site in ("CLINIC", "HOSPITAL"):
        assert await region.found(site, "Okafor") == []
        reason = await region.refused(site, "GetPatient", patient_id=patient)
        assert reason == "PATIENT_NOT_FOUND"

    await region.send(hl7("CLINIC", "A04", 6, kind="O"))
    assert await region.found("CLINIC", "Okafor") == [patient]
    seen = await region.call("CLINIC", "GetPatient", patient_id=patient)
    assert list(seen.facility_ids) == [region.places["CLINIC"]]
    assert {i.value for i in seen.identifiers if i.type == "MR"} == {"C-1"}
    assert [t.value for t in seen.telecoms] == ["+16025550101"]
    for text in ("P-3", "602-555-0103"):
        assert await region.found("CLINIC", text) == []
        assert await region.found("PROGRAM", text) == [patient]

    await region.send(hl7("PROGRAM", "A08", 5).replace("6025550103", "6025550199"))
    unchanged = await region.call("CLINIC", "GetPatient", patient_id=patient)
    assert unchanged == seen, "not even the etag tells"
    own = await region.call("PROGRAM", "GetPatient", patient_id=patient)
    assert {"P-3", "C-1"} <= {i.value for i in own.identifiers}
    assert "+16025550199" in {t.value for t in own.telecoms}


@pytest.mark.timeout(600)
async def test_what_people_of_a_program_write_stays_with_the_program(region):
    await region.stay("PROGRAM", 9, 7)
    await region.send(hl7("CLINIC", "A04", 6, kind="O"))
    [patient] = await region.found("PROGRAM", "Okafor")
    own = await region.call("PROGRAM", "GetPatient", patient_id=patient)
    own.language = "es"
    edited = await region.call("PROGRAM", "UpdatePatient", patient=own)
    assert edited.language == "es"
    assert (await region.call("PROGRAM", "GetPatient", patient_id=patient)) == edited
    assert await region.refused("PROGRAM", "UpdatePatient", patient=own) == "STALE_ETAG"
    other = await region.call("CLINIC", "GetPatient", patient_id=patient)
    assert other.language == ""
    other.language = "fr"
    assert (await region.call("CLINIC", "UpdatePatient", patient=other)).language == "fr"
    assert (await region.call("PROGRAM", "GetPatient", patient_id=patient)).language == "fr"

    typed = own.__class__(facility_id=region.places["PROGRAM"])
    typed.names.add(family="Ibarra", given=["Luz"])
    made = await region.call("PROGRAM", "CreatePatient", patient=typed)
    assert await region.found("PROGRAM", "Ibarra") == [made.id]
    assert await region.refused("CLINIC", "GetPatient", patient_id=made.id) == "PATIENT_NOT_FOUND"
    told = await region.rows("registry", "SELECT facility_ids, facts::text FROM patients")
    assert not any("Ibarra" in row["facts"] for row in told)
