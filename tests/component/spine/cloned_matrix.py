"""Cells of the matrix as patients of a hub that runs: real rows, copied for every cell, and asked for by RPC."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid5

import asyncpg
import httpx
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.guard import REQUEST_ID
from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token
from services.identity.domain.role import PERMISSIONS, Role
from tests.component.spine.calling import IMAGE, REFUSALS, methods, path_of, until_answered
from tests.component.spine.stored_matrix import OURS, Databases, Stored
from tests.reference.asked import About, asked, expected
from tests.reference.matrix import Cell
from tests.reference.terms import acting_for
from tests.unit.identity.access_translation import an_id

# Whose RPCs are asked here; the policies of the others are in the matrix of rows.
SERVICES = ("careplans", "registry", "scheduling", "tasking")
# Booked here, and ahead: of no cell, but to be copied for those that are about appointments.
BOOKED = """
    INSERT INTO appointments (id, version, facility_id, patient_id, state, purpose, start_at, practitioner, external_number,
        told_version, done_reason, visit_labels, own_labels, labels)
    VALUES (gen_random_uuid(), 1, gen_random_uuid(), gen_random_uuid(), 'BOOKED', 'ROUTINE', now() + interval '7 days', '', '',
        0, '', '{}', '{NORMAL}', '{NORMAL}')
"""
# A result, for the same: of a patient who is there.
RESULTED = """
    INSERT INTO observations (id, result_id, version, facility_id, patient_id, number, code, code_system, sub_id, standing,
        content, is_elsewhere, labels, label_version, listed_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid(), id, 'F-1', '2823-3', 'LN', '',
        '{"state": "FINAL", "reported_at": "2026-09-01T00:00:00+00:00", "stamp": ""}',
        '{"name": "", "panel": "", "value": "", "quantity": null, "unit": "", "reference_range": "", "flags": [],
          "observed_at": null, "orderer": "", "laboratory": "", "note": "", "stamp": ""}',
        false, '{NORMAL}', 1, now()
    FROM patients LIMIT 1
