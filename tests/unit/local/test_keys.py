"""Keys are made, and turned in three steps, each with a word on what comes next."""

import json

import pytest

from libs.chassis.services import ServiceKeys, ServiceSigner
from libs.chassis.tokens import CallerVerifier
from libs.local.keys import CALLER, KeyNotTurned, key_file, turn
from services.identity import keys as signing
from services.identity.convert.token import read_keys
from services.identity.keys import SigningKeys


def kids(path):
    return [key["kid"] for key in json.loads(path.read_text())["keys"]]


def test_a_key_for_callers_is_one_that_identity_signs_with(tmp_path):
    path = key_file(CALLER, tmp_path)
    assert path == tmp_path / "caller-keys.json"
    assert path.stat().st_mode & 0o077 == 0
    assert len(read_keys(path.read_text())) == 1
    assert key_file(CALLER, tmp_path).read_text() == path.read_text()


def test_the_steps_in_their_order_and_no_other(tmp_path):
    path = key_file("registry", tmp_path)
    public = tmp_path / "public/registry.json"
    (old,) = kids(path)
    for step in ("use", "drop"):
        with pytest.raises(KeyNotTurned, match="begin with --turn add"):
            turn(path, step)
    assert "--turn use" in turn(path, "add")
    with pytest.raises(KeyNotTurned, match="a second key already"):
        turn(path, "add")
    assert kids(path) == kids(public)
    assert kids(path)[0] == old
    assert "--turn drop" in turn(path, "use")
    assert kids(path)[1] == old
    turn(path, "drop")
    assert old not in kids(path) + kids(public)
    assert len(kids(path)) == len(kids(public)) == 1
    assert all("d" not in key for key in json.loads(public.read_text())["keys"])


def test_a_key_that_is_not_there_cannot_be_turned(tmp_path):
    with pytest.raises(KeyNotTurned, match="is missing"):
        turn(tmp_path / "registry.json", "add")


async def test_a_service_is_believed_at_every_step(tmp_path):
    path = key_file("registry", tmp_path)
    verifier = CallerVerifier(lambda: None, ServiceKeys(tmp_path / "public"))
    signed = [ServiceSigner("registry", path).token()]
    for step in ("add", "use"):
        turn(path, step)
        signed.append(ServiceSigner("registry", path).token())
        for token in signed:
            assert (await verifier.verify(token)).kind.name == "SERVICE"


def test_identity_signs_with_what_the_file_says_now_and_stays_with_the_last_that_it_could_read(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(signing, "_LOOK_SECONDS", 0.0)
    path = key_file(CALLER, tmp_path)
    keys = SigningKeys(path)
    (old,) = kids(path)
    turn(path, "add")
    assert [key["kid"] for key in json.loads(keys.signer.public_keys)["keys"]] == kids(path)
    turn(path, "use")
    assert keys.signer._signing.kid == kids(path)[0] != old
    whole = path.read_text()
    for broken in ("", "{", '{"keys": []}', whole.replace('"d"', '"x"')):
        path.write_text(broken)
        assert keys.signer._signing.kid == json.loads(whole)["keys"][0]["kid"]
    path.unlink()
    assert keys.signer._signing.kid == json.loads(whole)["keys"][0]["kid"]
