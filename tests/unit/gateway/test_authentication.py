"""Tokens: exchanged once, kept while they last, and refused cheaply."""

import asyncio
import dataclasses
import hashlib

import httpx
import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_service_pb2

from gateway.api import callers
from gateway.api.app import build
from gateway.api.callers import Callers
from gateway.api.problems import Problem
from tests.unit.gateway.doubles import IMAGE, NURSE, PUBLIC_URL, Neighbors, failed


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(neighbors: Neighbors) -> Clock:
    clock = Clock()

    def exchange(request):
        answer = neighbors.exchange(request)
        answer.expire_time.FromMilliseconds(int((clock.now + 30) * 1000))
        return answer

    neighbors.answers["ExchangeToken"] = exchange
    return clock


def admit() -> None:
    pass


async def test_one_exchange_for_all_who_ask_at_once(neighbors: Neighbors, clock: Clock):
    exchange = neighbors.answers["ExchangeToken"]

    async def slowly(request):
        await asyncio.sleep(0)
        return exchange(request)

    neighbors.answers["ExchangeToken"] = slowly
    known = Callers(neighbors, clock)
    found = await asyncio.gather(*(known.caller("good", admit) for _ in range(50)))
    assert {one.subject for one in found} == {NURSE}
    assert neighbors.count("ExchangeToken") == 1


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others(neighbors, clock):
    exchange, gate = neighbors.answers["ExchangeToken"], asyncio.Event()

    async def slowly(request):
        await gate.wait()
        return exchange(request)

    neighbors.answers["ExchangeToken"] = slowly
    known = Callers(neighbors, clock)
    first = asyncio.create_task(known.caller("good", admit))
    second = asyncio.create_task(known.caller("good", admit))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert (await second).subject == NURSE
    assert first.cancelled()


async def test_it_is_refreshed_before_its_end_and_never_used_after(neighbors, clock):
    known = Callers(neighbors, clock)
    await known.caller("good", admit)
    clock.now += 20
    await known.caller("good", admit)
    assert neighbors.count("ExchangeToken") == 1
    clock.now += 5
    await known.caller("good", admit)
    await asyncio.sleep(0)
    assert neighbors.count("ExchangeToken") == 2
    neighbors.answers["ExchangeToken"] = _away
    clock.now += 28.5
    assert (await known.caller("good", admit)).subject == NURSE
    await asyncio.sleep(0)
    clock.now += 1
    with pytest.raises(Problem) as refused:
        await known.caller("good", admit)
    assert refused.value.status == 503


def _away(_):
    raise failed("UNAVAILABLE", "DATABASE_AWAY", "Later.")


async def test_who_has_left_is_out_as_soon_as_identity_says_so(neighbors, clock):
    known = Callers(neighbors, clock)
    await known.caller("good", admit)
    neighbors.people.clear()
    clock.now += 25
    await known.caller("good", admit)
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await known.caller("good", admit)
    assert refused.value.status == 401


async def test_a_refused_token_is_remembered_for_a_second(neighbors, clock):
    known = Callers(neighbors, clock)
    for _ in range(10):
        with pytest.raises(Problem):
            await known.caller("bad", admit)
    assert neighbors.count("ExchangeToken") == 1
    clock.now += 1.1
    with pytest.raises(Problem):
        await known.caller("bad", admit)
    assert neighbors.count("ExchangeToken") == 2


async def test_memory_is_bounded(neighbors, clock, monkeypatch):
    monkeypatch.setattr(callers, "MOST_TOKENS", 10)
    known = Callers(neighbors, clock)
    for number in range(30):
        neighbors.people[str(number)] = NURSE
        await known.caller(str(number), admit)
        with pytest.raises(Problem):
            await known.caller(f"bad {number}", admit)
    assert len(known._known) == len(known._refused) == 10
    assert hashlib.sha256(b"1 29").digest() in known._known


# Seen from a client.


async def test_without_a_token_it_is_401_with_a_challenge(api: httpx.AsyncClient):
    response = await api.get("/v1/me", headers={"Authorization": ""})
    assert response.status_code == 401
    del api.headers["Authorization"]
    response = await api.get("/v1/me")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="carehub"'
    assert response.json()["reason"] == "NO_CREDENTIALS"


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Basic Z29vZDo=", "TOKEN_UNREADABLE"),
        ("Bearer", "NO_CREDENTIALS"),
        ("Bearer bad", "TOKEN_INVALID"),
        ("Bearer " + "x" * 8193, "TOKEN_TOO_LONG"),
        ("Bearer \xfc\xfc", "TOKEN_UNREADABLE"),
    ],
)
async def test_a_bad_token_is_401(api, neighbors, authorization, reason):
    response = await api.get("/v1/me", headers={b"Authorization": authorization.encode("latin-1")})
    assert response.status_code == 401
    assert response.json()["reason"] == reason
    assert "bearer" in response.headers["www-authenticate"].lower()


async def test_a_purpose_is_asked_for_with_a_header_and_remembered_by_itself(api, neighbors):
    asked = []

    def noting(request):
        asked.append(request.purpose)
        return neighbors.exchange(request)

    neighbors.answers["ExchangeToken"] = noting
    neighbors.answers["GetMe"] = lambda _: identity_service_pb2.GetMeResponse()
    for purpose in ("EMERGENCY", "", "TREATMENT", "EMERGENCY"):
        response = await api.get("/v1/me", headers={"X-Purpose": purpose} if purpose else {})
        assert response.status_code == 200
    assert asked == [access_pb2.PURPOSE_EMERGENCY, access_pb2.PURPOSE_TREATMENT]


@pytest.mark.parametrize("word", ["emergency", "RESEARCH", "EMERGENCY,TREATMENT", "\xfc"])
async def test_a_purpose_that_is_none_of_ours_is_400(api, neighbors, word):
    response = await api.get("/v1/me", headers={b"X-Purpose": word.encode("latin-1")})
    assert (response.status_code, response.json()["reason"]) == (400, "PURPOSE_UNKNOWN")
    assert neighbors.count("ExchangeToken") == 0


async def test_a_stranger_learns_nothing_about_bodies(api, neighbors):
    response = await api.post("/v1/patients", content=b"{", headers={"Authorization": "Bearer bad"})
    assert response.status_code == 401


async def test_rates_by_caller_and_by_address(neighbors, gateway_settings):
    settings = dataclasses.replace(
        gateway_settings,
        caller_per_second=0.1,
        caller_burst=5,
        address_per_second=0.1,
        address_burst=3,
    )
    neighbors.answers["GetMe"] = lambda _: identity_service_pb2.GetMeResponse()
    neighbors.people["also-good"] = NURSE
    app = build(neighbors, settings, IMAGE)
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:

        async def get(token: str) -> httpx.Response:
            return await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

        statuses = [(await get(("good", "also-good")[at % 2])).status_code for at in range(6)]
        assert statuses == [200] * 5 + [429]
        response = await get("good")
        assert int(response.headers["retry-after"]) >= 1
        assert response.headers["ratelimit-policy"] == '"caller";q=5;w=50'
        # Two exchanges have been counted for the address; one more, and strangers are kept from identity.
        statuses = [(await get(f"bad {at}")).status_code for at in range(4)]
        assert statuses == [401, 429, 429, 429]
        assert neighbors.count("ExchangeToken") == 3
        assert (await client.get("/healthz")).status_code == 200
