"""Sign-in as a backend for frontends (RFC 10017): code and PKCE here, a cookie there, tokens never in a browser."""

import asyncio
import hashlib
import logging
import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.api.edge import note_of
from gateway.api.pages import message_page
from gateway.api.problems import Problem, unauthenticated
from gateway.api.provider import (
    Provider,
    ProviderAway,
    ProviderRefused,
    Tokens,
    is_loopback,
)
from gateway.api.rates import Limiter, address_key
from gateway.api.sessions import ABSOLUTE, FLOW_TAKES, IDLE, Flow, Keeper, Session
from gateway.api.step_up import WAY_BACK, wanted_level

REFRESH_BEFORE = 30.0
LONGEST_NEXT = 512
CALLBACK = "/signin/callback"

_LOCAL = re.compile(r"/(?![/\\])[A-Za-z0-9_.~!$&'()*+,;=:@%/?#-]*")
_log = logging.getLogger(__name__)


class SignIn:
    """The pages /signin, /signin/callback and /signout, and the sessions that they begin and end."""

    def __init__(
        self,
        provider: Provider,
        public_url: str,
        per_address: Limiter,
    ) -> None:
        parts = urlsplit(public_url)
        self._provider = provider
        self._public_url = public_url.rstrip("/")
        self._host = parts.netloc
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._is_https = parts.scheme == "https"
        self._is_local = is_loopback(parts.hostname)
        self._per_address = per_address
        prefix = "__Host-" if self._is_https else ""
        self._cookie, self._flow_cookie = f"{prefix}carehub", f"{prefix}carehub-signin"
        self._sessions: Keeper[Session] = Keeper(idle=IDLE, absolute=ABSOLUTE, now=time.time)
        self._flows: Keeper[Flow] = Keeper(idle=FLOW_TAKES, absolute=FLOW_TAKES, now=time.time)

    async def sign_in(self, request: Request) -> Response:
        """Send the browser to the provider."""
        note_of(request.scope).route = "/signin"
        wanted = local_path(request.query_params.get("next", "/"))
        level = wanted_level(request.query_params)
        self._per_address.take(address_key(request.client.host if request.client else ""))
        if self._is_local and request.headers.get("host", "") != self._host:
            # localhost and 127.0.0.1 have cookies of their own; the provider sends back to one of them.
            asked = {k: v for k, v in request.query_params.items() if k in {"acr", "max_age"}}
            return _see(f"{self._public_url}/signin?{urlencode({'next': wanted} | asked)}")
        browser = _cookies(request.headers.get("cookie", "")).get(self._flow_cookie, "")
        if not re.fullmatch(r"[\w-]{43}", browser):
            browser = secrets.token_urlsafe(32)
        flow = Flow(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=wanted,
            level=level,
        )
        try:
            url = await self._provider.authorization_url(
                state=flow.state,
                nonce=flow.nonce,
                challenge=challenge_of(flow.verifier),
                level=level,
            )
        except (ProviderAway, ProviderRefused) as error:
            return _sorry(error)
        self._flows.add(flow, _bound(browser, flow.state))
        response = _see(url)
        self._set(response, self._flow_cookie, browser, max_age=int(FLOW_TAKES))
        return response

    async def callback(self, request: Request) -> Response:
        """Take the browser back, and begin a session if all that was asked for came back."""
        note_of(request.scope).route = CALLBACK
        answer = request.query_params
        cookies = _cookies(request.headers.get("cookie", ""))
        browser = cookies.get(self._flow_cookie, "")
        flow = self._flows.take(_bound(browser, answer.get("state", ""))) if browser else None
        if flow is None:
            return message_page(
                400,
                "This sign-in took too long",
                "It may also be used already. Start again.",
                "/signin",
            )
        if answer.get("error"):
            return _see("/") if answer["error"] == "access_denied" else _sorry(ProviderRefused())
        try:
            session = await self._redeem(answer.get("code", ""), flow)
        except (ProviderAway, ProviderRefused) as error:
            return _sorry(error)
        self._sessions.take(cookies.get(self._cookie, ""))
        response = _see(flow.next)
        self._set(response, self._cookie, self._sessions.add(session))
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session here and at the provider. Only our own pages may ask for it."""
        note_of(request.scope).route = "/signout"
        headers = dict(request.scope["headers"])
        if not self.is_same_origin(headers):
            raise Problem(403, "CROSS_SITE_REQUEST", "Signing out must come from our own pages.")
        cookies = _cookies(request.headers.get("cookie", ""))
        session = self._sessions.take(cookies.get(self._cookie, ""))
        url = f"{self._public_url}/"
        if session:
            try:
                url = await self._provider.sign_out_url(session.id_token)
            except (ProviderAway, ProviderRefused) as error:
                _log.warning("sign-out at the provider", extra={"reason": str(error)})
        wants_json = "application/json" in request.headers.get("accept", "")
        response = JSONResponse({"location": url}) if wants_json else _see(url)
        self._delete(response, self._cookie)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def session_of(self, headers: Mapping[bytes, bytes], *, is_use: bool = True) -> Session | None:
        """Return the session that a request's cookie names, while it lasts."""
        text = headers.get(b"cookie")
        secret = _cookies(text.decode("latin-1")).get(self._cookie) if text else None
        return self._sessions.use(secret, is_use=is_use) if secret else None

    def is_same_origin(self, headers: Mapping[bytes, bytes]) -> bool:
        """Say whether one of our own pages made the request. A browser that does not tell is refused."""
        site = headers.get(b"sec-fetch-site")
        if site is not None:
            return site == b"same-origin"
        # Older browsers. Of a page with Referrer-Policy no-referrer the origin would be "null".
        return headers.get(b"origin", b"") == self._origin.encode()

    async def access_token(self, session: Session) -> str:
        """Return the session's access token, fresh for a while; refreshed once however many ask."""
        if time.time() < session.access_ends_at - REFRESH_BEFORE:
            return session.access_token
        if session.refreshing is None or session.refreshing.done():
            session.refreshing = asyncio.create_task(self._refresh(session))
            session.refreshing.add_done_callback(_hear)
        # Shielded: the provider takes a refresh token once, and its answer must not be lost with whoever asked first.
        await asyncio.shield(session.refreshing)
        return session.access_token

    async def _refresh(self, session: Session) -> None:
        if not session.refresh_token:
            raise unauthenticated("The session has ended.", reason="SESSION_ENDED")
        try:
            _renew(session, await self._provider.refresh(session.refresh_token))
        except ProviderRefused:
            session.access_ends_at, session.refresh_token = 0.0, ""
            raise unauthenticated("The session has ended.", reason="SESSION_ENDED") from None
        except ProviderAway:
            if time.time() >= session.access_ends_at:
                raise Problem(
                    503,
                    "SIGN_IN_UNAVAILABLE",
                    "The identity provider does not answer.",
                    headers={"Retry-After": "2"},
                ) from None

    async def _redeem(self, code: str, flow: Flow) -> Session:
        tokens = await self._provider.redeem(code, flow.verifier)
        claims = await self._provider.verify_id_token(tokens.id_token, flow.nonce)
        if flow.level and not flow.level.is_met_by(claims, slack=WAY_BACK):
            # Asking for a level is a wish; whether it was reached is in the token.
            raise ProviderRefused("LEVEL_NOT_REACHED")
        return Session(
            name=str(claims.get("name") or claims.get("preferred_username") or "")[:100],
            access_token=tokens.access_token,
            access_ends_at=tokens.access_ends_at,
            refresh_token=tokens.refresh_token,
            id_token=tokens.id_token,
        )

    def _set(self, response: Response, name: str, value: str, max_age: int | None = None) -> None:
        response.set_cookie(
            name, value, max_age=max_age, secure=self._is_https, httponly=True, samesite="lax"
        )

    def _delete(self, response: Response, name: str) -> None:
        response.delete_cookie(name, secure=self._is_https, httponly=True, samesite="lax")


def local_path(wanted: str) -> str:
    """Return where to go after sign-in: a path of this host, or the first page."""
    if len(wanted) > LONGEST_NEXT or not _LOCAL.fullmatch(wanted):
        return "/"
    return wanted


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _bound(browser: str, state: str) -> str:
    """Return the key of a flow: only the browser that began it can end it."""
    return f"{browser}.{state}"


def _renew(session: Session, tokens: Tokens) -> None:
    session.access_token = tokens.access_token
    session.access_ends_at = tokens.access_ends_at
    session.refresh_token = tokens.refresh_token or session.refresh_token
    session.id_token = tokens.id_token or session.id_token


def _hear(done: "asyncio.Task[None]") -> None:
    """A refresh that everybody has left may fail unheard."""
    if not done.cancelled():
        done.exception()


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs if name}


def _see(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=303)


def _sorry(error: Exception) -> Response:
    _log.warning("sign-in failed", extra={"reason": str(error) or type(error).__name__})
    if isinstance(error, ProviderAway):
        return message_page(
            503,
            "Sign-in does not answer",
            "The identity provider cannot be reached. Try again in a moment.",
            "/signin",
        )
    return message_page(400, "We could not sign you in", "Start again.", "/signin")
