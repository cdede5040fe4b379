"""Proxies, care teams, referrals and holds between the domain and protobuf."""

from datetime import datetime
from uuid import UUID

from carehub.identity.v1 import care_team_pb2, hold_pb2, proxy_pb2

from libs.chassis.fields import etag, to_timestamp, to_uuid
from services.identity.convert.directory import maybe_uuid
from services.identity.convert.words import (
    from_classes,
    from_word,
    to_classes,
    to_instant,
    to_word,
)
from services.identity.domain.access.facts import Exemption, ProxyKind
from services.identity.domain.access.terms import MINIMUM
from services.identity.domain.entry import Entry
from services.identity.domain.recorded import (
    PatientAccount,
    RecordedHold,
    RecordedMembership,
    RecordedProxy,
    RecordedReferral,
)


def proxy_to_domain(message: proxy_pb2.Proxy, entry: Entry, id: UUID) -> RecordedProxy:
    return RecordedProxy(
        id=id,
        patient_id=entry.patient_id,
        facility_id=entry.facility_id,
        person_id=to_uuid("proxy.person_id", message.person_id),
        kind=to_word("proxy.kind", message.kind, proxy_pb2.Proxy.Kind, ProxyKind),
        classes=to_classes("proxy.data_classes", message.data_classes),
        from_at=to_instant("proxy.start_time", message) or entry.at,
        until_at=to_instant("proxy.end_time", message),
        evidence_id=maybe_uuid("proxy.evidence_id", message.evidence_id),
        evidence_note=message.evidence_note,
        recorded_at=entry.at,
        recorded_by=entry.by,
    )


def proxy_to_proto(proxy: RecordedProxy, at: datetime) -> proxy_pb2.Proxy:
    return proxy_pb2.Proxy(
        id=str(proxy.id),
        etag=etag(proxy.version),
        patient_id=str(proxy.patient_id),
        facility_id=str(proxy.facility_id),
        person_id=str(proxy.person_id),
        kind=from_word(proxy.kind, proxy_pb2.Proxy.Kind),
        data_classes=from_classes(proxy.classes),
        start_time=to_timestamp(proxy.from_at),
        end_time=to_timestamp(proxy.until_at),
        evidence_id=str(proxy.evidence_id) if proxy.evidence_id else "",
        evidence_note=proxy.evidence_note,
        state=from_word(proxy.state(at), proxy_pb2.Proxy.State),
    )


def account_to_proto(account: PatientAccount) -> proxy_pb2.PatientAccount:
    return proxy_pb2.PatientAccount(
        patient_id=str(account.patient_id),
        person_id=str(account.person_id),
        facility_id=str(account.facility_id),
    )


def member_to_domain(
    message: care_team_pb2.CareTeamMember, entry: Entry, id: UUID
) -> RecordedMembership:
    return RecordedMembership(
        id=id,
        patient_id=entry.patient_id,
        facility_id=entry.facility_id,
        grantee_id=to_uuid("member.member_id", message.member_id),
        from_at=to_instant("member.start_time", message) or entry.at,
        until_at=to_instant("member.end_time", message),
        recorded_at=entry.at,
        recorded_by=entry.by,
    )


def member_to_proto(member: RecordedMembership, at: datetime) -> care_team_pb2.CareTeamMember:
    return care_team_pb2.CareTeamMember(
        id=str(member.id),
        etag=etag(member.version),
        patient_id=str(member.patient_id),
        facility_id=str(member.facility_id),
        member_id=str(member.grantee_id),
        start_time=to_timestamp(member.from_at),
        end_time=to_timestamp(member.until_at),
        state=from_word(member.state(at), care_team_pb2.CareTeamMember.State),
    )


def referral_to_domain(
    message: care_team_pb2.ReferralFact, entry: Entry, id: UUID
) -> RecordedReferral:
    """What a partner needs to answer, and no more."""
    return RecordedReferral(
        id=id,
        patient_id=entry.patient_id,
        from_facility_id=entry.facility_id,
        to_id=to_uuid("referral.to_id", message.to_id),
        classes=MINIMUM,
        sent_at=to_instant("referral.send_time", message) or entry.at,
        recorded_at=entry.at,
        recorded_by=entry.by,
    )


def referral_to_proto(referral: RecordedReferral, at: datetime) -> care_team_pb2.ReferralFact:
    return care_team_pb2.ReferralFact(
        id=str(referral.id),
        etag=etag(referral.version),
        patient_id=str(referral.patient_id),
        from_facility_id=str(referral.from_facility_id),
        to_id=str(referral.to_id),
        send_time=to_timestamp(referral.sent_at),
        end_time=to_timestamp(referral.ended_at),
        state=from_word(referral.state(at), care_team_pb2.ReferralFact.State),
    )


def hold_to_domain(message: hold_pb2.Hold, entry: Entry, id: UUID) -> RecordedHold:
    return RecordedHold(
        id=id,
        patient_id=entry.patient_id,
        facility_id=entry.facility_id,
        classes=to_classes("hold.data_classes", message.data_classes),
        exception=to_word("hold.exception", message.exception, hold_pb2.Hold.Exception, Exemption),
        from_at=to_instant("hold.start_time", message) or entry.at,
        until_at=to_instant("hold.end_time", message),
        recorded_at=entry.at,
        recorded_by=entry.by,
    )


def hold_to_proto(hold: RecordedHold, at: datetime) -> hold_pb2.Hold:
    return hold_pb2.Hold(
        id=str(hold.id),
        etag=etag(hold.version),
        patient_id=str(hold.patient_id),
        facility_id=str(hold.facility_id),
        data_classes=from_classes(hold.classes),
        exception=from_word(Exemption(hold.exception), hold_pb2.Hold.Exception),
        start_time=to_timestamp(hold.from_at),
        end_time=to_timestamp(hold.until_at),
        state=from_word(hold.state(at), hold_pb2.Hold.State),
    )
