"""Who is asking: a bearer token, or the cookie of a session. Either becomes a caller token, within the rates."""

from collections.abc import Mapping
from dataclasses import dataclass

from carehub.access.v1 import access_pb2

from gateway.api.callers import Callers
from gateway.api.problems import Problem, unauthenticated
from gateway.api.rates import Limiter, address_key
from gateway.api.signin import SignIn
from gateway.api.step_up import Level

# The words of the header. Other purposes wait for whoever may have them.
_PURPOSES = {
    "": access_pb2.PURPOSE_TREATMENT,
    "TREATMENT": access_pb2.PURPOSE_TREATMENT,
    "EMERGENCY": access_pb2.PURPOSE_EMERGENCY,
    "PATIENT_REQUEST": access_pb2.PURPOSE_PATIENT_REQUEST,
    "FAMILY_REQUEST": access_pb2.PURPOSE_FAMILY_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brings along to say who is asking."""

    headers: Mapping[bytes, bytes]
    address: str
    is_safe: bool
    # Whether somebody is at the screen: what a page does by itself does not keep a session from ending.
    is_use: bool = True
    level: Level | None = None

    @property
    def purpose(self) -> "access_pb2.Purpose.ValueType":
        """For what they ask, as the header X-Purpose says; a word that is none of ours is a Problem."""
        word = self.headers.get(b"x-purpose", b"").decode("latin-1")
        if word not in _PURPOSES:
            words = ", ".join(filter(None, _PURPOSES))
            raise Problem(400, "PURPOSE_UNKNOWN", f"X-Purpose is one of {words}, or absent.")
        return _PURPOSES[word]


class Authenticator:
    """Finds the caller of a request, or raises the Problem that says why there is none."""

    def __init__(
        self, callers: Callers, sign_in: SignIn, *, per_caller: Limiter, per_address: Limiter
    ) -> None:
        self._callers = callers
        self._sign_in = sign_in
        self._per_caller = per_caller
        self._per_address = per_address

    async def caller_token(self, credentials: Credentials) -> str:
        def admit() -> None:
            self._per_address.take(address_key(credentials.address))

        purpose = credentials.purpose
        bearer = _bearer(credentials.headers)
        access_token = await self._session_token(credentials) if bearer is None else bearer
        if not access_token:
            admit()
            raise unauthenticated(reason="NO_CREDENTIALS")
        # A session's token was fetched by us: new to identity every time it is renewed, and never a guess.
        asked = _admitted if bearer is None else admit
        known = await self._callers.caller(access_token, asked, credentials.address, purpose)
        self._per_caller.take(known.subject)
        if credentials.level:
            credentials.level.check(access_token)
        return known.token

    async def _session_token(self, credentials: Credentials) -> str:
        """Return the access token of the session that the cookie names, or nothing if there is none."""
        session = self._sign_in.session_of(credentials.headers, is_use=credentials.is_use)
        if session is None:
            return ""
        if not credentials.is_safe and not self._sign_in.is_same_origin(credentials.headers):
            raise Problem(
                403, "CROSS_SITE_REQUEST", "A change with the cookie must come from our own pages."
            )
        return await self._sign_in.access_token(session)


def _bearer(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the bearer token, which wins over a cookie: browsers send that unasked. None without the header."""
    authorization = headers.get(b"authorization")
    if authorization is None:
        return None
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.isascii():
        raise unauthenticated("Only bearer tokens are taken.", reason="TOKEN_UNREADABLE")
    return token


def _admitted() -> None:
    pass
