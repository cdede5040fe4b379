"""Times with their zones, and days with their precision."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.interop.domain import times
from services.interop.domain.report import PartialDate

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("sent", "utc"),
    [
        ("20260901100000", "2026-09-01T15:00:00"),
        ("202609011000", "2026-09-01T15:00:00"),
        ("2026090110", "2026-09-01T15:00:00"),
        ("20260901", "2026-09-01T05:00:00"),
        ("202609", "2026-09-01T05:00:00"),
        ("2026", "2026-01-01T06:00:00"),
        ("20260901100000.1234", "2026-09-01T15:00:00.123400"),
        ("20260901100000+0200", "2026-09-01T08:00:00"),
        ("202609011000-0330", "2026-09-01T13:30:00"),
        # The clocks go forward: 02:30 never happens and is read with the offset of before.
        ("202603080230", "2026-03-08T08:30:00"),
        # The clocks go back: 01:30 happens twice and the first one is meant.
        ("202611010130", "2026-11-01T06:30:00"),
    ],
)
def test_instants(sent, utc):
    assert times.to_instant(sent, CHICAGO) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "soon",
        "202",
        "20261301",
        "20260230",
        "2026090125",
        "20260901100000+9900",
        "2026-09-01",
        "00010101",
        "٢٠٢٦0901",
        "20260901 ",
    ],
)
def test_what_is_no_time(sent):
    with pytest.raises(times.NotATime):
        times.to_instant(sent, CHICAGO)


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("19500102", (1950, 1, 2)),
        ("195001", (1950, 1, 0)),
        ("1950", (1950, 0, 0)),
        ("19500000", (1950, 0, 0)),
        ("198808181126+0215", (1988, 8, 18)),
    ],
)
def test_days_keep_their_precision(sent, day):
    assert times.to_day(sent) == PartialDate(*day)


@pytest.mark.parametrize("sent", ["19501301", "19500231", "50", "x"])
def test_what_is_no_day(sent):
    with pytest.raises(times.NotATime):
        times.to_day(sent)
