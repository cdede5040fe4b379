"""Health, settings, and the web app where there is one."""

import dataclasses
import gzip

import httpx
import pytest

from gateway.api.app import GatewaySettings, build
from tests.unit.gateway.doubles import IMAGE, PUBLIC_URL, failed


async def test_health_needs_nobody_and_readiness_needs_identity(api, neighbors, monkeypatch):
    assert (await api.get("/healthz")).text == "ok\n"
    assert neighbors.calls == []
    assert (await api.get("/readyz")).status_code == 200
    assert [call.method for call in neighbors.calls] == ["GetCallerKeys"]
    assert (await api.get("/readyz")).status_code == 200
    assert neighbors.count("GetCallerKeys") == 1


async def test_it_is_not_ready_while_identity_is_away(api, neighbors):
    def away(_):
        raise failed("UNAVAILABLE", "AWAY", "Later.")

    neighbors.answers["GetCallerKeys"] = away
    assert (await api.get("/readyz")).status_code == 503
    assert (await api.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"public_url": "http://hub.example.org"},
        {"public_url": "https://hub.example.org/carehub"},
        {"issuer": "http://id.example.org/realms/x"},
        {"issuer": "ftp://127.0.0.1"},
    ],
)
def test_settings_that_would_sign_people_in_in_the_clear_are_refused(settings):
    fine = {"public_url": PUBLIC_URL, "issuer": PUBLIC_URL, "client_secret": "x"}
    with pytest.raises(ValueError, match=r"https|path"):
        GatewaySettings(**(fine | settings))


def test_the_secret_is_not_shown():
    settings = GatewaySettings(public_url=PUBLIC_URL, issuer=PUBLIC_URL, client_secret="geheim")
    assert "geheim" not in repr(settings)


async def test_a_web_app_that_is_there_is_served(neighbors, gateway_settings, tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>console</title>")
    (tmp_path / "assets" / "app-1.js").write_text("1")
    (tmp_path.parent / "secret.txt").write_text("geheim")
    app = build(neighbors, dataclasses.replace(gateway_settings, web=tmp_path), IMAGE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL) as client:
        for path in ("/", "/worklist", "/patients/1"):
            page = await client.get(path)
            assert "console" in page.text
            assert page.headers["cache-control"] == "no-cache"
            assert "script-src 'self'" in page.headers["content-security-policy"]
        asset = await client.get("/assets/app-1.js")
        assert "immutable" in asset.headers["cache-control"]
        assert (await client.get("/v1/nothing")).headers[
            "content-type"
        ] == "application/problem+json"
        assert "The API" in (await client.get("/docs")).text
        assert (await client.get("/healthz")).text == "ok\n"
        for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"):
            assert "geheim" not in (await client.get(path)).text


@pytest.mark.parametrize(
    ("asked", "coding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("", None)],
)
async def test_what_the_build_has_made_small_is_sent_small(
    neighbors, gateway_settings, tmp_path, asked, coding
):
    text = "document.title = 'console';" * 200
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "app-1.js").write_text(text)
    (tmp_path / "assets" / "app-1.js.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "assets" / "app-1.js.br").write_bytes(b"as brotli")
    app = build(neighbors, dataclasses.replace(gateway_settings, web=tmp_path), IMAGE)
    headers = {"Accept-Encoding": asked}
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL) as client,
        client.stream("GET", "/assets/app-1.js", headers=headers) as answer,
    ):
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(raw) < len(text) or coding is None
    if coding != "br":
        assert (gzip.decompress(raw) if coding else raw).decode() == text


async def test_while_the_web_app_is_built_anew_it_is_unavailable_not_broken(
    neighbors, gateway_settings, tmp_path
):
    (tmp_path / "index.html").write_text("<!doctype html>")
    app = build(neighbors, dataclasses.replace(gateway_settings, web=tmp_path), IMAGE)
    (tmp_path / "index.html").unlink()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL) as client:
        assert (await client.get("/worklist")).status_code == 503
