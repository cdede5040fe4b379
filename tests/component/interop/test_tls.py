"""The listener with certificates, and its refusal to listen in the open without them."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.chassis.config import ConfigError
from libs.local.send import NotAnswered, send
from services.interop.mllp.settings import Settings
from tests.component.interop.conftest import Peer, adt


def certify(folder, name, issuer=None):
    """A key and a certificate in files; signed by `issuer`, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    certificate = builder.sign(issuer[0] if issuer else key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, form, plain))
    return key, certificate


async def codes(server, tls):
    return [a.code async for a in send("localhost", server.port, [adt()], tls)]


async def test_a_sender_with_a_certificate_is_heard_and_one_without_is_not(interop, tmp_path):
    authority = certify(tmp_path, "authority")
    certify(tmp_path, "listener", authority)
    certify(tmp_path, "hospital", authority)
    client = ssl.create_default_context(cafile=str(tmp_path / "authority.crt"))
    async with interop.listening(
        mllp_certificate=str(tmp_path / "listener.crt"),
        mllp_key=str(tmp_path / "listener.key"),
        mllp_client_ca=str(tmp_path / "authority.crt"),
    ) as server:
        with pytest.raises((NotAnswered, OSError)):
            await codes(server, client)
        client.load_cert_chain(tmp_path / "hospital.crt", tmp_path / "hospital.key")
        assert await codes(server, client) == ["AA"]


async def test_a_certificate_that_is_replaced_is_shown_to_whoever_connects_next(interop, tmp_path):
    first, second = (certify(tmp_path, name) for name in ("first", "second"))
    certify(tmp_path, "listener", first)
    files = {
        "mllp_certificate": str(tmp_path / "listener.crt"),
        "mllp_key": str(tmp_path / "listener.key"),
    }
    of_first, of_second = (
        ssl.create_default_context(cafile=str(tmp_path / f"{name}.crt"))
        for name in ("first", "second")
    )
    async with interop.listening(**files) as server:
        before = await Peer.connect(server, of_first)
        assert "MSA|AA" in await before.ask(adt())
        # In the middle of being replaced the key is another certificate's.
        whole = (tmp_path / "listener.key").read_bytes()
        (tmp_path / "listener.key").write_bytes((tmp_path / "first.key").read_bytes())
        await server.follow_files()
        assert await codes(server, of_first) == ["AA"]
        (tmp_path / "listener.key").write_bytes(whole)

        certify(tmp_path, "listener", second)
        await server.follow_files()
        assert await codes(server, of_second) == ["AA"]
        with pytest.raises((NotAnswered, OSError)):
            await codes(server, of_first)
        assert "MSA|AA" in await before.ask(adt()), "a connection that was open has ended"


async def test_an_authority_that_is_taken_out_is_believed_no_more_and_one_put_in_is(
    interop, tmp_path
):
    listener = certify(tmp_path, "listener authority")
    certify(tmp_path, "listener", listener)
    clients = {}
    for name in ("stays", "goes", "comes"):
        certify(tmp_path, f"{name} hospital", certify(tmp_path, name))
        clients[name] = ssl.create_default_context(cafile=str(tmp_path / "listener authority.crt"))
        files = (tmp_path / f"{name} hospital.crt", tmp_path / f"{name} hospital.key")
        clients[name].load_cert_chain(*files)

    def believe(*names):
        pems = [(tmp_path / f"{name}.crt").read_text() for name in names]
        (tmp_path / "believed.crt").write_text("# whom we believe\n".join(["", *pems]))

    believe("stays", "goes")
    async with interop.listening(
        mllp_certificate=str(tmp_path / "listener.crt"),
        mllp_key=str(tmp_path / "listener.key"),
        mllp_client_ca=str(tmp_path / "believed.crt"),
    ) as server:
        port = server.port
        stays, goes = [await Peer.connect(server, clients[n]) for n in ("stays", "goes")]
        assert "MSA|AA" in await stays.ask(adt())
        assert "MSA|AA" in await goes.ask(adt())
        with pytest.raises((NotAnswered, OSError)):
            await codes(server, clients["comes"])

        believe("stays", "goes", "comes")
        await server.follow_files()
        assert await codes(server, clients["comes"]) == ["AA"]
        assert "MSA|AA" in await goes.ask(adt()), "one more is no reason to end a connection"

        believe("stays", "comes")
        await server.follow_files()
        assert server.port == port
        for name in ("stays", "comes"):
            assert await codes(server, clients[name]) == ["AA"]
        # The same context: what it was given to come back sooner is worth nothing, either.
        with pytest.raises((NotAnswered, OSError)):
            await codes(server, clients["goes"])
        async with asyncio.timeout(10):
            assert await goes.reader.read() == b"", "what was open is closed"

        # A file that is empty for a moment believes nobody, and is not taken for what is meant.
        (tmp_path / "believed.crt").write_text("")
        await server.follow_files()
        assert await codes(server, clients["stays"]) == ["AA"]


async def test_nobody_who_connects_while_the_certificate_is_replaced_is_turned_away(
    interop, tmp_path
):
    authority = certify(tmp_path, "authority")
    certify(tmp_path, "listener", authority)
    client = ssl.create_default_context(cafile=str(tmp_path / "authority.crt"))
    async with interop.listening(
        mllp_certificate=str(tmp_path / "listener.crt"), mllp_key=str(tmp_path / "listener.key")
    ) as server:
        sending = [asyncio.create_task(codes(server, client)) for _ in range(40)]
        for _ in range(5):
            certify(tmp_path, "listener", authority)
            await server.follow_files()
        assert await asyncio.gather(*sending) == [["AA"]] * 40
        port = server.port
    with pytest.raises(OSError, match="onnect"):
        await asyncio.open_connection("localhost", port)


def test_it_does_not_listen_in_the_open_without_encryption():
    with pytest.raises(ConfigError, match="INTEROP_MLLP_CERTIFICATE"):
        Settings(mllp_host="0.0.0.0").door()
    assert Settings(mllp_host="0.0.0.0", mllp_allow_plaintext=True).door().tls is None
    assert Settings(mllp_host="::1").door().tls is None
