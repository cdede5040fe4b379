"""Values that occur nowhere else, planted as a patient's data, and the eyes that look for them."""

import re
from collections.abc import Iterable
from urllib.parse import quote

FAMILY = "Zzyzxqvar"
GIVEN = "Qwibblethorn"
STREET = "Xylographwick"
PHONE = "3125557391"
MRN = "QVX7723184419"
DIAGNOSIS = "Grommetosis"
NOTE = "Plumbukketnote"
REASON = "Vexillodecline"
BIRTH = "19330719"
EMAIL = "zqfelicity@vintrepid.example"

CANARIES = (FAMILY, GIVEN, STREET, MRN, DIAGNOSIS, NOTE, REASON, EMAIL)
_FORMS = (
    *(re.escape(form) for each in CANARIES for form in {each, quote(each)}),
    r"312\W{0,2}555\W?7391",
    r"(?<![0-9a-f])1933-?07-?19(?![0-9a-f])",  # and not of the millions of digits of ids
)
_ANY = re.compile("|".join(_FORMS), re.IGNORECASE)


def found_in(text: str | bytes) -> set[str]:
    """The canaries in a text."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return {match.group() for match in _ANY.finditer(text)}


def leaks(places: Iterable[tuple[str, str | bytes]]) -> list[tuple[str, set[str]]]:
    """The places in which there is a canary, and which ones."""
    return [(place, found) for place, text in places if (found := found_in(text))]


def message(
    event: str,
    *,
    control_id: str,
    sender: str = "MERCY",
    processing: str = "P",
    birth: str = BIRTH,
    admit: str = "202608010900",
    discharge: str = "",
    extra: str = "",
) -> bytes:
    """An ADT message in which every field that can hold data of a patient does."""
    at = discharge or admit
    pv1 = {1: "1", 2: "I", 3: "3W^312^1", 7: f"1^{GIVEN}", 19: f"V{MRN}", 44: admit, 45: discharge}
    pv1[36] = "01" if discharge else ""
    segments = [
        f"MSH|^~\\&|EHR|{sender}|CAREHUB|HUB|{at}||ADT^{event}|{control_id}|{processing}|2.5.1",
        f"EVN|{event}|{at}|||||",
        f"PID|1||{MRN}^^^MERCY^MR||{FAMILY}^{GIVEN}||{birth}|F|||12 {STREET} Ln^^Springfield^IL^62701"
        f"||{PHONE}~^NET^Internet^{EMAIL}|||||||",
        f"NK1|1|{FAMILY}^{GIVEN}|SPO||{PHONE}",
        "PV1|" + "|".join(pv1.get(i, "") for i in range(1, 46)),
        f"PV2|||^{DIAGNOSIS}",
        f"DG1|1||I10^{DIAGNOSIS}^I10||{at}|F",
        f"NTE|1||{NOTE}",
    ]
    return "\r".join([*segments, *([extra] if extra else [])]).encode() + b"\r"
