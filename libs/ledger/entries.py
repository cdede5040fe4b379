"""Reading the audit ledger: one RPC that every service answers alike, and that is in the ledger itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from carehub.audit.v1 import audit_pb2
from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from libs.chassis import audit
from libs.chassis.caller import Call
from libs.chassis.database import Database, Statement, param, sql
from libs.chassis.fields import to_datetime, to_timestamp, to_uuid
from libs.chassis.pages import page_size, page_start, token_after

PERMISSION = "audit.read"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_LOWEST = UUID(int=0)
_ACTIONS = {
    "C": ("Create", "Add"),
    "R": ("Get", "List", "Search", "Filter", "Find", "Explain", "Preview"),
    "D": ("Delete", "Remove"),
    "E": ("Exchange",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the ledger."""

    id: UUID
    at: datetime
    subject: UUID | None
    method: str
    resource: str
    patients: list[UUID]
    outcome: str
    reason: str
    purpose: str
    facilities: list[UUID]
    request_id: str
    roles: list[str]
    address: str


_a = audit.audit.c


def _page(*filters: ColumnElement[bool]) -> Statement[Entry]:
    """Each filter with an index has a statement of its own, so that it is used."""
    before = tuple_(
        param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid)
    )
    outcome = param("outcome", type_=Text)
    return sql(
        select(audit.audit)
        .where(
            *filters,
            _a.at >= param("since", type_=DateTime(timezone=True)),
            tuple_(_a.at, _a.id) < before,
            or_(outcome == "", _a.outcome == outcome),
            or_(
                param("everywhere", type_=Boolean),
                _a.facilities.overlap(param("here", type_=ARRAY(Uuid))),
            ),
        )
        .order_by(_a.at.desc(), _a.id.desc())
        .limit(param("limit", type_=Integer)),
        row=Entry,
    )


_person = _a.subject == param("person", type_=Uuid)
_patient = _a.patients.contains(array([param("patient", type_=Uuid)]))
# By whether a patient and a person are asked for.
_PAGES = {
    (False, False): _page(),
    (False, True): _page(_person),
    (True, False): _page(_patient),
    (True, True): _page(_patient, _person),
}


class Entries:
    """Answers for one service. The ledger is behind the system's door, so what may be seen of it is said here: rows of
    the facilities where the permission is held. Rows of no facility (nobody signed in, a service) are the network's.
    """

    def __init__(self, service: str, database: Database) -> None:
        self._service = service
        self._database = database

    async def ListAudit(
        self, request: audit_pb2.ListAuditRequest, call: Call
    ) -> audit_pb2.ListAuditResponse:
        size = page_size(request.page_size)
        patient = to_uuid("patient_id", request.patient_id) if request.patient_id else None
        person = to_uuid("person_id", request.person_id) if request.person_id else None
        async with self._database.system() as tx:
            found = await tx.fetch(
                _PAGES[patient is not None, person is not None],
                **_window(request),
                patient=patient,
                person=person,
                outcome=request.outcome,
                everywhere=PERMISSION in call.caller.everywhere,
                here=sorted(call.facilities),
                limit=size + 1,
            )
            page = found[:size]
            call.show(*(one for entry in page for one in entry.patients))
            audit.record(tx, call, request.patient_id or request.person_id)
        return audit_pb2.ListAuditResponse(
            entries=[to_proto(self._service, entry) for entry in page],
            next_page_token=_cursor(page, request) if len(found) > size else "",
        )


def _window(request: audit_pb2.ListAuditRequest) -> dict[str, Any]:
    """From when, and before which row."""
    end = to_datetime(request.end_time) if request.HasField("end_time") else _NEVER
    before_at, before_id = page_start(request.page_token, request, (end, _LOWEST))
    return {
        "since": to_datetime(request.start_time) if request.HasField("start_time") else _EVER,
        "before_at": before_at,
        "before_id": before_id,
    }


def _cursor(page: Sequence[Entry], request: audit_pb2.ListAuditRequest) -> str:
    """Of the time and the id of a row only, so that it means the same place in every service's ledger."""
    return token_after(page[-1].at, page[-1].id, request)


def to_proto(service: str, entry: Entry) -> audit_pb2.AuditEntry:
    return audit_pb2.AuditEntry(
        id=str(entry.id),
        service=service,
        at_time=to_timestamp(entry.at),
        person_id=str(entry.subject or ""),
        roles=entry.roles,
        method=entry.method,
        action=action_of(entry.method),
        resource=entry.resource,
        patient_ids=[str(one) for one in entry.patients],
        outcome=entry.outcome,
        reason=entry.reason,
        purpose=entry.purpose,
        facility_ids=[str(one) for one in entry.facilities],
        address=entry.address,
        request_id=entry.request_id,
    )


def action_of(method: str) -> str:
    """What a method does, by the verb of its name: one of C, R, U, D and E, as in FHIR."""
    name = method.rpartition("/")[2]
    return next((action for action, verbs in _ACTIONS.items() if name.startswith(verbs)), "U")
