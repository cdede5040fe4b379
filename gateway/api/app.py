"""The gateway, put together."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
from carehub.identity.v1 import identity_service_pb2
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.accesses import PATH as ACCESSES
from gateway.api.accesses import Accesses, looks_of
from gateway.api.authentication import Authenticator
from gateway.api.callers import Callers
from gateway.api.edge import Edge, note_of
from gateway.api.fhir import PATH as AUDIT_EVENTS
from gateway.api.fhir import AuditEvents
from gateway.api.image import Image
from gateway.api.ledgers import PATH as LEDGERS
from gateway.api.ledgers import Ledgers, ledgers_of
from gateway.api.live import Live
from gateway.api.openapi import document
from gateway.api.own_accesses import METHOD as OWN_LOOKS
from gateway.api.own_accesses import PATH as OWN_ACCESSES
from gateway.api.own_accesses import OwnAccesses
from gateway.api.pages import Pages
from gateway.api.partner import PATH as PARTNER
from gateway.api.partner import PartnerPage
from gateway.api.problems import Problem
from gateway.api.provider import Client, Provider, is_loopback
from gateway.api.rates import Limiter, Rate
from gateway.api.signin import CALLBACK, SignIn
from gateway.api.step_up import read_levels
from gateway.api.stream import PATH, Stream
from gateway.api.transcoder import Transcoder
from gateway.api.webapp import WebApp
from libs.chassis.channels import Channels
from libs.chassis.wire import CallFailed

API = "/v1"
WEB = Path(__file__).parents[1] / "web" / "dist"
PROVIDER_TIMEOUT = 5.0
READY_TIMEOUT = 1.0
# Nobody taps faster, and nobody guesses a token at this pace.
PARTNER_PER_SECOND, PARTNER_BURST = 0.5, 20

_KEYS = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"].methods_by_name[
    "GetCallerKeys"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What a gateway is told: where browsers find it, and who signs people in."""

    public_url: str
    issuer: str
    client_id: str = "carehub-web"
    client_secret: str = field(repr=False)
    caller_per_second: float = 100.0
    caller_burst: int = 200
    address_per_second: float = 20.0
    address_burst: int = 100
    step_up: str = ""  # the methods that need more than a first sign-in: BreakGlass=2/300
    web: Path = WEB
    nats_url: str = ""  # without it nothing is live

    def __post_init__(self) -> None:
        for name in ("public_url", "issuer"):
            parts = urlsplit(getattr(self, name))
            if parts.scheme != "https" and not (
                parts.scheme == "http" and is_loopback(parts.hostname)
            ):
                raise ValueError(f"{name} is https, or http on this machine only")
        if urlsplit(self.public_url).path.strip("/"):
            raise ValueError("public_url has no path")


def build(
    channels: Channels,
    settings: GatewaySettings,
    image: bytes,
    http: httpx.AsyncClient | None = None,
    stopping: asyncio.Event | None = None,
) -> ASGIApp:
    """Return the gateway. `http` is how the identity provider is reached; streams end when `stopping` is set."""
    # A proxy of the environment does not lead back to this machine.
    trust_env = not is_loopback(urlsplit(settings.issuer).hostname)
    http = http or httpx.AsyncClient(timeout=PROVIDER_TIMEOUT, trust_env=trust_env)
    contracts = Image(image)
    per_address = Limiter(Rate("address", settings.address_per_second, settings.address_burst))
    per_caller = Limiter(Rate("caller", settings.caller_per_second, settings.caller_burst))
    sign_in = SignIn(_provider(settings, http), settings.public_url, per_address)
    authenticator = Authenticator(
        Callers(channels), sign_in, per_caller=per_caller, per_address=per_address
    )
    live = Live.at(settings.nats_url) if settings.nats_url else None
    app = _app(http, live)
    stopping = stopping or asyncio.Event()
    stream = Stream(live, channels, authenticator, stopping)
    app.router.routes.append(Route(PATH, stream))
    levels = read_levels(settings.step_up, (one.method.name for one in contracts.endpoints))
    if found := ledgers_of(contracts):
        ledgers = Ledgers(found, channels, authenticator)
        events = AuditEvents(ledgers, settings.public_url)
        app.add_route(LEDGERS, ledgers.answer, methods=["GET"])
        app.add_route(AUDIT_EVENTS, events.answer, methods=["GET"])
        accesses = Accesses(looks_of(found.values()), channels, authenticator)
        app.add_route(ACCESSES, accesses.answer, methods=["GET"])
        own = OwnAccesses(looks_of(found.values(), OWN_LOOKS), channels, authenticator)
        app.add_route(OWN_ACCESSES, own.answer, methods=["GET"])
    front = Front(Transcoder(contracts, channels, authenticator, levels), app)
    partner = PartnerPage(channels, Limiter(Rate("partner", PARTNER_PER_SECOND, PARTNER_BURST)))
    app.add_route(PARTNER, partner.answer, methods=["GET", "POST"])
    _add_health(app, channels, stopping)
    _add_pages(app, contracts, sign_in, settings)
    is_https = urlsplit(settings.public_url).scheme == "https"
    return Edge(WebApp.around(front, settings.web), is_https=is_https)


