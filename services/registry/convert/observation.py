"""Results of laboratories: reports in, and what is known of each out."""

from carehub.access.v1 import access_pb2
from carehub.interop.v1 import report_pb2
from carehub.registry.v1 import observation_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_datetime, to_timestamp
from services.registry.domain.observation import STATUSES, Observation
from services.registry.domain.report import ObservationSaid

_STATE = observation_pb2.Observation.State
_CRITICALITY = observation_pb2.Observation.Criticality


def to_said(said: report_pb2.ReportedObservation) -> ObservationSaid:
    """What was reported of one result. InvalidArgument if it does not say which, or what became of it."""
    number, code = said.number.strip(), said.code.strip()
    if not number or not code:
        raise InvalidArgument("REPORT_WITHOUT_RESULT", "It names no result.")
    if said.status not in STATUSES or not said.HasField("report_time"):
        raise InvalidArgument("REPORT_WITHOUT_STATUS", "It does not say what a result is.")
    return ObservationSaid(
        number=number,
        code=code,
        code_system=said.code_system,
        sub_id=said.sub_id,
        name=said.name,
        panel=said.panel,
        value=said.value,
        quantity=said.quantity if said.HasField("quantity") else None,
        comparator=said.comparator,
        unit=said.unit,
        reference_range=said.reference_range,
        flags=tuple(said.flags),
        status=said.status,
        observed_at=to_datetime(said.observed_time) if said.HasField("observed_time") else None,
        reported_at=to_datetime(said.report_time),
        orderer=said.orderer,
        laboratory=said.laboratory,
        note=said.note,
    )


def observation_to_proto(observation: Observation) -> observation_pb2.Observation:
    said, criticality = observation.content, observation.criticality
    return observation_pb2.Observation(
        id=str(observation.id),
        etag=etag(observation.version),
        patient_id=str(observation.patient_id),
        facility_id=str(observation.facility_id),
        number=observation.number,
        code=observation.code,
        code_system=observation.code_system,
        sub_id=observation.sub_id,
        name=said.name,
        panel=said.panel,
        state=_STATE.Value(f"STATE_{observation.state}"),
        value=said.value,
        quantity=said.quantity,
        unit=said.unit,
        reference_range=said.reference_range,
        flags=said.flags,
        criticality=_CRITICALITY.Value(f"CRITICALITY_{criticality or 'UNSPECIFIED'}"),
        critical_version=observation.critical_version,
        analyte=observation.analyte,
        observed_time=to_timestamp(said.observed_at),
        report_time=to_timestamp(observation.standing.reported_at),
        orderer=said.orderer,
        laboratory=said.laboratory,
        note=said.note,
        labels=[access_pb2.Label.Value(f"LABEL_{label}") for label in observation.labels],
        label_version=observation.label_version,
    )
