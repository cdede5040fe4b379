"""What waits for one connection, a client that does not read, and a page that does not keep a session alive."""

import asyncio
import time
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.registry.v1 import registry_events_pb2
from joserfc.jwk import OKPKey

from gateway.api import live, stream
from gateway.api.authentication import Credentials
from gateway.api.live import Change, Live, Subscriber, change_of
from gateway.api.problems import Problem
from gateway.api.sessions import Keeper
from gateway.api.stream import Connection
from libs.chassis.caller import Caller, CallerKind
from libs.chassis.tokens import CallerVerifier
from libs.conveyor.listen import Heard
from libs.testing.hub import caller_keys, caller_token
from tests.unit.gateway.doubles import failed

HERE, THERE = uuid4(), uuid4()


def caller(*permissions: str) -> Caller:
    return Caller(
        subject=uuid4(),
        kind=CallerKind.PERSON,
        name="Test Person",
        roles={},
        permissions=dict.fromkeys(permissions, frozenset({HERE})),
        purpose="TREATMENT",
    )


NURSE = caller("tasks.read", "patients.read")


def task(at=HERE, id="t-1") -> Change:
    return Change(
        kind="task", id=id, permission="tasks.read", facilities=frozenset({at}), patient_id="p-1"
    )


def test_own_and_foreign_and_nothing():
    nurse = Subscriber(NURSE)
    nurse.offer(task())
    nurse.offer(task(THERE, "t-2"))
    nurse.offer(Change(kind="feed", id="f", permission="feeds.read", facilities=frozenset({HERE})))
    assert [*nurse.own] == [("task", "t-1")]
    assert [*nurse.foreign] == [("task", "t-2")]
    without_patients = Subscriber(caller("tasks.read"))
    without_patients.offer(task(THERE))
    assert not without_patients.foreign
    assert not without_patients.news.is_set()


def test_what_waits_has_a_bound(monkeypatch):
    monkeypatch.setattr(live, "MOST_WAITING", 3)
    nurse = Subscriber(NURSE)
    for number in range(100):
        nurse.offer(task(id=f"t-{number}"))
    assert nurse.has_missed
    assert not nurse.own


def test_a_patient_who_came_into_sight_is_told_to_the_grantees():
    access = access_pb2.PatientAccess(patient_id=str(uuid4()))
    event = identity_events_pb2.AccessChanged(access=access)
    assert change_of(event).facilities == frozenset()
    event.access.grants.add(grantee_id=str(HERE))
    change = change_of(event)
    assert (change.kind, change.facilities) == ("patient", {HERE})
    assert change.patient_id == access.patient_id


def test_a_handled_report_is_a_change_of_its_feed_and_names_no_patient():
    event = registry_events_pb2.ReportHandled(
        message_id=str(uuid4()),
        feed_id=str(uuid4()),
        facility_id=str(HERE),
        patient_id=str(uuid4()),
    )
    change = change_of(event)
    assert (change.kind, change.id, change.patient_id) == ("feed", event.feed_id, "")


class Token:
    """Stands where the authenticator and the verifier stand."""

    async def caller_token(self, _credentials):
        return "a token"

    async def verify(self, _token):
        return NURSE


async def opened() -> Connection:
    credentials = Credentials({}, "", is_safe=True, is_use=False)
    connection = Connection(credentials, Token(), Token(), None)
    await connection.begin()
    return connection


