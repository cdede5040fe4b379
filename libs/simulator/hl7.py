"""An event as the HL7 v2.5.1 message that its site sends, with that site's habits."""

from datetime import UTC, datetime, timedelta

from libs.simulator.event import Event, Trigger, Visit, VisitState
from libs.simulator.people import Person, Registration, written
from libs.simulator.places import Habits, Site

# MSH-9.3: the structure that the standard gives an event.
_STRUCTURES = {
    Trigger.REGISTERED: "ADT_A01",
    Trigger.UPDATED: "ADT_A01",
    Trigger.DISCHARGE_CANCELLED: "ADT_A01",
    Trigger.PREADMITTED: "ADT_A05",
    Trigger.PERSON_ADDED: "ADT_A05",
    Trigger.PERSON_UPDATED: "ADT_A05",
    Trigger.MADE_INPATIENT: "ADT_A06",
    Trigger.MADE_OUTPATIENT: "ADT_A06",
    Trigger.ADMISSION_CANCELLED: "ADT_A09",
    Trigger.TRANSFER_CANCELLED: "ADT_A09",
    Trigger.MERGED: "ADT_A39",
}
_CHARSETS = {"utf-8": "UNICODE UTF-8", "latin-1": "8859/1"}
_LANGUAGES = {"en": "eng^English^ISO6392", "es": "spa^Spanish^ISO6392"}
# Who gave an insurance number, and its type in HL7 table 0203.
_CARDS = {"MEDICARE": ("CMS", "MC"), "MEDICAID": ("STATEMEDICAID", "MA")}
_POTASSIUM = ("2823-3^Potassium^LN", "4.1", "mmol/L", "3.5-5.1", "N")
_TOO_MUCH = ("2823-3^Potassium^LN", "6.8", "mmol/L", "3.5-5.1", "HH")
_RESULTS = (
    ("2160-0^Creatinine^LN", "1.4", "mg/dL", "0.6-1.2", "H"),
    ("718-7^Hemoglobin^LN", "10.9", "g/dL", "12.0-16.0", "L"),
    ("30934-4^Natriuretic peptide B^LN", "612", "pg/mL", "<100", "H"),
)
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})


def render(event: Event, control_id: str) -> bytes:
    """The bytes of a message, segments ended by CR."""
    return encode(text(event, control_id), event.site)


def encode(message: str, site: Site) -> bytes:
    return written(message, site).encode(site.habits.charset)


def text(event: Event, control_id: str) -> str:
    return "\r".join(_segments(event, control_id)) + "\r"


def _segments(event: Event, control_id: str) -> list[str]:
    site, visit = event.site, event.visit
    header = _msh(event, control_id)
    pid = _pid(event, visit.number if visit else "")
    if event.trigger is Trigger.RESULT:
        return [header, pid, _pv1(event), *_result(event)]
    if event.trigger is Trigger.BOOKED:
        return [header, _sch(event), pid, "RGS|1|A"]
    segments = [header, _evn(event), pid]
    if event.retired is not None:
        return [*segments, f"MRG|{_number(event.retired, site)}"]
    segments.append(f"PD1||||{_doctor(event.person)}")
    if event.person.kin:
        segments.append(_nk1(event.person))
    if visit is None:
        return [*segments, f"PV1|1|{site.habits.classes.get('N', 'N')}"]
    segments += [_pv1(event), *_pv2(visit, site), *_dg1(visit)]
    segments += (
        _in1(event.person) if event.trigger in (Trigger.ADMITTED, Trigger.REGISTERED) else ()
    )
    return segments


def stamp(at: datetime, site: Site) -> str:
    """A time as the site writes it: with its offset, or as its own clock shows it.

    In the hour that the clock shows twice, the second time has its offset wherever it is written: without it nobody
    could tell when it was, and the truth would be no measure.
    """
    local = at.astimezone(site.zone)
    plain = f"{local:%Y%m%d%H%M%S}"
    return f"{plain}{local:%z}" if site.habits.says_offset or local.fold else plain


def _msh(event: Event, control_id: str) -> str:
    site, trigger = event.site, event.trigger
    kind = {Trigger.RESULT: "ORU", Trigger.BOOKED: "SIU"}.get(trigger, "ADT")
    structure = _STRUCTURES.get(trigger, f"{kind}_{trigger}")
    charset = _CHARSETS[site.habits.charset] if site.habits.names_charset else ""
    sent = stamp(event.recorded_at, site)
    return (
        f"MSH|^~\\&|{site.application}|{site.key}|CAREHUB|NETWORK|{sent}||{kind}^{trigger}^{structure}|{control_id}|P|2.5.1"
        + (f"||||||{charset}" if charset else "")
    )


def _evn(event: Event) -> str:
    """EVN-2 when it was typed; EVN-6 when it happened, where the site says so. Who does not, tells all at once."""
    recorded = stamp(event.recorded_at, event.site)
    occurred = f"||||{stamp(event.at, event.site)}" if event.site.habits.says_event_time else ""
    return f"EVN|{event.trigger}|{recorded}{occurred}"


