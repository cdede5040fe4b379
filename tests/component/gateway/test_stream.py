"""The stream of changes over a real server, broker and identity: who hears what, and how it ends."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from carehub.identity.v1 import identity_service_pb2
from carehub.interop.v1 import feed_pb2, interop_events_pb2
from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_events_pb2
from carehub.tasking.v1 import task_pb2, tasking_events_pb2
from google.rpc import code_pb2, status_pb2
from joserfc.jwk import KeySet

from gateway.api import live, stream
from gateway.api.serve import serve
from libs.chassis.wire import CallFailed
from libs.local.process import free_port
from libs.testing.hub import _KEY, Hub, caller_token

MERCY, HARBOR = uuid4(), uuid4()
CARE = ("patients.read", "tasks.read")


class People:
    """The hub's channels; in identity's place they know some access tokens, until these end."""

    def __init__(self, channels) -> None:
        self._channels = channels
        self.asked: list[list[str]] = []
        self.tokens = {
            "nurse": caller_token(permissions=CARE, facilities=[MERCY]),
            "neighbor": caller_token(permissions=CARE, facilities=[HARBOR]),
            "operator": caller_token(permissions=["feeds.read"], facilities=[MERCY, HARBOR]),
        }
        self.lives = 30.0

    async def call(self, method, request, **options):
        if method.name == "ExchangeToken":
            if request.access_token not in self.tokens:
                raise CallFailed(status_pb2.Status(code=code_pb2.UNAUTHENTICATED))
            token = self.tokens[request.access_token]
            answer = identity_service_pb2.ExchangeTokenResponse(caller_token=token)
            answer.expire_time.FromMilliseconds(int((time.time() + self.lives) * 1000))
            return answer
        if method.name == "GetCallerKeys":
            keys = orjson.dumps(KeySet([_KEY]).as_dict(private=False)).decode()
            return identity_service_pb2.GetCallerKeysResponse(jwks=keys)
        if method.name == "FilterVisible":
            self.asked.append(list(request.patient_ids))
        return await self._channels.call(method, request, **options)


class Listener:
    """What one client has heard."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.events: list[tuple[str, dict[str, str]]] = []
        self.comments = 0
        self.text = ""
        self.response: httpx.Response

    def ids(self, kind: str) -> list[str]:
        return [data["id"] for name, data in self.events if name == kind]

    def kinds(self) -> set[str]:
        return {name for name, _ in self.events}

    async def read(self, url: str, who: str, **headers: str) -> None:
        headers = {"Authorization": f"Bearer {who}", **headers}
        async with (
            httpx.AsyncClient(base_url=url, timeout=30) as client,
            client.stream("GET", "/v1/stream", headers=headers) as self.response,
        ):
            kind = ""
            async for line in self.response.aiter_lines():
                self.text += line + "\n"
                self.opened.set()
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((kind, orjson.loads(line.removeprefix("data: "))))
                elif line.startswith(":"):
                    self.comments += 1


class Site:
    """A gateway that listens on a port, and the hub behind it."""

    def __init__(self, h: Hub, url: str, people: People, stopping: asyncio.Event) -> None:
        self.h, self.url, self.people, self.stopping = h, url, people, stopping

    @asynccontextmanager
    async def listening(self, who: str, **headers: str):
        listener = Listener()
        task = asyncio.create_task(listener.read(self.url, who, **headers))
        listener.task = task
        try:
            await asyncio.wait_for(listener.opened.wait(), 30)
            yield listener
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await task

    async def until(self, condition, what="it"):
        async def holds():
            return condition()

        return await self.h.until(holds, what=what)

    async def heard(self, listener: Listener, kind: str, id: object):
        await self.until(lambda: str(id) in listener.ids(kind), f"{kind} {id}")

    async def settled(self) -> None:
        """A subscription is at the broker: what is published from here on is heard."""
        async with self.listening("operator") as probe:
            while not probe.ids("feed"):
                await self.feed(MERCY)
                await asyncio.sleep(0.05)

    async def task(self, facility: UUID, patient: UUID | None = None) -> str:
        task = task_pb2.Task(
            id=str(uuid4()), facility_id=str(facility), patient_id=str(patient or uuid4()), title="Call Jane Okafor"
        )  # fmt: skip
        event = tasking_events_pb2.TaskChanged(task=task, version=1)
        await self.h.publish(event, key=task.id, facility_id=facility)
        return task.id

    async def feed(self, facility: UUID) -> str:
        feed = feed_pb2.Feed(id=str(uuid4()), facility_id=str(facility))
        event = interop_events_pb2.FeedChanged(feed=feed, version=1)
        await self.h.publish(event, key=feed.id, facility_id=facility)
        return feed.id

    async def patient(self, id: UUID, *facilities: UUID, version: int = 1) -> None:
        patient = patient_pb2.Patient(
            id=str(id),
            facility_ids=[str(f) for f in facilities],
            state=patient_pb2.Patient.STATE_ACTIVE,
        )
        event = registry_events_pb2.PatientChanged(patient=patient, version=version)
        await self.h.publish(event, key=id, version=version)

    async def encounter(self, patient: UUID, facility: UUID) -> str:
        encounter = encounter_pb2.Encounter(
            id=str(uuid4()), patient_id=str(patient), facility_id=str(facility),
            state=encounter_pb2.Encounter.STATE_IN_PROGRESS,
        )  # fmt: skip
        event = registry_events_pb2.EncounterChanged(encounter=encounter, version=1)
        await self.h.publish(event, key=encounter.id, facility_id=facility)
        return encounter.id


