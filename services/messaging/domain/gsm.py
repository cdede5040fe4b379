"""How many text messages a text is: GSM 03.38 has 160 characters in one and 153 in each of several, UCS-2 70 and 67."""

from dataclasses import dataclass

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"  # each takes two
_GSM = (160, 153)
_UCS2 = (70, 67)


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A text as a telephone network counts it."""

    is_gsm: bool
    units: int
    segments: int


def length_of(text: str) -> Length:
    """Count a text. One character that GSM 03.38 lacks makes all of it UCS-2."""
    is_gsm = all(c in _BASIC or c in _EXTENDED for c in text)
    if is_gsm:
        units = sum(2 if c in _EXTENDED else 1 for c in text)
    else:
        units = len(text.encode("utf-16-be")) // 2
    alone, together = _GSM if is_gsm else _UCS2
    segments = 1 if units <= alone else _pieces(text, is_gsm=is_gsm, most=together)
    return Length(is_gsm=is_gsm, units=units, segments=segments)


def _pieces(text: str, *, is_gsm: bool, most: int) -> int:
    """A character that takes two units is never cut in two."""
    pieces, left = 1, most
    for character in text:
        if is_gsm:
            width = 2 if character in _EXTENDED else 1
        else:
            width = len(character.encode("utf-16-be")) // 2
        if width > left:
            pieces, left = pieces + 1, most
        left -= width
    return pieces
