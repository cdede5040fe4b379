"""A small network to decide in: two health systems, a Part 2 program, a food pantry, one patient."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from services.identity.domain.access.boxes import Question, may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import (
    Agreement,
    BreakGlass,
    Consent,
    ConsentDecision,
    ConsentForm,
    Facts,
    Hold,
    Membership,
    Network,
    Patient,
    Proxy,
    ProxyKind,
    Referral,
    Registration,
    Treatment,
)
from services.identity.domain.access.terms import (
    ALL_CLASSES,
    DataClass,
    Label,
    Purpose,
)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)

# Organizations.
MERCY, VALLEY, HARBOR, PANTRY, PLAN = (UUID(int=n) for n in range(1, 6))
# Facilities: two of Mercy, one of Valley, the program is Harbor's, the pantry's door.
HOSPITAL, CLINIC, VALLEY_CLINIC, PROGRAM, PANTRY_DOOR = (UUID(int=n) for n in range(11, 16))
# People and a team.
PAT, NURSE, DOCTOR, MOTHER, WORKER, TEAM, OTHER = (UUID(int=n) for n in range(21, 28))
PATIENT = UUID(int=31)
EVIDENCE = UUID(int=41)

PLACES = {
    HOSPITAL: MERCY,
    CLINIC: MERCY,
    VALLEY_CLINIC: VALLEY,
    PROGRAM: HARBOR,
    PANTRY_DOOR: PANTRY,
}
EVERYTHING_BUT_KEPT_APART = frozenset(Label) - {Label.COUNSELING_NOTES, Label.WITHHELD}


def network(**other):
    told = {
        "jurisdiction": "US",
        "organization_of": PLACES,
        "covered": frozenset({MERCY, VALLEY, HARBOR, PLAN}),
    }
    return Network(**(told | other))


def patient(age=50, **other):
    """Somebody of an age, in years and a month; None: unknown."""
    born_on = None if age is None else date(AT.year - age, AT.month - 1, AT.day)
    return Patient(id=PATIENT, **({"person_id": PAT, "born_on": born_on} | other))


def registered(facility=VALLEY_CLINIC, id=101, **other):
    told = {"from_at": AT - 1000 * DAY}
    return Registration(id=UUID(int=id), facility_id=facility, **(told | other))


def treated(facility=VALLEY_CLINIC, id=111, **other):
    told = {"began_at": AT - 2 * DAY}
    return Treatment(id=UUID(int=id), facility_id=facility, **(told | other))


def member(grantee=NURSE, facility=VALLEY_CLINIC, id=121, **other):
    told = {"from_at": AT - DAY}
    return Membership(id=UUID(int=id), grantee_id=grantee, facility_id=facility, **(told | other))


def referred(to=VALLEY_CLINIC, id=131, **other):
    told = {
        "from_facility_id": HOSPITAL,
        "classes": ALL_CLASSES,
        "sent_at": AT - DAY,
    }
    return Referral(id=UUID(int=id), to_id=to, **(told | other))


def agreement(*parties, id=141, **other):
    told = {
        "purposes": frozenset(Purpose),
        "classes": ALL_CLASSES,
        "from_at": AT - 500 * DAY,
    }
    return Agreement(
        id=UUID(int=id),
        parties=frozenset(parties or (MERCY, VALLEY, HARBOR)),
        **(told | other),
    )


def permit(*recipients, id=151, **other):
    told = {
        "purposes": frozenset({Purpose.TREATMENT}),
        "labels": frozenset({Label.NORMAL}),
        "classes": ALL_CLASSES,
        "given_at": AT - DAY,
        "from_at": AT - DAY,
        "evidence_id": EVIDENCE,
    }
    return Consent(
        id=UUID(int=id),
        decision=ConsentDecision.PERMIT,
        recipients=frozenset(recipients),
        **(told | other),
    )


def deny(*recipients, id=161, **other):
    told = {"given_at": AT - DAY, "from_at": AT - DAY, "form": ConsentForm.VERBAL}
    return Consent(
        id=UUID(int=id),
        decision=ConsentDecision.DENY,
        recipients=frozenset(recipients),
        **(told | other),
    )


def proxy(kind=ProxyKind.PARENT, person=MOTHER, id=171, **other):
    told = {"classes": ALL_CLASSES, "from_at": AT - 100 * DAY, "evidence_id": EVIDENCE}
    return Proxy(id=UUID(int=id), person_id=person, kind=kind, **(told | other))


def glass(person=DOCTOR, id=181, **other):
    told = {
        "opened_at": AT - timedelta(minutes=10),
        "reauthenticated_at": AT - timedelta(minutes=11),
        "reason": "unconscious in the emergency department",
    }
    return BreakGlass(id=UUID(int=id), person_id=person, **(told | other))


def hold(*classes, id=191, **other):
    told = {
        "from_at": AT - DAY,
        "until_at": AT + DAY,
        "exception": "PREVENTING_HARM",
    }
    return Hold(
        id=UUID(int=id), classes=frozenset(classes or (DataClass.RESULTS,)), **(told | other)
    )


def world(**other):
    """A patient whom the hospital and others know, and the network's agreement; nothing else unless it is told."""
    told = {
        "patient": patient(),
        "network": network(),
        "known_at": frozenset({HOSPITAL, CLINIC, VALLEY_CLINIC, PROGRAM}),
        "agreements": (agreement(),),
    }
    return Facts(**(told | other))


def question(**other):
    """Somebody with no part in it asks for an ordinary clinical row that the hospital wrote."""
    labels = other.pop("labels", (Label.NORMAL,))
    told = {
        "person_id": OTHER,
        "purpose": Purpose.TREATMENT,
        "source_id": HOSPITAL,
        "data_class": DataClass.CLINICAL,
        "at": AT,
    }
    for plural in ("facility_ids", "team_ids", "organization_ids"):
        if plural in other:
            other[plural] = frozenset(other[plural])
    return Question(labels=frozenset(labels), **(told | other))


def sees(facts, **asked):
    told = question(**asked)
    return may(decide(facts, told.at), told)


def valley(**other):
    """A nurse of Valley's clinic asks."""
    return {
        "person_id": NURSE,
        "facility_ids": [VALLEY_CLINIC],
        "organization_ids": [VALLEY],
    } | other


def themselves(**other):
    return {"person_id": PAT, "purpose": Purpose.PATIENT_REQUEST} | other


def mother(**other):
    return {"person_id": MOTHER, "purpose": Purpose.FAMILY_REQUEST} | other
