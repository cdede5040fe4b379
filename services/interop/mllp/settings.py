"""How the listener listens, and its limits."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from libs.chassis.config import ConfigError


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

    def tls(self) -> ssl.SSLContext | None:
        if not self.mllp_certificate:
            if not self.mllp_allow_plaintext and not self._is_loopback():
                raise ConfigError(
                    "INTEROP_MLLP_HOST is not loopback: set INTEROP_MLLP_CERTIFICATE and "
                    "INTEROP_MLLP_KEY, or INTEROP_MLLP_ALLOW_PLAINTEXT=1 if something in front "
                    "of it encrypts"
                )
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """What is in the files now: for connections that come from here on."""
        context.load_cert_chain(Path(self.mllp_certificate), self.mllp_key or None)
        if self.mllp_client_ca:
            context.load_verify_locations(self.mllp_client_ca)
            context.verify_mode = ssl.CERT_REQUIRED

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
