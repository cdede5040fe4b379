"""The ledgers of all services as one list: order, pages, and who did not answer; and the same as FHIR."""

import random
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import pytest
from carehub.audit.v1 import audit_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.fhir import audit_event, to_request
from gateway.api.problems import Problem
from libs.chassis.fields import to_datetime, to_timestamp
from libs.chassis.pages import decode_cursor, encode_cursor, page_size
from tests.unit.gateway.doubles import PUBLIC_URL, Neighbors, failed

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
PATIENT, PERSON = UUID(int=5), UUID(int=6)
SERVICES = (
    "analytics",
    "careplans",
    "identity",
    "interop",
    "messaging",
    "referrals",
    "registry",
    "scheduling",
    "tasking",
)


def entry(at: datetime, number: int = 1, **fields: object) -> audit_pb2.AuditEntry:
    told = {
        "id": str(UUID(int=number)), "service": "tasking", "person_id": str(PERSON), "roles": ["nurse"],
        "method": "/carehub.tasking.v1.TaskingService/GetTask", "action": "R", "resource": str(UUID(int=9)),
        "patient_ids": [str(PATIENT)], "outcome": "OK", "purpose": "TREATMENT", "address": "192.0.2.7",
        "facility_ids": [str(UUID(int=8))], "request_id": str(UUID(int=7)),
    }  # fmt: skip
    return audit_pb2.AuditEntry(at_time=to_timestamp(at), **(told | fields))


class Ledger:
    """What a service answers from rows of its own, in the way that the ledger does."""

    def __init__(self, rows: list[audit_pb2.AuditEntry]) -> None:
        self.rows = sorted(rows, key=self.place, reverse=True)

    @staticmethod
    def place(row: audit_pb2.AuditEntry) -> tuple[datetime, str]:
        return to_datetime(row.at_time), row.id

    def answer(self, request: audit_pb2.ListAuditRequest) -> audit_pb2.ListAuditResponse:
        size, cursor = page_size(request.page_size), decode_cursor(request.page_token, request)
        before = (datetime.fromisoformat(str(cursor[0])), str(cursor[1])) if cursor else None
        rows = [row for row in self.rows if before is None or self.place(row) < before]
        page, token = rows[:size], ""
        if len(rows) > size:
            token = encode_cursor([to_datetime(page[-1].at_time).isoformat(), page[-1].id], request)
        return audit_pb2.ListAuditResponse(entries=page, next_page_token=token)


class Services(Neighbors):
    """Neighbors of which each has a ledger."""

    def __init__(self, ledgers: dict[str, Ledger]) -> None:
        super().__init__()
        self.ledgers = ledgers
        self.away: dict[str, str] = {}

    async def call(self, method, request, **options):
        service = method.full_name.split(".")[1]
        if method.name != "ListAudit":
            return await super().call(method, request, **options)
        if code := self.away.get(service):
            raise failed(code, "X", "It does not answer.")
        self.last_metadata = options["metadata"]
        return self.ledgers[service].answer(request)


@pytest.fixture
def neighbors() -> Services:
    rng = random.Random(7)
    rows = {service: [] for service in SERVICES}
    for number in range(1, 101):
        # Many at the same instant, in different services: then the id decides.
        at = START + timedelta(seconds=rng.randrange(20))
        service = rng.choice(SERVICES)
        rows[service].append(entry(at, number, service=service))
    return Services({service: Ledger(found) for service, found in rows.items()})


async def pages(api, query: str) -> list[dict]:
    found, token = [], ""
    while True:
        answer = (await api.get(f"/v1/audit?{query}&pageToken={token}")).json()
        found += answer["entries"]
        token = answer["nextPageToken"]
        if not token:
            return found


@pytest.mark.parametrize("size", [1, 7, 50, 100, 500])
async def test_pages_of_all_ledgers_are_one_list_without_a_gap_or_a_double(api, neighbors, size):
    found = await pages(api, f"pageSize={size}")
    places = [(one["atTime"], one["id"]) for one in found]
    assert places == sorted(places, reverse=True)
    assert len({id for _, id in places}) == len(places) == 100


