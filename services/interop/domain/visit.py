"""PV1, PV2 and DG1: what a message says of a visit."""

from uuid import UUID

from services.interop.domain.feed import PATIENT_CLASSES
from services.interop.domain.hl7 import Message, Segment
from services.interop.domain.reading import ErrorCode, Reading
from services.interop.domain.report import Diagnosis, Visit

# Field of PV1 and the name it has in a report, where "" (two quotes) means delete.
_CLEARABLE = (
    (2, "patient_class"),
    (3, "location"),
    (4, "admission_type"),
    (7, "attending"),
    (36, "discharge_disposition"),
    (44, "admit_time"),
    (45, "discharge_time"),
)
_PREADMITTED = "P"
_ICD_10_CM = frozenset({"I10", "I10C", "I10P", "ICD10", "ICD-10", "ICD10CM", "ICD-10-CM"})


def read_visit(message: Message, reading: Reading, *, is_plan: bool = False) -> Visit:
    """What is said of the visit. Its times may lie ahead where it is a plan."""
    pv1 = message.first("PV1")
    pid = message.first("PID")
    account = pid.text(18) if pid else ""
    if pv1 is None:
        return Visit(visit_number=account, diagnoses=_diagnoses(message))
    pv2 = message.first("PV2")
    patient_class = _patient_class(pv1, reading)
    is_plan = is_plan or patient_class == _PREADMITTED
    return Visit(
        visit_number=pv1.text(19) or account,
        patient_class=patient_class,
        location=place_of(pv1),
        admission_type=pv1.text(4),
        attending=display_name(pv1.parts(7)),
        discharge_disposition=_disposition(pv1, reading),
        admitted_at=reading.instant(pv1, 44, may_lie_ahead=is_plan),
        discharged_at=reading.instant(pv1, 45, may_lie_ahead=is_plan),
        admit_reason=_admit_reason(pv2) if pv2 else "",
        diagnoses=_diagnoses(message),
        cleared=_cleared(pv1, pv2),
    )


def facility_of(message: Message, own: UUID, reading: Reading) -> UUID:
    """The facility that the message is about: that of PV1-3.4, else AIL-3.4, where the feed speaks for several."""
    place = message.first("PV1") or message.first("AIL")
    if place is None or not reading.quirks.facilities:
        return own
    parts = place.parts(3)
    said = parts[3] if len(parts) > 3 else ""
    if not said:
        return own
    facility = reading.quirks.facilities.get(said)
    if facility is None:
        reading.problem(
            place,
            3,
            "FACILITY_UNKNOWN",
            ErrorCode.TABLE_VALUE,
            "the fourth component is a facility that the feed's map does not have",
            "Add it to the feed's map of facilities, then replay.",
        )
    return facility or own


def _patient_class(pv1: Segment, reading: Reading) -> str:
    said = pv1.text(2)
    mapped = reading.quirks.patient_classes.get(said, said.upper())
    if mapped and mapped not in PATIENT_CLASSES:
        reading.problem(
            pv1,
            2,
            "PATIENT_CLASS_UNKNOWN",
            ErrorCode.TABLE_VALUE,
            "a class that is neither in HL7 table 0004 nor in the feed's map",
            "Add it to the feed's map of patient classes, then replay.",
        )
        return ""
    return mapped


def _disposition(pv1: Segment, reading: Reading) -> str:
    said = pv1.text(36)
    return reading.quirks.dispositions.get(said, said)


def place_of(segment: Segment) -> str:
    """PL in the third field: point of care, room and bed."""
    return "^".join([*segment.parts(3), "", "", ""][:3]).rstrip("^")


def display_name(parts: list[str]) -> str:
    """A person of XCN as one would say the name: given, family, suffix."""
    _, family, given, _, suffix = [*parts, *[""] * 5][:5]
    return " ".join(part for part in (given, family, suffix) if part)


def _admit_reason(pv2: Segment) -> str:
    parts = [*pv2.parts(3), "", ""]
    return parts[1] or parts[0]


def _diagnoses(message: Message) -> tuple[Diagnosis, ...]:
    found = []
    for dg1 in message.segments("DG1"):
        code, text, system = [*dg1.parts(3), "", "", ""][:3]
        system = system or dg1.text(2)
        text = text or dg1.text(4)
        if code or text:
            system = "ICD10CM" if system.upper() in _ICD_10_CM else system
            found.append(Diagnosis(code, system, text, dg1.text(6)))
    return tuple(found)


def _cleared(pv1: Segment, pv2: Segment | None) -> tuple[str, ...]:
    cleared = [name for number, name in _CLEARABLE if pv1.is_deleted(number)]
    if pv2 is not None and pv2.is_deleted(3):
        cleared.append("admit_reason")
    return tuple(cleared)
