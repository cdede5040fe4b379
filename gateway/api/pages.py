"""The few pages that the gateway has itself: the first one, the documentation, and short messages."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse, Response

STATIC = Path(__file__).parent / "static"
KINDS: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Pages:
    """Pages and their files, read once."""

    def __init__(self, sign_out_to: str, lists: Iterable[tuple[str, str]]) -> None:
        self._policy = policy(sign_out_to)
        self._home = Template((STATIC / "home.html").read_text())
        self._docs = (STATIC / "docs.html").read_bytes()
        self._files = {
            path.name: (path.read_bytes(), KINDS[path.suffix])
            for path in STATIC.iterdir()
            if path.suffix in KINDS
        }
        self._lists = "".join(
            f'<li><a href="{escape(path)}"><code>{escape(path)}</code></a> <span>{escape(text)}</span></li>'
            for path, text in lists
        )

    def home(self, name: str | None) -> Response:
        account = (
            f'<p class="who">Signed in as <strong>{escape(name or "somebody without a name")}</strong></p>'
            '<form method="post" action="/signout"><button>Sign out</button></form>'
            if name is not None
            else '<a class="button" href="/signin">Sign in</a>'
        )
        page = self._home.substitute(account=account, lists=self._lists)
        return HTMLResponse(page, headers={"Content-Security-Policy": self._policy})

    def docs(self) -> Response:
        return HTMLResponse(self._docs, headers={"Content-Security-Policy": self._policy})

    def file(self, name: str) -> Response | None:
        found = self._files.get(name)
        if found is None:
            return None
        body, kind = found
        return Response(body, media_type=kind, headers={"Cache-Control": "no-cache"})


def policy(sign_out_to: str = "") -> str:
    """Return what a page of ours may do. Signing out is a form that leads on to the provider."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {sign_out_to}".rstrip()
    )


def message_page(status: int, title: str, text: str, again: str) -> Response:
    """Return a short page that says what happened and where to go on."""
    page = Template((STATIC / "message.html").read_text()).substitute(
        title=escape(title), text=escape(text), again=escape(again)
    )
    return HTMLResponse(page, status_code=status, headers={"Content-Security-Policy": policy()})
