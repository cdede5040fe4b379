"""The sign-in page: plain HTML without scripts, in English and Spanish."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from libs.local.issuer.settings import Account, IssuerSettings

MOST_LISTED = 40

TEXTS = {
    "en": {
        "title": "Sign in · CareHub",
        "heading": "Sign in to CareHub",
        "choose": "Choose who you want to be",
        "demo": "Demonstration accounts on this machine; no password needed.",
        "other": "Use a user name and password",
        "username": "User name",
        "password": "Password",
        "enter": "Sign in",
        "cancel": "Cancel",
        "wrong": "The user name or the password is wrong.",
        "expired": "This sign-in took too long or was already used. Go back and start again.",
        "client": "An unknown application asked for this sign-in.",
        "redirect_uri": "The application asked to return to an address it is not known for.",
        "request": "The application asked for this sign-in in a way that is not understood.",
        "sorry": "This did not work",
        "gone": "You are signed out",
        "close": "You can close this page.",
    },
    "es": {
        "title": "Iniciar sesión · CareHub",
        "heading": "Inicie sesión en CareHub",
        "choose": "Elija quién quiere ser",
        "demo": "Cuentas de demostración en este equipo; no hace falta contraseña.",
        "other": "Usar nombre de usuario y contraseña",
        "username": "Nombre de usuario",
        "password": "Contraseña",
        "enter": "Iniciar sesión",
        "cancel": "Cancelar",
        "wrong": "El nombre de usuario o la contraseña no son correctos.",
        "expired": "Este inicio de sesión tardó demasiado o ya se usó. Vuelva atrás y empiece de nuevo.",
        "client": "Una aplicación desconocida pidió este inicio de sesión.",
        "redirect_uri": "La aplicación pidió volver a una dirección que no le corresponde.",
        "request": "La aplicación pidió este inicio de sesión de una forma que no se entiende.",
        "sorry": "No ha funcionado",
        "gone": "Ha cerrado la sesión",
        "close": "Puede cerrar esta página.",
    },
}

STYLE = """
:root { color-scheme: light dark; --ink: #1B2130; --ink-2: #475062; --control: #7F8999;
  --canvas: #F5F6F8; --card: #FFFFFF; --action: #1B5AAE; --on-action: #FFFFFF;
  --action-bg: #E9F0FA; --late: #B3261E; --late-bg: #FCEBE9; }
@media (prefers-color-scheme: dark) { :root { --ink: #E8EBF1; --ink-2: #B5BDCB;
  --control: #7F8999; --canvas: #14171F; --card: #1D222D; --action: #93B1E2;
  --on-action: #14171F; --action-bg: #26334A; --late: #F2B8B5; --late-bg: #43201E; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; background: var(--canvas); color: var(--ink);
  font: 16px/24px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 440px; margin: 24px auto; padding: 24px 16px; background: var(--card);
  border-radius: 8px; }
h1 { margin: 0 0 16px; font-size: 20px; line-height: 28px; font-weight: 600; }
h2 { margin: 0; font-size: 16px; line-height: 24px; font-weight: 600; }
p { margin: 4px 0 12px; color: var(--ink-2); overflow-wrap: anywhere; }
ul { list-style: none; margin: 0 0 16px; padding: 0; }
li { margin: 0 0 8px; }
label { display: block; margin: 12px 0 4px; }
input { width: 100%; min-height: 44px; padding: 8px 12px; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--control); border-radius: 6px; }
button { width: 100%; min-height: 44px; padding: 8px 12px; font: inherit; cursor: pointer;
  border: 1px solid var(--control); border-radius: 6px; color: inherit; background: var(--card); }
button.who { text-align: left; overflow-wrap: anywhere; }
button.who:hover { background: var(--action-bg); }
button.who strong { display: block; font-weight: 600; }
button.who span { color: var(--ink-2); font-size: 14px; line-height: 20px; }
button.enter { margin: 16px 0 8px; border-color: var(--action); background: var(--action);
  color: var(--on-action); font-weight: 600; }
summary { min-height: 44px; padding: 10px 0; color: var(--action); cursor: pointer; }
:focus-visible { outline: 3px solid var(--action); outline-offset: 2px; }
.alert { padding: 8px 12px; color: var(--late); background: var(--late-bg); border-radius: 6px; }
"""
STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def language_of(accept_language: str, wanted: str = "") -> str:
    """Return the language of a page: what the client wants, else what the browser likes best."""
    for tag in wanted.split():
        if tag.partition("-")[0].lower() in TEXTS:
            return tag.partition("-")[0].lower()
    liked: dict[str, float] = {}
    for part in accept_language.split(","):
        tag, _, quality = part.partition(";q=")
        language = tag.strip().partition("-")[0].lower()
        if language in TEXTS:
            liked[language] = max(liked.get(language, 0.0), _quality(quality))
    best = max(liked, key=lambda language: liked[language], default="en")
    return best if liked.get(best) else "en"


def sign_in_page(
    settings: IssuerSettings, *, request: str, action: str, language: str, hint: str, wrong: bool
) -> HTMLResponse:
    """Offer the listed accounts at a click, and a user name with a password."""
    text = TEXTS[language]
    listed = [account for account in settings.accounts() if account.is_listed][:MOST_LISTED]
    hidden = f'<input type="hidden" name="request" value="{escape(request)}">'
    form = f'<form method="post" action="{escape(action)}" autocomplete="off">{hidden}'
    typed = _password_form(text, form, hint, wrong=wrong)
    if listed:
        is_open = " open" if wrong or hint else ""
        typed = f"<details{is_open}><summary>{text['other']}</summary>{typed}</details>"
    body = (
        f"<h1>{text['heading']}</h1>{_choices(text, form, listed)}{typed}"
        f'{form}<button name="cancel" value="yes">{text["cancel"]}</button></form>'
    )
    return _page(settings, language, body, status=401 if wrong else 200)


def message_page(settings: IssuerSettings, language: str, key: str) -> HTMLResponse:
    """Say why a sign-in cannot go on, or that somebody is signed out."""
    text = TEXTS[language]
    if key == "gone":
        body, status = f"<h1>{text['gone']}</h1><p>{text['close']}</p>", 200
    else:
        body, status = f'<h1>{text["sorry"]}</h1><p role="alert">{text[key]}</p>', 400
    return _page(settings, language, body, status=status)


def _choices(text: dict[str, str], form: str, listed: Sequence[Account]) -> str:
    if not listed:
        return ""
    buttons = "".join(
        f'<li><button class="who" name="account" value="{escape(account.username)}">'
        f"<strong>{escape(account.username)}</strong>"
        f"<span>{escape(' · '.join(filter(None, (account.name, account.about))))}</span>"
        "</button></li>"
        for account in listed
    )
    return f"<h2>{text['choose']}</h2><p>{text['demo']}</p>{form}<ul>{buttons}</ul></form>"


def _password_form(text: dict[str, str], form: str, hint: str, *, wrong: bool) -> str:
    alert = f'<p class="alert" role="alert" id="wrong">{text["wrong"]}</p>' if wrong else ""
    described = ' aria-describedby="wrong"' if wrong else ""
    focus = " autofocus" if wrong or hint else ""
    return (
        f"{form}{alert}"
        f'<label for="username">{text["username"]}</label>'
        f'<input id="username" name="username" autocomplete="username" autocapitalize="none"'
        f' spellcheck="false" required value="{escape(hint)}"{described}{focus}>'
        f'<label for="password">{text["password"]}</label>'
        '<input id="password" name="password" type="password" required'
        f' autocomplete="current-password"{described}>'
        f'<button class="enter">{text["enter"]}</button></form>'
    )


def _page(settings: IssuerSettings, language: str, body: str, *, status: int) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TEXTS[language]['title']}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )
    # A browser holds the redirect that follows a form to form-action as well.
    targets = sorted({"'self'"} | {_origin(uri) for uri in settings.redirect_uris})
    policy = (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action {' '.join(targets)}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "Vary": "Accept-Language",
    }
    return HTMLResponse(html, status_code=status, headers=headers)


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
