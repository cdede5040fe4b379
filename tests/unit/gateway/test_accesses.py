"""Who has looked at a patient, of all services as one list; and nobody is told who may not see the patient."""

import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from carehub.audit.v1 import audit_pb2
from carehub.identity.v1 import access_service_pb2
from carehub.registry.v1 import patient_pb2
from google.type import date_pb2

from gateway.api.accesses import KINDS, kind_of
from libs.chassis.fields import to_timestamp
from libs.chassis.pages import page_size
from libs.ledger.looks import cursor, day_of, place_in
from tests.unit.gateway.doubles import IMAGE, Neighbors, failed

PATIENT = UUID(int=5)
PATH = f"/v1/patients/{PATIENT}/accesses"
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
METHODS = {
    "analytics": "/carehub.analytics.v1.AnalyticsService/ListRisks",
    "careplans": "/carehub.careplans.v1.CareplansService/GetCarePlan",
    "identity": "/carehub.identity.v1.IdentityService/ListLooks",
    "interop": "/carehub.interop.v1.InteropService/GetMessage",
    "registry": "/carehub.registry.v1.RegistryService/GetPatient",
    "tasking": "/carehub.tasking.v1.TaskingService/CompleteTask",
    "messaging": "/carehub.messaging.v1.MessagingService/GetThread",
    "referrals": "/carehub.referrals.v1.ReferralsService/GetReferral",
    "scheduling": "/carehub.scheduling.v1.SchedulingService/GetAppointment",
}


def look(service, day, person, hour):
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    return audit_pb2.Look(
        day=date_pb2.Date(year=2026, month=11, day=day), person_id=str(UUID(int=person)), roles=["nurse"],
        facility_ids=[str(UUID(int=8))], purposes=["TREATMENT"], methods=[METHODS[service]], count=2,
        first_time=to_timestamp(at), last_time=to_timestamp(at + timedelta(minutes=5)),
    )  # fmt: skip


class Services(Neighbors):
    """Neighbors of which each answers from looks of its own, in the way that the ledger does."""

    def __init__(self, looks):
        super().__init__()
        self.looks = looks
        self.away = {}
        self.answers["GetPatient"] = lambda request: patient_pb2.Patient(id=request.patient_id)
        self.answers["NamePeople"] = lambda request: access_service_pb2.NamePeopleResponse(
            names={one: f"Person {UUID(one).int}" for one in request.person_ids}
        )

    async def call(self, method, request, **options):
        if method.name != "ListLooks":
            return await super().call(method, request, **options)
        service = method.full_name.split(".")[1]
        if code := self.away.get(service):
            raise failed(code, "X", "It does not answer.")
        assert request.patient_id == str(PATIENT)
        place = place_in(request)
        rows = [
            one
            for one in sorted(self.looks[service], key=self.place, reverse=True)
            if self.place(one) < place
        ]
        size = page_size(request.page_size)
        token = cursor(rows[size - 1], request) if len(rows) > size else ""
        return audit_pb2.ListLooksResponse(looks=rows[:size], next_page_token=token)

    @staticmethod
    def place(one):
        return day_of(one), UUID(one.person_id)


@pytest.fixture
def neighbors():
    rng = random.Random(11)
    looks = {service: [] for service in SERVICES}
    for day in range(1, 8):
        for person in range(1, 11):
            for service in rng.sample(SERVICES, rng.randrange(1, 4)):
                looks[service].append(look(service, day, person, rng.randrange(6, 20)))
    return Services(looks)


async def pages(api, size):
    found, token = [], ""
    while True:
        answer = (await api.get(f"{PATH}?pageSize={size}&pageToken={token}")).json()
        found.append(answer["accesses"])
        token = answer["nextPageToken"]
        if not token:
            return found


@pytest.mark.parametrize("size", [1, 7, 10, 70, 500])
async def test_a_person_and_a_day_are_one_row_of_all_services_on_every_page_size(
    api, neighbors, size
):
    found = [one for page in await pages(api, size) for one in page]
    keys = [(one["day"], one["personId"]) for one in found]
    assert len(set(keys)) == len(keys) == 70
    assert [day for day, _ in keys] == sorted((day for day, _ in keys), reverse=True)
    for one in found:
        theirs = {
            service
            for service, looks in neighbors.looks.items()
            for each in looks
            if day_of(each) == date.fromisoformat(one["day"]) and each.person_id == one["personId"]
        }
        assert one["kinds"] == sorted(kind_of(METHODS[service]) for service in theirs)
        assert one["personName"] == f"Person {UUID(one['personId']).int}"
        assert one["firstTime"] < one["lastTime"]


async def test_within_a_day_the_last_to_look_comes_first(api):
    (page,) = await pages(api, 500)
    places = [(one["day"], one["lastTime"]) for one in page]
    assert places == sorted(places, reverse=True)


async def test_who_may_not_see_the_patient_is_told_nothing(api, neighbors):
    def hidden(_):
        raise failed("NOT_FOUND", "PATIENT_NOT_FOUND", "There is no such patient.")

    neighbors.answers["GetPatient"] = hidden
    answer = await api.get(PATH)
    assert (answer.status_code, answer.json()["reason"]) == (404, "PATIENT_NOT_FOUND")
    assert neighbors.count("NamePeople") == 0


async def test_who_does_not_answer_is_named_and_names_are_not_needed(api, neighbors):
    def away(_):
        raise failed("UNAVAILABLE", "X", "It does not answer.")

    neighbors.away = {"interop": "UNAVAILABLE", "tasking": "DEADLINE_EXCEEDED"}
    neighbors.answers["NamePeople"] = away
    answer = (await api.get(PATH)).json()
    assert answer["unanswered"] == ["interop", "tasking"]
    assert {one["personName"] for one in answer["accesses"]} == {""}
    neighbors.away = dict.fromkeys(SERVICES, "UNAVAILABLE")
    assert (await api.get(PATH)).status_code == 503
    neighbors.away = {"registry": "PERMISSION_DENIED"}
    assert (await api.get(PATH)).status_code == 403


async def test_a_request_that_is_wrong_is_refused(api):
    assert (await api.get(f"{PATH}?pageSize=x")).status_code == 400
    assert (await api.get(f"{PATH}?nobody=1")).status_code == 400
    assert (await api.get(PATH, headers={"Authorization": "Bearer bad"})).status_code == 401


def test_every_service_with_a_ledger_says_who_has_looked():
    from gateway.api.accesses import looks_of
    from gateway.api.image import Image
    from gateway.api.ledgers import ledgers_of

    ledgers = ledgers_of(Image(IMAGE))
    assert set(looks_of(ledgers.values())) == set(ledgers)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("registry.v1.RegistryService/SearchPatients", "RECORD_READ"),
        ("registry.v1.RegistryService/UpdatePatient", "RECORD_CHANGED"),
        ("tasking.v1.TaskingService/ListTasks", "WORK_READ"),
        ("identity.v1.IdentityService/ListAudit", "LEDGER_READ"),
        ("identity.v1.AccessService/ExplainAccess", "SHARING_READ"),
        ("careplans.v1.CareplansService/GetCarePlan", "PLANS_READ"),
        ("careplans.v1.ReconciliationService/SignReconciliation", "PLANS_CHANGED"),
        ("analytics.v1.AnalyticsService/ListMeasureUnits", "SCORES_READ"),
        ("another.v1.AnotherService/GetPlan", "OTHER_READ"),
    ],
)
def test_what_was_done_is_said_by_service_and_verb(method, kind):
    assert kind_of(f"/carehub.{method}") == kind
    assert kind in KINDS
