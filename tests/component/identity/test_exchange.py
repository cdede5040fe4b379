"""From an access token of the identity provider to a caller token that the chassis believes."""

import asyncio
import json
import stat
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_service_pb2 as rpc
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from libs.chassis.errors import Unauthenticated
from libs.chassis.fields import to_datetime
from libs.chassis.tokens import CallerVerifier
from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token
from tests.component.identity.recording import Records

ISSUER = "https://id.example/realms/carehub"
KEY = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)


@asynccontextmanager
async def a_provider(fetched=None):
    """A provider that answers every request with its keys, and notes each in `fetched`; yields their address."""
    body = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()

    async def answer(reader, writer):
        asked = await reader.readuntil(b"\r\n\r\n")
        if fetched is not None:
            fetched.append(asked)
        writer.write(head + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


def access_token(identity, subject, lives=300, kid=KEY.kid, **claims):
    now = int(identity.hub.clock().timestamp())
    body = {
        "iss": ISSUER,
        "aud": ["carehub"],
        "sub": str(subject),
        "typ": "Bearer",
        "iat": now,
        "exp": now + lives,
    }
    head = {"alg": "RS256", "kid": kid, "typ": "at+jwt"}
    return jwt.encode(head, body | claims, KEY, algorithms=["RS256"])


async def exchange(identity, token, purpose=access_pb2.PURPOSE_UNSPECIFIED):
    request = rpc.ExchangeTokenRequest(access_token=token, purpose=purpose)
    return await identity.call("ExchangeToken", request, "")


def verifier(identity):
    async def keys():
        return (await identity.call("GetCallerKeys", rpc.GetCallerKeysRequest(), "")).jwks

    return CallerVerifier(keys)


def refused(reason):
    return pytest.raises(
        CallFailed, check=lambda e: (e.code, e.reason) == ("UNAUTHENTICATED", reason)
    )


async def test_a_person_gets_what_their_roles_give(identity, tmp_path):
    keys = tmp_path / "keys.json"
    async with a_provider() as uri:
        env = {
            "IDENTITY_ISSUER": ISSUER,
            "IDENTITY_JWKS_URI": uri,
            "IDENTITY_SIGNING_KEYS": str(keys),
        }
        async with identity(**env) as i:
            here = await i.create_facility()
            there = await i.create_facility(organization_id=here.organization_id)
            ann = await i.create_staff("ann", ("nurse", here.id), ("analyst", ""))
            answer = await exchange(i, access_token(i, ann.id))
            caller = await verifier(i).verify(answer.caller_token)
            assert (str(caller.subject), caller.name, caller.purpose) == (
                ann.id,
                "Ann",
                "TREATMENT",
            )
            assert {str(id) for id in caller.roles["nurse"]} == {here.id}
            assert {str(id) for id in caller.roles["analyst"]} == {here.id, there.id}
            assert {str(id) for id in caller.permissions["patients.write"]} == {here.id}
            assert stat.S_IMODE(keys.stat().st_mode) == 0o600

            short = await exchange(i, access_token(i, ann.id, lives=20))
            ends = to_datetime(short.expire_time) - i.hub.clock()
            assert timedelta(seconds=5) < ends <= timedelta(seconds=20)


async def test_a_flood_of_unknown_keys_costs_one_fetch_and_good_tokens_go_on(identity, monkeypatch):
    # However long the flood takes here.
    monkeypatch.setattr("services.identity.clients.provider.REFETCH_SECONDS", 3600.0)
    fetched = []

    async def one(i, ann, number):
        """Three strangers, and a token that was never seen before, of somebody who works here."""
        for other in range(3):
            with refused("TOKEN_KEY_UNKNOWN"):
                await exchange(i, access_token(i, ann.id, kid=f"{number}-{other}"))
        assert (await exchange(i, access_token(i, ann.id, jti=f"{number}"))).caller_token

    async with a_provider(fetched) as uri:
        env = {"IDENTITY_ISSUER": ISSUER, "IDENTITY_JWKS_URI": uri}
        async with identity(**env) as i:
            ann = await i.create_staff("ann", ("nurse", (await i.create_facility()).id))
            await exchange(i, access_token(i, ann.id))
            await asyncio.gather(*(one(i, ann, number) for number in range(50)))
            assert len(fetched) == 1


async def test_strangers_leavers_and_forgers_get_none(identity):
    async with a_provider() as uri:
        env = {"IDENTITY_ISSUER": ISSUER, "IDENTITY_JWKS_URI": uri}
        async with identity(**env) as i:
            here = await i.create_facility()
            ann = await i.create_staff("ann", ("nurse", here.id))
            with refused("STAFF_UNKNOWN"):
                await exchange(i, access_token(i, uuid4()))
            with refused("TOKEN_INVALID"):
                await exchange(i, access_token(i, ann.id, typ="ID"))
            with refused("TOKEN_TOO_LONG"):
                await exchange(i, "x" * 1_000_000)
            with refused("TOKEN_INVALID"):
                await exchange(i, "")
            token = access_token(i, ann.id)
            believed = (await exchange(i, token)).caller_token
            await i.deactivate(ann.id)
            with refused("STAFF_DEACTIVATED"):
                await exchange(i, token)
            # What was given before ends by itself within half a minute.
            claims = jwt.decode(
                believed, _caller_key(await _keys(i)), algorithms=["Ed25519"]
            ).claims
            assert claims["exp"] - claims["iat"] <= 30
            with pytest.raises(Unauthenticated):
                await verifier(i).verify(believed[:-6] + "AAAAAA")


async def test_how_sure_the_provider_is_goes_on_into_the_caller_token(identity):
    async with a_provider() as uri:
        env = {"IDENTITY_ISSUER": ISSUER, "IDENTITY_JWKS_URI": uri}
        async with identity(**env) as i:
            here = await i.create_facility()
            ann = await i.create_staff("ann", ("nurse", here.id))
            since = int(i.hub.clock().timestamp()) - 60
            sure = await exchange(i, access_token(i, ann.id, acr="2", auth_time=since))
            caller = await verifier(i).verify(sure.caller_token)
            assert (caller.acr, caller.authenticated_at.timestamp()) == ("2", since)
            silent = await exchange(i, access_token(i, ann.id))
            caller = await verifier(i).verify(silent.caller_token)
            assert (caller.acr, caller.authenticated_at) == ("", None)
            with refused("TOKEN_INVALID"):
                await exchange(i, access_token(i, ann.id, auth_time="yesterday"))


async def test_in_an_emergency_acts_who_may_break_the_glass(identity):
    async with a_provider() as uri:
        env = {"IDENTITY_ISSUER": ISSUER, "IDENTITY_JWKS_URI": uri}
        async with identity(**env) as i:
            here = await i.create_facility()
            ann = await i.create_staff("ann", ("nurse", here.id))
            bob = await i.create_staff("bob", ("coordinator", here.id))
            emergency = access_pb2.PURPOSE_EMERGENCY
            answer = await exchange(i, access_token(i, ann.id), emergency)
            caller = await verifier(i).verify(answer.caller_token)
            assert caller.purpose == "EMERGENCY"
            assert caller.purposes == {"EMERGENCY", "TREATMENT"}
            with pytest.raises(CallFailed, check=lambda e: e.reason == "EMERGENCY_NOT_YOURS"):
                await exchange(i, access_token(i, bob.id), emergency)
            with pytest.raises(CallFailed, check=lambda e: e.reason == "PURPOSE_NOT_OFFERED"):
                await exchange(i, access_token(i, ann.id), access_pb2.PURPOSE_RESEARCH)
            # What is done with it is in the ledger under that name.
            await i.call("GetMe", rpc.GetMeRequest(), _as_test_token(caller))
            async with i.hub.system("identity") as tx:
                rows = await tx._connection.fetch("SELECT reason, purpose FROM audit")
            assert ("EMERGENCY_NOT_YOURS", "") in {(r["reason"], r["purpose"]) for r in rows}
            assert "EMERGENCY" in {r["purpose"] for r in rows}


def _as_test_token(caller):
    """The same caller, signed by the key that the hub of a test believes."""
    return caller_token(
        subject=caller.subject,
        permissions=caller.permissions,
        purpose=caller.purpose,
        purposes=sorted(caller.purposes),
    )


async def test_a_provider_that_does_not_answer_is_not_the_persons_fault(identity):
    async with identity() as i:
        with pytest.raises(CallFailed, check=lambda e: e.code == "UNAVAILABLE"):
            await exchange(i, access_token(i, uuid4()))


async def _keys(identity):
    return (await identity.call("GetCallerKeys", rpc.GetCallerKeysRequest(), "")).jwks


def _caller_key(jwks):
    return KeySet.import_key_set(json.loads(jwks))


async def test_a_patient_asks_as_one_and_as_nothing_else(identity):
    async with a_provider() as uri:
        env = {"IDENTITY_ISSUER": ISSUER, "IDENTITY_JWKS_URI": uri}
        async with Records.kept(partial(identity, **env)) as r:
            i, pat, as_patient = r.identity, uuid4(), access_pb2.PURPOSE_PATIENT_REQUEST
            nobodys = pytest.raises(CallFailed, check=lambda e: e.reason == "NO_RECORD_OF_YOURS")
            with nobodys:
                await exchange(i, access_token(i, pat), as_patient)
            await r.link(pat)
            answer = await exchange(i, access_token(i, pat), as_patient)
            caller = await verifier(i).verify(answer.caller_token)
            assert caller.permissions == {"own.read": frozenset()}
            assert caller.purposes == {"PATIENT_REQUEST"}
            assert (caller.roles, caller.teams, caller.organization_of) == ({}, frozenset(), {})
            with refused("STAFF_UNKNOWN"):
                await exchange(i, access_token(i, pat))
            # Who works here is a patient when they ask as one.
            ann = await i.create_staff("ann", ("nurse", str(r.here)))
            await r.add_proxy(ann.id)
            answer = await exchange(i, access_token(i, ann.id), access_pb2.PURPOSE_FAMILY_REQUEST)
            caller = await verifier(i).verify(answer.caller_token)
            assert set(caller.permissions) == {"own.read"}
            assert not caller.roles
            await r.unlink()
            with nobodys:
                await exchange(i, access_token(i, pat), as_patient)
