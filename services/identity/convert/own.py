"""What patients are told of their own record, in protobuf."""

from collections.abc import Mapping
from uuid import UUID

from carehub.identity.v1 import break_glass_pb2
from carehub.identity.v1 import own_record_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from services.identity.domain.break_glass import Glass
from services.identity.domain.own import OwnView, Relation

_Finding = break_glass_pb2.BreakGlassReview.Finding


def record_to_proto(view: OwnView) -> rpc.OwnRecord:
    return rpc.OwnRecord(
        patient_id=str(view.patient_id),
        relation=rpc.OwnRecord.Relation.Value(f"RELATION_{view.relation}"),
        shows_looks=view.shows_looks,
    )


def emergency_to_proto(
    glass: Glass, view: OwnView, people: Mapping[UUID, str], places: Mapping[UUID, str]
) -> rpc.OwnEmergency:
    """Without the words of staff: they are for whoever reviews it."""
    return rpc.OwnEmergency(
        id=str(glass.id),
        person_name=people.get(glass.person_id, ""),
        facility_name=places.get(glass.facility_id, ""),
        reason=break_glass_pb2.BreakGlass.Reason.Value(f"REASON_{glass.reason}"),
        is_part2_emergency=glass.is_part2_emergency and view.relation is Relation.SELF,
        open_time=to_timestamp(glass.opened_at),
        end_time=to_timestamp(glass.ended_at or glass.expires_at),
        finding=_Finding.Value(f"FINDING_{glass.finding or 'UNSPECIFIED'}"),
    )