class Held(Token):
    """An authenticator whose exchange went well."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def caller_token(self, _credentials):
        return self.token


@pytest.mark.parametrize(
    "failure", [failed("UNAVAILABLE", "DATABASE_AWAY", "Later."), OSError("no route")]
)
async def test_while_identity_is_away_nobody_is_told_that_their_session_has_ended(failure):
    async def away() -> str:
        raise failure

    credentials = Credentials({}, "", is_safe=True, is_use=False)
    connection = Connection(credentials, Held(caller_token()), CallerVerifier(away), None)
    with pytest.raises(Problem) as refused:
        await connection.begin()
    assert (refused.value.status, refused.value.reason) == (503, "CALLER_KEYS_AWAY")
    assert int(refused.value.headers["Retry-After"]) >= 1


async def test_a_caller_who_is_not_believed_is_nobody():
    async def keys() -> str:
        return await caller_keys(None)

    credentials = Credentials({}, "", is_safe=True, is_use=False)
    other = OKPKey.generate_key("Ed25519", {"kid": "test"}, private=True)
    connection = Connection(credentials, Held(caller_token(key=other)), CallerVerifier(keys), None)
    with pytest.raises(Problem) as refused:
        await connection.begin()
    assert (refused.value.status, refused.value.reason) == (401, "CALLER_TOKEN_INVALID")
    assert "invalid_token" in refused.value.headers["WWW-Authenticate"]


async def test_a_client_that_does_not_read_holds_a_bounded_queue_and_is_let_go(monkeypatch):
    monkeypatch.setattr(stream, "SEND_TAKES", 0.3)
    monkeypatch.setattr(live, "MOST_WAITING", 10)
    connection = await opened()

    async def never(_message):
        await asyncio.Event().wait()

    telling = asyncio.create_task(connection.tell(never))
    for number in range(1000):
        connection.subscriber.offer(task(id=f"t-{number}"))
    assert len(connection.subscriber.own) <= 10
    await asyncio.wait_for(telling, 30)  # it ends by itself


async def test_resyncs_keep_a_distance(monkeypatch):
    monkeypatch.setattr(stream, "RESYNC_EVERY", 0.3)
    monkeypatch.setattr(stream, "BURST", 0.0)
    connection, sent = await opened(), []

    async def send(message):
        sent.append(message["body"])

    telling, began = asyncio.create_task(connection.tell(send)), time.monotonic()
    for _ in range(20):
        connection.subscriber.miss()
        await asyncio.sleep(0.02)
    telling.cancel()
    most = 2 + (time.monotonic() - began) // 0.3
    assert 1 <= sum(b"resync" in text for text in sent) <= most


async def test_one_listener_for_all_and_it_begins_again():
    began = 0

    async def heard():
        nonlocal began
        began += 1
        yield None
        yield Heard(event=registry_events_pb2.ReportHandled(), facility_id=None)
        raise ConnectionError

    hub = Live(heard)
    first, second = Subscriber(NURSE), Subscriber(NURSE)
    live_again, live.LISTEN_AGAIN_AFTER = live.LISTEN_AGAIN_AFTER, 0.5
    try:
        hub.subscribe(first)
        hub.subscribe(second)
        async with asyncio.timeout(10):
            while not (first.has_missed and second.has_missed):
                await asyncio.sleep(0.01)
        assert began == 1
        async with asyncio.timeout(10):
            while began == 1:
                await asyncio.sleep(0.01)
    finally:
        live.LISTEN_AGAIN_AFTER = live_again
        await hub.close()


def test_what_a_page_does_by_itself_does_not_keep_a_session_alive():
    clock = [0.0]
    sessions: Keeper[str] = Keeper(idle=900, absolute=9000, now=lambda: clock[0])
    secret = sessions.add("session")
    for minute in range(15):
        clock[0] = minute * 60.0
        assert sessions.use(secret, is_use=False) == "session"
    clock[0] = 901.0
    assert sessions.use(secret, is_use=False) is None
    assert sessions.use(secret) is None


async def test_without_a_broker_there_is_no_stream(api):
    answer = await api.get("/v1/stream")
    assert (answer.status_code, answer.json()["reason"]) == (503, "STREAM_NOT_AVAILABLE")


@pytest.mark.parametrize("path", ["/v1/stream/", "/v1/stream/x"])
async def test_only_that_path(api, path):
    assert (await api.get(path)).status_code == 404
