"""The identity provider's tokens: the one that is taken, all those that are not, and how often it is asked for keys."""

import asyncio
import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from libs.chassis.errors import Unauthenticated, Unavailable
from services.identity.clients.provider import AccessTokens, IssuerKeys

ISSUER = "https://id.example/realms/carehub"
JWKS = f"{ISSUER}/protocol/openid-connect/certs"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANN = UUID(int=11)


def a_key(kind=RSAKey, size=2048, **parameters):
    return kind.generate_key(size, {"use": "sig", **parameters}, auto_kid=True)


KEY = a_key()
NEXT_KEY = a_key()
EC = a_key(ECKey, "P-256")
OTHER_EC = a_key(ECKey, "P-384")
STRANGER = a_key()


class Provider:
    """An identity provider behind httpx: it counts, changes its keys, and goes away."""

    def __init__(self, *keys):
        self.keys = [key.as_dict(private=False) for key in keys]
        self.asked = []
        self.issuer = ISSUER
        self.status = 200

    def __call__(self, request):
        self.asked.append(str(request.url))
        if self.status != 200:
            return httpx.Response(self.status)
        if str(request.url) == JWKS:
            return httpx.Response(200, json={"keys": self.keys})
        return httpx.Response(200, json={"issuer": self.issuer, "jwks_uri": JWKS})

    @property
    def fetches(self):
        return self.asked.count(JWKS)


class World:
    """Tokens verified by a provider, at a time that the test sets."""

    def __init__(self, *keys, jwks_uri=""):
        self.provider = Provider(*keys or (KEY, EC, OTHER_EC))
        self.seconds = 1000.0
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.provider))
        self.keys = IssuerKeys(http, ISSUER, jwks_uri, clock=lambda: self.seconds)
        self.tokens = AccessTokens(ISSUER, self.keys, lambda: NOW)

    def verify(self, token):
        return self.tokens.verify(token)


@pytest.fixture
def world():
    return World()


def a_token(key=KEY, *, alg="RS256", header=None, without=(), **claims):
    values = {
        "iss": ISSUER,
        "aud": ["carehub", "account"],
        "sub": str(ANN),
        "typ": "Bearer",
        "iat": int(NOW.timestamp()) - 5,
        "exp": int(NOW.timestamp()) + 300,
    } | claims
    values = {name: value for name, value in values.items() if name not in without}
    head = {"alg": alg, "kid": key.kid, "typ": "at+jwt"} | (header or {})
    return jwt.encode(head, values, key, algorithms=[alg])


def raw(header, claims, signature=b"x"):
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class TestTaken:
    @pytest.mark.parametrize(
        "token",
        [
            a_token(),
            a_token(aud="carehub"),
            a_token(EC, alg="ES256"),
            a_token(without=["typ"]),
            a_token(header={"typ": "JWT"}),
            a_token(header={"typ": "application/at+jwt"}),
            a_token(iat=int(NOW.timestamp()) + 20),
        ],
        ids=["rfc9068", "one audience", "es256", "header only", "keycloak", "long typ", "skew"],
    )
    async def test_an_access_token_of_ours(self, world, token):
        signed_in = await world.verify(token)
        assert signed_in.subject == ANN
        assert signed_in.expires_at == NOW + timedelta(seconds=300)

    async def test_the_address_of_the_keys_may_be_told(self):
        world = World(jwks_uri=JWKS)
        await world.verify(a_token())
        assert world.provider.asked == [JWKS]


