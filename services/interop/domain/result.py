"""OBR, OBX and NTE: what a message says of results of a laboratory (ORU)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.interop.domain.hl7 import Message, Segment
from services.interop.domain.reading import ErrorCode, Reading
from services.interop.domain.report import Observation
from services.interop.domain.visit import display_name

# HL7 table 0085, but for what says that there is no result (N, O).
STATUSES = frozenset("ABCDFIPRSUVWX")
_NO_RESULT = frozenset("NO")
# HL7 table 0123, the status of an order, in the words of table 0085; others say nothing of a result.
_OF_ORDER = {"F": "F", "C": "C", "M": "C", "P": "P", "A": "P", "R": "R", "I": "I", "X": "X"}
_TEXTS = frozenset({"ST", "TX", "FT"})
_DATES = frozenset({"DT", "TM", "TS", "DTM"})
_CODED = frozenset({"CE", "CWE", "CNE", "CF"})
# Whole documents and pictures, or where they lie: the message has them.
_DOCUMENTS = frozenset({"ED", "RP"})
_LOINC = frozenset({"LN", "LOINC", "LNC"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_BOUND = re.compile(r"(>=|<=|>|<) *(?=[^ ])", re.ASCII)
_BOUNDS = frozenset({"<", "<=", ">", ">="})
# HL7 table 0078, the gravest first: critical; what is not; and what says that nothing is wrong.
_CRITICAL_FLAGS, _ORDINARY_FLAGS = frozenset({"LL", "HH", "AA"}), frozenset({"N"})
_LONGEST_NUMBER = 32
_MOST_OBSERVATIONS = 1000
_MOST_TEXT = 256 * 1024
# In bytes, of all results together: what tells of them is at most 900,000, and tells of the person, too.
_MOST_TOLD = 700_000
_AROUND_EACH, _AROUND_TEXT = 50, 4


@dataclass(frozen=True, slots=True)
class _Value:
    """A value as one would write it, and the number, where it is one; `comparator`: where that is a bound."""

    text: str
    quantity: float | None = None
    comparator: str = ""


@dataclass(slots=True)
class _Order:
    """An OBR with the ORC before it, and its results with what is remarked on each."""

    obr: Segment
    orc: Segment | None
    results: list[tuple[Segment, list[Segment]]] = field(default_factory=list)


def read_results(
    message: Message, reading: Reading, message_at: datetime
) -> tuple[Observation, ...]:
    """What is said of each result, in the order of the message."""
    orders = _orders(message, reading)
    if not orders:
        reading.missing(
            "OBR", "ORDER_MISSING", "no such segment", "Send which order the results are of."
        )
        return ()
    results = [each for order in orders for each in _results(order, message, reading, message_at)]
    if _is_too_much(results, message, reading):
        return ()
    return tuple(_told_apart(results))


def in_words(obx: Segment) -> str:
    """One result, for whoever pasted it: what, how much, its flags and its status."""
    parts = [*obx.parts(3), "", ""]
    value = " ".join(obx.encoding.text(part) for part in obx.raw(5).split("^") if part)
    named = f"{parts[1] or parts[0]}: {value} {_unit(obx)}".strip()
    said = (f"flag {', '.join(flags)}" if (flags := _flags(obx)) else "", f"status {obx.text(11)}")
    return ", ".join(part for part in (named, *said) if part)


def _orders(message: Message, reading: Reading) -> list[_Order]:
    orders = list[_Order]()
    orc: Segment | None = None
    remarked: list[Segment] | None = None
    for segment in message.every_segment():
        match segment.name:
            case "ORC":
                orc = segment
            case "OBR":
                orders.append(_Order(segment, orc))
                orc, remarked = None, None
            case "OBX" if orders:
                remarked = []
                orders[-1].results.append((segment, remarked))
            case "OBX":
                reading.note(segment, "It stands before any order, and is not read.")
            case "NTE" if remarked is not None:
                remarked.append(segment)
            case "SPM":
                remarked = None
    return orders


def _results(
    order: _Order, message: Message, reading: Reading, message_at: datetime
) -> Iterator[Observation]:
    number = _number(order, reading) if order.results else ""
    report_at = reading.instant(order.obr, 22) or message_at
    for obx, remarks in order.results:
        status = _status(obx, order.obr, reading)
        code, name, system = _code(obx, reading)
        if status in _NO_RESULT or not status:
            continue
        value = _value(obx, reading)
        yield Observation(
            number=number,
            code=code,
            code_system=system,
            sub_id=obx.text(4),
            name=name,
            panel=_panel(order.obr),
            value_type=obx.text(2).upper(),
            value=value.text,
            quantity=value.quantity,
            comparator=value.comparator,
            unit=_unit(obx),
            reference_range=obx.text(7),
            flags=_flags(obx),
            status=status,
            observed_at=reading.instant(obx, 14) or reading.instant(order.obr, 7),
            # What was reported later than the message was made would win over its own correction.
            reported_at=min(report_at, message_at),
            orderer=display_name(order.obr.parts(16)),
            laboratory=_laboratory(obx) or message.header.text(3),
            note="\n".join(text for each in remarks if (text := _remark(each))),
        )


def _number(order: _Order, reading: Reading) -> str:
    """The filler's number, else the placer's."""
    orc, obr = order.orc, order.obr
    number = (
        obr.text(3) or (orc.text(3) if orc else "") or obr.text(2) or (orc.text(2) if orc else "")
    )
    if not number:
        reading.problem(
            obr,
            3,
            "RESULT_NUMBER_MISSING",
            ErrorCode.REQUIRED_FIELD_MISSING,
            "no number of the order",
            "Send the filler's number: it says which result a correction is of.",
        )
    return number


def _status(obx: Segment, obr: Segment, reading: Reading) -> str:
    said = obx.text(11).upper() or _OF_ORDER.get(obr.text(25).upper(), "")
    if said in _NO_RESULT:
        reading.note(obx, "OBX-11: it says that there is no result.")
    elif not said:
        reading.problem(
            obx,
            11,
            "RESULT_STATUS_MISSING",
            ErrorCode.REQUIRED_FIELD_MISSING,
            "no status, nor one in OBR-25",
            "Send whether the result is final, preliminary or corrected.",
        )
    elif said not in STATUSES:
        reading.problem(
            obx,
            11,
            "RESULT_STATUS_UNKNOWN",
            ErrorCode.TABLE_VALUE,
            "a status that is not in HL7 table 0085",
            "Send F for a final result, P, C, W or another of that table.",
        )
        return ""
    return said


def _code(obx: Segment, reading: Reading) -> tuple[str, str, str]:
    """LOINC, wherever it stands: what a site calls a test nobody else knows. It is called what the site calls it."""
    parts = [*obx.parts(3), *[""] * 12]
    said = [(parts[at], parts[at + 1], parts[at + 2].upper()) for at in (0, 3, 9)]
    said = [each for each in said if each[0] or each[1]]
    if not said:
        reading.problem(
            obx,
            3,
            "RESULT_CODE_MISSING",
            ErrorCode.REQUIRED_FIELD_MISSING,
            "no code of the test",
            "Send what was measured.",
        )
        return "", "", ""
    code, name, system = next((each for each in said if each[0] and each[2] in _LOINC), said[0])
    name = next((each[1] for each in said if each[1]), code)
    return code or name, name, "LN" if system in _LOINC else system


def _value(obx: Segment, reading: Reading) -> _Value:
    kind, said = obx.text(2).upper(), obx.repetitions(5)
    if kind in _DOCUMENTS and said:
        reading.note(obx, "OBX-5: a document is kept with the message; not read.")
    if kind in _DOCUMENTS or not said:
        return _Value("")
    if kind == "NM":
        return _plain_number(obx, said, reading)
    if kind == "SN":
        return _structured_number(obx.split(said[0]))
    text = _words(obx, kind, said, reading)
    return _number_in(text) if kind == "ST" else _Value(text)


def _words(obx: Segment, kind: str, said: Sequence[str], reading: Reading) -> str:
    if kind in _CODED:
        return "\n".join(_coded(obx.split(each)) for each in said)
    if kind in _DATES:
        return _moment(obx)
    if kind not in _TEXTS:
        reading.note(obx, "OBX-2: a type that is not known; read as text.")
    return "\n".join(obx.encoding.text(each) for each in said)


def _plain_number(obx: Segment, said: Sequence[str], reading: Reading) -> _Value:
    """A number is shown as it was sent: 6.80 says how well it was measured."""
    text = obx.encoding.first(said[0])
    if to_number(text) is None:
        reading.note(obx, "OBX-5: no number, though its type says so; read as text.")
    return _number_in(text)


def _structured_number(parts: Sequence[str]) -> _Value:
    """SN: comparator, number, separator, number. "> 100", "1:128", "2-4". Only a lone number is one."""
    comparator, first, separator, second = [*parts, "", "", "", ""][:4]
    text = f"{comparator} {first}{separator}{second}".strip()
    if separator or second or comparator not in ("", "=", *_BOUNDS):
        return _Value(text)
    number = to_number(first)
    return _Value(text, number, comparator if number is not None and comparator != "=" else "")


def _number_in(text: str) -> _Value:
    """A text that is a lone number, or a bound, ">450": so do many write what lies beyond what they can measure."""
    found = _BOUND.match(text)
    number = to_number(text[found.end() :] if found else text)
    return _Value(text, number, found[1] if found and number is not None else "")


def to_number(text: str) -> float | None:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    return float(text)


def _coded(parts: Sequence[str]) -> str:
    padded = [*parts, *[""] * 9]
    return padded[1] or padded[8] or padded[0]


def _moment(obx: Segment) -> str:
    """A day or a time as it was sent, in the form that people read. One that cannot be read stays as it is."""
    text = obx.text(5)
    if obx.text(2).upper() == "TM" and re.fullmatch(r"\d{4}.*", text):
        return f"{text[:2]}:{text[2:4]}"
    found = re.match(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d))?", text)
    if found is None:
        return text
    year, month, day, hour, minute = found.groups()
    return f"{year}-{month}-{day}" + (f" {hour}:{minute}" if hour else "")


def _unit(obx: Segment) -> str:
    parts = [*obx.parts(6), "", ""]
    return parts[0] or parts[1]


def _flags(obx: Segment) -> tuple[str, ...]:
    """OBX-8: repeated as the standard says, or by a component, as some senders write it."""
    said = (part.upper() for each in obx.repetitions(8) for part in obx.split(each)[:1])
    return tuple(dict.fromkeys(flag for flag in said if flag))


def _panel(obr: Segment) -> str:
    parts = [*obr.parts(4), "", ""]
    return parts[1] or parts[0]


def _laboratory(obx: Segment) -> str:
    return ([*obx.parts(23), ""])[0] or ([*obx.parts(15), "", ""])[1]


def _remark(nte: Segment) -> str:
    return "\n".join(nte.encoding.text(each) for each in nte.repetitions(3))


def _is_too_much(results: Sequence[Observation], message: Message, reading: Reading) -> bool:
    """Whether it is more than a report can hold. What is said once of an order is told with each of its results."""
    text = sum(len(each.value) + len(each.note) for each in results)
    is_much = len(results) > _MOST_OBSERVATIONS or text > _MOST_TEXT
    if not is_much and sum(map(_size, results)) <= _MOST_TOLD:
        return False
    reading.problem(
        message.segments("OBX")[0],
        0,
        "REPORT_TOO_LONG",
        ErrorCode.VALUE_TOO_LONG,
        "more results, or more text, than one report can hold",
        "Find out what fills it at the sender.",
    )
    return True


def _size(said: Observation) -> int:
    """About how many bytes it takes to tell it."""
    texts = (
        *(said.number, said.code, said.code_system, said.sub_id, said.name, said.panel),
        *(said.value, said.unit, said.reference_range, *said.flags, said.status),
        *(said.orderer, said.laboratory, said.note),
    )
    return sum(len(text.encode()) + _AROUND_TEXT for text in texts) + _AROUND_EACH


def _told_apart(results: Sequence[Observation]) -> Iterator[Observation]:
    """Each once. Lines of one text are one result; numbers that are named alike are several, and none may be lost."""
    found = dict[tuple[str, str, str, str], Observation]()
    for each in results:
        key = (each.number, each.code_system, each.code, each.sub_id)
        before = found.get(key)
        if before is None:
            found[key] = each
        elif _goes_on(before, each):
            _join(before, each)
        else:
            each.sub_id = _next_sub_id(key, found)
            found[(*key[:3], each.sub_id)] = each
    return iter(found.values())


def _goes_on(before: Observation, each: Observation) -> bool:
    is_text = each.value_type in _TEXTS and before.value_type == each.value_type
    return is_text and (before.quantity is None or each.quantity is None)


def _join(before: Observation, each: Observation) -> None:
    """One more line of a text. If it is the number among them, its unit and what is usual are the result's."""
    before.value = f"{before.value}\n{each.value}"
    before.note = "\n".join(note for note in (before.note, each.note) if note)
    before.flags = _gravest((*before.flags, *each.flags))
    if each.quantity is not None:
        before.quantity, before.comparator = each.quantity, each.comparator
        before.unit, before.reference_range = each.unit, each.reference_range


def _gravest(flags: Sequence[str]) -> tuple[str, ...]:
    """Each once, the critical ones first; that one line is normal says nothing of a result of which another is not."""
    told = sorted(dict.fromkeys(flags), key=lambda flag: flag not in _CRITICAL_FLAGS)
    return tuple(flag for flag in told if flag not in _ORDINARY_FLAGS) or tuple(told)


def _next_sub_id(
    key: tuple[str, str, str, str], found: dict[tuple[str, str, str, str], Observation]
) -> str:
    count = 2
    while (*key[:3], f"{key[3]}#{count}") in found:
        count += 1
    return f"{key[3]}#{count}"
