"""Which traces are kept, what is carried on, and what is not."""

import logging

import orjson
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from libs.telemetry import tracing
from libs.telemetry.logs import JsonLines

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
LOW, HIGH = "0" * 24 + "00000001", "f" * 32


def of(trace_id: str, flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{SPAN}-{flags}"}


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """A process that exports half of its traces."""
    ratio, exporter = TraceIdRatioBased(0.5), InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(ratio))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_ratio", ratio)
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return exporter


@pytest.mark.parametrize("asked", ["00", "01"])
def test_a_client_does_not_decide_what_is_kept(exported, asked):
    kept = tracing.from_outside(of(LOW, asked)["traceparent"])
    dropped = tracing.from_outside(of(HIGH, asked)["traceparent"])
    assert kept == of(LOW, "01")
    assert dropped == of(HIGH, "00")


@pytest.mark.parametrize(
    "said", ["", "nonsense", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", "00-x-y-z"]
)
def test_what_is_no_trace_is_none(exported, said):
    assert tracing.from_outside(said) == {}


def test_what_is_decided_at_the_edge_holds_behind_it(exported):
    for trace_id in (LOW, HIGH):
        with tracing.span("edge", tracing.from_outside(of(trace_id)["traceparent"])):
            inside = {"traceparent": tracing.current_traceparent()}
        with tracing.batch("consumer", [inside]):
            pass
    spans = exported.get_finished_spans()
    assert [span.name for span in spans] == ["edge", "consumer"]
    assert spans[1].parent.span_id == spans[0].context.span_id


def test_a_batch_belongs_to_the_first_that_is_kept_and_names_the_others(exported):
    others = of("a" * 32, "00"), of(TRACE), {}, of("b" * 32)
    with tracing.batch("consumer", others):
        pass
    [span] = exported.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["b" * 32]


def test_an_error_leaves_its_type_and_not_its_text(exported):
    with pytest.raises(ValueError, match="Ana"), tracing.span("method", of(LOW)):
        raise ValueError("Ana Ejemplo")
    [span] = exported.get_finished_spans()
    assert span.attributes == {"error.type": "ValueError"}
    assert not span.events
    assert "Ejemplo" not in span.to_json()


def test_where_nothing_is_exported_ids_are_carried_on_and_logs_have_them():
    with tracing.span("method", of(TRACE, "00")):
        assert tracing.current_traceparent() == of(TRACE, "00")["traceparent"]
        record = logging.LogRecord("x", logging.INFO, "", 0, "said", None, None)
        assert orjson.loads(JsonLines().format(record))["trace_id"] == TRACE
    assert tracing.current_traceparent() == ""
    with tracing.batch("consumer", [{}]), tracing.step("more"):
        assert tracing.current_traceparent() == ""
