"""MSH-26, ARV, PD1-12 and PV2-22: how the sender restricts access to what it sends, in its own codes."""

from collections.abc import Iterator

from services.interop.domain.hl7 import Message, Segment

# v3-Confidentiality. What protects a person or a visit in the old way does not say why.
RESTRICTED = "R"
_DELETED = "D"
# Value, reason and security classification: senders write sensitivities into any of the three.
_ARV = (3, 4, 7)
_PROTECTED = (("PD1", 12), ("PV2", 22))


def read_confidentiality(message: Message) -> tuple[str, ...]:
    """The codes, each once, wherever in the message they stand: what is restricted in part is restricted."""
    return tuple(dict.fromkeys(code for code in _codes(message) if code))


def _codes(message: Message) -> Iterator[str]:
    yield message.header.text(26)
    for arv in message.segments("ARV"):
        if arv.text(2) != _DELETED:
            yield from _restrictions(arv)
    for name, number in _PROTECTED:
        if any(segment.text(number).upper() == "Y" for segment in message.segments(name)):
            yield RESTRICTED


def _restrictions(arv: Segment) -> Iterator[str]:
    for number in _ARV:
        for repetition in arv.repetitions(number):
            yield arv.split(repetition)[0]
