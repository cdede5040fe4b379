"""The page of a partner without an account, at /p/{token}: plain forms, no script, and nothing about health.

The token is the only credential. It is in the path of the link and nowhere else: not in logs (they have the template of the
route), not in a referrer, not in a cache. Whatever is wrong with a token, the answer is the same page.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from string import Template
from typing import Any, cast
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from carehub.referrals.v1 import directory_pb2
from carehub.referrals.v1 import partner_service_pb2 as rpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.api.edge import note_of
from gateway.api.pages import STATIC
from gateway.api.partner_words import LANGUAGES, SPOKEN, WORDS, clock, day, language_of, moment
from gateway.api.problems import Problem
from gateway.api.rates import Limiter, address_key
from libs.chassis.channels import Channels
from libs.chassis.fields import to_datetime
from libs.chassis.guard import CLIENT_ADDRESS, REQUEST_ID
from libs.chassis.wire import CallFailed

PATH = "/p/{token}"
TIMEOUT = 5.0
MOST_FORM = 2048
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
}
_SERVICE = rpc.DESCRIPTOR.services_by_name["PartnerService"]
_STEP, _CAPACITY = rpc.PartnerRequest, directory_pb2.Capacity
_MORE = {
    "more_yes": _CAPACITY.STATUS_YES,
    "more_no": _CAPACITY.STATUS_NO,
    "more_waitlist": _CAPACITY.STATUS_WAITLIST,
    "more_assessment": _CAPACITY.STATUS_ASSESSMENT_REQUIRED,
}
# A button is an answer with its reason: one tap.
_NO = {"no": "OTHER", "no_capacity": "NO_CAPACITY", "too_far": "TOO_FAR"}
_COULD_NOT = {"absent": "CLIENT_ABSENT", "declined": "CLIENT_DECLINED", "could_not": "OTHER"}


class PartnerPage:
    """Asks referrals as nobody; the token says who is there."""

    def __init__(self, channels: Channels, per_address: Limiter) -> None:
        self._channels = channels
        self._per_address = per_address
        self._page = Template((STATIC / "partner.html").read_text())

    async def answer(self, request: Request) -> Response:
        """GET shows what there is to do and changes nothing: programs that look at mail open links, too. POST answers."""
        note_of(request.scope).route = PATH
        accepted = request.headers.get("accept-language", "")
        lang = language_of(request.query_params.get("lang", ""), accepted)
        try:
            self._per_address.take(address_key(request.client.host if request.client else ""))
            form = await _form(request) if request.method == "POST" else {}
            return await self._answer(request, form, lang)
        except CallFailed as failed:
            if failed.code == "NOT_FOUND":
                return self._short("gone", lang, 404)
            return self._short("busy", lang, 503)
        except Problem as problem:
            return self._short("busy", lang, problem.status)

    async def _answer(self, request: Request, form: Mapping[str, str], lang: str) -> Response:
        token = request.path_params["token"]
        asked, note = _asked(token, form), "noted" if form.get("more") in _MORE else ""
        try:
            told = await self._ask(request, *asked)
        except CallFailed as failed:
            if failed.code != "FAILED_PRECONDITION":
                raise
            note = "taken" if failed.reason == "NO_DRIVER_FREE" else ""
            told = await self._ask(request, "OpenRequest", rpc.OpenRequestRequest(token=token))
        return self._show(told, lang, note)

    async def _ask(self, request: Request, method: str, message: Message) -> rpc.PartnerRequest:
        address = request.client.host if request.client else ""
        about = {REQUEST_ID: note_of(request.scope).request_id, CLIENT_ADDRESS: address}
        answer = await self._channels.call(
            _SERVICE.methods_by_name[method], message, timeout=TIMEOUT, metadata=about
        )
        return cast("rpc.PartnerRequest", answer)

    def _show(self, told: rpc.PartnerRequest, lang: str, note: str) -> Response:
        words, place = WORDS[lang], ZoneInfo(told.time_zone or "UTC")
        title, body = _step(told, lang, place, note)
        questions = "questions" if told.facility_phone else "questions_no_phone"
        contact = words[questions].format(facility=told.facility_name, phone=told.facility_phone)
        until = _moment(told, "expire_time", lang, place)
        small = words["link_until"].format(time=until) if until else ""
        page = self._page.substitute(
            lang=lang,
            title=escape(title),
            service=escape(told.service_name),
            body=body,
            questions=f"<p>{escape(contact)}</p>" + (f"<p>{escape(small)}</p>" if small else ""),
            languages=_languages(lang),
        )
        return HTMLResponse(page, headers=HEADERS)

    def _short(self, what: str, lang: str, status: int) -> Response:
        words = WORDS[lang]
        page = self._page.substitute(
            lang=lang,
            title=escape(words[what]),
            service="",
            body=f"<h1>{escape(words[what])}</h1><p>{escape(words[f'{what}_text'])}</p>",
            questions="",
            languages=_languages(lang),
        )
        return HTMLResponse(page, status_code=status, headers=HEADERS)


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a small form: more than a few words is none of ours."""
    read = bytearray()
    try:
        async with asyncio.timeout(TIMEOUT):
            async for part in request.stream():
                read += part
                if len(read) > MOST_FORM:
                    raise Problem(413, "FORM_TOO_LARGE", "That is more than the form has.")
    except TimeoutError:
        raise Problem(408, "BODY_TOO_SLOW", "The form did not arrive in time.") from None
    return {name: values[0] for name, values in parse_qs(read.decode("latin-1")).items()}