class Front:
    """Sends what the contracts answer straight to the transcoder, and the rest to the framework.

    What FastAPI does around a mounted app costs as much as a small answer.
    """

    def __init__(self, api: ASGIApp, app: FastAPI) -> None:
        self._api = api
        self._app = app
        under = (one for one in app.router.routes if isinstance(one, Route))
        self._by_hand = [one.path_regex for one in under if one.path.startswith(f"{API}/")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        is_ours = path.startswith(f"{API}/") and not any(one.match(path) for one in self._by_hand)
        await (self._api if is_ours else self._app)(scope, receive, send)


def _provider(settings: GatewaySettings, http: httpx.AsyncClient) -> Provider:
    public_url = settings.public_url.rstrip("/")
    client = Client(
        issuer=settings.issuer,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        redirect_uri=f"{public_url}{CALLBACK}",
        after_sign_out=f"{public_url}/",
    )
    return Provider(client, http)


def _app(http: httpx.AsyncClient, live: Live | None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await http.aclose()
        if live is not None:
            await live.close()

    # What FastAPI would document is not the API, and its pages load scripts from elsewhere.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.router.redirect_slashes = False
    app.add_exception_handler(HTTPException, _not_here)
    app.add_exception_handler(Problem, _problem)
    return app


def _add_health(app: FastAPI, channels: Channels, stopping: asyncio.Event) -> None:
    checked_at, is_ready = 0.0, False

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        nonlocal checked_at, is_ready
        if stopping.is_set():
            return PlainTextResponse("it ends\n", 503)
        if time.monotonic() - checked_at > READY_TIMEOUT:
            checked_at = time.monotonic()
            try:
                await channels.call(
                    _KEYS, identity_service_pb2.GetCallerKeysRequest(), timeout=READY_TIMEOUT
                )
                is_ready = True
            except CallFailed:
                is_ready = False
        return PlainTextResponse(
            "ok\n" if is_ready else "identity does not answer\n", 200 if is_ready else 503
        )

    app.add_route("/healthz", healthz, methods=["GET"])
    app.add_route("/readyz", readyz, methods=["GET"])


def _add_pages(app: FastAPI, contracts: Image, sign_in: SignIn, settings: GatewaySettings) -> None:
    issuer = urlsplit(settings.issuer)
    pages = Pages(f"{issuer.scheme}://{issuer.netloc}", _lists(contracts))
    openapi = orjson.dumps(document(contracts))

    async def home(request: Request) -> Response:
        note_of(request.scope).route = "/"
        session = sign_in.session_of(dict(request.scope["headers"]))
        return pages.home(session.name if session else None)

    async def docs(request: Request) -> Response:
        note_of(request.scope).route = "/docs"
        return pages.docs()

    async def openapi_json(request: Request) -> Response:
        note_of(request.scope).route = "/openapi.json"
        return Response(openapi, media_type="application/json")

    async def static(request: Request) -> Response:
        note_of(request.scope).route = "/static/{name}"
        found = pages.file(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    app.add_route("/", home, methods=["GET"])
    app.add_route("/docs", docs, methods=["GET"])
    app.add_route("/openapi.json", openapi_json, methods=["GET"])
    app.add_route("/static/{name}", static, methods=["GET"])
    app.add_route("/signin", sign_in.sign_in, methods=["GET"])
    app.add_route(CALLBACK, sign_in.callback, methods=["GET"])
    app.add_route("/signout", sign_in.sign_out, methods=["POST"])


def _lists(contracts: Image) -> list[tuple[str, str]]:
    """Return the paths that can be opened as they are, and what their comments begin with."""
    return [
        (one.template.text, contracts.summary(one.method.full_name))
        for one in contracts.endpoints
        if one.is_safe and not one.template.variables
    ]


async def _not_here(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    problem = (
        Problem(405, "METHOD_NOT_ALLOWED", "Not with this method.", headers=headers)
        if status == 405
        else Problem(404, "PATH_NOT_FOUND", "There is no such path. See /docs.")
    )
    return problem.response(note_of(request.scope).request_id)


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return error.response(note_of(request.scope).request_id)
