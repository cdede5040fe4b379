"""The web app, where it has been built: its files, and its first page for every address of its own."""

import contextlib
from mimetypes import guess_type
from pathlib import Path
from typing import Self

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.edge import note_of

OURS = (
    "/v1/",
    "/fhir/",
    "/signin/",
    "/signout/",
    "/docs/",
    "/openapi.json/",
    "/static/",
    "/healthz/",
    "/readyz/",
    "/problems/",
    "/p/",
)
TWINS = (("br", ".br"), ("gzip", ".gz"))
FOR_EVER = "public, max-age=31536000, immutable"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


class WebApp:
    """Serves a built web app in front of the gateway's own pages."""

    def __init__(self, app: ASGIApp, dist: Path) -> None:
        self._app = app
        self._files = StaticFiles(directory=dist)

    @classmethod
    def around(cls, app: ASGIApp, dist: Path) -> "Self | ASGIApp":
        return cls(app, dist) if (dist / "index.html").is_file() else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        if not is_page or f"{scope['path']}/".startswith(OURS):
            await self._app(scope, receive, send)
            return
        note_of(scope).route = "web"
        response = await self._file(scope)
        await response(scope, receive, send)

    async def _file(self, scope: Scope) -> Response:
        path = scope["path"].lstrip("/") or "index.html"
        response = (
            await self._found(path, scope)
            or await self._found(f"{path}.html", scope)  # a page of its own, such as /my
            or await self._found("index.html", scope)
        )
        if response is None:  # it is being built anew
            return PlainTextResponse("The console is not there yet. Load the page again.\n", 503)
        is_asset = scope["path"].startswith("/assets/") and response.status_code == 200
        response.headers["Cache-Control"] = FOR_EVER if is_asset else "no-cache"
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Vary"] = "Accept-Encoding"
        return response

    async def _found(self, path: str, scope: Scope) -> Response | None:
        """The file, as small as the browser takes it."""
        for coding, ending in _twins(scope):
            with contextlib.suppress(HTTPException):
                response = await self._files.get_response(path + ending, scope)
                kind, _ = guess_type(path)
                response.headers["Content-Type"] = f"{kind}; charset=utf-8"
                response.headers["Content-Encoding"] = coding
                return response
        with contextlib.suppress(HTTPException):
            return await self._files.get_response(path, scope)
        return None


def _twins(scope: Scope) -> list[tuple[str, str]]:
    """The codings that the build has made and the browser takes, best first."""
    header = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
    taken = {part.strip() for part in header.split(",") if "q=0" not in part.replace(" ", "")}
    return [(coding, ending) for coding, ending in TWINS if coding in taken]