def signed_with_the_public_key():
    """The oldest trick: our public key, which everybody has, used as a shared secret."""
    claims = jwt.decode(a_token(), KEY, algorithms=["RS256"]).claims
    unsigned = raw({"alg": "HS256", "kid": KEY.kid, "typ": "at+jwt"}, claims, b"").rstrip(".")
    mac = hmac.digest(KEY.as_pem(private=False), unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


SECONDS = int(NOW.timestamp())
HOSTILE = {
    "empty": "",
    "not a token": "hello",
    "not ascii": "é.é.é",
    "two parts": "e30.e30",
    "five parts": "e30.e30.e30.e30.e30",
    "no header": "e30.e30.e30",
    "header is a list": raw([], {}),
    "header is nonsense": "!!!.e30.e30",
    "one megabyte": a_token()[:-1] + "x" * 1_000_000,
    "a long header": a_token(header={"kid": "x" * 9000}),
    "alg none": raw({"alg": "none", "typ": "at+jwt", "kid": KEY.kid}, {"sub": str(ANN)}, b""),
    "alg None": raw({"alg": "None", "typ": "at+jwt", "kid": KEY.kid}, {"sub": str(ANN)}, b""),
    "alg missing": raw({"typ": "at+jwt", "kid": KEY.kid}, {"sub": str(ANN)}),
    "alg is a list": raw({"alg": ["RS256"], "kid": KEY.kid}, {"sub": str(ANN)}),
    "HS256 with our public key": signed_with_the_public_key(),
    "PS256": a_token(alg="PS256"),
    "RS512": a_token(alg="RS512"),
    "ES256 by an RSA key": raw({"alg": "ES256", "kid": KEY.kid}, {"sub": str(ANN)}),
    "ES256 by a P-384 key": raw({"alg": "ES256", "kid": OTHER_EC.kid}, {}, b"x" * 64),
    "a stranger's key under our id": a_token(STRANGER, header={"kid": KEY.kid}),
    "its own key in the header": a_token(
        STRANGER, header={"kid": KEY.kid, "jwk": STRANGER.as_dict(private=False)}
    ),
    "keys from elsewhere": a_token(
        STRANGER, header={"kid": KEY.kid, "jku": "https://evil.example/keys"}
    ),
    "unknown key": a_token(STRANGER),
    "no key id": raw({"alg": "RS256", "typ": "at+jwt"}, {"sub": str(ANN)}),
    "key id is a number": raw({"alg": "RS256", "typ": "at+jwt", "kid": 7}, {"sub": str(ANN)}),
    "critical extension": raw({"alg": "RS256", "kid": KEY.kid, "crit": ["x"], "x": 1}, {}),
    "another audience": a_token(aud="billing"),
    "audience alike": a_token(aud="carehub-internal"),
    "audience in a list of lists": a_token(aud=[["carehub"]]),
    "no audience": a_token(without=["aud"]),
    "another issuer": a_token(iss="https://evil.example"),
    "issuer with a slash": a_token(iss=ISSUER + "/"),
    "no issuer": a_token(without=["iss"]),
    "expired": a_token(exp=SECONDS),
    "expired for long": a_token(exp=SECONDS - 86400),
    "no end": a_token(without=["exp"]),
    "end is a text": a_token(exp="never"),
    "end is far": a_token(exp=10**30),
    "not yet": a_token(nbf=SECONDS + 60),
    "of tomorrow": a_token(iat=SECONDS + 86400),
    "begin is a text": a_token(iat="now"),
    "ID token": a_token(header={"typ": "JWT"}, typ="ID", aud="carehub"),
    "ID token as access token": a_token(typ="ID"),
    "refresh token": a_token(header={"typ": "JWT"}, typ="Refresh"),
    "no type": a_token(header={"typ": "JWT"}, without=["typ"]),
    "logout token": a_token(header={"typ": "logout+jwt"}, without=["typ"]),
    "a caller token": a_token(header={"typ": "caller+jwt"}, without=["typ"]),
    "no subject": a_token(without=["sub"]),
    "subject is no id": a_token(sub="ann"),
    "subject is empty": a_token(sub=""),
    "tampered": a_token()[:-8] + "AAAAAAAA",
}


class TestRefused:
    @pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE.keys())
    async def test_everything_else(self, world, token):
        with pytest.raises(Unauthenticated) as refusal:
            await world.verify(token)
        assert token[:40] not in refusal.value.message or not token
        assert refusal.value.metadata == {}

    async def test_claims_that_are_no_object(self, world):
        head = {"alg": "RS256", "kid": KEY.kid, "typ": "at+jwt"}
        for body in (b"[]", b"7", b"null", b"not json", b"\xff"):
            token = jws.serialize_compact(head, body, KEY, algorithms=["RS256"])
            with pytest.raises(Unauthenticated):
                await world.verify(token)

    async def test_what_is_too_long_is_not_even_read(self, world):
        with pytest.raises(Unauthenticated, check=lambda error: error.reason == "TOKEN_TOO_LONG"):
            await world.verify("x" * 1_000_000)
        assert world.provider.asked == []

    async def test_what_has_no_allowed_algorithm_asks_for_no_key(self, world):
        with pytest.raises(Unauthenticated):
            await world.verify(HOSTILE["alg none"])
        assert world.provider.asked == []


