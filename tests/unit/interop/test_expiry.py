"""Until when the certificates of the listener are good, as the metrics tell it."""

import math
import time

import prometheus_client
import pytest

from libs.chassis.config import ConfigError
from libs.chassis.tls import EXPIRES
from services.interop.mllp.expiry import tell_expiry
from services.interop.mllp.server import listener
from services.interop.mllp.settings import Settings
from tests.image.authority import Authority

NAMES = ("mllp", "mllp_client_authority")


def told() -> dict[str, float]:
    """In days from now."""
    ends = {
        name: prometheus_client.REGISTRY.get_sample_value(
            "carehub_certificate_expires_timestamp_seconds", {"file": name}
        )
        for name in NAMES
    }
    return {name: (end - time.time()) / 86400 for name, end in ends.items() if end is not None}


@pytest.fixture(autouse=True)
def _nothing_told():
    for name in NAMES:
        EXPIRES.remove(name)


@pytest.fixture
def settings(tmp_path):
    for name, content in Authority().certify("interop-mllp").items():
        (tmp_path / name).write_bytes(content)
    return Settings(
        mllp_certificate=str(tmp_path / "tls.crt"),
        mllp_key=str(tmp_path / "tls.key"),
        mllp_client_ca=str(tmp_path / "ca.crt"),
    )


def test_who_listens_tells_of_its_certificate_and_of_its_senders_authority(settings):
    listener(settings)
    assert told() == {
        "mllp": pytest.approx(1, abs=0.01),
        "mllp_client_authority": pytest.approx(1, abs=0.01),
    }


def test_a_file_that_is_being_replaced_is_not_known_and_the_other_is(settings, tmp_path):
    tell_expiry(settings)
    (tmp_path / "tls.crt").write_text("-----BEGIN CERT")
    assert math.isnan(told()["mllp"])
    assert told()["mllp_client_authority"] == pytest.approx(1, abs=0.01)
    (tmp_path / "tls.crt").unlink()
    assert math.isnan(told()["mllp"])


def test_in_plain_text_there_is_nothing_to_tell():
    listener(Settings())
    assert told() == {}


def test_who_could_not_listen_does_not_start():
    with pytest.raises(ConfigError, match="not loopback"):
        listener(Settings(mllp_host="0.0.0.0"))
