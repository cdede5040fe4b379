"""A missed visit and what else other services tell, to plan from; and what reconciling leaves stored."""

from uuid import UUID

from services.tasking.domain.labels import ORDINARY
from services.tasking.domain.plan import Case
from services.tasking.domain.protocol import parse_protocol, shipped_protocols
from services.tasking.domain.reconcile import plan_with, reconcile
from services.tasking.domain.result import Result
from services.tasking.domain.told import (
    Appointment,
    Line,
    Reconciliation,
    Referral,
    Reply,
    Risk,
    Told,
)
from tests.unit.tasking.hospital import EVERYBODY, Stored, local_date
from tests.unit.tasking.record import ALIVE, CHICAGO, FACILITY, PATIENT, at

PROTOCOLS = {each.key: each for each in (parse_protocol(text, 1) for text in shipped_protocols())}
MISSED, AGAIN = UUID(int=30), UUID(int=31)
BASE = {
    "version": 1,
    "facility_id": FACILITY,
    "patient_id": PATIENT,
    "told_at": at("2026-09-16 12:00"),
}


def appointment(state="NO_SHOW", start="2026-09-16 10:00", **changes):
    facts = {
        **BASE,
        "id": MISSED,
        "labels": ORDINARY,
        "state": state,
        "purpose": "ROUTINE",
        "start_at": at(start),
    }
    return Appointment(**(facts | changes))


def instead(state="BOOKED", start="2026-09-20 10:00", **changes):
    return appointment(state, start, **({"id": AGAIN, "rebooked_from_id": MISSED} | changes))


def reply(meaning="BARRIER", barrier="TRANSPORT", **changes):
    facts = {
        **BASE,
        "id": UUID(int=40),
        "appointment_id": MISSED,
        "meaning": meaning,
        "barrier": barrier,
        "at": at("2026-09-16 15:00"),
    }
    return Reply(**(facts | changes))


def referral(state="REQUESTED", **changes):
    facts = {
        **BASE,
        "id": UUID(int=50),
        "labels": ORDINARY,
        "need": "transportation-insecurity",
        "state": state,
        "appointment_id": MISSED,
        "sent_at": at("2026-09-16 16:00"),
        "answer_due_at": at("2026-09-17 16:00"),
    }
    return Referral(**(facts | changes))


def reconciliation(encounter_id, state="SIGNED", lines=(), **changes):
    facts = {
        **BASE,
        "id": UUID(int=60),
        "labels": ORDINARY,
        "encounter_id": encounter_id,
        "state": state,
        "signed_at": at("2026-09-10 11:00") if state == "SIGNED" else None,
        "signed_by_id": UUID(int=102),
        "lines": lines,
    }
    return Reconciliation(**(facts | changes))


def line(**changes):
    facts = {
        "id": UUID(int=61),
        "is_ask": True,
        "role": "physician",
        "due_at": at("2026-09-12 17:00"),
    }
    return Line(**(facts | changes))


def risk(score, encounter_id, instrument="LACE", **changes):
    facts = {
        **BASE,
        "id": UUID(int=70),
        "labels": ORDINARY,
        "encounter_id": encounter_id,
        "instrument": instrument,
        "score": score,
    }
    return Risk(**(facts | changes))


def result(state="FINAL", quantity=6.8, verified="2026-09-16 02:10", criticality="HIGH", **changes):
    """A potassium that is critical, as tasking keeps it."""
    is_critical = state in ("FINAL", "CORRECTED") and bool(criticality)
    facts = {
        **BASE,
        "id": UUID(int=80),
        "labels": ORDINARY,
        "state": state,
        "analyte": "potassium",
        "criticality": criticality if is_critical else "",
        "quantity": quantity if is_critical else None,
        "verified_at": at(verified),
        "critical_at": at(verified) if is_critical else None,
        "told_at": at(verified),
    }
    return Result(**(facts | changes))


def told(*news):
    """All of it, sorted into its kinds."""

    def of(kind):
        return tuple(each for each in news if isinstance(each, kind))

    return Told(
        appointments=of(Appointment),
        replies=of(Reply),
        referrals=of(Referral),
        reconciliations=of(Reconciliation),
        risks=of(Risk),
        results=of(Result),
    )


def planned(topic, *news, visits=(), patient=ALIVE, protocol="missed-visit", tasks=()):
    case = Case(of=topic, patient=patient, visits=tuple(visits), told=told(*news))
    return plan_with(PROTOCOLS[protocol], case, CHICAGO, tuple(tasks))


class Followed(Stored):
    """The loop of one case with its tasks, and what people do under it."""

    def follow(self, topic, *news, now, people=EVERYBODY, **options):
        plan = planned(topic, *news, tasks=self.tasks.values(), **options)
        changes = reconcile(
            plan, self.loop, list(self.tasks.values()), people, about=topic, now=now
        )
        return self.apply(changes)

    def complete(self, step, outcome, by, now, read_back=None):
        after = self[step].complete(
            by=by, outcome=outcome, note="", at=now, local_date=local_date, read_back=read_back
        )
        self.tasks[step] = after
