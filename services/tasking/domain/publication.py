"""The publication of protocols: versions count up, and the same text again is no publication."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from services.tasking.domain.protocol import Protocol, parse_protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedProtocol:
    """One version of a protocol's text, and when and by whom it was published. Nobody: it came with CareHub."""

    key: str
    version: int
    title: str
    text: str
    effective_from: date
    sources: tuple[str, ...]
    is_shipped: bool
    published_at: datetime
    published_by_id: UUID | None

    def parsed(self) -> Protocol:
        return _parsed(self.text, self.version)


@lru_cache(maxsize=256)
def _parsed(text: str, version: int) -> Protocol:
    # Conditions compile slowly, and every batch of events reads the same few texts.
    return parse_protocol(text, version)


def publish(
    text: str, newest: PublishedProtocol | None, *, by: UUID | None, at: datetime
) -> PublishedProtocol:
    """The version after `newest`, or `newest` itself if the text is the same. ProtocolInvalid if it is no protocol."""
    if newest is not None and newest.text == text:
        return newest
    protocol = parse_protocol(text)
    return PublishedProtocol(
        key=protocol.key,
        version=newest.version + 1 if newest else 1,
        title=protocol.title,
        text=text,
        effective_from=protocol.effective_from,
        sources=protocol.sources,
        is_shipped=by is None,
        published_at=at,
        published_by_id=by,
    )