@pytest.fixture
def site(hub, monkeypatch):
    monkeypatch.setattr(stream, "ASK_EVERY", 0.2)
    monkeypatch.setattr(stream, "RENEW_EVERY", 0.3)
    monkeypatch.setattr(stream, "RESYNC_EVERY", 0.3)

    @asynccontextmanager
    async def running():
        async with hub("identity") as h:
            stopping, people = asyncio.Event(), People(h.channels)
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            env = {
                "GATEWAY_PORT": str(port), "GATEWAY_PUBLIC_URL": url, "GATEWAY_ISSUER": f"{url}/realms/carehub",
                "GATEWAY_CLIENT_SECRET": "not-a-secret-here", "CAREHUB_NATS_URL": h.servers.nats.url,
            }  # fmt: skip
            serving = asyncio.create_task(serve(people, env, stopping))
            async with httpx.AsyncClient(base_url=url) as client:
                while True:
                    with suppress(httpx.ConnectError):
                        await client.get("/healthz")
                        break
                    await asyncio.sleep(0.02)
            try:
                yield Site(h, url, people, stopping)
            finally:
                stopping.set()
                await asyncio.wait_for(serving, 30)

    return running


async def test_everybody_hears_of_what_they_may_see_and_a_stranger_of_nothing(site):
    async with site() as s:
        await s.settled()
        async with (
            s.listening("nurse") as nurse,
            s.listening("neighbor") as neighbor,
            s.listening("operator") as operator,
        ):
            assert nurse.response.headers["content-type"].startswith("text/event-stream")
            assert nurse.response.headers["x-accel-buffering"] == "no"
            assert nurse.response.headers["x-content-type-options"] == "nosniff"
            patient = uuid4()
            task = await s.task(MERCY, patient)
            await s.heard(nurse, "task", task)
            assert ("task", {"id": task, "patientId": str(patient)}) in nurse.events
            encounter = await s.encounter(patient, MERCY)
            feed = await s.feed(HARBOR)
            await s.heard(nurse, "encounter", encounter)
            await s.heard(operator, "feed", feed)
            last = await s.task(HARBOR)  # the neighbor hears everything up to here
            await s.heard(neighbor, "task", last)
            await s.until(lambda: any(str(patient) in asked for asked in s.people.asked))
            await asyncio.sleep(0.5)
            assert task not in neighbor.text
            assert encounter not in neighbor.text
            assert str(patient) not in neighbor.text
            assert last not in nurse.text
            assert operator.kinds() <= {"feed", "resync"}
            assert nurse.kinds() <= {"task", "encounter", "patient", "resync"}
            assert "Okafor" not in nurse.text + neighbor.text + operator.text


async def test_a_patient_who_comes_into_sight_is_told_and_then_what_happens_elsewhere(site):
    async with site() as s:
        await s.settled()
        patient, began = uuid4(), time.monotonic()
        async with s.listening("neighbor") as neighbor:
            await s.patient(patient, MERCY)
            await s.task(MERCY, patient)
            await s.patient(patient, MERCY, HARBOR, version=2)  # identity grants it to Harbor
            await s.heard(neighbor, "patient", patient)

            async def of_elsewhere() -> bool:
                """Within the five seconds that an answer is remembered."""
                await s.task(MERCY, patient)
                return bool(neighbor.ids("task"))

            await s.h.until(of_elsewhere, what="a task of elsewhere")
            asked = [ids for ids in s.people.asked if str(patient) in ids]
            # Not once per event, but when what is remembered is too old.
            assert len(asked) <= 3 + (time.monotonic() - began) // stream.REMEMBERED


async def test_too_much_at_once_becomes_one_resync(site, monkeypatch):
    async with site() as s:
        await s.settled()
        async with s.listening("nurse") as nurse:
            monkeypatch.setattr(live, "MOST_WAITING", 10)
            monkeypatch.setattr(stream, "BURST", 0.5)
            nurse.events.clear()
            ids = await asyncio.gather(*(s.task(MERCY) for _ in range(40)))
            await s.until(lambda: "resync" in nurse.kinds())
            monkeypatch.setattr(live, "MOST_WAITING", 500)
            after = await s.task(MERCY)
            await s.heard(nurse, "task", after)
            assert len(set(nurse.ids("task")) & set(ids)) < 30
            assert len([kind for kind, _ in nurse.events if kind == "resync"]) <= 2


