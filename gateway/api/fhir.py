"""The audit ledger as FHIR R4 at /fhir/AuditEvent, by the Basic Audit Log Patterns of IHE (BALP) where a row fits one.

A row fits where it was an answer about one patient and one thing, asked from a known address. Others are AuditEvents
too, without the name of a profile that they would not keep.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import orjson
from carehub.audit.v1 import audit_pb2
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.edge import note_of
from gateway.api.ledgers import Ledgers, Page
from gateway.api.problems import Problem, Violation, invalid
from libs.chassis.fields import to_datetime

PATH = "/fhir/AuditEvent"
MEDIA_TYPE = "application/fhir+json"
Json = dict[str, Any]

_HL7 = "http://terminology.hl7.org/CodeSystem"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_BALP = "https://profiles.ihe.net/ITI/BALP"
_INTERACTIONS = {"C": "create", "R": "read", "U": "update", "D": "delete", "E": "operation"}
_PROFILES = {"C": "PatientCreate", "R": "PatientRead", "U": "PatientUpdate", "D": "PatientDelete"}
_PURPOSES = {"TREATMENT": "TREAT", "EMERGENCY": "ETREAT", "OPERATIONS": "HOPERAT"}
_SIGN_IN = "/ExchangeToken"
_DATE = re.compile(
    r"(?P<prefix>eq|ge|gt|le|lt|sa|eb)?(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?P<time>T.+)?)?)?"
)


class AuditEvents:
    """GET /fhir/AuditEvent."""

    def __init__(self, ledgers: Ledgers, public_url: str) -> None:
        self._ledgers = ledgers
        self._base = public_url.rstrip("/")

    async def answer(self, request: Request) -> Response:
        note_of(request.scope).route = PATH
        try:
            token = await self._ledgers.caller_token(request)
            query = parse_qsl(request.scope["query_string"].decode("ascii", "replace"))
            page = await self._ledgers.read(request, to_request(query), token)
        except Problem as problem:
            return _answer(outcome("error", "processing", problem.detail), problem)
        return _answer(bundle(page, query, self._base))


def _answer(resource: Json, problem: Problem | None = None) -> Response:
    return Response(
        orjson.dumps(resource),
        status_code=problem.status if problem else 200,
        headers=problem.headers if problem else None,
        media_type=MEDIA_TYPE,
    )


def outcome(severity: str, code: str, text: str) -> Json:
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


# What is asked.


def to_request(query: Iterable[tuple[str, str]]) -> audit_pb2.ListAuditRequest:
    """The request that search parameters mean; what is not understood is refused, never passed over."""
    request = audit_pb2.ListAuditRequest()
    for name, text in query:
        try:
            _set(request, name, text)
        except (ValueError, OverflowError):
            raise invalid(
                [Violation(name[:64], "This cannot be read, or not searched by.")]
            ) from None
    return request


def _set(request: audit_pb2.ListAuditRequest, name: str, text: str) -> None:
    match name:
        case "patient":
            request.patient_id = str(UUID(text.removeprefix("Patient/")))
        case "agent":
            request.person_id = str(UUID(text.removeprefix("Practitioner/")))
        case "date":
            _set_date(request, text)
        case "outcome" if text == "0":  # a refusal has many codes of ours for one of FHIR's
            request.outcome = "OK"
        case "_count":
            request.page_size = int(text)
        case "_page":
            request.page_token = text
        case _ if name != "_format":
            raise ValueError(name)


def _set_date(request: audit_pb2.ListAuditRequest, text: str) -> None:
    """A date means all of it: `le2026-11-22` is up to the end of that day, in UTC."""
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(text)
    low, high = _span(found)
    prefix = found["prefix"] or "eq"
    if prefix in {"eq", "ge", "gt", "sa"}:
        request.start_time.FromDatetime(high if prefix in {"gt", "sa"} else low)
    if prefix in {"eq", "le", "lt", "eb"}:
        request.end_time.FromDatetime(low if prefix in {"lt", "eb"} else high)


def _span(found: re.Match[str]) -> tuple[datetime, datetime]:
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    if found["time"]:
        text = found[0].removeprefix(found["prefix"] or "")
        low = datetime.fromisoformat(text)
        low = low.astimezone(UTC) if low.tzinfo else low.replace(tzinfo=UTC)
        return low, low + timedelta(microseconds=1 if "." in text else 1_000_000)
    low = datetime(year, month, day, tzinfo=UTC)
    if found["day"]:
        return low, low + timedelta(days=1)
    if found["month"]:
        return low, (low + timedelta(days=32)).replace(day=1)
    return low, low.replace(year=year + 1)


# What is answered.


def bundle(page: Page, query: Sequence[tuple[str, str]], base: str) -> Json:
    here = [(name, text) for name, text in query if name != "_page"]
    links = [{"relation": "self", "url": _url(base, query)}]
    if page.next_page_token:
        following = [*here, ("_page", page.next_page_token)]
        links.append({"relation": "next", "url": _url(base, following)})
    entries = [
        {
            "fullUrl": f"urn:uuid:{entry.id}",
            "resource": audit_event(entry, base),
            "search": {"mode": "match"},
        }
        for entry in page.entries
    ]
    if page.unanswered:
        text = f"Not in it, since they do not answer: {', '.join(page.unanswered)}."
        missing = outcome("warning", "incomplete", text)
        entries.append({"resource": missing, "search": {"mode": "outcome"}})
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def _url(base: str, query: Sequence[tuple[str, str]]) -> str:
    return f"{base}{PATH}" + (f"?{urlencode(query)}" if query else "")


def audit_event(entry: audit_pb2.AuditEntry, base: str) -> Json:
    """One row of a ledger."""
    is_sign_in = entry.method.endswith(_SIGN_IN)
    event: Json = {
        "resourceType": "AuditEvent",
        "id": entry.id,
        "type": _coding(_DICOM, "110114", "User Authentication")
        if is_sign_in
        else _coding(f"{_HL7}/audit-event-type", "rest", "RESTful Operation"),
        "subtype": [
            _coding(_DICOM, "110122", "Login")
            if is_sign_in
            else _coding("http://hl7.org/fhir/restful-interaction", _INTERACTIONS[entry.action])
        ],
        "action": entry.action,
        "recorded": to_datetime(entry.at_time).isoformat(timespec="milliseconds"),
        "outcome": "0" if entry.outcome == "OK" else "4",
        "agent": list(_agents(entry, base)),
        "source": {
            "site": base,
            "observer": {"display": f"carehub-{entry.service}"},
            "type": [_coding(f"{_HL7}/security-source-type", "4", "Application Server")],
        },
        "entity": list(_entities(entry)),
    }
    if profile := _profile(entry):
        event["meta"] = {"profile": [f"{_BALP}/StructureDefinition/IHE.BasicAudit.{profile}"]}
    if entry.outcome != "OK" or entry.reason:
        event["outcomeDesc"] = " ".join(filter(None, (entry.outcome, entry.reason)))
    return event


def _profile(entry: audit_pb2.AuditEntry) -> str:
    fits = entry.outcome == "OK" and entry.resource and entry.address
    return _PROFILES.get(entry.action, "") if fits and len(entry.patient_ids) == 1 else ""


def _agents(entry: audit_pb2.AuditEntry, base: str) -> Iterable[Json]:
    """Of a read BALP has the data's way in mind: it flows from the server. Of all else the client is the source."""
    source, destination = ("110153", "Source Role ID"), ("110152", "Destination Role ID")
    client, server = (destination, source) if entry.action == "R" else (source, destination)
    network = {"network": {"address": entry.address, "type": "2"}} if entry.address else {}
    yield {
        "type": _concept(_DICOM, *client),
        "who": {"display": "carehub-gateway"},
        "requestor": False,
        **network,
    }
    yield {
        "type": _concept(_DICOM, *server),
        "who": {"display": f"carehub-{entry.service}"},
        "requestor": False,
        "network": {"address": base, "type": "5"},
    }
    if entry.person_id:
        yield _person(entry)


