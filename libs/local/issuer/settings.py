"""What the issuer is told: where it is, whom it knows, and where it may send them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

WEB = "carehub-web"
CLI = "carehub-cli"
REALM = "/realms/carehub"
SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in. The page offers a listed one at a click, without the password."""

    username: str
    password: str = field(repr=False)
    subject: UUID
    name: str
    email: str
    about: str = ""
    is_listed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """`url` is where browsers and the gateway find it, such as http://127.0.0.1:8180."""

    home: Path
    url: str
    accounts: Callable[[], Sequence[Account]]
    client_secret: str = field(repr=False)
    redirect_uris: Sequence[str]
    post_logout_redirect_uris: Sequence[str] = ()
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not is_loopback(parts.hostname):
            raise ValueError("The development issuer serves this machine only: a loopback URL.")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("The URL of the issuer has no path; the realm is added to it.")
        if len(self.client_secret) < SHORTEST_SECRET:
            raise ValueError(f"The secret of {WEB} has at least {SHORTEST_SECRET} characters.")
        for uri in (*self.redirect_uris, *self.post_logout_redirect_uris):
            if urlsplit(uri).scheme not in {"http", "https"} or "#" in uri:
                raise ValueError(f"Not a URL to send a browser to: {uri}")

    @property
    def issuer(self) -> str:
        """The `iss` of all tokens."""
        return self.url.rstrip("/") + REALM

    def account_of(self, subject: UUID) -> Account | None:
        return next((one for one in self.accounts() if one.subject == subject), None)


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host or "")
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback
