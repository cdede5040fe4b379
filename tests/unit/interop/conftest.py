"""A sender and messages for the unit tests of interop."""

import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.interop.domain.classify import classify_for
from services.interop.domain.feed import Feed, Quirks, Sender

NOW = datetime(2026, 9, 1, 15, 0, tzinfo=UTC)
FACILITY = UUID(int=7)
SAMPLES = (
    Path(os.environ.get("CAREHUB_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
    / "hl7v2-samples"
)
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason="the HL7 v2 samples are not there: shared/data/hl7v2-samples (CAREHUB_SHARED_DATA)",
)


def sender(sending_facility="MERCY", zone="America/Chicago", quirks=None, **fields):
    feed = Feed(
        id=UUID(int=1),
        facility_id=FACILITY,
        name="Mercy ADT",
        sending_facility=sending_facility,
        quirks=quirks or Quirks(),
        created_at=NOW,
        **fields,
    )
    return Sender(feed=feed, facility_time_zone=zone)


def anybody(sending_facility, _application):
    """Finds a sender for whatever MSH-4 says."""
    return sender(sending_facility)


def message(*segments, trigger="A01", control_id="C1", tail="P|2.5.1", at="20260901100000"):
    msh = f"MSH|^~\\&|ADT|MERCY|CAREHUB|HUB|{at}||ADT^{trigger}|{control_id}|{tail}"
    return ("\r".join([msh, *segments]) + "\r").encode()


EVN = "EVN||20260901100000"
PID = "PID|1||12345^^^MERCY^MR||DOE^JANE||19500102|F"
PV1 = "PV1|1|I|4W^401^A" + "|" * 16 + "V100"


def verdict_on(raw, **fields):
    return classify_for(sender(**fields), raw, NOW)


def report_of(raw, **fields):
    verdict = verdict_on(raw, **fields)
    assert verdict.report, verdict.explanation
    return verdict.report
