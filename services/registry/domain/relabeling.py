"""Visits that older value sets labeled, as those of today do."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from services.registry.domain.encounter import Encounter
from services.registry.domain.labels import VERSION
from services.registry.domain.visit import VisitMessage, fold


def relabel(visits: Iterable[Encounter], messages: Iterable[VisitMessage]) -> list[Encounter]:
    """The visits as the value sets of today label them. Of a void one no message is left: it keeps what it has."""
    streams: dict[UUID, list[VisitMessage]] = {}
    for message in messages:
        streams.setdefault(message.stream_id, []).append(message)
    now = {
        encounter.id: encounter.labels
        for stream in streams.values()
        for encounter in fold(stream, lambda patient_id: patient_id).encounters
    }
    return [
        replace(v, labels=now.get(v.id, v.labels), label_version=VERSION, version=v.version + 1)
        for v in visits
    ]
