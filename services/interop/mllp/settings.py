"""How the listener listens, and its limits."""

import re
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from libs.chassis.config import ConfigError

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Door:
    """How connections are met from some time on: with which certificate, and whose senders are believed."""

    tls: ssl.SSLContext | None = None
    authorities: frozenset[bytes] = frozenset()

    def still_believes(self, before: "Door") -> bool:
        """Whether every sender that came in by that door comes in by this one."""
        return before.authorities <= self.authorities


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """INTEROP_MLLP_HOST, INTEROP_MLLP_PORT and so on. Beyond loopback TLS is required, or to be waived by name."""

    mllp_host: str = "127.0.0.1"
    mllp_port: int = 2575
    mllp_certificate: str = ""
    mllp_key: str = ""
    # With it, a sender must show a certificate that it signed.
    mllp_client_ca: str = ""
    # Where something in front of the listener (a mesh, a VPN) already encrypts.
    mllp_allow_plaintext: bool = False
    mllp_max_bytes: int = 1024 * 1024
    mllp_max_connections: int = 256
    mllp_frame_seconds: float = 60.0

    def door(self) -> Door:
        """What is in the files now, and nothing of what was in them: a context can be told to trust, not to trust no more."""
        if not self.mllp_certificate:
            if not self.mllp_allow_plaintext and not self._is_loopback():
                raise ConfigError(
                    "INTEROP_MLLP_HOST is not loopback: set INTEROP_MLLP_CERTIFICATE and "
                    "INTEROP_MLLP_KEY, or INTEROP_MLLP_ALLOW_PLAINTEXT=1 if something in front "
                    "of it encrypts"
                )
            return Door()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.load_cert_chain(Path(self.mllp_certificate), self.mllp_key or None)
        if not self.mllp_client_ca:
            return Door(tls=tls)
        authorities = frozenset(_CERTIFICATE.findall(Path(self.mllp_client_ca).read_bytes()))
        tls.load_verify_locations(cadata=b"\n".join(sorted(authorities)).decode("ascii"))
        tls.verify_mode = ssl.CERT_REQUIRED
        return Door(tls=tls, authorities=authorities)

    def stamps(self) -> list[tuple[int, int]]:
        """Other ones since a file was replaced."""
        names = (self.mllp_certificate, self.mllp_key, self.mllp_client_ca)
        found = [Path(name).stat() for name in names if name]
        return [(each.st_mtime_ns, each.st_ino) for each in found]

    def _is_loopback(self) -> bool:
        try:
            return ip_address(self.mllp_host).is_loopback
        except ValueError:
            return self.mllp_host == "localhost"
