"""TLS between services: each shows a certificate of the network's authority, also the one that calls.

The files may be replaced at any time. A new handshake uses what is there then, once key and certificate fit each other.
"""

import logging
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates
from prometheus_client import Gauge

from libs.chassis.config import ConfigError

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
EXPIRES = Gauge(
    "carehub_certificate_expires_timestamp_seconds", "When a file's first one ends.", ["file"]
)


def expires_at(pem: bytes) -> float:
    """When the first certificate of a file ends: one of the chain is as bad as its own."""
    return min(each.not_valid_after_utc.timestamp() for each in load_pem_x509_certificates(pem))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pems:
    """A certificate with its chain, its key, and the authority that others are believed by."""

    certificate: bytes
    key: bytes
    authority: bytes

    def check(self) -> None:
        """Raise ValueError if they are not what they should be, or do not belong together."""
        load_pem_x509_certificate(self.authority)
        certified = load_pem_x509_certificate(self.certificate).public_key()
        if load_pem_private_key(self.key, None).public_key() != certified:
            raise ValueError("the key is another certificate's")


class Certificates:
    """The three files, read anew when they change."""

    def __init__(self, certificate: Path, key: Path, authority: Path) -> None:
        self._paths = (certificate, key, authority)
        self._stamp: object = None
        self._looked_at = float("-inf")
        try:
            self._stamp, self.pems = self._read()
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(
                "CAREHUB_TLS_CERTIFICATE, CAREHUB_TLS_KEY and CAREHUB_TLS_AUTHORITY must be files in PEM, "
                f"and the key the certificate's: {error}"
            ) from error
        for file in ("certificate", "authority"):
            EXPIRES.labels(file).set_function(partial(self._ends_at, file))

    @classmethod
    def of(
        cls, certificate: Path | None, key: Path | None, authority: Path | None
    ) -> "Certificates | None":
        """None where nothing is said: then services speak in plain text."""
        if certificate and key and authority:
            return cls(certificate, key, authority)
        if certificate or key or authority:
            raise ConfigError(
                "CAREHUB_TLS_CERTIFICATE, CAREHUB_TLS_KEY and CAREHUB_TLS_AUTHORITY go together"
            )
        return None

    def refresh(self) -> Pems:
        """What is in the files; what was, while that cannot be used. Looks at most once a second."""
        if time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return self.pems
        self._looked_at = time.monotonic()
        try:
            if self._stamps() != self._stamp:
                self._stamp, self.pems = self._read()
                log.info("new certificates are used")
        except (OSError, ValueError, TypeError) as error:  # being replaced, or wrong
            log.warning("certificates not read", extra={"reason": type(error).__name__})
        return self.pems

    def _read(self) -> tuple[object, Pems]:
        stamp = self._stamps()  # before: what changes while it is read is read again
        certificate, key, authority = (path.read_bytes() for path in self._paths)
        pems = Pems(certificate=certificate, key=key, authority=authority)
        pems.check()
        self._ends = {"certificate": expires_at(certificate), "authority": expires_at(authority)}
        return stamp, pems

    def _ends_at(self, file: str) -> float:
        """Looked up when somebody asks: whom nobody calls, and who calls nobody, would tell of the old ones for ever."""
        self.refresh()
        return self._ends[file]

    def _stamps(self) -> object:
        found = [path.stat() for path in self._paths]
        return [(each.st_mtime_ns, each.st_ino, each.st_size) for each in found]

    def for_server(self) -> grpc.ServerCredentials:
        """Credentials that demand a certificate of whoever connects, and follow the files."""
        used = self.pems

        def newer() -> grpc.ServerCertificateConfiguration | None:
            nonlocal used
            if self.refresh() is used:
                return None
            used = self.pems
            return _configuration(used)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(used),
            newer,  # type: ignore[arg-type]  # None: as before
            require_client_authentication=True,
        )


def _configuration(pems: Pems) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(pems.key, pems.certificate)], root_certificates=pems.authority
    )


def for_channel(pems: Pems) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=pems.authority,
        private_key=pems.key,
        certificate_chain=pems.certificate,
    )