async def test_who_does_not_answer_is_named(api, neighbors):
    neighbors.away = {"interop": "UNAVAILABLE", "tasking": "DEADLINE_EXCEEDED"}
    answer = (await api.get("/v1/audit?pageSize=500")).json()
    assert answer["unanswered"] == ["interop", "tasking"]
    assert {one["service"] for one in answer["entries"]} == set(SERVICES) - {"interop", "tasking"}
    neighbors.away = dict.fromkeys(SERVICES, "UNAVAILABLE")
    assert (await api.get("/v1/audit")).status_code == 503


async def test_a_refusal_is_one_even_if_others_would_answer(api, neighbors):
    neighbors.away = {"registry": "PERMISSION_DENIED", "tasking": "UNAVAILABLE"}
    assert (await api.get("/v1/audit")).status_code == 403
    assert (await api.get("/v1/audit", headers={"Authorization": "Bearer bad"})).status_code == 401
    assert (await api.get("/v1/audit?nobody=1")).status_code == 400
    assert (await api.post("/v1/audit")).status_code == 405


async def test_the_address_and_the_request_go_on_to_the_services(api, neighbors):
    answer = await api.get("/v1/audit")
    assert neighbors.last_metadata == {
        "x-request-id": answer.headers["x-request-id"],
        "x-client-address": "127.0.0.1",
    }


# FHIR.


async def test_a_bundle_leads_to_the_next_and_ends(api, neighbors):
    found, url = [], "/fhir/AuditEvent?_count=30&date=ge2026-11-22"
    while url:
        answer = await api.get(url)
        assert answer.headers["content-type"] == "application/fhir+json"
        bundle = answer.json()
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
        found += [one["resource"]["id"] for one in bundle["entry"]]
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        url = links.get("next", "").removeprefix(PUBLIC_URL)
        assert links["self"].startswith(f"{PUBLIC_URL}/fhir/AuditEvent?")
        assert len(parse_qsl(urlsplit(url).query)) in {0, 3}
    assert len(set(found)) == len(found) == 100


async def test_what_is_missing_is_said_in_the_bundle_and_an_error_is_an_outcome(api, neighbors):
    neighbors.away = {"tasking": "UNAVAILABLE"}
    bundle = (await api.get("/fhir/AuditEvent")).json()
    missing = bundle["entry"][-1]
    assert missing["search"] == {"mode": "outcome"}
    assert "tasking" in missing["resource"]["issue"][0]["diagnostics"]
    for query in ("color=red", "patient=Jane", "date=yesterday", "outcome=4", "_count=x"):
        answer = await api.get(f"/fhir/AuditEvent?{query}")
        assert answer.status_code == 400
        assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "date",
    ["9999", "9999-12", "9999-12-31", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59.999999Z"],
)
async def test_a_date_at_the_ends_of_time_is_refused_and_a_stranger_is_first_of_all_a_stranger(
    api, neighbors, date
):
    url = f"/fhir/AuditEvent?{urlencode({'date': date})}"
    refused = await api.get(url)
    assert (refused.status_code, refused.json()["resourceType"]) == (400, "OperationOutcome")
    stranger = await api.get(url, headers={"Authorization": "Bearer bad"})
    assert (stranger.status_code, stranger.json()["resourceType"]) == (401, "OperationOutcome")


@given(
    st.sampled_from(["", "eq", "gt", "le"]),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.dates().map(date.isoformat)
    | st.from_regex(r"\d{4}(-\d\d(-\d\d(T.+)?)?)?", fullmatch=True),
)
def test_any_date_is_read_or_refused(prefix, text):
    with suppress(Problem):
        to_request([("date", prefix + text)])


