"""The wall around the issuer: only this machine gets in, by a name of this machine."""

from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.local.issuer.settings import is_loopback


class LoopbackOnly:
    """Answers 403 to other machines, and to pages that call this one by a name of their own.

    The second is DNS rebinding: a page from elsewhere whose name has come to mean 127.0.0.1.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and _is_local(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = PlainTextResponse("Sign-in is for this machine only.\n", status_code=403)
            await refusal(scope, receive, send)


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if client is None or len(hosts) != 1:
        return False
    try:
        host = urlsplit(f"//{hosts[0].decode('latin-1')}").hostname
    except ValueError:
        return False
    return is_loopback(client[0]) and is_loopback(host)
