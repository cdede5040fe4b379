"""What a client asks for when it sends a browser to sign in, checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from libs.local.issuer.errors import OAuthError, PageError
from libs.local.issuer.settings import WEB, IssuerSettings

SCOPES = ("openid", "profile", "email", "offline_access")
LARGEST_FORM = 16 * 1024
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A sign-in that a client asked for and a person has yet to do."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str | None
    scope: str
    challenge: str
    acr: str
    login_hint: str
    language: str


def parameters(raw: str) -> dict[str, str]:
    """Return the parameters of a query or form. One given twice is refused (RFC 6749, 3.1)."""
    try:
        pairs = parse_qsl(raw, max_num_fields=40)
    except ValueError:
        raise OAuthError("invalid_request", "There are too many parameters.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OAuthError("invalid_request", "A parameter is given more than once.")
    return found


async def form_of(request: Request) -> dict[str, str]:
    """Read a small form; larger bodies and other types are refused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"The body is not {FORM}.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            raise OAuthError("invalid_request", "The body is too large.", status=413)
    try:
        return parameters(body.decode())
    except UnicodeDecodeError:
        raise OAuthError("invalid_request", "The body is not a form.") from None


def check_target(asked: Mapping[str, str], settings: IssuerSettings) -> str:
    """Return where to send the browser back. Until this has passed nothing may be redirected."""
    if asked.get("client_id") != WEB:
        raise PageError("client")
    redirect_uri = asked.get("redirect_uri", "")
    if redirect_uri not in settings.redirect_uris:
        raise PageError("redirect_uri")
    return redirect_uri


def read_wish(asked: Mapping[str, str], redirect_uri: str, language: str) -> Wish:
    """Check everything else; a refusal goes back to the client."""
    if asked.keys() & {"request", "request_uri"}:
        raise OAuthError("request_not_supported", "Request objects are not supported.")
    if asked.get("response_type") != "code" or asked.get("response_mode", "query") != "query":
        raise OAuthError("unsupported_response_type", "Only codes, in the query, are supported.")
    if not asked.get("state"):
        raise OAuthError("invalid_request", "The state is missing.")
    if asked.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "PKCE with the method S256 is required.")
    if not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        raise OAuthError("invalid_request", "The code challenge is missing or malformed.")
    if "none" in asked.get("prompt", "").split():
        raise OAuthError("login_required", "Somebody has to sign in.")
    return Wish(
        client_id=asked["client_id"],
        redirect_uri=redirect_uri,
        state=asked["state"],
        nonce=asked.get("nonce"),
        scope=granted_scope(asked.get("scope", "")),
        challenge=asked["code_challenge"],
        # There is no second factor here: whoever asks for one is told that it was given, so that
        # a step-up can be tried on one machine.
        acr=level_of(asked),
        login_hint=asked.get("login_hint", "")[:200],
        language=language,
    )


def granted_scope(asked: str) -> str:
    wanted: Sequence[str] = asked.split()
    if "openid" not in wanted:
        raise OAuthError("invalid_scope", "The scope openid is missing.")
    return " ".join(scope for scope in SCOPES if scope in wanted)


def send_back(redirect_uri: str, **answer: str) -> RedirectResponse:
    """Send the browser back to the client; 303 so that a posted password is not posted again."""
    mark = "&" if "?" in redirect_uri else "?"
    url = redirect_uri + mark + urlencode({key: text for key, text in answer.items() if text})
    return RedirectResponse(url, status_code=303)


def level_of(asked: Mapping[str, str]) -> str:
    """The level that was asked for. Here a click is as good as a second factor."""
    return "2" if "2" in asked.get("acr_values", "").split() else "1"