def _pid(event: Event, visit_number: str) -> str:
    person, site, known = event.person, event.site, event.registration
    numbers = _number(known, site)
    if known.insurance:
        assigner, kind = _CARDS[person.payer]
        numbers += f"~{known.insurance}^^^{assigner}^{kind}"
    town = person.town
    name = f"{_escaped(known.family)}^{_escaped(known.given)}^{_escaped(known.middle)}^^^^L"
    address = f"{_escaped(person.street)}^{_escaped(person.unit)}^{town.name}^{town.state}^{town.postal_code}^USA^H"
    phone = f"^PRN^PH^^1^{person.phone[:3]}^{person.phone[3:]}"
    if person.email:
        phone += f"~^NET^Internet^{person.email}"
    language = _LANGUAGES.get(person.speaks, f"{person.speaks}^{person.tongue.name}^ISO6391")
    account = "" if site.habits.has_visit_field else visit_number
    pid = f"PID|1||{numbers}||{name}||{known.birth_on:%Y%m%d}|{person.sex}|||{address}||{phone}||{language}|||{account}"
    if not person.is_deceased:
        return pid.rstrip("|")
    # Who does not say when things happened does not say when somebody died.
    died = stamp(person.died_at, site) if person.died_at and site.habits.says_event_time else ""
    return f"{pid}|||||||||||{died}|Y"


def _number(known: Registration, site: Site) -> str:
    return (
        f"{known.mrn}^^^{site.assigner}^MR" if site.habits.says_assigner else f"{known.mrn}^^^^MR"
    )


def _nk1(person: Person) -> str:
    given, _, family = person.kin.partition(" ")
    phone = f"^PRN^PH^^1^{person.phone[:3]}^{person.phone[3:]}"
    return f"NK1|1|{_escaped(family)}^{_escaped(given)}|FAM^Family||{phone}||EC^Emergency contact"


def _doctor(person: Person) -> str:
    return f"{77000 + person.id % 40}^{('Ashdown', 'Bellerose', 'Costigan', 'Dufresne')[person.id % 4]}^Robin^^^Dr"


def _pv1(event: Event) -> str:
    visit, site = event.visit, event.site
    if visit is None:
        return "PV1|1|O"
    habits = site.habits
    place = f"{visit.place}{'^' * (2 - visit.place.count('^'))}^{site.key}" if visit.place else ""
    fields = [""] * 46
    fields[0], fields[1] = "PV1", "1"
    fields[2] = habits.classes.get(visit.visit_class, visit.visit_class)
    fields[3] = place
    fields[4] = visit.admission_type
    fields[7] = visit.attending
    fields[10] = "MED"
    if habits.has_visit_field:
        fields[19] = visit.number
    fields[36] = _disposition(visit, habits)
    fields[44] = stamp(visit.admit_at, site) if visit.admit_at else ""
    fields[45] = stamp(visit.discharge_at, site) if visit.discharge_at else ""
    return "|".join(fields).rstrip("|")


def _disposition(visit: Visit, habits: Habits) -> str:
    if visit.state is not VisitState.FINISHED:
        return ""
    return habits.dispositions.get(visit.disposition, visit.disposition)


def _pv2(visit: Visit, site: Site) -> list[str]:
    expected = stamp(visit.expected_at, site) if visit.expected_at else ""
    return [f"PV2|||^{_escaped(visit.reason)}|||||{expected}".rstrip("|")] if visit.reason else []


def _dg1(visit: Visit) -> list[str]:
    return [
        f"DG1|{index}||{each.code}^{_escaped(each.text)}^I10C|||{each.type}"
        for index, each in enumerate(visit.diagnoses, 1)
    ]


def _in1(person: Person) -> list[str]:
    if not person.insurance:
        return []
    assigner, _ = _CARDS[person.payer]
    return [f"IN1|1|{person.payer}|{assigner}|{person.payer.title()}" + "|" * 32 + person.insurance]


def _result(event: Event) -> list[str]:
    at = stamp(event.at, event.site)
    potassium = _TOO_MUCH if event.has_critical_result else _POTASSIUM
    rows = [
        f"OBX|{index}|NM|{code}||{value}|{unit}|{usual}|{flag}|||F|||{at}"
        for index, (code, value, unit, usual, flag) in enumerate((potassium, *_RESULTS), 1)
    ]
    return [
        f"OBR|1||L{event.number}|24323-8^Comprehensive metabolic panel^LN|||{at}"
        + "|" * 15
        + f"{at}|||F",
        *rows,
    ]


def _sch(event: Event) -> str:
    """A follow-up visit, booked for two days later."""
    at = event.at.astimezone(UTC) + timedelta(days=2)
    clerk = "77900^Desk^Scheduling"
    said = {
        1: f"P{event.number}", 2: f"F{event.number}", 6: "ROUTINE^Routine", 7: "^Follow-up visit", 8: "FOLLOWUP",
        9: "30", 10: "min", 11: f"^^30^{at:%Y%m%d%H%M%S+0000}", 16: clerk, 20: clerk, 25: "Booked",
    }  # fmt: skip
    return "|".join(["SCH", *(said.get(number, "") for number in range(1, 26))])


def _escaped(value: str) -> str:
    return value.translate(_ESCAPES)