def _asked(token: str, form: Mapping[str, str]) -> tuple[str, Message]:
    """What a form says, as a request; a form that says nothing opens the page."""
    said = form.get("answer", "")
    if said == "yes" or said in _NO:  # with or, on the next page, without its reason
        more = _MORE.get(form.get("more", ""), _CAPACITY.STATUS_UNSPECIFIED)
        return "AnswerRequest", rpc.AnswerRequestRequest(
            token=token, is_yes=said == "yes", reason=_NO.get(said, ""), capacity=more
        )
    if said == "done" or said in _COULD_NOT:
        return "FinishRequest", rpc.FinishRequestRequest(
            token=token, is_done=said == "done", reason=_COULD_NOT.get(said, "")
        )
    return "OpenRequest", rpc.OpenRequestRequest(token=token)


def _step(told: rpc.PartnerRequest, lang: str, place: ZoneInfo, note: str) -> tuple[str, str]:
    """The title and the body of the page."""
    words = WORDS[lang]
    if told.step == _STEP.STEP_ANSWER:
        title = _question(told, lang, place)
        return title, "".join(_to_answer(told, lang, place, title, note))
    if told.step == _STEP.STEP_DO:
        return words["do"], "".join(_to_do(told, lang, place, note))
    title = words["thanks_done" if told.step == _STEP.STEP_DONE else "thanks_closed"]
    more = "".join(_more(told, lang, "no", note))
    return title, f"<h1>{escape(title)}</h1>{more}<p>{escape(words['close'])}</p>"


def _question(told: rpc.PartnerRequest, lang: str, place: ZoneInfo) -> str:
    words = WORDS[lang]
    if not told.is_ride:
        return words["help"]
    if not told.HasField("start_time"):
        return words["ride_anytime"]
    return words["ride"].format(day=day(_local(told.start_time, place), lang))


def _to_answer(
    told: rpc.PartnerRequest, lang: str, place: ZoneInfo, title: str, note: str
) -> Iterator[str]:
    words = WORDS[lang]
    due = _moment(told, "answer_due_time", lang, place)
    yield f"<p>{escape(words['request'].format(number=told.number))}. "
    yield f"{escape(words['answer_by'].format(time=due))}</p><h1>{escape(title)}</h1>"
    if note:
        yield f'<p class="note" role="alert">{escape(words[note])}</p>'
    yield _facts(told, lang, place)
    yield f"<p>{escape(words['agreed'])}</p>{_FORM.format(lang=lang)}"
    yield _button("yes", words["yes"], "yes") + _button("no", words["no"])
    reasons = ("no_capacity", "too_far") if told.is_ride else ("no_capacity",)
    yield "".join(_button(each, words[each], "small") for each in reasons)
    yield "</form>"


