"""The endpoints of the development issuer, under the paths that Keycloak gives them."""

import hmac
import re
import secrets
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.local.issuer.authorize import (
    SCOPES,
    Wish,
    check_target,
    form_of,
    granted_scope,
    level_of,
    parameters,
    read_wish,
    send_back,
)
from libs.local.issuer.errors import OAuthError, PageError
from libs.local.issuer.keys import ALGORITHM, KeyRing
from libs.local.issuer.loopback import LoopbackOnly
from libs.local.issuer.page import language_of, message_page, sign_in_page
from libs.local.issuer.sessions import Sessions, Shelf, SignIn, digest, same
from libs.local.issuer.settings import CLI, REALM, WEB, Account, IssuerSettings
from libs.local.issuer.tokens import Mint, profile

OPENID = f"{REALM}/protocol/openid-connect"
AUTHENTICATE = f"{REALM}/login-actions/authenticate"
SIGN_IN_TAKES = 10 * 60
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
GRANTS = {
    WEB: {"authorization_code", "refresh_token"},
    CLI: {"password", "refresh_token"},
}


def issuer_app(settings: IssuerSettings) -> ASGIApp:
    """Return the issuer; it keeps its keys in home/issuer and everything else in memory."""
    issuer = _Issuer(settings)
    app = Starlette(
        routes=[
            Route(f"{REALM}/.well-known/openid-configuration", issuer.metadata),
            Route(f"{OPENID}/certs", issuer.certs),
            Route(f"{OPENID}/auth", issuer.auth, methods=["GET", "POST"]),
            Route(AUTHENTICATE, issuer.authenticate, methods=["POST"]),
            Route(f"{OPENID}/token", issuer.token, methods=["POST"]),
            Route(f"{OPENID}/userinfo", issuer.userinfo, methods=["GET", "POST"]),
            Route(f"{OPENID}/logout", issuer.logout, methods=["GET", "POST"]),
        ],
        exception_handlers={OAuthError: _refuse, PageError: issuer.explain},
    )
    return LoopbackOnly(_CarefulHeaders(app))


