"""One trace from the browser's click to the last consumer, and one of a message; what is in them, and in the logs."""

import json
import secrets
from typing import Any

import pytest

from services.__main__ import SERVICES
from tests.e2e import outputs
from tests.e2e.collector import Collector, Heard
from tests.e2e.region import Person, Region, adt, days_ago
from tests.e2e.thousand.days import Days

# What a span may say of itself, besides its name.
ALLOWED = {
    "carehub.request_id",
    "carehub.message_id",
    "carehub.event",
    "carehub.events",
    "error.type",
}


@pytest.mark.timeout(400)
async def test_a_click_is_one_trace_to_the_last_consumer(region: Region, collector: Collector):
    """A message that somebody uploads on a screen: gateway, interop, registry, tasking, messaging."""
    feed = (await region.feeds())["MERCY"]["id"]
    person = _person(region, "TRC1")
    admit, left = days_ago(4), days_ago(1)
    await region.send(adt("A01", person, admit, admit=admit))
    await _at_rest(region)
    trace_id, click = secrets.token_hex(16), secrets.token_hex(8)
    answer = await region.ask(
        "integration",
        "POST",
        f"/v1/feeds/{feed}/messages",
        json={"message": adt("A03", person, left, admit=admit, discharge=left).decode()},
        headers={"traceparent": f"00-{trace_id}-{click}-00"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["code"] == "AA"

    spans = await _heard(region, collector, trace_id, click)
    names = [span.name for span in spans]
    assert names[:1] == ["POST /v1/feeds/{feed_id}/messages"]
    assert {
        "/carehub.interop.v1.InteropService/SendMessage",
        "interop-message",
        "registry-reports",
        "tasking-encounters",
        "messaging-loops",
    } <= set(names), names
    if region.settings.split:
        assert {span.process for span in spans} >= {
            f"carehub-{name}" for name in ("gateway", "interop", "registry", "tasking", "messaging")
        }


@pytest.mark.timeout(400)
async def test_a_message_is_one_trace_to_the_last_consumer(region: Region, collector: Collector):
    person = _person(region, "TRC2")
    admit, left = days_ago(4), days_ago(1)
    await region.send(adt("A01", person, admit, admit=admit))
    await _at_rest(region)
    control_id = f"TRACED{secrets.token_hex(4)}"
    discharge = adt("A03", person, left, admit=admit, discharge=left, control_id=control_id)
    assert await region.send(discharge) == ["AA"]
    [(message_id,)] = await region.rows(
        "interop", "SELECT id FROM messages WHERE control_id = $1", control_id
    )

    async def begun() -> Any:
        return next(
            (
                span
                for span in collector.spans
                if span.name == "interop-message"
                and span.attributes["carehub.message_id"] == str(message_id)
            ),
            None,
        )

    first = await region.until(begun, 30, "that the message began a trace")
    spans = await _heard(region, collector, first.trace_id, "")
    assert {"registry-reports", "tasking-encounters", "messaging-loops"} <= {s.name for s in spans}


@pytest.mark.timeout(400)
async def test_logs_have_the_id_of_the_trace(region: Region):
    trace_id = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-00"}
    assert (await region.ask("nurse", "GET", "/v1/me", headers=headers)).status_code == 200

    async def logged() -> Any:
        return [
            json.loads(line)
            for _, text in outputs.logs(region)
            for line in text.splitlines()
            if trace_id.encode() in line
        ]

    lines = await region.until(logged, 10, "a line with the trace's id")
    assert {line["trace_id"] for line in lines} == {trace_id}
    assert "/v1/me" in {line.get("route") for line in lines}


@pytest.mark.timeout(400)
async def test_spans_have_names_of_methods_and_events_and_nothing_but_ids(
    region: Region, collector: Collector
):
    person = _person(region, "TRC3")
    admit = days_ago(2)
    await region.send(adt("A01", person, admit, admit=admit, diagnosis="E11.9"))
    await _patient(region, person)
    await region.ask("nurse", "GET", "/v1/nowhere/Wordsworth?name=Wordsworth")
    await region.ask(
        "nurse", "GET", "/v1/me", headers={"traceparent": f"00-{'0' * 32}-{'1' * 16}-01"}
    )
    await region.ask(
        "nurse",
        "GET",
        "/v1/me",
        headers={
            "traceparent": f"00-{secrets.token_hex(16)}-{'1' * 16}-01",
            "tracestate": f"name={person.family}",
        },
    )

    async def heard() -> Any:
        return any(span.name.endswith("unmatched") for span in collector.spans)

    await region.until(heard, 30, "a span of a path that is none")
    assert {key for span in collector.spans for key in span.attributes} <= ALLOWED
    names = {span.name for span in collector.spans}
    assert {name for name in names if not _is_a_name(name)} == set()
    assert person.family.encode() not in bytes(collector.received)
    assert person.mrn.encode() not in bytes(collector.received)


def _is_a_name(name: str) -> bool:
    """A route's template with its method, a method of a contract, a consumer or a step."""
    first = name.split(" ")[0]
    if first in {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "OTHER"}:
        return True
    known = (*SERVICES, "interop-message")
    return name.startswith("/carehub.") or any(name.startswith(each) for each in known)


def _person(region: Region, mrn: str) -> Person:
    way = "S" if region.settings.split else "T"
    return Person(mrn=f"{mrn}{way}", family=f"Wordsworth{mrn.lower()}", given="Ida", visit=mrn)


async def _patient(region: Region, person: Person) -> Any:
    return await region.until(
        lambda: region.patient("nurse", person.mrn), what="that the record knows the patient"
    )


async def _at_rest(region: Region) -> None:
    """A consumer that handles several events at once does so in the trace of one, and is linked to the others."""
    days = Days(region)
    await days.come_to_rest()
    await days.close()


async def _heard(
    region: Region, collector: Collector, trace_id: str, click: str, last: str = "messaging-loops"
) -> list[Heard]:
    """The spans of a trace, the first one first: every one has its parent among them, but the first, that has the click's."""

    def orphans() -> list[Heard]:
        ids = {span.id for span in collector.trace(trace_id)}
        return [span for span in collector.trace(trace_id) if span.parent_id not in ids]

    async def is_whole() -> bool:
        has_come = any(span.name == last for span in collector.trace(trace_id))
        return has_come and [span.parent_id for span in orphans()] == [click]

    def what() -> str:
        heard = [(span.name, span.parent_id) for span in collector.trace(trace_id)]
        elsewhere = [span.name for span in collector.spans if trace_id in span.links]
        return f"that the trace is whole: {heard}; linked to it: {elsewhere}"

    await region.until(is_whole, 40, what)
    [first] = orphans()
    return [first, *(span for span in collector.trace(trace_id) if span is not first)]
