"""Services as callers: who is believed to be which service, by which key, and what a contract lets them call."""

import os
import time
from pathlib import Path

import orjson
import pytest
from carehub.options.v1 import options_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from libs.chassis.caller import CallerKind, as_service
from libs.chassis.contracts import ContractError, method_of
from libs.chassis.errors import Unauthenticated, Unavailable
from libs.chassis.services import ServiceKeys, ServiceSigner, new_service_key
from libs.chassis.tokens import AUDIENCE, SERVICE_TYPE, CallerVerifier
from libs.testing.hub import caller_token

IDENTITY = OKPKey.generate_key("Ed25519", {"kid": "test", "use": "sig"}, private=True)


async def fetch() -> str:
    return orjson.dumps(KeySet([IDENTITY]).as_dict(private=False)).decode()


class Place:
    """A folder of service keys, and a verifier that reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.public = folder / "public"
        self.public.mkdir()
        self.verifier = CallerVerifier(fetch, ServiceKeys(self.public))
        for service in ("registry", "tasking"):
            self.give(service)

    def give(self, service: str) -> None:
        """A new key; the files are told apart by their times, whatever the clock of the disk can tell."""
        for path, text in zip(
            (self.folder / f"{service}.json", self.public / f"{service}.json"),
            new_service_key(),
            strict=True,
        ):
            before = path.stat().st_mtime_ns if path.exists() else 0
            path.write_text(text)
            os.utime(path, ns=(before + 1_000_000, before + 1_000_000))

    def signer(self, service: str) -> ServiceSigner:
        return ServiceSigner(service, self.folder / f"{service}.json")

    def key(self, service: str) -> OKPKey:
        keys = KeySet.import_key_set(orjson.loads((self.folder / f"{service}.json").read_bytes()))
        return keys.keys[0]

    def forged(self, key: OKPKey, **claims: object) -> str:
        header = {"alg": "Ed25519", "typ": SERVICE_TYPE, "kid": key.kid}
        now = int(time.time())
        body = {"iss": "registry", "aud": AUDIENCE, "iat": now, "exp": now + 30} | claims
        return jwt.encode(header, body, key, algorithms=["Ed25519"])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_a_service_is_believed_by_its_own_key(place: Place):
    caller = await place.verifier.verify(place.signer("registry").token())
    assert caller == as_service("registry")
    assert (caller.kind, caller.name, caller.permissions) == (CallerKind.SERVICE, "registry", {})
    assert caller.subject != as_service("tasking").subject


async def test_a_service_that_says_it_is_another_is_not_believed(place: Place):
    with pytest.raises(Unauthenticated):
        await place.verifier.verify(place.forged(place.key("tasking"), iss="registry"))


async def test_identity_s_key_vouches_for_no_service(place: Place):
    with pytest.raises(Unauthenticated):
        await place.verifier.verify(place.forged(IDENTITY))
    with pytest.raises(Unauthenticated):
        await place.verifier.verify(caller_token(key=IDENTITY, kind="SERVICE", name="registry"))


async def test_a_service_s_key_vouches_for_no_person(place: Place):
    with pytest.raises(Unauthenticated):
        await place.verifier.verify(caller_token(key=place.key("registry")))


@pytest.mark.parametrize(
    "claims", [{"aud": "carehub"}, {"exp": 1}, {"exp": None}, {"iss": "carehub-identity"}], ids=str
)
async def test_claims_that_are_not_a_service_s_are_refused(place: Place, claims):
    with pytest.raises(Unauthenticated):
        await place.verifier.verify(place.forged(place.key("registry"), **claims))


async def test_a_key_that_was_replaced_is_forgotten_and_the_new_one_known(place: Place):
    old = place.signer("registry").token()
    place.give("registry")
    with pytest.raises(Unauthenticated):
        await place.verifier.verify(old)
    assert await place.verifier.verify(place.signer("registry").token())


async def test_a_file_that_cannot_be_read_stops_its_own_service_only(place: Place):
    token = place.signer("registry").token()
    (place.public / "registry.json").write_text("{")
    with pytest.raises(Unauthenticated):
        await place.verifier.verify(token)
    assert await place.verifier.verify(place.signer("tasking").token())


async def test_where_no_keys_are_known_no_service_is(place: Place):
    with pytest.raises(Unauthenticated):
        await CallerVerifier(fetch).verify(place.signer("registry").token())


def test_a_token_serves_for_a_while_and_is_made_anew_before_it_ends(place: Place, monkeypatch):
    signer = place.signer("registry")
    first, now = signer.token(), time.time()
    assert signer.token() == first
    monkeypatch.setattr(time, "time", lambda: now + 21)
    assert signer.token() != first


def test_a_service_without_a_key_says_which_setting_is_missing():
    with pytest.raises(Unavailable, match="REGISTRY_SERVICE_KEY"):
        ServiceSigner("registry", None).token()


async def test_who_was_deactivated_is_refused_with_the_token_in_hand(monkeypatch):
    verifier = CallerVerifier(fetch)
    leaver, other = as_service("a").subject, as_service("b").subject
    token = caller_token(key=IDENTITY, subject=leaver)
    await verifier.verify(token)
    verifier.refuse([leaver], time.time() + 60)
    with pytest.raises(Unauthenticated, match="deactivated"):
        await verifier.verify(token)
    assert await verifier.verify(caller_token(key=IDENTITY, subject=other))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert await verifier.verify(token), "a list that forgets nothing only grows"


# What a contract may say of who calls.


def _method(**access: object) -> object:
    """A method of a contract that is made up for the test."""
    file = descriptor_pb2.FileDescriptorProto(
        name="made_up.proto",
        package="made.up",
        dependency=["carehub/options/v1/options.proto"],
        message_type=[descriptor_pb2.DescriptorProto(name="Nothing")],
    )
    method = file.service.add(name="S").method.add(
        name="Do", input_type=".made.up.Nothing", output_type=".made.up.Nothing"
    )
    said = options_pb2.Access(transaction=options_pb2.Access.TRANSACTION_NONE, **access)
    method.options.Extensions[options_pb2.access].CopyFrom(said)
    pool = descriptor_pool.DescriptorPool()
    for known in ("google/protobuf/descriptor.proto", "carehub/options/v1/options.proto"):
        pool.AddSerializedFile(descriptor_pool.Default().FindFileByName(known).serialized_pb)
    pool.Add(file)
    return pool.FindServiceByName("made.up.S").methods_by_name["Do"]


@pytest.mark.parametrize(
    "access",
    [
        {"permission": "a.b"},
        {"is_self": True},
        {"is_anonymous": True},
        {"called_by": ["registry"]},
        {"permission": "a.b", "called_by": ["registry"]},
    ],
    ids=str,
)
def test_who_may_call_is_a_permission_or_services_or_everybody(access):
    assert method_of(_method(**access))


@pytest.mark.parametrize(
    "access",
    [
        {},
        {"permission": "a.b", "is_self": True},
        {"is_anonymous": True, "called_by": ["registry"]},
        {"is_self": True, "called_by": ["registry"]},
    ],
    ids=str,
)
def test_a_contract_that_says_nothing_or_two_things_is_refused(access):
    with pytest.raises(ContractError):
        method_of(_method(**access))
