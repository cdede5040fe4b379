"""What identity tells the others. Each event carries the resource as it is now."""

from datetime import datetime
from uuid import UUID

from carehub.identity.v1 import consent_pb2, identity_events_pb2

from libs.chassis.access import PatientAccess
from libs.chassis.database import Transaction
from libs.chassis.fields import to_timestamp
from libs.conveyor import outbox
from libs.conveyor.timers import set_timer
from services.identity.convert.access import access_to_proto
from services.identity.convert.agreement import agreement_to_proto
from services.identity.convert.break_glass import glass_to_proto, without_words
from services.identity.convert.directory import (
    facility_to_proto,
    organization_to_proto,
    staff_to_proto,
    team_to_proto,
)
from services.identity.convert.words import from_word
from services.identity.domain.break_glass import Glass
from services.identity.domain.consent import RecordedConsent
from services.identity.domain.facility import Facility
from services.identity.domain.fact import Signed
from services.identity.domain.organization import Organization
from services.identity.domain.staff import StaffMember
from services.identity.domain.team import Team

# Timers: one patient's access turns by itself; something was recorded about a patient, which a decision that has not read
# it and says when the next turn is must not undo; somebody works elsewhere now, and their patients are to be decided anew;
# everybody's access is to be, from the patient of its key on; nothing is to be shown any more by the agreement of its key.
TURN = "access"
SOON = "access-soon"
ROLES = "access-roles"
ANEW = "access-anew"
CLOSE = "access-close"
FROM_THE_FIRST = UUID(int=0)


async def decide_everybody_anew(tx: Transaction) -> None:
    """Have the access of every patient decided anew, since something of the network that decides has changed."""
    await set_timer(tx, ANEW, str(FROM_THE_FIRST), tx.at)


async def decide_their_patients_anew(tx: Transaction, person_id: UUID) -> None:
    """Have it decided anew about whom somebody is on the care team of, since it rests on where they work."""
    await set_timer(tx, ROLES, str(person_id), tx.at)


async def organization_changed(tx: Transaction, organization: Organization) -> None:
    event = identity_events_pb2.OrganizationChanged(
        organization=organization_to_proto(organization), version=organization.version
    )
    await outbox.add(tx, event, key=organization.id, version=organization.version)


async def facility_changed(tx: Transaction, facility: Facility) -> None:
    event = identity_events_pb2.FacilityChanged(
        facility=facility_to_proto(facility), version=facility.version
    )
    await outbox.add(tx, event, key=facility.id, version=facility.version, facility_id=facility.id)


async def staff_changed(tx: Transaction, member: StaffMember) -> None:
    event = identity_events_pb2.StaffChanged(
        staff_member=staff_to_proto(member), version=member.version
    )
    await outbox.add(tx, event, key=member.id, version=member.version)


async def team_changed(tx: Transaction, team: Team) -> None:
    event = identity_events_pb2.TeamChanged(team=team_to_proto(team), version=team.version)
    await outbox.add(tx, event, key=team.id, version=team.version, facility_id=team.facility_id)


async def consent_changed(tx: Transaction, consent: RecordedConsent) -> None:
    """Ids and states only: what it says is nobody's business but that of who recorded it."""
    event = identity_events_pb2.ConsentChanged(
        consent_id=str(consent.id),
        version=consent.version,
        patient_id=str(consent.patient_id),
        facility_id=str(consent.facility_id),
        decision=from_word(consent.decision, consent_pb2.Consent.Decision),
        state=from_word(consent.state(tx.at), consent_pb2.Consent.State),
    )
    await outbox.add(
        tx, event, key=consent.id, version=consent.version, facility_id=consent.facility_id
    )


async def agreement_changed(tx: Transaction, agreement: Signed) -> None:
    event = identity_events_pb2.AgreementChanged(
        agreement=agreement_to_proto(agreement, tx.at), version=agreement.version
    )
    await outbox.add(tx, event, key=agreement.id, version=agreement.version)


async def access_changed(tx: Transaction, access: PatientAccess) -> None:
    event = identity_events_pb2.AccessChanged(
        access=access_to_proto(access), version=access.version
    )
    await outbox.add(tx, event, key=access.patient_id, version=access.version)


async def access_beat(tx: Transaction, beat_at: datetime, position: int) -> None:
    version = int(beat_at.timestamp() * 1000)
    event = identity_events_pb2.AccessBeat(
        beat_time=to_timestamp(beat_at), version=version, position=position
    )
    await outbox.add(tx, event, key="identity", version=version)


async def basis_ended(tx: Transaction, basis_id: UUID) -> None:
    version = int(tx.at.timestamp() * 1000)
    event = identity_events_pb2.BasisEnded(
        basis_id=str(basis_id), end_time=to_timestamp(tx.at), version=version
    )
    await outbox.add(tx, event, key=basis_id, version=version)


async def break_glass_changed(tx: Transaction, glass: Glass) -> None:
    event = identity_events_pb2.BreakGlassChanged(
        break_glass=without_words(glass_to_proto(glass, tx.at)), version=glass.version
    )
    await outbox.add(tx, event, key=glass.id, version=glass.version, facility_id=glass.facility_id)