async def test_many_changes_of_one_thing_are_told_once_in_a_burst(site, monkeypatch):
    async with site() as s:
        await s.settled()
        async with s.listening("nurse") as nurse:
            monkeypatch.setattr(stream, "BURST", 0.5)
            task = task_pb2.Task(id=str(uuid4()), facility_id=str(MERCY), patient_id=str(uuid4()))
            changes = [tasking_events_pb2.TaskChanged(task=task, version=n) for n in range(1, 21)]
            fields = {"key": task.id, "facility_id": MERCY}
            await asyncio.gather(
                *(s.h.publish(each, version=each.version, **fields) for each in changes)
            )
            await s.heard(nurse, "task", task.id)
            await asyncio.sleep(0.7)
            assert len(nurse.ids("task")) <= 3


async def test_who_comes_back_is_told_to_look_again(site):
    async with site() as s:
        await s.settled()
        async with s.listening("nurse") as nurse:
            await s.heard(nurse, "task", await s.task(MERCY))
            assert "retry: 3000" in nurse.text
        async with s.listening("nurse", **{"Last-Event-ID": "1"}) as again:
            await s.until(lambda: again.events)
            assert again.events[0][0] == "resync"


async def test_it_ends_with_the_token_and_nobody_gets_in_without_one(site):
    async with site() as s:
        await s.settled()
        s.people.lives = 3.0
        s.people.tokens["leaver"] = caller_token(permissions=CARE, facilities=[MERCY])
        async with s.listening("leaver") as leaver:
            await s.heard(leaver, "task", await s.task(MERCY))
            del s.people.tokens["leaver"]
            await asyncio.wait_for(leaver.task, 30)  # the server ends it, whole
            heard = len(leaver.events)
            await s.task(MERCY)
            assert len(leaver.events) == heard
        async with httpx.AsyncClient(base_url=s.url) as client:
            gone = await client.get("/v1/stream", headers={"Authorization": "Bearer leaver"})
            assert gone.status_code == 401
            nobody = await client.get("/v1/stream")
            assert (nobody.status_code, nobody.json()["reason"]) == (401, "NO_CREDENTIALS")
            other = await client.post("/v1/stream", headers={"Authorization": "Bearer nurse"})
            assert (other.status_code, other.headers["allow"]) == (405, "GET")


async def test_a_right_that_is_taken_away_is_gone_from_the_open_stream(site):
    async with site() as s:
        await s.settled()
        s.people.lives = 3.0
        s.people.tokens["mover"] = caller_token(permissions=CARE, facilities=[MERCY])
        async with s.listening("mover") as mover:
            await s.heard(mover, "task", await s.task(MERCY))
            s.people.tokens["mover"] = caller_token(permissions=CARE, facilities=[HARBOR])
            there: set[str] = set()

            async def moved() -> bool:
                there.add(await s.task(HARBOR))
                return not there.isdisjoint(mover.ids("task"))

            await s.h.until(moved, what="hearing of the new place")
            before = await s.task(MERCY)
            await s.heard(mover, "task", await s.task(HARBOR))
            assert before not in mover.text


async def test_comments_keep_it_open_and_a_graceful_end_ends_it(site, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT", 0.2)
    async with site() as s, s.listening("nurse") as nurse:
        await s.until(lambda: nurse.comments >= 4, "comments")
        s.stopping.set()
        await asyncio.wait_for(nurse.task, 10)  # half of what a server waits for who stays


async def test_a_caller_has_only_so_many(site, monkeypatch):
    monkeypatch.setattr(stream, "MOST_PER_CALLER", 1)
    async with site() as s:
        async with s.listening("nurse"), httpx.AsyncClient(base_url=s.url) as client:
            second = await client.get("/v1/stream", headers={"Authorization": "Bearer nurse"})
            assert (second.status_code, second.json()["reason"]) == (429, "TOO_MANY_STREAMS")

        async def is_let_in() -> bool:
            async with s.listening("nurse") as nurse:
                return nurse.response.status_code == 200

        await s.h.until(is_let_in, what="the place of the first, who has left")


async def test_while_identity_does_not_say_nothing_of_elsewhere_is_told(site):
    async with site() as s:
        await s.settled()
        async with s.listening("neighbor") as neighbor:
            whole = s.people.call

            async def away(method, request, **options):
                if method.name == "FilterVisible":
                    raise CallFailed(status_pb2.Status(code=code_pb2.UNAVAILABLE))
                return await whole(method, request, **options)

            s.people.call = away
            neighbor.events.clear()
            task = await s.task(MERCY)
            await s.until(lambda: "resync" in neighbor.kinds())
            assert task not in neighbor.text


def test_an_event_that_says_too_little_is_no_change():
    assert live.change_of(tasking_events_pb2.TaskChanged()) is None
    assert live.change_of(SimpleNamespace()) is None  # type: ignore[arg-type]
