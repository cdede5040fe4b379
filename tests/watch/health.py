"""The health data that stands in a test's databases, whatever the test made up, and whether a text has any of it."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

# By service: the columns whose texts are of patients. JSON is searched by the names of its fields.
COLUMNS = {
    "analytics": ("visits.diagnoses",),
    "careplans": ("medicine_lists.medicines",),
    "identity": (
        "access_facts.born_on", "consents.evidence_note", "proxies.evidence_note", "break_glass.reason_text",
        "break_glass.finding_note",
    ),
    "interop": ("messages.raw",),
    "messaging": ("contacts.told_phone", "posts.text"),
    "referrals": ("referrals.details",),
    "registry": (
        "patients.facts", "program_patients.facts", "encounters.visit_number", "encounters.locations",
        "encounters.diagnoses", "encounters.admit_reason", "visit_messages.said",
    ),
    "scheduling": ("appointments.external_number",),
    "tasking": (
        "patients.name", "program_patients.name", "encounters.diagnoses", "tasks.comments", "tasks.attempts",
        "tasks.decline_reason",
    ),
}  # fmt: skip
# Texts that operators, other patients' teams or everybody may read: outputs, though they are in a database. Not refusals of
# interop: to who runs a feed they quote the header of its message, in which tests put anything.
OUTPUTS = {
    "analytics": ("audit", "parked"),
    "careplans": ("audit", "parked"),
    "identity": ("audit", "parked"),
    "interop": ("audit", "parked", "silence_notices"),
    "messaging": ("audit", "parked"),
    "referrals": ("audit", "parked"),
    "registry": ("audit", "parked", "reports"),
    "scheduling": ("audit", "parked"),
    "tasking": ("audit", "parked", "notifications"),
}
# Of JSON: what else stands beside a name, a number or a note. A city alone tells of nobody, and is in a facility's name.
_TOLD = frozenset({
    "family", "given", "lines", "value", "birth_date", "text", "code", "note", "reason", "visit_number", "ward", "room",
    "bed", "admit_reason", "point_of_care",
})  # fmt: skip
# Kept beside the day of birth, some of them for each teller, and few in number: words that every contract has.
_COMMON = frozenset({"sex", "language", "death_indicator"})
# Of HL7: field and component by segment, from 1.
_HL7 = {
    "PID": ((3, 1), (5, 1), (5, 2), (7, 1), (11, 1), (13, 1), (13, 4), (19, 1)),
    "NK1": ((2, 1), (2, 2), (5, 1)),
    "PV1": ((19, 1),),
    "PV2": ((3, 2),),
    "DG1": ((3, 1), (3, 2), (4, 1)),
    "NTE": ((3, 1),),
}
# A test that makes rows gives a visit an id of CareHub's own for its number: that may be said.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD = re.compile(r"[^\W_]+")
_DAY = re.compile(r"((?:19|20)\d\d)-?(\d\d)-?(\d\d)")
_TELEPHONE = re.compile(r"1?(\d{3})(\d{3})(\d{4})")
LONGEST = 3


def texts(column: str, value: str | bytes) -> Iterator[str]:
    """The texts about a patient in the value of a column."""
    if isinstance(value, bytes):
        yield from _in_hl7(value.decode(errors="replace"))
    elif value[:1] in ("{", "["):
        yield from _in_json(value)
    else:
        yield value


def _in_json(value: str) -> Iterator[str]:
    try:
        told = json.loads(value)
    except ValueError:  # an array of the database, or a text that begins like that
        yield from value.strip("{}").split(",")
        return
    yield from _leaves("", told)


def _leaves(name: str, told: object) -> Iterator[str]:
    if isinstance(told, dict):
        for key, value in told.items():
            if key.partition("@")[0] not in _COMMON:
                yield from _leaves(key, value)
    elif isinstance(told, list):
        for value in told:
            yield from _leaves(name, value)
    elif isinstance(told, str) and name in _TOLD:
        yield told


def _in_hl7(message: str) -> Iterator[str]:
    for segment in re.split(r"[\r\n]+", message):
        fields = segment.split("|")
        for field, component in _HL7.get(fields[0], ()):
            for repetition in (fields[field] if field < len(fields) else "").split("~"):
                parts = repetition.split("^")
                yield parts[component - 1] if component <= len(parts) else ""


def forms(text: str) -> Iterator[str]:
    """How a text would be recognized: by its words, by any three of many, and days and telephones as others write them."""
    if _ID.fullmatch(text):
        return
    words = [word.lower() for word in _WORD.findall(text)]
    squeezed = "".join(words)
    if day := _DAY.fullmatch(text.strip()[:10] if "-" in text else text.strip()[:8]):
        yield from ("".join(day.groups()), " ".join(day.groups()))
        return
    if telephone := _TELEPHONE.fullmatch(squeezed):
        yield from ("".join(telephone.groups()), squeezed, " ".join(telephone.groups()))
        return
    for first in range(max(1, len(words) - LONGEST + 1)):
        part = words[first : first + LONGEST]
        if is_telling("".join(part)):
            yield " ".join(part)


def is_telling(squeezed: str) -> bool:
    """Whether it is long enough to be no coincidence: Okafor and I50.9 are, Ida and 42 are not."""
    if squeezed.isdigit():
        return len(squeezed) >= 7
    return len(squeezed) >= 4


def phrases(text: str) -> set[str]:
    """Every word, and two or three in a row, of what a text says."""
    words = [word.lower() for word in _WORD.findall(unquote(text))]
    return {
        " ".join(words[first : first + count])
        for count in range(1, LONGEST + 1)
        for first in range(len(words) - count + 1)
    }


def sought(told: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    """By each form of what columns have, the column."""
    return {
        form: column for column, value in told for text in texts(column, value) for form in forms(text)
    }  # fmt: skip
