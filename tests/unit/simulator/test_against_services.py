"""Every message means to interop what it is meant to mean, and the registry's record of noise is the truth."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.simulator.event import Trigger
from libs.simulator.hl7 import render
from libs.simulator.noise import QUIET, Fate, Feeds, Noise
from libs.simulator.people import Region
from libs.simulator.places import SITES
from libs.simulator.truth import Truth
from libs.simulator.visits import Life
from services.interop.domain.classify import AckCode
from services.interop.domain.message import MessageState
from tests.unit.simulator.record import Hub

START = datetime(2026, 10, 26, 5, tzinfo=UTC)
MEANT = {
    Fate.TAKEN: (AckCode.ACCEPTED, MessageState.PENDING),
    Fate.IGNORED: (AckCode.ACCEPTED, MessageState.IGNORED),
    Fate.QUARANTINED: (AckCode.ACCEPTED, MessageState.QUARANTINED),
    Fate.REFUSED: (AckCode.ERROR, None),
}
LOUD = Noise(repeated=0.05, resent=0.03, jittered=0.1, late=0.05, broken=0.02, silences_a_day=1.0)


def stream(events, *, seed="services", people=400, noise=LOUD, intensity=1.0):
    """A region over the weekend when the clocks go back."""
    region = Region.build(seed, people, [site.key for site in SITES])
    return region, list(
        Feeds(Life(region, START, intensity=intensity), seed, noise).messages(events)
    )


def test_every_message_is_read_as_it_is_meant():
    region, messages = stream(3000)
    hub = Hub(region.sites)
    assert Counter(message.fate for message in messages).keys() == set(Fate)
    for message in messages:
        if message.fate is Fate.REPEATED:
            continue
        verdict = hub.classify(message)
        assert (verdict.code, verdict.state) == MEANT[message.fate], (message, verdict.explanation)
        assert not verdict.notes, (message.raw, verdict.notes)
        if message.fate is Fate.TAKEN:
            assert verdict.control_id == message.control_id
            assert verdict.report.event_at == _event_at(message)
            assert verdict.report.trigger == message.event.trigger
    assert {message.event.trigger for message in messages if message.event} >= {
        "A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A12", "A13", "A28", "A31", "A40", "R01", "S12",
    }  # fmt: skip


def _event_at(message):
    has_none = message.event.trigger in (Trigger.BOOKED, Trigger.RESULT)
    says = message.site.habits.says_event_time and not has_none
    return message.event.at if says else message.event.recorded_at


@pytest.mark.parametrize("seed", range(4))
def test_the_record_of_noise_in_any_order_is_the_truth(seed):
    region, messages = stream(1500, seed=seed, people=150)
    truth = Truth()
    for message in messages:
        truth.note(message)
    random.Random(seed).shuffle(messages)
    assert_true(region, messages, truth)


def test_the_record_of_a_month_as_it_was_sent_is_the_truth():
    region, messages = stream(4000, seed="month", people=300, noise=Noise())
    assert messages[-1].sent_at - START > timedelta(days=5)
    truth = Truth()
    for message in messages:
        truth.note(message)
    assert_true(region, messages, truth)


def assert_true(region, messages, truth):
    hub = Hub(region.sites)
    for message in messages:
        _, handled = hub.take(message)
        assert handled is None or handled.outcome != "PARKED", handled
    visits = hub.visits()
    expected = {(e.site, e.visit_number): e for e in truth.expected_encounters()}
    assert visits.keys() == expected.keys()
    for key, visit in visits.items():
        assert _told(hub, visit) == _wanted(expected[key]), key
    pairs = {(visit.patient_id, expected[key].patient) for key, visit in visits.items()}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize("trigger", [Trigger.TRANSFERRED, Trigger.TRANSFER_CANCELLED])
def test_a_transfer_that_is_sent_again_is_one_transfer(trigger):
    region, messages = stream(2500, people=200, noise=QUIET)
    truth, hub = Truth(), Hub(region.sites)
    for message in messages:
        truth.note(message)
        hub.take(message)
        if message.event.trigger is trigger:
            again = f"{message.control_id}X"
            hub.take(replace(message, control_id=again, raw=render(message.event, again)))
    visits = hub.visits()
    for expected in truth.expected_encounters():
        if expected.state != "CANCELLED":
            places = visits[expected.site, expected.visit_number].locations
            assert tuple(each.place for each in places) == expected.places


def _told(hub, visit):
    is_over = visit.state == "CANCELLED"
    return {
        "state": visit.state,
        "class": visit.encounter_class,
        "admit_at": None if is_over else visit.admit_at,
        "discharge_at": visit.discharge_at,
        "disposition": visit.discharge_disposition,
        "places": () if is_over else tuple(each.place for each in visit.locations),
        "diagnoses": tuple(each.code for each in visit.diagnoses),
        "is_deceased": bool(hub.record.patients[visit.patient_id].person.is_deceased),
    }


def _wanted(visit):
    is_over = visit.state == "CANCELLED"
    return {
        "state": visit.state,
        "class": visit.visit_class,
        "admit_at": None if is_over else visit.admit_at,
        "discharge_at": visit.discharge_at,
        "disposition": visit.disposition,
        "places": () if is_over else visit.places,
        "diagnoses": visit.diagnoses,
        "is_deceased": visit.patient.is_deceased,
    }
