"""The words that conditions are written in: what is known of each thing that a protocol can be about."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from cel_expr_python import cel

from services.tasking.domain.conditions import BOOL, INSTANT, INT, TEXT, TEXTS, Vocabulary
from services.tasking.domain.protocol_parts import About, Among

Words = Mapping[str, cel.Type]

VISIT = {
    "visit_class": TEXT,
    "state": TEXT,
    "admitted_at": INSTANT,
    "discharged_at": INSTANT,
    "is_discharged": BOOL,
    "disposition": TEXT,
    "diagnoses": TEXTS,
    "admission_type": TEXT,
}
PATIENT = {"patient.is_deceased": BOOL, "patient.died_at": INSTANT, "patient.language": TEXT}
RECORD = {f"encounter.{name}": kind for name, kind in VISIT.items()} | PATIENT
GLASS = {
    "glass.is_reviewed": BOOL,
    "glass.is_part2_emergency": BOOL,
    "glass.uses_in_30_days": INT,
}
OTHER = {f"other.{name}": kind for name, kind in VISIT.items()} | {
    "other.is_same_facility": BOOL,
    "other.starts_after_discharge": BOOL,
    "other.goes_on_after_discharge": BOOL,
    "other.days_after_discharge": INT,
}
# A score of the stay; of a missed visit, that of the stay before it.
RISK = {"risk.lace": INT, "risk.hospital": INT, "risk.is_partial": BOOL}
APPOINTMENT = {
    "appointment.state": TEXT,
    "appointment.purpose": TEXT,
    "appointment.start_at": INSTANT,
    "patient.days_since_discharge": INT,
    "reply.barrier": TEXT,
}
BOOKING = {
    "booking.state": TEXT,
    "booking.purpose": TEXT,
    "booking.start_at": INSTANT,
    "booking.is_same_facility": BOOL,
}
OTHER_BOOKING = BOOKING | {
    "booking.starts_after_admission": BOOL,
    "booking.starts_after_discharge": BOOL,
    "booking.days_after_discharge": INT,
}
LATER_BOOKING = BOOKING | {
    "booking.is_instead": BOOL,
    "booking.starts_after_missed": BOOL,
    "booking.days_after_missed": INT,
}
RECONCILIATION = {
    "reconciliation.state": TEXT,
    "reconciliation.is_signed": BOOL,
    "reconciliation.is_signed_after_discharge": BOOL,
}
LATER = {f"other.{name}": kind for name, kind in VISIT.items()} | {
    "other.is_same_facility": BOOL,
    "other.starts_after_missed": BOOL,
    "other.days_after_missed": INT,
}
REPLY = {"reply.meaning": TEXT, "reply.barrier": TEXT}
REFERRAL = {"referral.need": TEXT, "referral.state": TEXT}
ABOUT_REFERRAL = REFERRAL | {"referral.is_followed": BOOL}
QUESTION = {"question.role": TEXT, "question.is_asked": BOOL, "question.is_answered": BOOL}
RESULT = {
    "result.state": TEXT,
    "result.is_critical": BOOL,
    "result.is_harmless": BOOL,
    "result.is_withdrawn": BOOL,
    "result.is_told": BOOL,
    "result.is_repeat": BOOL,
}
# What people did under the loop. What it is about never depends on it, so an encounter knows no such words.
DEEDS = {"attempts.made": INT}

KNOWN: Mapping[About, Words] = MappingProxyType(
    {
        About.ENCOUNTER: RECORD | RISK,
        About.BREAK_GLASS: GLASS,
        About.APPOINTMENT: APPOINTMENT | PATIENT | RISK | DEEDS,
        About.REFERRAL: ABOUT_REFERRAL | PATIENT | DEEDS,
        About.REPLY: REPLY | PATIENT | DEEDS,
        About.QUESTION: QUESTION | PATIENT | DEEDS,
        About.RESULT: RESULT | PATIENT | DEEDS,
    }
)
# What a condition can look for one among, and what is known of that one.
SEARCHED: Mapping[About, Mapping[Among, Words]] = MappingProxyType(
    {
        About.ENCOUNTER: {
            Among.OTHER: OTHER,
            Among.BOOKING: OTHER_BOOKING,
            Among.RECONCILIATION: RECONCILIATION,
        },
        About.APPOINTMENT: {
            Among.OTHER: LATER,
            Among.BOOKING: LATER_BOOKING,
            Among.REPLY: REPLY,
            Among.REFERRAL: REFERRAL,
        },
        About.BREAK_GLASS: {},
        About.REFERRAL: {},
        About.REPLY: {},
        About.QUESTION: {},
        About.RESULT: {},
    }
)


def vocabulary(
    about: About = About.ENCOUNTER,
    names: Iterable[str] = (),
    *,
    steps: Iterable[str] = (),
    searching: bool = False,
) -> Vocabulary:
    """What is known of what a protocol is about, the conditions that it names itself, and how its steps ended; and, for a
    condition that looks for one among others, what is known of that one.
    """
    known = dict(KNOWN[about])
    if "attempts.made" in known:
        known |= {f"outcome.{step}": TEXT for step in steps if "-" not in step}
    for words in SEARCHED[about].values() if searching else ():
        known |= words
    return Vocabulary({**known, **dict.fromkeys(names, BOOL)})
