"""Who may read a ledger, what of it, and that reading it is in it; and that every service keeps the others' heads."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from carehub.audit.v1 import audit_pb2
from carehub.identity.v1 import identity_service_pb2
from carehub.interop.v1 import interop_service_pb2
from carehub.operations.v1 import status_pb2
from sqlalchemy import insert, select

from libs.chassis import audit
from libs.chassis.database import every_field, sql
from libs.chassis.pages import encode_cursor
from libs.chassis.wire import CallFailed
from libs.ledger import heads
from libs.ledger.entries import action_of
from libs.ledger.heads import new_key
from libs.testing.hub import Hub, caller_token

SERVICE = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]
IDENTITY = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"]
HERE, THERE = uuid4(), uuid4()
WRITE = sql(insert(audit.audit).values(every_field(audit.audit)))
METHODS = sql(select(audit.audit.c.method).order_by(audit.audit.c.at))
HEADS = sql(select(heads.audit_heads.c.service).distinct())


# Made for each call: they live for an hour, and a run may take longer.
def officer() -> str:
    return caller_token(permissions=["audit.read"], facilities=[HERE], roles=["privacy_officer"])


def network() -> str:
    return caller_token(
        permissions=["audit.read"], facilities=[HERE, THERE], roles=["privacy_officer"], everywhere=["audit.read"]
    )  # fmt: skip


def nurse() -> str:
    return caller_token(permissions=["patients.read"], facilities=[HERE], roles=["nurse"])


class Told:
    """Rows to be written, each a little later than the one before."""

    def __init__(self, at) -> None:
        self.at = at
        self.rows: list[dict] = []

    def __call__(self, **fields) -> UUID:
        self.at += timedelta(seconds=1)
        row = {
            "id": uuid4(), "at": self.at, "subject": uuid4(), "method": "/carehub.interop.v1.InteropService/GetMessage",
            "resource": "", "patients": [], "outcome": "OK", "reason": "", "purpose": "TREATMENT",
            "facilities": [HERE], "request_id": str(uuid4()), "roles": ["nurse"], "address": "",
        } | fields  # fmt: skip
        self.rows.append(row)
        return row["id"]

    async def write(self, h: Hub) -> None:
        async with h.system("interop") as tx:
            for row in self.rows:
                await tx.run(WRITE, **row)


async def listed(h: Hub, token: str = "", **fields) -> audit_pb2.ListAuditResponse:
    request, kind = audit_pb2.ListAuditRequest(**fields), audit_pb2.ListAuditResponse
    return await h.call(SERVICE, "ListAudit", request, kind, token=token or officer())


def ids(response: audit_pb2.ListAuditResponse) -> list[UUID]:
    """Without what the reading itself leaves."""
    return [UUID(one.id) for one in response.entries if not one.method.endswith("/ListAudit")]


async def test_rows_of_ones_own_facilities_only_and_of_none_for_the_network_only(hub):
    async with hub("interop") as h:
        told = Told(h.clock() - timedelta(hours=1))
        here, there = told(), told(facilities=[THERE])
        both, nowhere = told(facilities=[THERE, HERE]), told(facilities=[], subject=None)
        await told.write(h)
        assert ids(await listed(h)) == [both, here]
        assert ids(await listed(h, network())) == [nowhere, both, there, here]
        with pytest.raises(CallFailed, check=lambda e: e.reason == "PERMISSION_MISSING"):
            await listed(h, nurse())
        # The refusal is there too, where the nurse works; and so is that it was looked at.
        entries = (await listed(h)).entries
        refused = next(one for one in entries if one.outcome == "PERMISSION_DENIED")
        assert refused.reason == "PERMISSION_MISSING"
        assert list(refused.roles) == ["nurse"]
        assert list(refused.facility_ids) == [str(HERE)]
        assert refused.method.endswith("/ListAudit")
        read = [one for one in entries if one.method.endswith("/ListAudit") and one.outcome == "OK"]
        assert len(read) == 2


async def test_by_patient_person_time_and_outcome(hub):
    async with hub("interop") as h:
        told = Told(h.clock() - timedelta(hours=1))
        jane, lee = uuid4(), uuid4()
        first = told(patients=[uuid4(), jane], subject=lee)
        told(patients=[uuid4()], subject=uuid4())
        second = told(patients=[jane], subject=uuid4(), outcome="OK")
        third = told(subject=lee, outcome="NOT_FOUND")
        await told.write(h)
        assert ids(await listed(h, patient_id=str(jane))) == [second, first]
        assert ids(await listed(h, person_id=str(lee))) == [third, first]
        assert ids(await listed(h, person_id=str(lee), patient_id=str(jane))) == [first]
        assert ids(await listed(h, outcome="NOT_FOUND")) == [third]
        at = told.rows[2]["at"]
        assert ids(await listed(h, start_time=at)) == [third, second]
        assert len(ids(await listed(h, end_time=at))) == 2
        assert ids(await listed(h, patient_id=str(uuid4()))) == []
        # To read of a patient is to look at that patient: the next who asks sees who did.
        again = await listed(h, patient_id=str(jane))
        assert [one.action for one in again.entries if one.resource == str(jane)] == ["R", "R"]
        with pytest.raises(CallFailed, check=lambda e: e.code == "INVALID_ARGUMENT"):
            await listed(h, patient_id="Jane Okafor")


async def test_pages_go_on_where_they_ended_and_tokens_are_for_one_question(hub):
    async with hub("interop") as h:
        told = Told(h.clock() - timedelta(hours=1))
        lee = uuid4()
        expected = [told(subject=lee) for _ in range(25)][::-1]
        for row in told.rows:  # many at one instant
            row["at"] = row["at"].replace(second=row["at"].second // 20 * 20)
        expected = [
            r["id"] for r in sorted(told.rows, key=lambda r: (r["at"], r["id"]), reverse=True)
        ]
        await told.write(h)
        found, token = [], ""
        while True:
            page = await listed(h, person_id=str(lee), page_size=7, page_token=token)
            found += ids(page)
            token = page.next_page_token
            if not token:
                break
            with pytest.raises(CallFailed, check=lambda e: e.reason == "PAGE_TOKEN_INVALID"):
                await listed(h, person_id=str(uuid4()), page_token=token)
        assert found == expected


async def test_a_token_that_somebody_made_up_is_refused(hub):
    noon = "2026-07-01T12:00:00"
    async with hub("interop") as h:
        for made_up in (["Tuesday", str(HERE)], [f"{noon}Z"], [noon, str(HERE)], []):
            token = encode_cursor(made_up, audit_pb2.ListAuditRequest())
            with pytest.raises(CallFailed) as failed:
                await listed(h, page_token=token)
            assert failed.value.code == "INVALID_ARGUMENT"
            assert failed.value.reason == "PAGE_TOKEN_INVALID"


async def test_every_call_is_in_the_ledger_with_its_roles_and_is_sealed(hub, monkeypatch):
    monkeypatch.setattr("libs.ledger.sealing.SEAL_EVERY", 0.05)
    operator = caller_token(
        permissions=["operations.read", "audit.read"], facilities=[HERE], roles=["operator"]
    )
    async with hub("interop") as h:
        request = status_pb2.GetStatusRequest()
        await h.call(
            SERVICE, "GetStatus", request, status_pb2.ServiceStatus,
            token=operator, headers={"x-client-address": "192.0.2.9", "x-request-id": "r-1"},
        )  # fmt: skip
        entry = (await listed(h, operator)).entries[0]
        assert (entry.service, entry.action, entry.address) == ("interop", "R", "192.0.2.9")
        assert (list(entry.roles), entry.request_id) == (["operator"], "r-1")

        async def sealed() -> bool:
            found = await h.call(
                SERVICE, "GetStatus", request, status_pb2.ServiceStatus, token=operator
            )
            return found.audit.sealed_count >= 2

        await h.until(sealed, what="sealing")


async def test_every_service_keeps_the_heads_of_the_others(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("libs.ledger.sealing.SEAL_EVERY", 0.05)
    key = tmp_path / "key.pem"
    key.write_text(new_key())
    folder = tmp_path / "heads"
    env = {"CAREHUB_AUDIT_KEY": str(key), "CAREHUB_AUDIT_HEADS": str(folder)}
    async with hub("interop", "identity", env=env) as h:
        await listed(h)
        admin = caller_token(permissions=["audit.read"], facilities=[HERE])
        await h.call(
            IDENTITY, "ListAudit", audit_pb2.ListAuditRequest(), audit_pb2.ListAuditResponse, token=admin
        )  # fmt: skip

        async def kept() -> bool:
            found = []
            for service in ("interop", "identity"):
                async with h.system(service) as tx:
                    found.append(set(await tx.fetch(HEADS)))
            return found == [{"interop", "identity"}] * 2

        await h.until(kept, what="keeping each other's heads")
        keys = heads.Keys(key.read_text())
        for service in ("interop", "identity"):
            written = heads.read(folder, service)
            assert written
            assert all(keys.is_ours(head) for head in written)
            async with h.system("identity" if service == "interop" else "interop") as tx:
                heard = await tx.fetch(heads.KEPT, service=service)
            assert {head.signature for head in heard} <= {head.signature for head in written}


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("GetTask", "R"), ("ListAudit", "R"), ("SearchPatients", "R"), ("CreatePatient", "C"), ("CompleteTask", "U"),
        ("DeleteFeed", "D"), ("ExchangeToken", "E"), ("FilterVisible", "R"),
    ],
)  # fmt: skip
def test_what_a_method_does_is_in_its_name(method, action):
    assert action_of(f"/carehub.tasking.v1.TaskingService/{method}") == action
