"""The page of a partner without an account, through the gateway: three taps, no script, no health, one answer to whatever is wrong."""

import logging
import re
from contextlib import asynccontextmanager

import pytest
from carehub.referrals.v1 import directory_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from tests.component.referrals.conftest import Referrals, State, at
from tests.component.spine.calling import gateway

PERSONAL = ("Marisol", "010-0199", "12 Sample Road", "Rural Clinic North")


@pytest.fixture
def page(hub):
    @asynccontextmanager
    async def running():
        async with hub("identity", "referrals", now=at("2026-09-08 09:00")) as running_hub:
            r = Referrals(running_hub)
            await r.settle()
            async with gateway(running_hub.channels) as client:
                yield r, client

    return running


async def test_from_the_link_to_done_in_three_taps_without_a_script(page):
    async with page() as (r, client):
        sent = await r.sent()
        path = f"/p/{await r.link(sent)}"
        asked = await client.get(path)
        assert asked.status_code == 200
        assert "Can you drive someone on Friday?" in asked.text
        assert "Friday, Sep 11, 8:30 AM" in asked.text
        assert not any(word in asked.text for word in PERSONAL)
        assert "more requests" not in asked.text
        accepted = await client.post(path, data={"answer": "yes"})
        assert all(word in accepted.text for word in PERSONAL)
        assert (await client.get(path)).text == accepted.text
        done = await client.post(path, data={"answer": "done"})
        assert "We have noted that it is done." in done.text
        assert not any(word in done.text for word in PERSONAL)
        assert (await r.get(sent)).state == State.STATE_COMPLETED
        css = await client.get("/static/partner.css")
        for answer in (asked, accepted, done):
            assert len(answer.content) + len(css.content) <= 10_000
            assert "<script" not in answer.text
            assert not re.search(r" style=| on\w+=|https?://", answer.text)


def forms(text):
    """What each button of each form sends, as a browser without a script would."""
    for form in re.findall(r"<form.*?</form>", text, re.DOTALL):
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form))
        for name, value in re.findall(r'<button name="(\w+)" value="(\w+)"', form):
            yield hidden | {name: value}


@pytest.mark.parametrize("answer", ["yes", "too_far"])
async def test_whether_it_takes_more_is_asked_after_the_answer_whichever_it_was(page, answer):
    async with page() as (r, client):
        sent = await r.sent()
        path = f"/p/{await r.link(sent)}"
        asked = await client.get(path)
        assert not any("more" in one for one in forms(asked.text))
        answered = await client.post(path, data={"answer": answer})
        assert "Can you take more requests this week?" in answered.text
        more = next(one for one in forms(answered.text) if one.get("more") == "more_waitlist")
        said = await client.post(path, data=more)
        assert "We have noted it." in said.text
        assert "Can you take more" not in said.text
        service = await r.call("GetService", rpc.GetServiceRequest(service_id=r.service(1)))
        assert service.capacity.status == directory_pb2.Capacity.STATUS_WAITLIST
        # It was the same answer, not another one.
        after = await r.get(sent)
        assert after.state_reason == ("TOO_FAR" if answer == "too_far" else "")
        shown = any(word in said.text for word in PERSONAL)
        assert shown == (answer == "yes")


async def test_no_says_thank_you_and_the_link_is_over(page):
    async with page() as (r, client):
        sent = await r.sent()
        path = f"/p/{await r.link(sent)}"
        no = await client.post(f"{path}?lang=es", data={"answer": "too_far"})
        assert "Gracias por avisarnos" in no.text
        assert (await r.get(sent)).state_reason == "TOO_FAR"
        assert (await client.get(path)).status_code == 404


async def test_it_speaks_spanish_to_who_does_and_to_who_asks(page):
    async with page() as (r, client):
        path = f"/p/{await r.link(await r.sent())}"
        spanish = await client.get(path, headers={"Accept-Language": "fr;q=0.9, es-MX"})
        assert '<html lang="es">' in spanish.text
        assert "¿Puede llevar a una persona el viernes?" in spanish.text
        assert "viernes 11 de septiembre, 8:30 a. m." in spanish.text
        assert (await client.get(f"{path}?lang=es")).text == spanish.text
        english = await client.get(f"{path}?lang=en", headers={"Accept-Language": "es"})
        assert '<html lang="en">' in english.text


async def test_whatever_is_wrong_with_a_link_the_page_is_the_same(page):
    async with page() as (r, client):
        sent = await r.sent()
        ended = await r.link(sent)
        await client.post(f"/p/{ended}", data={"answer": "no"})
        pages = [
            await client.request(method, f"/p/{token}", content=content)
            for token in (ended, "x", "A" * 43, "%00", "é" * 50, "x" * 4000)
            for method, content in (("GET", b""), ("POST", b"answer=yes"), ("POST", b"\xff=%zz"))
        ]
        assert {one.status_code for one in pages} == {404}
        assert len({one.text for one in pages}) == 1


async def test_the_token_is_nowhere_but_in_the_address(page, caplog):
    async with page() as (r, client):
        token = await r.link(await r.sent())
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            answer = await client.get(f"/p/{token}")
        assert token not in answer.text
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        ours = [one for one in caplog.records if not one.name.startswith("httpx")]
        assert not any(token in str(vars(one)) for one in ours)
        routes = {getattr(one, "route", "") for one in ours if one.name == "gateway.access"}
        assert routes == {"/p/{token}"}


async def test_who_taps_too_often_waits_and_too_much_is_not_read(page, monkeypatch):
    monkeypatch.setattr("gateway.api.app.PARTNER_PER_SECOND", 0.001)  # however slow they tap here
    async with page() as (r, client):
        path = f"/p/{await r.link(await r.sent())}"
        assert (await client.post(path, content=b"x" * 3000)).status_code == 413
        answers = [(await client.get(path)).status_code for _ in range(25)]
        assert answers[0] == 200
        assert answers[-1] == 429


async def test_who_says_yes_when_the_driver_is_taken_is_told_so(page):
    async with page() as (r, client):
        first, second = await r.link(await r.sent(2)), await r.link(await r.sent(2))
        await client.post(f"/p/{first}", data={"answer": "yes"})
        late = await client.post(f"/p/{second}", data={"answer": "yes"})
        assert "All your drivers are taken at that time." in late.text
        assert not any(word in late.text for word in PERSONAL)