@pytest.mark.parametrize(
    ("dates", "start", "end"),
    [
        (["2026-11-22"], "2026-11-22T00:00:00", "2026-11-23T00:00:00"),
        (["ge2026-11"], "2026-11-01T00:00:00", None),
        (["gt2026-11"], "2026-12-01T00:00:00", None),
        (["le2026"], None, "2027-01-01T00:00:00"),
        (["lt2026-11-22"], None, "2026-11-22T00:00:00"),
        (["ge2026-11-22", "lt2026-11-24"], "2026-11-22T00:00:00", "2026-11-24T00:00:00"),
        (["ge2026-11-22T10:00:00-07:00"], "2026-11-22T17:00:00", None),
        (["le2026-11-22T10:00:00Z"], None, "2026-11-22T10:00:01"),
    ],
)
def test_a_date_means_all_of_it(dates, start, end):
    request = to_request([("date", text) for text in dates])
    for field, expected in (("start_time", start), ("end_time", end)):
        found = to_datetime(getattr(request, field)) if request.HasField(field) else None
        assert found == (datetime.fromisoformat(f"{expected}+00:00") if expected else None)


def test_a_search_by_ids_takes_references_too():
    request = to_request(
        [("patient", f"Patient/{PATIENT}"), ("agent", str(PERSON)), ("outcome", "0")]
    )
    assert (request.patient_id, request.person_id) == (str(PATIENT), str(PERSON))
    assert request.outcome == "OK"
    with pytest.raises(Problem):
        to_request([("patient", "Observation/1")])


def codes(event: dict, name: str) -> list[str]:
    return [one["type"]["coding"][0]["code"] for one in event["agent"]] if name == "agent" else []


def test_a_read_of_one_patient_keeps_the_profile_for_it():
    event = audit_event(entry(START), PUBLIC_URL)
    assert event["meta"]["profile"] == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
    ]
    assert event["type"]["code"] == "rest"
    assert event["subtype"][0]["code"] == "read"
    assert (event["action"], event["outcome"]) == ("R", "0")
    assert event["recorded"] == "2026-11-22T08:00:00.000+00:00"
    client, server, user = event["agent"]
    assert codes(event, "agent") == ["110152", "110153", "IRCP"]
    assert client["network"] == {"address": "192.0.2.7", "type": "2"}
    assert server["network"]["type"] == "5"
    assert "network" not in user
    assert user["requestor"] is True
    assert client["requestor"] is server["requestor"] is False
    assert user["who"]["identifier"]["value"] == str(PERSON)
    assert user["role"] == [{"text": "nurse"}]
    assert user["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert event["source"]["observer"]["display"] == "carehub-tasking"
    patient, data, transaction = event["entity"]
    assert patient["what"]["reference"] == f"Patient/{PATIENT}"
    assert (patient["type"]["code"], patient["role"]["code"]) == ("1", "1")
    assert (data["type"]["code"], data["role"]["code"]) == ("2", "4")
    assert transaction["type"]["code"] == "XrequestId"
    assert transaction["what"]["identifier"]["value"] == str(UUID(int=7))


@pytest.mark.parametrize(
    ("action", "interaction", "profile"),
    [("C", "create", "PatientCreate"), ("U", "update", "PatientUpdate"), ("D", "delete", "PatientDelete")],
)  # fmt: skip
def test_of_a_change_the_client_is_the_source(action, interaction, profile):
    event = audit_event(entry(START, action=action), PUBLIC_URL)
    assert codes(event, "agent") == ["110153", "110152", "AUT"]
    assert event["subtype"][0]["code"] == interaction
    assert event["meta"]["profile"][0].endswith(profile)


@pytest.mark.parametrize(
    "fields",
    [
        {"patient_ids": []},
        {"patient_ids": [str(PATIENT), str(PERSON)]},
        {"resource": ""},
        {"address": ""},
        {"outcome": "NOT_FOUND", "reason": "PATIENT_NOT_FOUND"},
        {"action": "E"},
    ],
)
def test_what_does_not_fit_a_profile_does_not_claim_it(fields):
    event = audit_event(entry(START, **fields), PUBLIC_URL)
    assert "meta" not in event
    assert len(event["entity"]) >= 2
    if "outcome" in fields:
        assert (event["outcome"], event["outcomeDesc"]) == ("4", "NOT_FOUND PATIENT_NOT_FOUND")


def test_a_sign_in_is_a_login():
    event = audit_event(
        entry(START, method="/carehub.identity.v1.IdentityService/ExchangeToken", action="E", patient_ids=[]), PUBLIC_URL
    )  # fmt: skip
    assert (event["type"]["code"], event["subtype"][0]["code"]) == ("110114", "110122")
