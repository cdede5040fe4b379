"""Traces: one from a click to the last consumer that it reaches. A span has the name of a method, a route, an event's
consumer; its attributes are ids, counts and reasons.

Whether a trace is kept is decided where it comes in, by its id, and the same everywhere behind: no client can make us
keep more of them. Where nothing is exported the ids are carried on all the same, and logs have them.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT = "traceparent"
_SAMPLED = "-01"
_propagator = TraceContextTextMapPropagator()
# Until there is somebody to export to, nothing is kept and nobody is asked.
_ratio = TraceIdRatioBased(0.0)
_tracer: trace.Tracer | None = None

Headers: TypeAlias = Mapping[str, str]
Attributes: TypeAlias = Mapping[str, str | int]


def start(service: str, endpoint: str, sampling: float) -> TracerProvider:
    """Export to an OTLP collector this share of the traces. Returns what to flush."""
    # Where nothing is exported, a process starts without waiting for the exporter's many modules.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    global _tracer, _ratio
    _ratio = TraceIdRatioBased(sampling)
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"carehub-{service}"}),
        sampler=ParentBased(_ratio),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    _tracer = provider.get_tracer("carehub")
    return provider


def from_outside(traceparent: str) -> Headers:
    """The trace that a client began, to be kept or not as we decide. Nothing else of what it says is carried on."""
    context = _span_context({TRACEPARENT: traceparent}) if traceparent else None
    if context is None:
        return {}
    kept = _ratio.should_sample(None, context.trace_id, "").decision is Decision.RECORD_AND_SAMPLE
    return {TRACEPARENT: _written(context, kept)}


@contextlib.contextmanager
def span(name: str, headers: Headers, /, **attributes: str | int) -> Iterator[Span]:
    """A span below the one that `headers` (of a request or an event) tell of; none where nobody would hear of it."""
    if _tracer is None and TRACEPARENT not in headers:
        yield INVALID_SPAN
        return
    with _entered(
        name, _propagator.extract(headers, Context()), SpanKind.SERVER, attributes
    ) as entered:
        yield entered


@contextlib.contextmanager
def step(name: str, **attributes: str | int) -> Iterator[Span]:
    """A part of what is being done, or the beginning of something new."""
    if _tracer is None:
        yield INVALID_SPAN
        return
    with _entered(name, None, SpanKind.INTERNAL, attributes) as entered:
        yield entered


@contextlib.contextmanager
def batch(name: str, told: Sequence[Headers], **attributes: str | int) -> Iterator[Span]:
    """A span of many events that are handled at once: below the first of them that is kept, with links to the others."""
    known = [headers for headers in told if TRACEPARENT in headers]
    if _tracer is None and not known:
        yield INVALID_SPAN
        return
    kept = [each for each in known if each[TRACEPARENT].endswith(_SAMPLED)]
    parent = (kept or known or [{}])[0]
    contexts = [_span_context(each) for each in kept[1:]]
    links = [Link(each) for each in contexts if each]
    context = _propagator.extract(parent, Context())
    with _entered(name, context, SpanKind.CONSUMER, attributes, links) as entered:
        yield entered


@contextlib.contextmanager
def _entered(
    name: str,
    context: Context | None,
    kind: SpanKind,
    attributes: Attributes,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """Of an exception that passes a span has the type: never its text, which could hold anything."""
    if _tracer is None:
        token = attach(context or Context())
        try:
            yield INVALID_SPAN
        finally:
            detach(token)
        return
    begun = _tracer.start_span(name, context, kind, attributes, links)
    token = attach(trace.set_span_in_context(begun, context))
    try:
        yield begun
    except BaseException as error:
        if begun.is_recording():
            begun.set_attribute("error.type", type(error).__name__)
            begun.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        detach(token)
        begun.end()


def current_traceparent() -> str:
    """The W3C header for whatever happens because of this; empty outside a trace."""
    context = trace.get_current_span().get_span_context()
    return _written(context, context.trace_flags.sampled) if context.is_valid else ""


def current_trace_id() -> str:
    """For logs; empty outside a trace."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def _span_context(headers: Headers) -> SpanContext | None:
    found = trace.get_current_span(_propagator.extract(headers, Context())).get_span_context()
    return found if found.is_valid else None


def _written(context: SpanContext, is_kept: bool) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{'01' if is_kept else '00'}"
