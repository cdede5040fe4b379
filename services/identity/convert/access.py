"""Access between the decider, the rows that every service keeps of it, and protobuf."""

from dataclasses import replace
from uuid import UUID

from carehub.access.v1 import access_pb2

from libs.chassis.access import DenialRow, GrantRow, PatientAccess
from libs.chassis.fields import to_timestamp
from services.identity.domain.access.boxes import Access, Denial, Grant


def to_rows(patient_id: UUID, version: int, access: Access) -> PatientAccess:
    """The same rows for the same decision, whatever order its facts came in."""
    grants = sorted((_grant_row(patient_id, one) for one in access.grants), key=repr)
    denials = sorted((_denial_row(patient_id, one) for one in access.denials), key=repr)
    return PatientAccess(
        patient_id=patient_id,
        version=version,
        grants=tuple(replace(one, number=n) for n, one in enumerate(grants)),
        denials=tuple(replace(one, number=n) for n, one in enumerate(denials)),
    )


def _grant_row(patient_id: UUID, grant: Grant) -> GrantRow:
    return GrantRow(
        patient_id=patient_id,
        number=0,
        grantee_id=grant.grantee_id,
        names=_ids(grant.names),
        sources=None if grant.sources is None else _ids(grant.sources),
        purposes=tuple(sorted(map(str, grant.purposes))),
        classes=tuple(sorted(map(str, grant.classes))),
        labels=tuple(sorted(map(str, grant.labels))),
        expires_at=grant.expires_at,
        standing=int(grant.standing),
        reason=str(grant.reason),
        basis_id=grant.basis_id,
        consent_id=grant.consent_id,
    )


def _denial_row(patient_id: UUID, denial: Denial) -> DenialRow:
    return DenialRow(
        patient_id=patient_id,
        number=0,
        grantee_id=denial.grantee_id,
        sources=None if denial.sources is None else _ids(denial.sources),
        purposes=tuple(sorted(map(str, denial.purposes))),
        classes=tuple(sorted(map(str, denial.classes))),
        labels=tuple(sorted(map(str, denial.labels))),
        expires_at=denial.expires_at,
        weight=int(denial.weight),
    )


def _ids(ids: frozenset[UUID]) -> tuple[UUID, ...]:
    return tuple(sorted(ids))


def access_to_proto(access: PatientAccess) -> access_pb2.PatientAccess:
    return access_pb2.PatientAccess(
        patient_id=str(access.patient_id),
        version=access.version,
        grants=map(_grant_to_proto, access.grants),
        denials=map(_denial_to_proto, access.denials),
    )


def _grant_to_proto(row: GrantRow) -> access_pb2.Grant:
    return access_pb2.Grant(
        grantee_id=str(row.grantee_id),
        name_ids=map(str, row.names),
        is_from_anywhere=row.sources is None,
        source_ids=map(str, row.sources or ()),
        purposes=[access_pb2.Purpose.Value(f"PURPOSE_{word}") for word in row.purposes],
        data_classes=[access_pb2.DataClass.Value(f"DATA_CLASS_{word}") for word in row.classes],
        labels=[access_pb2.Label.Value(f"LABEL_{word}") for word in row.labels],
        expire_time=to_timestamp(row.expires_at),
        standing=row.standing,
        reason=row.reason,
        basis_id=str(row.basis_id) if row.basis_id else "",
        consent_id=str(row.consent_id) if row.consent_id else "",
    )


def _denial_to_proto(row: DenialRow) -> access_pb2.Denial:
    return access_pb2.Denial(
        grantee_id=str(row.grantee_id) if row.grantee_id else "",
        is_from_anywhere=row.sources is None,
        source_ids=map(str, row.sources or ()),
        purposes=[access_pb2.Purpose.Value(f"PURPOSE_{word}") for word in row.purposes],
        data_classes=[access_pb2.DataClass.Value(f"DATA_CLASS_{word}") for word in row.classes],
        labels=[access_pb2.Label.Value(f"LABEL_{word}") for word in row.labels],
        expire_time=to_timestamp(row.expires_at),
        weight=row.weight,
    )
