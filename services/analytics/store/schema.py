"""The tables of analytics. One column per field of the dataclass that a row becomes, by the same name."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    Interval,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
instant = DateTime(timezone=True)

facilities = Table(
    "facilities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("time_zone", Text),
)

merges = Table(
    "merges",
    metadata,
    Column("retired_id", Uuid, primary_key=True),
    Column("survivor_id", Uuid),
)

visits = Table(
    "visits",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("visit_class", Text),
    Column("is_taken_back", Boolean),
    Column("admitted_at", instant),
    Column("discharged_at", instant),
    Column("admission_type", Text),
    Column("disposition", Text),
    Column("diagnoses", ARRAY(Text)),
    Column("labels", ARRAY(Text)),
)

discharges = Table(
    "discharges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("encounter_id", Uuid),
    Column("discharged_at", instant),
    Column("contact_due_at", instant),
    Column("contacted_at", instant),
    Column("contact_evidence_id", Uuid),
    Column("close_reason", Text),
    Column("closed_at", instant),
    Column("labels", ARRAY(Text)),
)

referrals = Table(
    "referrals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("sent_at", instant),
    Column("ended_at", instant),
    Column("is_completed", Boolean),
    Column("state_reason", Text),
    Column("labels", ARRAY(Text)),
)

critical_results = Table(
    "critical_results",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("result_id", Uuid),
    Column("verified_at", instant),
    Column("read_back_at", instant),
    Column("read_back_evidence_id", Uuid),
    Column("close_reason", Text),
    Column("closed_at", instant),
    Column("labels", ARRAY(Text)),
)

risks = Table(
    "risks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("encounter_id", Uuid),
    Column("instrument", Text),
    Column("variant", Text),
    Column("score", Integer),
    Column("band", Text),
    Column("is_partial", Boolean),
    Column("terms", JSONB),
    Column("admitted_at", instant),
    Column("computed_at", instant),
    Column("labels", ARRAY(Text)),
)

# Which versions scores that are gone had: one that comes again goes on from there.
risk_tombstones = Table(
    "risk_tombstones",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
)

units = Table(
    "units",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("measure", Text),
    Column("subject_id", Uuid),
    Column("day", Date),
    Column("status", Text),
    Column("reason", Text),
    Column("settles_at", instant),
    Column("evidence_id", Uuid),
    Column("took", Interval),
    Column("labels", ARRAY(Text)),
)