"""
METHODS = {path_of(method): method for method in methods()}
# Each row of a cell, and those that are there beside it.
NEEDED = {
    ("careplans", "care_plans"): (),
    ("registry", "patients"): (),
    ("registry", "encounters"): (("registry", "patients"),),
    ("registry", "observations"): (("registry", "patients"),),
    ("scheduling", "appointments"): (),
    ("tasking", "loops"): (("tasking", "patients"),),
    ("tasking", "tasks"): (("tasking", "patients"), ("tasking", "loops")),
}


@dataclass(frozen=True, slots=True)
class Asking(Stored):
    """A cell, and what has to come of it."""

    about: About
    expected: str

    @property
    def row(self) -> UUID:
        """The id of the row; a loop of the same cell has the same."""
        return self.patient if self.table[1] == "patients" else uuid5(self.patient, "row")

    def token(self) -> str:
        """Where the row lies they hold something else, which opens nothing."""
        q = self.question
        places = sorted(map(an_id, q.facilities), key=str)
        return caller_token(
            subject=an_id(q.person), roles=[self.cell[-1]], permissions=PERMISSIONS[Role(self.cell[-1])],
            facilities=places, teams=[str(an_id(t)) for t in q.teams],
            organizations=[str(an_id(o)) for o in q.organizations],
            purpose=q.purpose, purposes=sorted(acting_for(q)), elsewhere={"schedules.read": an_id(q.source)},
        )  # fmt: skip

    def request(self) -> Message:
        request = GetMessageClass(METHODS[self.about.path].input_type)()
        for field in ("task_id", "loop_id", "encounter_id", "care_plan_id", "appointment_id"):
            if field in request.DESCRIPTOR.fields_by_name and not self._lists:
                setattr(request, field, str(self.row))
        if "patient_id" in request.DESCRIPTOR.fields_by_name:
            request.patient_id = str(self.patient)
        for field in ("text", "reason"):
            if field in request.DESCRIPTOR.fields_by_name:
                setattr(request, field, "Not today.")
        return request

    @property
    def _lists(self) -> bool:
        return "/List" in self.about.path

    def outcome(self, answer: Message) -> str:
        if self.about.writes:
            return "done"
        if not self._lists:
            return "shown" if answer.id == str(self.row) else f"another row: {answer.id}"
        [rows] = [value for field, value in answer.ListFields() if field.is_repeated] or [[]]
        return "shown" if str(self.row) in {row.id for row in rows} else "absent"


def asking(cells: Iterable[Cell]) -> list[Asking]:
    found = []
    for cell in cells:
        world, question, about = asked(cell)
        outcome = expected(cell)
        shown, patient = outcome not in ("absent", "refused"), uuid5(OURS, "rpc/" + "/".join(cell))
        found.append(Asking(cell, patient, world, question, shown, about.table, about, outcome))
    return found


class Clones(Databases):
    """The databases of a hub in which one patient has a visit, a loop and tasks: copies of those, for every cell."""

    def __init__(self, hub, admins: dict[str, asyncpg.Connection]) -> None:
        runtimes = hub.host.runtimes
        super().__init__({name: runtimes[name].database for name in admins}, admins)
        self.hub = hub
        self.answered = Counter[str]()
        self.told: dict[str, UUID] = {}
        self.over_rest = 0

    async def _insert(self, service: str, table: str, cells: Collection[Stored]) -> None:
        for other_service, other in (*NEEDED[service, table], (service, table)):
            await self._copy(other_service, other, cells, is_beside=other != table)

    async def _copy(self, service: str, table: str, cells: Collection, is_beside: bool) -> None:
        """A row beside the cell's own is an ordinary one."""
        admin = self.admins[service]
        columns = [
            row[0]
            for row in await admin.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' "
                "AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position",
                table,
            )
        ]
        own = {
            "id": "cell.patient" if table == "patients" else "cell.row",
            "patient_id": "cell.patient", "loop_id": "cell.row", "facility_id": "cell.place",
            "facility_ids": "ARRAY[cell.place]", "labels": "cell.labels::text[]",
            "encounter_id": "gen_random_uuid()", "visit_number": "cell.row::text",
        }  # fmt: skip
        if table == "appointments":  # no visit has shown that it took place
            del own["encounter_id"]
        values = [own.get(name, f"t.{name}") for name in columns]
        is_open = "WHERE state = 'OPEN'" if table == "tasks" else ""
        await admin.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS cell (patient, row, place, labels), "
            f"(SELECT * FROM {table} {is_open} LIMIT 1) t",
            [one.patient for one in cells],
            [uuid5(one.patient, "row") for one in cells],
            [an_id(one.question.source) for one in cells],
            [
                "{NORMAL}" if is_beside else f"{{{','.join(sorted(one.question.labels))}}}"
                for one in cells
            ],
        )

    async def beat(self, ago: float = 0) -> None:
        """Identity runs, and is heard."""

    async def asked_by_rpc(self, cells: Collection[Asking]) -> list[str]:
        wrong = []
        for number, one in enumerate(cells):
            outcome = await until_answered(partial(self._ask, one, f"cell-{number}"))
            self.answered[outcome] += 1
            if outcome != one.expected:
                wrong.append(f"{outcome}, not {one.expected}: {' / '.join(one.cell)}")
        return wrong

    async def _ask(self, one: Asking, request_id: str) -> str:
        try:
            answer = await self.hub.channels.call(
                METHODS[one.about.path], one.request(), caller_token=one.token(), timeout=10,
                metadata={REQUEST_ID: request_id},
            )  # fmt: skip
        except CallFailed as failed:
            return self.outcome_of(failed.code, failed.reason)
        outcome = one.outcome(answer)
        if outcome != "absent":
            self.told[request_id] = one.patient
        return outcome

    async def asked_by_rest(
        self, client: httpx.AsyncClient, cells: Collection[Asking]
    ) -> list[str]:
        """The same of those that read, through the gateway."""
        paths = {path_of(each.method): each for each in IMAGE.endpoints if each.is_safe}
        wrong = []
        for one in cells:
            if endpoint := paths.get(one.about.path):
                outcome = await until_answered(
                    partial(self._ask_rest, client, endpoint.template.text, one)
                )
                self.over_rest += 1
                if outcome != one.expected:
                    wrong.append(f"{outcome}, not {one.expected}: {' / '.join(one.cell)}")
        return wrong

    async def _ask_rest(self, client: httpx.AsyncClient, template: str, one: Asking) -> str:
        fields = {field.name: value for field, value in one.request().ListFields()}
        path = re.sub(r"\{(\w+)\}", lambda found: fields.pop(found.group(1)), template)
        answer = await client.get(
            path,
            params={"patientId": fields["patient_id"]} if "patient_id" in fields else {},
            headers={"Authorization": f"Bearer {one.token()}"},
        )
        body = answer.json()
        if answer.status_code != 200:
            code = "NOT_FOUND" if answer.status_code == 404 else str(answer.status_code)
            return self.outcome_of(code, body["reason"])
        rows = (
            [body] if "id" in body else next((v for v in body.values() if isinstance(v, list)), [])
        )
        return "shown" if str(one.row) in {row["id"] for row in rows} else "absent"

    @staticmethod
    def outcome_of(code: str, reason: str) -> str:
        if reason in REFUSALS:
            return "refused"
        if code == "NOT_FOUND":
            return "absent"
        if reason in ("NOT_YOUR_FACILITY", "APPOINTMENT_ELSEWHERE"):
            return "not yours"
        return f"{code} {reason}"

    async def audited(self) -> dict[str, set[UUID]]:
        """By request, the patients that its row in a ledger names as shown."""
        found: dict[str, set[UUID]] = {}
        for admin in self.admins.values():
            rows = await admin.fetch("SELECT request_id, patients FROM audit WHERE outcome = 'OK'")
            found |= {row["request_id"]: set(row["patients"]) for row in rows}
        return found


@asynccontextmanager
async def clones(region):
    """`region` has sent a stay: of what came of it the cells are copied."""
    admins = {}
    for service in SERVICES:
        admins[service] = await asyncpg.connect(region.hub.servers.admin_url(service))
        await admins[service].execute("SET session_replication_role = replica")
    await admins["scheduling"].execute(BOOKED)
    await admins["registry"].execute(RESULTED)
    try:
        yield Clones(region.hub, admins)
    finally:
        for admin in admins.values():
            await admin.close()
