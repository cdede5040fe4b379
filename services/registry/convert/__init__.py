"""Between protobuf and the domain: reports in; patients, encounters, appointments and results out."""

from services.registry.convert.observation import observation_to_proto
from services.registry.convert.record import (
    encounter_to_proto,
    found_to_proto,
    handled_to_proto,
    own_to_proto,
    program_to_proto,
    shared_to_proto,
    to_person,
    to_proto,
    told_to_proto,
)
from services.registry.convert.report import day_text, to_feed, to_report

__all__ = [
    "day_text",
    "encounter_to_proto",
    "found_to_proto",
    "handled_to_proto",
    "observation_to_proto",
    "own_to_proto",
    "program_to_proto",
    "shared_to_proto",
    "to_feed",
    "to_person",
    "to_proto",
    "to_report",
    "told_to_proto",
]