def _person(entry: audit_pb2.AuditEntry) -> Json:
    takes_part = ("IRCP", "information recipient") if entry.action == "R" else ("AUT", "author")
    person: Json = {
        "type": _concept(f"{_HL7}/v3-ParticipationType", *takes_part),
        "who": {"identifier": {"value": entry.person_id}},
        "requestor": True,
    }
    if entry.roles:
        person["role"] = [{"text": role} for role in entry.roles]
    if entry.purpose:
        code = _PURPOSES.get(entry.purpose)
        person["purposeOfUse"] = [
            _concept(f"{_HL7}/v3-ActReason", code) if code else {"text": entry.purpose}
        ]
    return person


def _entities(entry: audit_pb2.AuditEntry) -> Iterable[Json]:
    for patient_id in entry.patient_ids:
        yield {
            "what": {"reference": f"Patient/{patient_id}"},
            "type": _coding(f"{_HL7}/audit-entity-type", "1", "Person"),
            "role": _coding(f"{_HL7}/object-role", "1", "Patient"),
        }
    if entry.resource:
        yield {
            "what": {"identifier": {"value": entry.resource}},
            "type": _coding(f"{_HL7}/audit-entity-type", "2", "System Object"),
            "role": _coding(f"{_HL7}/object-role", "4", "Domain Resource"),
        }
    else:
        yield {
            "type": _coding(f"{_HL7}/audit-entity-type", "2", "System Object"),
            "role": _coding(f"{_HL7}/object-role", "24", "Query"),
            "query": base64.b64encode(entry.method.encode()).decode(),
        }
    yield {
        "what": {"identifier": {"value": entry.request_id}},
        "type": {"system": f"{_BALP}/CodeSystem/BasicAuditEntityType", "code": "XrequestId"},
    }


def _coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _concept(system: str, code: str, display: str = "") -> Json:
    return {"coding": [_coding(system, code, display)]}
