"""A collector of traces on loopback: what an operator's would be sent, kept to be looked at."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A span that was exported."""

    process: str
    name: str
    trace_id: str
    id: str
    parent_id: str
    seconds: float
    attributes: dict[str, str]
    links: tuple[str, ...]


@dataclass
class Collector(TraceServiceServicer):
    """Hears the spans of a hub."""

    endpoint: str = ""
    spans: list[Heard] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)

    async def Export(
        self, request: ExportTraceServiceRequest, context: object
    ) -> ExportTraceServiceResponse:
        self.received += request.SerializeToString()
        self.spans += spans_of(request)
        return ExportTraceServiceResponse()

    def trace(self, trace_id: str) -> list[Heard]:
        return [span for span in self.spans if span.trace_id == trace_id]


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Heard]:
    for resource in request.resource_spans:
        about = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Heard(
                    process=about["service.name"],
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    attributes={
                        each.key: each.value.string_value or str(each.value.int_value)
                        for each in span.attributes
                    },
                    links=tuple(link.trace_id.hex() for link in span.links),
                )


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 * 1024 * 1024)])
    collector = Collector()
    add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    collector.endpoint = f"http://127.0.0.1:{port}"
    try:
        yield collector
    finally:
        await server.stop(grace=1.0)
