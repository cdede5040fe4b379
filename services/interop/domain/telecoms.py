"""XTN: telephone numbers as E.164 where they can be read as such, and e-mail addresses."""

import re
from collections.abc import Iterable

from services.interop.domain.hl7 import Segment
from services.interop.domain.report import Telecom

# Fax and modem lines are no way to reach a person.
_NOT_A_PERSON = frozenset({"FX", "MD"})
_EXTENSION = re.compile(r"(?:ext\.?|extension|x|#).*$", re.IGNORECASE)
_NOT_A_DIGIT = re.compile(r"\D", re.ASCII)
_NATIONAL = re.compile(r"1?([2-9]\d{9})", re.ASCII)


def read(pid: Segment) -> tuple[Telecom, ...]:
    """PID-13 (home) and PID-14 (work); the use is what XTN-2 says, else what the field is for."""
    found: list[Telecom] = []
    for number, use in ((13, "PRN"), (14, "WPN")):
        if pid.raw(number):
            for repetition in pid.repetitions(number):
                found.extend(_read_one(pid.split(repetition), use))
    return tuple(dict.fromkeys(found))


def _read_one(parts: list[str], usual: str) -> Iterable[Telecom]:
    parts = [*parts, *[""] * 12]
    text, use, equipment, email = parts[:4]
    address = email or (text if "@" in text else "")
    if "@" in address:
        yield Telecom(address, is_email=True, use=use or "NET")
    if equipment.upper() in _NOT_A_PERSON:
        return
    country, area, local = parts[4:7]
    number = to_e164(country, area + local) if local else ""
    for spelling in (parts[11], text):
        if not number and spelling and "@" not in spelling:
            number = to_e164("", spelling)
    if number:
        yield Telecom(number, is_email=False, use=use or usual)


def to_e164(country: str, said: str) -> str:
    """+ and digits, ten of them being a number of the United States; what is no number stays as it was sent.

    "" if there is no digit in it at all.
    """
    plain = _EXTENSION.sub("", said)
    digits = _NOT_A_DIGIT.sub("", plain)
    code = _NOT_A_DIGIT.sub("", country)
    if not digits:
        return ""
    if plain.lstrip().startswith("+") and 8 <= len(digits) <= 15:
        return f"+{digits}"
    if code and code != "1" and 8 <= len(code + digits) <= 15:
        return f"+{code}{digits}"
    national = _NATIONAL.fullmatch(digits)
    return f"+1{national[1]}" if national else said
