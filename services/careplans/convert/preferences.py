"""How somebody wants to be met."""

from datetime import datetime
from uuid import UUID

from carehub.careplans.v1 import preferences_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_timestamp
from services.careplans.convert.words import labels_to_proto, to_text
from services.careplans.domain.labels import Labels
from services.careplans.domain.preferences import (
    MOST_TEXT,
    TIMES,
    Preferences,
    Reading,
    Telephone,
)

_PREFERENCES = preferences_pb2.Preferences


def preferences_to_proto(found: Preferences) -> preferences_pb2.Preferences:
    return _PREFERENCES(
        id=str(found.id),
        etag=etag(found.version),
        facility_id=str(found.facility_id),
        patient_id=str(found.patient_id),
        language=found.language,
        needs_interpreter=found.needs_interpreter,
        telephone=_PREFERENCES.Telephone.Value(f"TELEPHONE_{found.telephone}"),
        best_from=found.best_from,
        best_until=found.best_until,
        works_nights=found.works_nights,
        sleeps_from=found.sleeps_from,
        sleeps_until=found.sleeps_until,
        food=found.food,
        faith=found.faith,
        reading=_PREFERENCES.Reading.Value(f"READING_{found.reading}"),
        update_time=to_timestamp(found.updated_at),
        labels=labels_to_proto(found.labels),
    )


def to_preferences(
    told: preferences_pb2.Preferences,
    patient_id: UUID,
    facility_id: UUID,
    labels: Labels,
    at: datetime,
) -> Preferences:
    """What the patient said, as it would be written down; id and version are the row's."""
    if told.telephone not in _PREFERENCES.Telephone.values():
        raise InvalidArgument("TELEPHONE_UNKNOWN", "Choose one that there is.", field="telephone")
    if told.reading not in _PREFERENCES.Reading.values():
        raise InvalidArgument("READING_UNKNOWN", "Choose one that there is.", field="reading")
    return Preferences(
        id=UUID(int=0),
        version=0,
        facility_id=facility_id,
        patient_id=patient_id,
        language=told.language.strip(),
        needs_interpreter=told.needs_interpreter,
        telephone=Telephone(_PREFERENCES.Telephone.Name(told.telephone).removeprefix("TELEPHONE_")),
        works_nights=told.works_nights,
        food=to_text("preferences.food", told.food, MOST_TEXT),
        faith=to_text("preferences.faith", told.faith, MOST_TEXT),
        reading=Reading(_PREFERENCES.Reading.Name(told.reading).removeprefix("READING_")),
        updated_at=at,
        labels=labels,
        **{name: getattr(told, name).strip() for name in TIMES},
    ).checked()