class _Issuer:
    def __init__(self, settings: IssuerSettings) -> None:
        self._settings = settings
        self._ring = KeyRing(settings.home / "issuer")
        self._mint = Mint(settings, self._ring)
        self._wishes: Shelf[Wish] = Shelf(keep=SIGN_IN_TAKES, now=settings.now)
        self._sessions = Sessions(settings.now)

    async def metadata(self, _request: Request) -> Response:
        url = self._settings.url.rstrip("/") + OPENID
        return JSONResponse(
            {
                "issuer": self._settings.issuer,
                "authorization_endpoint": f"{url}/auth",
                "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/userinfo",
                "end_session_endpoint": f"{url}/logout",
                "jwks_uri": f"{url}/certs",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token", "password"],
                "subject_types_supported": ["public"],
                "scopes_supported": list(SCOPES),
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_basic",
                    "client_secret_post",
                    "none",
                ],
                "code_challenge_methods_supported": ["S256"],
                "acr_values_supported": ["1", "2"],
                "prompt_values_supported": ["none", "login", "select_account"],
                "ui_locales_supported": ["en", "es"],
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def certs(self, _request: Request) -> Response:
        return JSONResponse(self._ring.public())

    async def auth(self, request: Request) -> Response:
        try:
            asked = await _asked(request)
        except OAuthError:
            raise PageError("request") from None
        redirect_uri = check_target(asked, self._settings)
        language = _language(request, asked.get("ui_locales", ""))
        try:
            wish = read_wish(asked, redirect_uri, language)
        except OAuthError as refused:
            return self._send_back(
                redirect_uri,
                state=asked.get("state", ""),
                error=refused.error,
                error_description=refused.description,
            )
        return self._ask(self._wishes.put(wish), wish, wrong=False)

    async def authenticate(self, request: Request) -> Response:
        """Take the answer of the page. Only who was shown the page knows the key of its wish."""
        try:
            form = await form_of(request)
        except OAuthError:
            raise PageError("request") from None
        key = form.get("request", "")
        wish = self._wishes.get(key)
        if wish is None:
            raise PageError("expired")
        if "cancel" in form:
            self._wishes.drop(key)
            return self._send_back(wish.redirect_uri, state=wish.state, error="access_denied")
        account = self._chosen(form)
        if account is None:
            return self._ask(key, wish, wrong=True)
        self._wishes.drop(key)
        sign_in = self._sign_in(
            account, wish.client_id, scope=wish.scope, nonce=wish.nonce, acr=wish.acr
        )
        code = self._sessions.add_code(
            sign_in, redirect_uri=wish.redirect_uri, challenge=wish.challenge
        )
        return self._send_back(
            wish.redirect_uri, code=code, state=wish.state, session_state=sign_in.session
        )

    async def token(self, request: Request) -> Response:
        form = await form_of(request)
        client_id = self._client(request, form)
        grant = form.get("grant_type", "")
        if grant not in {"authorization_code", "refresh_token", "password"}:
            raise OAuthError("unsupported_grant_type", "This grant is not supported.")
        if grant not in GRANTS[client_id]:
            raise OAuthError("unauthorized_client", "This client may not use this grant.")
        if grant == "refresh_token":
            return self._refresh(form, client_id)
        sign_in = self._redeem(form) if grant == "authorization_code" else self._direct(form)
        return self._answer(sign_in, self._sessions.begin(sign_in))

    async def userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = self._mint.read_access_token(token) if scheme.lower() == "bearer" else None
        account = self._settings.account_of(UUID(claims["sub"])) if claims else None
        if account is None:
            challenge = 'Bearer error="invalid_token"'
            return JSONResponse(
                {"error": "invalid_token"}, 401, headers={"WWW-Authenticate": challenge}
            )
        return JSONResponse({"sub": str(account.subject), **profile(account)})

    async def logout(self, request: Request) -> Response:
        asked = await _asked(request)
        if "refresh_token" in asked:
            client_id = self._client(request, asked)
            self._sessions.end_by_token(asked["refresh_token"], client_id=client_id)
            return Response(status_code=204)
        hint = self._mint.read_id_token(asked.get("id_token_hint", ""))
        if hint:
            self._sessions.end(hint["sid"])
        target = asked.get("post_logout_redirect_uri", "")
        # Without the hint of a token of ours, anybody could have made this link.
        if not target or hint is None:
            language = _language(request, asked.get("ui_locales", ""))
            return message_page(self._settings, language, "gone")
        if target not in self._settings.post_logout_redirect_uris:
            raise PageError("redirect_uri")
        return send_back(target, state=asked["state"]) if "state" in asked else send_back(target)

    async def explain(self, request: Request, error: Exception) -> Response:
        return message_page(self._settings, _language(request), str(error))

    def _ask(self, key: str, wish: Wish, *, wrong: bool) -> Response:
        return sign_in_page(
            self._settings,
            request=key,
            action=AUTHENTICATE,
            language=wish.language,
            hint=wish.login_hint,
            wrong=wrong,
        )

    def _chosen(self, form: Mapping[str, str]) -> Account | None:
        """Return the account that was clicked, or whose password was typed."""
        if "account" not in form:
            return self._by_password(form)
        for account in self._settings.accounts():
            if account.is_listed and account.username == form["account"]:
                return account
        return None

    def _by_password(self, form: Mapping[str, str]) -> Account | None:
        """Take the same time for an unknown user name as for a wrong password."""
        username, password = digest(form.get("username", "")), digest(form.get("password", ""))
        found = None
        for account in self._settings.accounts():
            is_name = hmac.compare_digest(digest(account.username), username)
            is_password = hmac.compare_digest(digest(account.password), password)
            if is_name & is_password:
                found = account
        return found

    def _client(self, request: Request, form: Mapping[str, str]) -> str:
        """Authenticate the client, by Basic or in the form; the command line has no secret."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
        basic = _basic(request.headers.get("authorization", ""))
        if basic is not None:
            if secret is not None or client_id not in {"", basic[0]}:
                raise OAuthError("invalid_request", "The client authenticates in two ways.")
            client_id, secret = basic
        if client_id == CLI and not secret:
            return CLI
        # Compared also for an unknown client, which is then refused in the same time.
        is_secret = same(secret or "", self._settings.client_secret)
        if client_id != WEB or not is_secret:
            raise OAuthError("invalid_client", "The client is not known or not right.", status=401)
        return WEB

    def _redeem(self, form: Mapping[str, str]) -> SignIn:
        verifier = form.get("code_verifier", "")
        if not VERIFIER.fullmatch(verifier):
            raise OAuthError("invalid_grant", "The code verifier is missing or malformed.")
        return self._sessions.redeem(
            form.get("code", ""),
            client_id=WEB,
            redirect_uri=form.get("redirect_uri", ""),
            verifier=verifier,
        )

    def _direct(self, form: Mapping[str, str]) -> SignIn:
        account = self._by_password(form)
        if account is None:
            raise OAuthError("invalid_grant", "The user name or the password is wrong.")
        scope = granted_scope(form.get("scope", "openid profile email"))
        return self._sign_in(account, CLI, scope=scope, nonce=None, acr=level_of(form))

    def _refresh(self, form: Mapping[str, str], client_id: str) -> Response:
        sign_in, following = self._sessions.refresh(
            form.get("refresh_token", ""), client_id=client_id
        )
        return self._answer(sign_in, following)

    def _answer(self, sign_in: SignIn, refresh_token: str) -> Response:
        account = self._settings.account_of(sign_in.subject)
        if account is None:
            self._sessions.end(sign_in.session)
            raise OAuthError("invalid_grant", "The account is no longer there.")
        return JSONResponse(self._mint.answer(sign_in, account, refresh_token))

    def _sign_in(
        self, account: Account, client_id: str, *, scope: str, nonce: str | None, acr: str
    ) -> SignIn:
        return SignIn(
            client_id=client_id,
            subject=account.subject,
            scope=scope,
            nonce=nonce,
            auth_time=int(self._settings.now()),
            acr=acr,
            session=secrets.token_urlsafe(24),
        )

    def _send_back(self, redirect_uri: str, **answer: str) -> Response:
        return send_back(redirect_uri, **answer, iss=self._settings.issuer)


class _CarefulHeaders:
    """Nothing here is kept by a cache, guessed at, or told to the next site."""

    HEADERS = (
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self.HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _refuse(_request: Request, error: Exception) -> Response:
    if not isinstance(error, OAuthError):
        raise error
    headers = {"WWW-Authenticate": 'Basic realm="carehub"'} if error.status == 401 else None
    body: dict[str, Any] = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, status_code=error.status, headers=headers)


async def _asked(request: Request) -> dict[str, str]:
    return parameters(request.url.query) if request.method == "GET" else await form_of(request)


def _language(request: Request, wanted: str = "") -> str:
    return language_of(request.headers.get("accept-language", ""), wanted)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise OAuthError(
            "invalid_client", "Basic authentication is malformed.", status=401
        ) from None
    return unquote_plus(client_id), unquote_plus(secret)
