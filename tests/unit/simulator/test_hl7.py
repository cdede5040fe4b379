"""Messages are HL7 v2.5.1 to somebody else's parser, and carry each site's habits."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from libs.simulator.event import Trigger
from libs.simulator.hl7 import render, stamp
from libs.simulator.people import Region
from libs.simulator.places import SITES, sites
from libs.simulator.visits import Life

START = datetime(2026, 10, 26, 5, tzinfo=UTC)
REGION = Region.build("hl7", 200, [site.key for site in SITES])
EVENTS = list(islice(Life(REGION, START).events(), 4000))


@pytest.mark.parametrize("trigger", Trigger)
def test_hl7apy_finds_nothing_to_complain_of(trigger):
    events = [event for event in EVENTS if event.trigger is trigger][:3]
    assert events
    for event in events:
        message = render(event, "C1").decode(event.site.habits.charset)
        parsed = parse_message(
            message, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True
        )
        assert Validator.validate(parsed)


def test_each_site_has_its_habits():
    said = {site.key: [] for site in SITES}
    for event in EVENTS:
        said[event.site.key].append(render(event, "C1"))
    pine, mercy = said["PINECREEK"], said["MERCY"]
    assert any(b"|IP|" in raw for raw in pine)
    assert any(b"|HOME|" in raw for raw in pine)
    assert not any(b"UNICODE" in raw or b"^PINECREEK^MR" in raw for raw in pine)
    assert all(b"UNICODE UTF-8" in raw and b"^MERCY^MR" in raw for raw in mercy)
    assert any(b"\\T\\" in raw for raw in mercy)
    assert any(b"\\F\\" in raw for raw in mercy)
    for raw in pine:
        raw.decode("latin-1")
    assert any(not raw.isascii() for raw in pine)


def test_a_visit_is_admitted_once():
    visits = Counter(event.visit.number for event in EVENTS if event.trigger is Trigger.ADMITTED)
    assert max(visits.values()) == 1


def test_the_hour_that_comes_twice_is_told_apart():
    (valley,) = sites(("VALLEY",))
    assert stamp(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), valley) == "20261101013000"
    assert stamp(datetime(2026, 11, 1, 7, 30, tzinfo=UTC), valley) == "20261101013000-0600"
    assert stamp(datetime(2026, 11, 1, 8, 30, tzinfo=UTC), valley) == "20261101023000"
