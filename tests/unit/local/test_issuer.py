"""The development issuer: strict where production is, and for this machine only."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from libs.local.issuer import CLI, WEB, Account, IssuerSettings, KeyRing
from libs.local.issuer.page import language_of
from tests.unit.local.issuer_bench import (
    BASE,
    BYE,
    CALLBACK,
    CHALLENGE,
    COORDINATOR,
    ISSUER,
    OPENID,
    SECRET,
    VERIFIER,
    Bench,
    answer_of,
)


async def test_a_click_signs_in_and_the_code_becomes_tokens(bench: Bench) -> None:
    back = answer_of(await bench.choose(await bench.ask(), account="coordinator"))
    assert (back["state"], back["iss"]) == ("the state", ISSUER)
    response = await bench.redeem(back["code"])
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()

    header, access = await bench.claims(answer["access_token"])
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "RS256"
    expected = {
        "iss": ISSUER,
        "aud": ["carehub"],
        "azp": WEB,
        "typ": "Bearer",
        "sub": str(COORDINATOR.subject),
        "preferred_username": "coordinator",
        "name": COORDINATOR.name,
        "email": COORDINATOR.email,
        "auth_time": int(bench.clock),
        "exp": int(bench.clock) + 300,
        "acr": "1",
    }
    assert access.items() >= expected.items()

    header, claims = await bench.claims(answer["id_token"])
    assert header["typ"] == "JWT"
    assert (claims["aud"], claims["nonce"], claims["typ"]) == (WEB, "the nonce", "ID")
    assert claims["sid"] == access["sid"]


async def test_discovery_tells_the_paths_of_keycloak(bench: Bench) -> None:
    found = (await bench.http.get(f"{ISSUER}/.well-known/openid-configuration")).json()
    assert found["issuer"] == ISSUER
    assert found["token_endpoint"] == f"{OPENID}/token"
    assert found["jwks_uri"] == f"{OPENID}/certs"
    assert found["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "unsupported_response_type"),
        ({"request": "ey.J.x"}, "request_not_supported"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_what_is_asked_wrongly_is_told_to_the_client(bench, changes, error) -> None:
    assert answer_of(await bench.ask(**changes))["error"] == error


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": f"{CALLBACK}?a=b"},
        {"redirect_uri": "https://elsewhere.example/"},
        {"redirect_uri": ""},
        {"client_id": "another"},
        {"client_id": CLI},
    ],
)
async def test_nobody_is_redirected_to_an_unknown_place(bench: Bench, changes) -> None:
    response = await bench.ask(**changes)
    assert response.status_code == 400
    assert "location" not in response.headers


async def test_a_parameter_given_twice_is_refused(bench: Bench) -> None:
    url = f"{OPENID}/auth?client_id={WEB}&client_id={WEB}&redirect_uri={CALLBACK}"
    assert (await bench.http.get(url)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": CHALLENGE},
        {"redirect_uri": f"{CALLBACK}/"},
    ],
)
async def test_a_code_that_was_tried_wrongly_is_spent(bench: Bench, changes) -> None:
    code = await bench.code()
    response = await bench.redeem(code, **changes)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert (await bench.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_code_used_twice_ends_the_session_it_began(bench: Bench) -> None:
    code = await bench.code()
    answer = (await bench.redeem(code)).json()
    assert (await bench.redeem(code)).json()["error"] == "invalid_grant"
    assert (await bench.refresh(answer["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_code_lives_for_a_minute(bench: Bench) -> None:
    code = await bench.code()
    bench.clock += 60
    assert (await bench.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_refresh_token_is_exchanged_and_its_reuse_ends_the_session(bench: Bench) -> None:
    first = (await bench.redeem(await bench.code())).json()
    bench.clock += 200
    second = (await bench.refresh(first["refresh_token"])).json()
    _, claims = await bench.claims(second["access_token"])
    assert claims["exp"] == int(bench.clock) + 300
    assert claims["auth_time"] == int(bench.clock) - 200

    assert (await bench.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await bench.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_session_that_idles_or_whose_account_is_gone_is_over(bench: Bench) -> None:
    idle = (await bench.redeem(await bench.code())).json()
    gone = (await bench.redeem(await bench.code())).json()
    bench.accounts.clear()
    assert (await bench.refresh(gone["refresh_token"])).json()["error"] == "invalid_grant"
    bench.accounts.append(COORDINATOR)
    bench.clock += 30 * 60
    assert (await bench.refresh(idle["refresh_token"])).json()["error"] == "invalid_grant"


async def test_an_id_token_is_no_access_token(bench: Bench) -> None:
    answer = (await bench.redeem(await bench.code())).json()

    async def who(token: str) -> httpx.Response:
        return await bench.http.get(
            f"{OPENID}/userinfo", headers={"Authorization": f"Bearer {token}"}
        )

    assert (await who(answer["id_token"])).status_code == 401
    told = await who(answer["access_token"])
    assert told.json()["sub"] == str(COORDINATOR.subject)
    bench.clock += 300
    assert (await who(answer["access_token"])).status_code == 401
    assert (await who("not a token")).status_code == 401


async def test_a_client_without_its_secret_is_refused(bench: Bench) -> None:
    code = await bench.code()
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    url = f"{OPENID}/token"
    for extra in ({"client_id": WEB}, {"client_id": WEB, "client_secret": "wrong"}, {}):
        response = await bench.http.post(url, data=form | extra)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
        assert response.headers["www-authenticate"].startswith("Basic")
    posted = form | {"client_id": WEB, "client_secret": SECRET, "redirect_uri": CALLBACK}
    assert (await bench.http.post(url, data=posted, auth=(WEB, SECRET))).status_code == 400
    assert (await bench.http.post(url, data=posted)).status_code == 200


async def test_the_command_line_signs_in_with_a_password_and_nobody_else_does(bench) -> None:
    form = {"grant_type": "password", "username": "coordinator", "password": "a password"}
    response = await bench.http.post(f"{OPENID}/token", data=form | {"client_id": CLI})
    _, claims = await bench.claims(response.json()["access_token"])
    assert (claims["azp"], claims["acr"]) == (CLI, "1")
    sure = form | {"client_id": CLI, "acr_values": "2"}
    response = await bench.http.post(f"{OPENID}/token", data=sure)
    assert (await bench.claims(response.json()["access_token"]))[1]["acr"] == "2"

    assert (await bench.token(**form)).json()["error"] == "unauthorized_client"
    code = {"grant_type": "authorization_code", "client_id": CLI, "code": await bench.code()}
    response = await bench.http.post(f"{OPENID}/token", data=code)
    assert response.json()["error"] == "unauthorized_client"
    refresh = {"grant_type": "refresh_token", "client_id": CLI}
    web = (await bench.redeem(await bench.code())).json()["refresh_token"]
    response = await bench.http.post(f"{OPENID}/token", data=refresh | {"refresh_token": web})
    assert response.json()["error"] == "invalid_grant"


async def test_a_wrong_password_and_an_unknown_name_look_the_same(bench: Bench) -> None:
    answers = []
    for username in ("coordinator", "nobody"):
        form = {"grant_type": "password", "username": username, "password": "guess"}
        response = await bench.http.post(f"{OPENID}/token", data=form | {"client_id": CLI})
        page = await bench.choose(await bench.ask(), username=username, password="guess")
        text = re.sub(r'value="[^"]{43}"', "", page.text)
        answers.append((response.status_code, response.json(), page.status_code, text))
    assert answers[0] == answers[1]
    assert answers[0][2] == 401
    assert 'role="alert"' in answers[0][3]


async def test_after_a_wrong_password_the_same_page_lets_one_in(bench: Bench) -> None:
    wrong = await bench.choose(await bench.ask(), username="coordinator", password="guess")
    right = await bench.choose(wrong, username="coordinator", password="a password")
    assert answer_of(right)["code"]


async def test_a_page_works_once_and_for_ten_minutes(bench: Bench) -> None:
    page = await bench.ask()
    answer_of(await bench.choose(page, account="coordinator"))
    assert (await bench.choose(page, account="coordinator")).status_code == 400
    late = await bench.ask()
    bench.clock += 600
    assert (await bench.choose(late, account="coordinator")).status_code == 400


async def test_cancel_goes_back_without_a_code(bench: Bench) -> None:
    back = answer_of(await bench.choose(await bench.ask(), cancel="yes"))
    assert (back["error"], back["state"]) == ("access_denied", "the state")


async def test_an_unlisted_account_needs_its_password(bench: Bench) -> None:
    hidden = Account(
        username="admin",
        password="long enough",
        subject=UUID(int=2),
        name="Admin",
        email="admin@example.org",
        is_listed=False,
    )
    bench.accounts.append(hidden)
    page = await bench.ask()
    assert "admin" not in page.text
    assert (await bench.choose(page, account="admin")).status_code == 401
    assert answer_of(await bench.choose(page, username="admin", password="long enough"))["code"]


async def test_a_step_up_can_be_tried(bench: Bench) -> None:
    answer = (await bench.redeem(await bench.code(acr_values="2"))).json()
    _, claims = await bench.claims(answer["id_token"])
    assert claims["acr"] == "2"


async def test_the_page_is_plain_escaped_and_in_the_language_of_the_reader(bench: Bench) -> None:
    page = await bench.ask(ui_locales="es", login_hint='"><script>')
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self' http://127.0.0.1:8080;" in policy
    assert "<script" not in page.text
    assert "Rosa &lt;Marín&gt;" in page.text
    assert '<html lang="es">' in page.text
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style

    assert f"'sha256-{b64encode(sha256(style[1].encode()).digest()).decode()}'" in policy


@pytest.mark.parametrize(
    ("header", "wanted", "language"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "", "es"),
        ("en;q=0.3, es;q=0.7", "", "es"),
        ("fr, de", "", "en"),
        ("es;q=0", "", "en"),
        ("", "", "en"),
        ("en", "fr es", "es"),
        ("es;q=broken,en;q=0.1", "", "en"),
    ],
)
def test_the_language_is_the_readers(header: str, wanted: str, language: str) -> None:
    assert language_of(header, wanted) == language


async def test_other_machines_and_other_names_are_refused(bench: Bench) -> None:
    path = "/realms/carehub/.well-known/openid-configuration"
    async with bench.client("192.0.2.7") as stranger:
        assert (await stranger.get(path)).status_code == 403
    async with bench.client("127.0.0.1", "http://carehub.example") as rebound:
        assert (await rebound.get(path)).status_code == 403
    for base in ("http://localhost:8180", "http://[::1]:8180"):
        async with bench.client("::1", base) as local:
            assert (await local.get(path)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://10.0.0.1:8180"},
        {"url": "https://carehub.example"},
        {"url": "http://127.0.0.1.example:8180"},
        {"url": "ftp://127.0.0.1"},
        {"url": f"{BASE}/somewhere"},
        {"client_secret": "short"},
        {"redirect_uris": ["javascript:alert(1)"]},
    ],
)
def test_settings_that_are_not_of_one_machine_are_refused(tmp_path: Path, change) -> None:
    good = {
        "home": tmp_path,
        "url": BASE,
        "accounts": list,
        "client_secret": SECRET,
        "redirect_uris": [CALLBACK],
    }
    IssuerSettings(**good)
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        IssuerSettings(**good | change)


async def test_keys_rotate_under_a_running_issuer_and_old_tokens_stay_good(bench: Bench) -> None:
    before = (await bench.redeem(await bench.code())).json()
    header, _ = await bench.claims(before["access_token"])
    published = (await bench.http.get(f"{OPENID}/certs")).json()["keys"]
    assert all("d" not in key for key in published)
    assert len(published) == 2

    KeyRing(bench.home / "issuer").rotate()
    after = (await bench.redeem(await bench.code())).json()
    following, _ = await bench.claims(after["access_token"])
    assert following["kid"] != header["kid"]
    assert following["kid"] in {key["kid"] for key in published}
    await bench.claims(before["access_token"])
    assert (bench.home / "issuer" / "keys.json").stat().st_mode & 0o777 == 0o600


async def test_tokens_outlive_a_restart(bench: Bench) -> None:
    answer = (await bench.redeem(await bench.code())).json()
    again = Bench(bench.home)
    await again.claims(answer["access_token"])


async def test_signing_out_ends_the_session_and_returns_to_known_places_only(bench) -> None:
    answer = (await bench.redeem(await bench.code())).json()
    url = f"{OPENID}/logout"
    hint = {"id_token_hint": answer["id_token"]}
    wrong = await bench.http.get(
        url, params=hint | {"post_logout_redirect_uri": "https://elsewhere.example/"}
    )
    assert wrong.status_code == 400
    unhinted = await bench.http.get(url, params={"post_logout_redirect_uri": BYE})
    assert "location" not in unhinted.headers
    right = await bench.http.get(url, params=hint | {"post_logout_redirect_uri": BYE, "state": "x"})
    assert right.headers["location"] == f"{BYE}?state=x"
    assert (await bench.refresh(answer["refresh_token"])).json()["error"] == "invalid_grant"

    other = (await bench.redeem(await bench.code())).json()
    by_token = {"refresh_token": other["refresh_token"]}
    assert (await bench.http.post(url, data=by_token, auth=(WEB, SECRET))).status_code == 204
    assert (await bench.refresh(other["refresh_token"])).json()["error"] == "invalid_grant"


async def test_large_and_strange_bodies_are_refused(bench: Bench) -> None:
    url = f"{OPENID}/token"
    large = await bench.http.post(url, data={"grant_type": "x" * 20_000})
    assert large.status_code == 413
    strange = await bench.http.post(url, json={"grant_type": "password"})
    assert strange.json()["error"] == "invalid_request"
    many = await bench.http.post(url, data={f"field{n}": "x" for n in range(50)})
    assert many.json()["error"] == "invalid_request"