class TestKeys:
    async def test_a_thousand_tokens_are_one_fetch(self, world):
        token = a_token()
        await asyncio.gather(*(world.verify(token) for _ in range(1000)))
        assert world.provider.fetches == 1

    async def test_a_flood_of_unknown_keys_is_at_most_one_fetch_in_thirty_seconds(self, world):
        await world.verify(a_token())
        world.seconds += 31
        flood = [a_token(header={"kid": f"unknown-{n}"}) for n in range(50)]
        for _ in range(3):
            results = await asyncio.gather(*map(world.verify, flood), return_exceptions=True)
            assert all(isinstance(result, Unauthenticated) for result in results)
            world.seconds += 5
        assert world.provider.fetches == 2
        await world.verify(a_token())

    async def test_a_new_key_is_found_at_once_if_nobody_asked_lately(self, world):
        await world.verify(a_token())
        world.provider.keys.append(NEXT_KEY.as_dict(private=False))
        with pytest.raises(Unauthenticated):
            await world.verify(a_token(NEXT_KEY))
        world.seconds += 31
        assert (await world.verify(a_token(NEXT_KEY))).subject == ANN

    @pytest.mark.parametrize(
        "answer", [{"keys": []}, {}, [], {"keys": [{"kty": "oct", "k": "eA"}, 7, "x"]}, "x"]
    )
    async def test_the_last_good_keys_stay(self, world, answer):
        await world.verify(a_token())
        world.provider.__class__ = type(
            "Broken",
            (Provider,),
            {"__call__": lambda self, request: httpx.Response(200, json=answer)},
        )
        world.seconds += 700
        await world.verify(a_token())
        with pytest.raises(Unauthenticated):
            await world.verify(a_token(STRANGER))
        await world.verify(a_token())

    async def test_the_last_good_keys_stay_while_the_provider_is_away(self, world):
        await world.verify(a_token())
        world.provider.status = 503
        for _ in range(5):
            world.seconds += 700
            await world.verify(a_token())
            await asyncio.sleep(0)

    async def test_keys_are_refreshed_after_ten_minutes_while_nobody_waits(self, world):
        await world.verify(a_token())
        world.provider.keys = [NEXT_KEY.as_dict(private=False)]
        world.seconds += 599
        await world.verify(a_token())
        assert world.provider.fetches == 1
        world.seconds += 1
        await world.verify(a_token())  # the old key, once more, while the new ones are on their way
        await world.keys._fetching
        assert world.provider.fetches == 2
        with pytest.raises(Unauthenticated):
            await world.verify(a_token())

    async def test_who_gives_up_waiting_does_not_end_the_fetch(self, world):
        impatient = asyncio.create_task(world.verify(a_token()))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        await world.verify(a_token())
        assert world.provider.fetches == 1

    async def test_a_provider_that_was_never_there_is_no_refusal(self, world):
        world.provider.status = 503
        with pytest.raises(Unavailable):
            await world.verify(a_token())
        world.provider.status = 200
        world.seconds += 1
        await world.verify(a_token())

    async def test_a_discovery_document_of_another_issuer_is_not_believed(self, world):
        world.provider.issuer = "https://evil.example"
        with pytest.raises(Unavailable):
            await world.verify(a_token())
        assert world.provider.fetches == 0

    async def test_keys_to_encrypt_with_and_broken_ones_are_passed_over(self):
        encrypting = RSAKey.generate_key(2048, {"use": "enc", "kid": "enc"})
        world = World(encrypting, KEY)
        world.provider.keys[:0] = [{"kty": "RSA", "kid": "broken", "n": "?"}, {"kty": "OKP"}]
        await world.verify(a_token())
        signing = RSAKey.import_key({**encrypting.as_dict(private=True), "use": "sig"})
        with pytest.raises(Unauthenticated):
            await world.verify(a_token(signing, header={"kid": "enc"}))