def _more(told: rpc.PartnerRequest, lang: str, said: str, note: str) -> Iterator[str]:
    """Whether the partner takes more, asked once it has answered: one tap, which repeats the answer and adds to it."""
    words = WORDS[lang]
    if note == "noted":
        yield f'<p class="note" role="status">{escape(words[note])}</p>'
    if not told.asks_capacity:
        return
    yield _FORM.format(lang=lang) + f'<input type="hidden" name="answer" value="{said}">'
    yield f"<fieldset><legend>{escape(words['more'])}</legend>"
    yield "".join(_button(each, words[each], "small", name="more") for each in _MORE)
    yield "</fieldset></form>"


def _to_do(told: rpc.PartnerRequest, lang: str, place: ZoneInfo, note: str) -> Iterator[str]:
    words = WORDS[lang]
    yield f"<p>{escape(words['request'].format(number=told.number))}</p><h1>{escape(words['do'])}</h1>"
    yield _facts(told, lang, place)
    yield "".join(_more(told, lang, "yes", note))
    yield f"<p>{escape(words['after'])}</p>{_FORM.format(lang=lang)}"
    yield _button("done", words["done"], "yes")
    yield "".join(_button(each, words[each], "small") for each in _COULD_NOT)
    yield "</form>"


def _facts(told: rpc.PartnerRequest, lang: str, place: ZoneInfo) -> str:
    rows = [(label, text) for label, text in _lines(told, lang, place) if text]
    found = "".join(
        f"<dt>{escape(WORDS[lang][label])}</dt><dd>{_strong(label, text)}</dd>"
        for label, text in rows
    )
    return f"<dl>{found}</dl>"


def _lines(told: rpc.PartnerRequest, lang: str, place: ZoneInfo) -> Iterator[tuple[str, str]]:
    words = WORDS[lang]
    begins = _moment(told, "start_time", lang, place)
    ends = clock(_local(told.end_time, place), lang) if told.HasField("end_time") else ""
    yield "when", f"{begins} {words['until'].format(time=ends)}" if ends else begins
    yield "name", told.first_name
    yield "phone", told.telephone
    yield "address", told.address
    yield "to", told.destination
    yield "where", "" if told.address else told.area
    yield "language", SPOKEN[lang].get(told.language, told.language)
    if told.is_ride:
        yield "wheelchair", words["wheelchair_yes" if told.needs_wheelchair else "wheelchair_no"]


_FORM = '<form method="post" action="?lang={lang}">'


def _button(value: str, text: str, kind: str = "", *, name: str = "answer") -> str:
    look = f' class="{kind}"' if kind else ""
    return f'<button name="{name}" value="{value}"{look}>{escape(text)}</button>'


def _strong(label: str, text: str) -> str:
    if label == "phone":
        digits = "".join(each for each in text if each.isdigit() or each == "+")
        return f'<a href="tel:{digits}">{escape(text)}</a>'
    return f"<strong>{escape(text)}</strong>" if label == "when" else escape(text)


def _languages(lang: str) -> str:
    others = (
        f'<a href="?lang={code}" lang="{code}" hreflang="{code}">{name}</a>'
        for code, name in LANGUAGES.items()
        if code != lang
    )
    return f"<p>{' '.join(others)}</p>"


def _moment(told: Any, field: str, lang: str, place: ZoneInfo) -> str:
    return moment(_local(getattr(told, field), place), lang) if told.HasField(field) else ""


def _local(at: Timestamp, place: ZoneInfo) -> datetime:
    return to_datetime(at).astimezone(place)
