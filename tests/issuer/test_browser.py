"""Signing in with a real browser: Chromium, driven by playwright-core of the console."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.issuer.issuers import FIGURES, only_keycloak

SCRIPT = Path(__file__).with_name("browser.mjs")
PLAYWRIGHT = Path(__file__).parents[2] / "gateway/web/node_modules/playwright-core"
PLACES = (os.environ.get("CAREHUB_CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/chromium-browser")

pytestmark = only_keycloak


async def test_a_person_signs_in_steps_up_and_signs_out_in_a_browser(issuer, house, person):
    if not any(place and Path(place).exists() for place in PLACES):
        FIGURES.append("NOT RUN: sign-in in a browser; there is no Chromium here")
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    node = shutil.which("node")
    if node is None or not PLAYWRIGHT.exists():
        FIGURES.append(
            "NOT RUN: sign-in in a browser; gateway/web is not installed (make test-web)"
        )
        pytest.skip("gateway/web is not installed: no playwright-core (make test-web)")
    told = {"url": house.url, "account": person.account, "password": person.password}
    process = await asyncio.create_subprocess_exec(
        node, str(SCRIPT), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(json.dumps(told).encode()), 150)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, f"{out.decode()}\n{err.decode()}"
    seen = json.loads(out)
    assert seen["me"] == str(person.id)
    assert seen["cookies"] == ["carehub", "carehub-signin"]
    assert seen["httpOnly"]
    assert seen["storage"] == 0
    assert seen["steppedUp"] == 200
    assert seen["afterSignOut"] == 401
    assert seen["asksAgain"]
    assert seen["complaints"] == []
