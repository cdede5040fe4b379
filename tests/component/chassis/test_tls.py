"""TLS between services: whom a server lets in and whom a caller believes, while certificates are replaced."""

import asyncio
import ipaddress
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from carehub.identity.v1 import identity_service_pb2 as identity
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import REGISTRY

from libs.chassis import tls
from libs.chassis.channels import Channels
from libs.chassis.config import ConfigError
from libs.chassis.server import serve
from libs.chassis.tls import Certificates
from libs.chassis.wire import CallFailed
from libs.local.process import free_port

METHOD = identity.DESCRIPTOR.services_by_name["IdentityService"].methods_by_name["GetCallerKeys"]


class Authority:
    """Makes certificates for 127.0.0.1."""

    def __init__(self, life=timedelta(days=1)):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.pem = self._sign(self.name, self.key.public_key(), life, is_ca=True)

    def _sign(self, subject, key, life, *, is_ca=False):
        now = datetime.now(UTC)
        place = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + life)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([place]), critical=False)
        )
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    def certify(self, folder, name, life=timedelta(days=1), authority=None):
        """Write a certificate, its key and the authority, and read them."""
        return Certificates(*self.write(folder, name, life, authority))

    def write(self, folder, name, life=timedelta(days=1), authority=None):
        """As whoever replaces them does."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        paths = [folder / f"{name}.{part}" for part in ("crt", "key", "ca")]
        plain = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        texts = (self._sign(subject, key.public_key(), life), plain, (authority or self).pem)
        for path, text in zip(paths, texts, strict=True):
            new = path.with_suffix(".new")
            new.write_bytes(text)
            new.replace(path)
        return paths


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch):
    monkeypatch.setattr(tls, "_LOOK_SECONDS", 0.0)


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def served(hub):
    @asynccontextmanager
    async def running(certificates, address=""):
        async with hub("identity") as running_hub:
            stopping, address = asyncio.Event(), address or f"127.0.0.1:{free_port()}"
            server = await serve(running_hub.host.guards, address, stopping, certificates)
            try:
                yield address
            finally:
                stopping.set()
                await server

    return running


async def asked(address, certificates=None, channels=None):
    """Whether an answer comes."""
    used = channels or Channels({"identity": address}, certificates)
    try:
        answer = await used.call(METHOD, identity.GetCallerKeysRequest(), timeout=20)
    except CallFailed as failure:
        if failure.code != "UNAVAILABLE":
            raise
        return False
    finally:
        if channels is None:
            await used.close()
    return bool(answer.jwks)


async def test_who_shows_a_certificate_of_the_authority_is_answered_and_nobody_else(
    served, authority, tmp_path
):
    ours = authority.certify(tmp_path, "registry")
    stranger = Authority().certify(tmp_path, "stranger", authority=authority)
    old = authority.certify(tmp_path, "old", life=-timedelta(hours=1))
    async with served(authority.certify(tmp_path, "identity")) as address:
        assert await asked(address, ours)
        assert not await asked(address), "in plain text"
        assert not await asked(address, stranger), "of another authority"
        assert not await asked(address, old), "expired"


async def test_a_server_without_a_certificate_of_the_authority_is_not_believed(
    served, authority, tmp_path
):
    ours = authority.certify(tmp_path, "registry")
    for impostor in (
        Authority().certify(tmp_path, "identity", authority=authority),
        authority.certify(tmp_path, "late", life=-timedelta(hours=1)),
    ):
        async with served(impostor) as address:
            assert not await asked(address, ours)


async def test_a_server_uses_new_certificates_without_a_restart(served, authority, tmp_path):
    ours = authority.certify(tmp_path, "registry")
    async with served(authority.certify(tmp_path, "identity", life=-timedelta(hours=1))) as address:
        assert not await asked(address, ours)
        authority.certify(tmp_path, "identity")
        assert await asked(address, ours)


async def test_a_channel_uses_new_certificates_without_a_restart(served, authority, tmp_path):
    """Both sides go over to another authority. An open connection is none the wiser: the server makes them all end."""
    ours = authority.certify(tmp_path, "registry")
    async with served(authority.certify(tmp_path, "identity")) as address:
        channels = Channels({"identity": address}, ours)
        assert await asked(address, channels=channels)
    new = Authority()
    new.certify(tmp_path, "registry")
    async with served(new.certify(tmp_path, "identity"), address):
        assert await asked(address, channels=channels)
        assert not await asked(address, authority.certify(tmp_path, "left-behind"))
    await channels.close()


def test_files_that_do_not_fit_are_not_used_until_they_do(authority, tmp_path):
    used = authority.certify(tmp_path, "registry")
    before = used.pems
    other = authority.certify(tmp_path, "other")
    (tmp_path / "registry.crt").write_bytes(other.pems.certificate)
    assert used.refresh() is before
    (tmp_path / "registry.key").write_bytes(other.pems.key)
    assert used.refresh().key == other.pems.key
    (tmp_path / "registry.key").unlink()
    assert used.refresh().key == other.pems.key


def test_a_setting_that_is_missing_or_wrong_stops_the_start(authority, tmp_path):
    authority.certify(tmp_path, "registry")
    certificate, key, ca = (tmp_path / f"registry.{part}" for part in ("crt", "key", "ca"))
    assert Certificates.of(None, None, None) is None
    with pytest.raises(ConfigError, match="go together"):
        Certificates.of(certificate, key, None)
    for wrong in ((key, key, ca), (certificate, ca, ca), (certificate, key, tmp_path / "none")):
        with pytest.raises(ConfigError, match="PEM"):
            Certificates.of(*wrong)


def told(file):
    """What is exported, in days from now."""
    ends = REGISTRY.get_sample_value(
        "carehub_certificate_expires_timestamp_seconds", {"file": file}
    )
    return (ends - datetime.now(UTC).timestamp()) / 86400


def test_it_is_told_when_certificates_end_and_a_new_one_ends_later(authority, tmp_path):
    """Also of a process that nobody calls, and that calls nobody."""
    authority.certify(tmp_path, "registry", life=timedelta(days=3))
    assert told("certificate") == pytest.approx(3, abs=0.01)
    assert told("authority") == pytest.approx(1, abs=0.01)
    authority.write(tmp_path, "registry", life=timedelta(days=90))
    assert told("certificate") == pytest.approx(90, abs=0.01)


def test_of_several_in_a_file_the_first_that_ends_counts(authority, tmp_path):
    for life in (9, 2, 5):
        authority.certify(tmp_path, f"of-{life}", life=timedelta(days=life))
    chain = b"".join((tmp_path / f"of-{life}.crt").read_bytes() for life in (9, 2, 5))
    days = (tls.expires_at(chain) - datetime.now(UTC).timestamp()) / 86400
    assert days == pytest.approx(2, abs=0.01)
