"""Caller tokens: whom a service believes, and what it says while it cannot know."""

import asyncio

import orjson
import pytest
from joserfc.jwk import KeySet, OKPKey

from libs.chassis import tokens
from libs.chassis.errors import Unauthenticated, Unavailable
from libs.chassis.tokens import CallerVerifier
from libs.testing.hub import caller_token

OLD = OKPKey.generate_key("Ed25519", {"kid": "test"}, private=True)
NEW = OKPKey.generate_key("Ed25519", {"kid": "new"}, private=True)


class Identity:
    """The keys of identity, which can be away, slow and rotated."""

    def __init__(self) -> None:
        self.keys = [OLD]
        self.is_away = False
        self.asked = 0
        self.answer = asyncio.Event()
        self.answer.set()

    async def fetch(self) -> str:
        self.asked += 1
        await self.answer.wait()
        if self.is_away:
            raise ConnectionError
        return orjson.dumps(KeySet(self.keys).as_dict(private=False)).decode()


async def test_all_who_come_while_the_keys_are_fetched_are_believed():
    identity = Identity()
    identity.answer.clear()
    verifier = CallerVerifier(identity.fetch)
    waiting = [asyncio.create_task(verifier.verify(caller_token(key=OLD))) for _ in range(5)]
    await asyncio.sleep(0)
    identity.answer.set()
    assert len(await asyncio.gather(*waiting)) == 5
    assert identity.asked == 1


async def test_while_identity_is_away_nobody_is_called_a_stranger():
    identity = Identity()
    identity.is_away = True
    verifier = CallerVerifier(identity.fetch)
    with pytest.raises(Unavailable):
        await verifier.verify(caller_token(key=OLD))
    identity.is_away = False
    assert await verifier.verify(caller_token(key=OLD))


async def test_a_newer_key_that_identity_cannot_be_asked_for_makes_nobody_a_stranger(monkeypatch):
    monkeypatch.setattr(tokens, "_REFETCH_SECONDS", 0.0)
    identity = Identity()
    verifier = CallerVerifier(identity.fetch)
    await verifier.verify(caller_token(key=OLD))
    identity.is_away, identity.keys = True, [OLD, NEW]
    with pytest.raises(Unavailable):
        await verifier.verify(caller_token(key=NEW))
    forged = OKPKey.generate_key("Ed25519", {"kid": "test"}, private=True)
    with pytest.raises(Unauthenticated):
        await verifier.verify(caller_token(key=forged))
    identity.is_away = False
    assert await verifier.verify(caller_token(key=NEW))


async def test_a_flood_of_unknown_keys_asks_once_and_good_tokens_go_on():
    identity = Identity()
    verifier = CallerVerifier(identity.fetch)
    good = caller_token(key=OLD)
    await verifier.verify(good)
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await verifier.verify(caller_token(key=NEW))
    assert await verifier.verify(good)
    assert identity.asked == 1


@pytest.mark.parametrize(
    "claims",
    [{"iss": "somebody"}, {"aud": "carehub"}, {"exp": 1}, {"exp": "soon"}, {"exp": None}],
    ids=str,
)
async def test_claims_that_are_not_identity_s_are_refused(claims):
    verifier = CallerVerifier(Identity().fetch)
    with pytest.raises(Unauthenticated):
        await verifier.verify(caller_token(key=OLD, **claims))


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 100_000, "eyJhbGciOiJub25lIn0.e30."], ids=len)
async def test_what_is_no_token_is_refused(token):
    with pytest.raises(Unauthenticated):
        await CallerVerifier(Identity().fetch).verify(token)
