"""Somebody whose story is played, and what the hospital's and the clinic's systems send of them."""

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from libs.simulator.afterwards import HOSPITAL, Bed

_AREA_CODES = ("312", "217", "618", "309", "815", "708", "630", "847", "224", "331", "779", "872")
_HEART_FAILURE, _OTHER = "I50.9^Heart failure, unspecified^I10C", "K80.20^Gallstones^I10C"
# Of another run than the last one, so that no number is given twice.
_RUN, _controls = f"{time.time_ns() // 1_000_000_000 % 16**6:06X}", count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """An invented patient; of one series and number always the same, with a telephone of their own."""

    number: int
    is_high_risk: bool
    given: str
    family: str
    # The first letter of all numbers that anybody gives them.
    series: str = "T"

    @property
    def mrn(self) -> str:
        return f"{self.series}H{self.number:05}"

    @property
    def second_mrn(self) -> str:
        """Given by mistake; only a merge can tell whose it is."""
        return f"{self.series}X{self.number:05}"

    @property
    def clinic_mrn(self) -> str:
        return f"{self.series}C{self.number:05}"

    def visit(self, kind: str) -> str:
        """A visit number; of one kind always the same."""
        return f"{self.series}{kind}{self.number:05}"

    @property
    def speaks_spanish(self) -> bool:
        return self.number % 4 == 0

    @property
    def phone(self) -> str:
        return f"{_AREA_CODES[self.number // 100]}55501{self.number % 100:02}"

    def pid(self, number: str, sender: str, *, moved: bool = False, died: str = "") -> str:
        house = f"{100 + self.number}"
        home = (
            f"{house} Desert Rd^^Tucson^AZ^85701"
            if moved
            else f"{house} Pine St^^Springfield^IL^62701"
        )
        born = f"{1930 + self.number % 40}0{1 + self.number % 9}1{self.number % 10}"
        phone = f"^PRN^CP^^1^{self.phone[:3]}^{self.phone[3:]}"
        language = "spa^Spanish^ISO6392" if self.speaks_spanish else "eng^English^ISO6392"
        death = "|" * 14 + f"{died}|Y" if died else ""
        return f"PID|1||{number}^^^{sender}^MR||{self.family}^{self.given}||{born}|F|||{home}||{phone}||{language}{death}"


def stay(event: str, one: Somebody, bed: Bed, visit: str, at: datetime, number: str = "") -> bytes:
    """Of a stay at the hospital, as it is after an event. A03 alone tells that it has ended."""
    ended = bed.discharged_at if event == "A03" else None
    pv1 = {
        1: "1", 2: "I", 3: "5W^512^1", 4: bed.admission_type, 19: visit, 44: _stamp(bed.admitted_at),
        36: bed.disposition if ended else "", 45: _stamp(ended) if ended else "",
    }  # fmt: skip
    pid = one.pid(number or one.mrn, "MERCY")
    diagnosis = _HEART_FAILURE if one.is_high_risk else _OTHER
    return _message("MERCY", event, at, pid, _pv1(pv1), f"DG1|1||{diagnosis}|||A")


def visit(one: Somebody, sender: str, visit: str, began: datetime) -> bytes:
    """That somebody is there, as an outpatient."""
    number = one.mrn if sender == "MERCY" else one.clinic_mrn
    pv1 = {1: "1", 2: "O", 3: "CLINIC^1^1", 19: visit, 44: _stamp(began)}
    return _message(sender, "A04", began, one.pid(number, sender), _pv1(pv1))


def emergency(one: Somebody, event: str, began: datetime, at: datetime) -> bytes:
    """That somebody came to the emergency department (A04), and was sent home (A03)."""
    ended = {36: "01", 45: _stamp(at)} if event == "A03" else {}
    pv1 = {1: "1", 2: "E", 3: "ED^1^1", 4: "E", 19: f"TE{one.number:05}", 44: _stamp(began)}
    return _message("MERCY", event, at, one.pid(one.mrn, "MERCY"), _pv1(pv1 | ended))


def person(
    event: str, one: Somebody, at: datetime, *, moved: bool = False, died: datetime | None = None
) -> bytes:
    """What is known of somebody, without a visit."""
    pid = one.pid(one.mrn, "MERCY", moved=moved, died=_stamp(died) if died else "")
    return _message("MERCY", event, at, pid, "PV1|1|N")


def merge(one: Somebody, at: datetime) -> bytes:
    pid = one.pid(one.mrn, "MERCY")
    return _message("MERCY", "A40", at, pid, f"MRG|{one.second_mrn}^^^MERCY^MR")


def booking(one: Somebody, at: datetime, start: datetime) -> bytes:
    """A date that the clinic's own system gave somebody."""
    local = start.astimezone(HOSPITAL)
    sch = (
        f"SCH||{one.series}B{one.number}|||||^Follow-up||30|min|^^30^{local:%Y%m%d%H%M%S}"
        + "|" * 14
        + "Booked"
    )
    pid = one.pid(one.clinic_mrn, "VALLEY")
    return _head("VALLEY", "SIU", "S12", at) + "\r".join([sch, pid, ""]).encode()


def again(message: bytes) -> bytes:
    """The same once more under another control id, as a sender does that forgot that it had sent it."""
    head, _, rest = message.partition(b"\r")
    fields = head.split(b"|")
    fields[9] = _control().encode()
    return b"|".join(fields) + b"\r" + rest


def _message(sender: str, event: str, at: datetime, *segments: str) -> bytes:
    body = "\r".join([f"EVN|{event}|{_stamp(at)}", *segments, ""])
    return _head(sender, "ADT", event, at) + body.encode("ascii")


def _head(sender: str, kind: str, event: str, at: datetime) -> bytes:
    return f"MSH|^~\\&|EHR|{sender}|CAREHUB|HUB|{_stamp(at)}00||{kind}^{event}|{_control()}|P|2.5.1\r".encode()


def _control() -> str:
    return f"ST{_RUN}{next(_controls):08}"


def _pv1(fields: dict[int, str]) -> str:
    return "PV1|" + "|".join(fields.get(i, "") for i in range(1, 46))


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(HOSPITAL):%Y%m%d%H%M}"
