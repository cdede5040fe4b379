"""An appointment as its facility tells it: of everything that was told, the newest per field, whatever order it came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from services.registry.domain.labels import Label, inherit, label
from services.registry.domain.report import AppointmentReport, stamp

# The root of ids that must be the same for ever; never change it.
APPOINTMENTS = UUID("c1a7b3d2-5e0f-5a44-9b60-2f4d8e6a7b11")
# Of what is told for the same instant the end counts: a cancellation is made of something that was there.
_RANKS = {
    trigger: rank for rank, trigger in enumerate(("S12", "S14", "S13", "S26", "S16", "S15", "S17"))
}
FOLLOWED = frozenset(_RANKS)


def appointment_id(facility_id: UUID, number: str) -> UUID:
    """The same for the same facility and number, for ever."""
    return uuid5(APPOINTMENTS, f"{facility_id}|{number}")


@dataclass(frozen=True, slots=True)
class Said:
    """A text or an instant as text, by the stamp of the message that told it."""

    value: str
    stamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAppointment:
    """Everything that was told of one appointment that still counts: learning is commutative and idempotent."""

    id: UUID
    version: int = 1
    facility_id: UUID
    number: str
    facts: Mapping[str, Said] = field(default_factory=dict)
    event_at: datetime
    labels: tuple[Label, ...] = ()

    @property
    def patient_id(self) -> UUID:
        """Whose it is, as its newest message says."""
        return UUID(self._text("patient_id"))

    @property
    def start_at(self) -> datetime | None:
        return self._instant("start_at")

    @property
    def end_at(self) -> datetime | None:
        """When it ends, unless it was told of another beginning."""
        ends, begins = self.facts.get("end_at"), self.facts.get("start_at")
        return self._instant("end_at") if ends and begins and ends.stamp >= begins.stamp else None

    @property
    def status(self) -> str:
        """As it was told last; booked, where only changes of something else were told."""
        return self._text("status") or "BOOKED"

    @property
    def reason(self) -> str:
        return self._text("reason")

    @property
    def practitioner(self) -> str:
        return self._text("practitioner")

    def _text(self, name: str) -> str:
        return self.facts[name].value if name in self.facts else ""

    def _instant(self, name: str) -> datetime | None:
        text = self._text(name)
        return datetime.fromisoformat(text) if text else None


def learn(
    before: ToldAppointment | None, report: AppointmentReport, patient_id: UUID
) -> ToldAppointment:
    """What is known of an appointment after one message more; the version is the store's."""
    source = report.source
    told = _facts(report, patient_id)
    labels = label((), source.provenance, sent=source.sent)
    if before is None:
        return ToldAppointment(
            id=appointment_id(source.facility_id, report.appointment.number),
            facility_id=source.facility_id,
            number=report.appointment.number,
            facts=told,
            event_at=source.event_at,
            labels=tuple(sorted(labels)),
        )
    facts = dict(before.facts)
    for name, said in told.items():
        if name not in facts or facts[name].stamp < said.stamp:
            facts[name] = said
    return ToldAppointment(
        id=before.id,
        version=before.version,
        facility_id=before.facility_id,
        number=before.number,
        facts=facts,
        event_at=max(before.event_at, source.event_at),
        labels=tuple(sorted(inherit(frozenset(before.labels), labels))),
    )


def _facts(report: AppointmentReport, patient_id: UUID) -> dict[str, Said]:
    said, source = report.appointment, report.source
    rank = _RANKS[source.trigger]
    at = stamp(
        source.event_at, source.message_at, f"{rank}|{source.content_hash}|{source.version:06d}"
    )
    texts = {
        "patient_id": str(patient_id),
        "start_at": said.start_at.isoformat() if said.start_at else "",
        "end_at": said.end_at.isoformat() if said.end_at else "",
        "status": said.status,
        "reason": said.reason,
        "practitioner": said.practitioner,
    }
    return {name: Said(text, at) for name, text in texts.items() if text}
