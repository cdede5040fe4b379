"""The certificates of the listener among its gauges."""

import math
from datetime import UTC, datetime

import pytest

from libs.chassis.database import Transaction
from services.interop.mllp.expiry import expiry_gauges
from services.interop.mllp.settings import Settings
from tests.image.authority import Authority


async def told(settings):
    now = datetime.now(UTC)
    readings = await expiry_gauges(settings)(Transaction(None, now))
    return {labels[0]: (ends - now.timestamp()) / 86400 for _, labels, ends in readings}


@pytest.fixture
def settings(tmp_path):
    for name, content in Authority().certify("interop-mllp").items():
        (tmp_path / name).write_bytes(content)
    return Settings(
        mllp_certificate=str(tmp_path / "tls.crt"),
        mllp_key=str(tmp_path / "tls.key"),
        mllp_client_ca=str(tmp_path / "ca.crt"),
    )


async def test_the_listener_s_certificate_and_its_senders_authority_are_told(settings):
    days = await told(settings)
    assert days == {
        "mllp": pytest.approx(1, abs=0.01),
        "mllp_client_authority": pytest.approx(1, abs=0.01),
    }


async def test_a_file_that_is_being_replaced_is_not_known_and_the_other_is(settings, tmp_path):
    (tmp_path / "tls.crt").write_text("-----BEGIN CERT")
    days = await told(settings)
    assert math.isnan(days["mllp"])
    assert days["mllp_client_authority"] == pytest.approx(1, abs=0.01)
    (tmp_path / "tls.crt").unlink()
    assert math.isnan((await told(settings))["mllp"])


async def test_in_plain_text_there_is_nothing_to_tell():
    assert await told(Settings()) == {}
