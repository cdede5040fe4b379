"""The tables. One column per field of the domain, by the same name: a row is the dataclass."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from libs.chassis.database import Transaction, sql

metadata = MetaData()

organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("kind", Text),
    Column("is_covered", Boolean),
    Column("version", BigInteger),
)

facilities = Table(
    "facilities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid),
    Column("name", Text),
    Column("time_zone", Text),
    Column("holiday_calendar", Text),
    Column("duty_team_id", Uuid),
    Column("phone", Text),
    Column("version", BigInteger),
)

staff = Table(
    "staff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account", Text),
    Column("display_name", Text),
    Column("email", Text),
    Column("roles", JSONB),
    Column("state", Text),
    Column("left_at", DateTime(timezone=True)),
    Column("left_because", Text),
    Column("version", BigInteger),
)

teams = Table(
    "teams",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("name", Text),
    Column("role", Text),
    Column("lead_id", Uuid),
    Column("member_ids", ARRAY(Uuid)),
    Column("version", BigInteger),
)

access_facts = Table(
    "access_facts",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("patient_id", Uuid),
    Column("facility_ids", ARRAY(Uuid)),
    Column("is_holding", Boolean),
    Column("began_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("born_on", Date),
    Column("merged_into", Uuid),
)

agreements = Table(
    "agreements",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", Text),
    Column("parties", ARRAY(Uuid)),
    Column("purposes", ARRAY(Text)),
    Column("classes", ARRAY(Text)),
    Column("needs_consent", Boolean),
    Column("from_at", DateTime(timezone=True)),
    Column("until_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("roster", BigInteger),
    Column("patient_count", Integer),
    Column("version", BigInteger),
)

agreement_patients = Table(
    "agreement_patients",
    metadata,
    Column("agreement_id", Uuid, primary_key=True),
    Column("roster", BigInteger, primary_key=True),
    Column("patient_id", Uuid, primary_key=True),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("decision", Text),
    Column("recipients", ARRAY(Uuid)),
    Column("sources", ARRAY(Uuid)),
    Column("purposes", ARRAY(Text)),
    Column("labels", ARRAY(Text)),
    Column("classes", ARRAY(Text)),
    Column("given_at", DateTime(timezone=True)),
    Column("from_at", DateTime(timezone=True)),
    Column("until_at", DateTime(timezone=True)),
    Column("withdrawn_at", DateTime(timezone=True)),
    Column("form", Text),
    Column("evidence_id", Uuid),
    Column("evidence_note", Text),
    Column("given_by", Uuid),
    Column("recorded_at", DateTime(timezone=True)),
    Column("recorded_by", Uuid),
)

proxies = Table(
    "proxies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("person_id", Uuid),
    Column("kind", Text),
    Column("classes", ARRAY(Text)),
    Column("from_at", DateTime(timezone=True)),
    Column("until_at", DateTime(timezone=True)),
    Column("evidence_id", Uuid),
    Column("evidence_note", Text),
    Column("is_barred", Boolean),
    Column("recorded_at", DateTime(timezone=True)),
    Column("recorded_by", Uuid),
    Column("version", BigInteger),
)

patient_accounts = Table(
    "patient_accounts",
    metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("person_id", Uuid),
    Column("facility_id", Uuid),
    Column("recorded_at", DateTime(timezone=True)),
    Column("recorded_by", Uuid),
)

care_team = Table(
    "care_team",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("grantee_id", Uuid),
    Column("from_at", DateTime(timezone=True)),
    Column("until_at", DateTime(timezone=True)),
    Column("recorded_at", DateTime(timezone=True)),
    Column("recorded_by", Uuid),
    Column("version", BigInteger),
)

referral_facts = Table(
    "referral_facts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patient_id", Uuid),
    Column("from_facility_id", Uuid),
    Column("to_id", Uuid),
    Column("classes", ARRAY(Text)),
    Column("sent_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("recorded_at", DateTime(timezone=True)),
    Column("recorded_by", Uuid),
    Column("version", BigInteger),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("classes", ARRAY(Text)),
    Column("from_at", DateTime(timezone=True)),
    Column("until_at", DateTime(timezone=True)),
    Column("exception", Text),
    Column("recorded_at", DateTime(timezone=True)),
    Column("recorded_by", Uuid),
    Column("version", BigInteger),
)

# The chassis's table, and a column that only identity has: in which order it was decided.
access_positions = Table(
    "access_versions",
    metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("position", BigInteger),
)

pushes = Table(
    "pushes",
    metadata,
    Column("holder", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True)),
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("patient_id", Uuid),
    Column("person_id", Uuid),
    Column("facility_id", Uuid),
    Column("reason", Text),
    Column("reason_text", Text),
    Column("is_part2_emergency", Boolean),
    Column("is_medical", Boolean),
    Column("reauthenticated_at", DateTime(timezone=True)),
    Column("opened_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("uses_in_30_days", Integer),
    Column("finding", Text),
    Column("finding_note", Text),
    Column("reviewed_by_id", Uuid),
    Column("reviewed_at", DateTime(timezone=True)),
)

disclosures = Table(
    "disclosures",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patient_id", Uuid, primary_key=True),
    Column("recipient_id", Uuid),
    Column("recipient_kind", Text),
    Column("purpose", Text),
    Column("source_ids", ARRAY(Uuid)),
    Column("classes", ARRAY(Text)),
    Column("consent_ids", ARRAY(Uuid)),
    Column("is_accountable", Boolean),
    Column("is_part2", Boolean),
    Column("service", Text),
    Column("at", DateTime(timezone=True)),
)

_HOLD_DIRECTORY = sql(
    select(func.pg_advisory_xact_lock(literal_column("hashtextextended('identity.directory', 0)")))
)
_HOLD_ACCESS = sql(
    select(func.pg_advisory_xact_lock(literal_column("hashtextextended('identity.access', 0)")))
)


async def hold_directory(tx: Transaction) -> None:
    """Until the commit, be the only one who changes organizations, facilities, staff or teams.

    The rules reach across them (who leads, who is left on duty), changes are rare, and one lock cannot deadlock.
    """
    await tx.fetch(_HOLD_DIRECTORY)


async def hold_access(tx: Transaction) -> None:
    """Until the commit, be the only decider: a visit may move from one patient to another."""
    await tx.fetch(_HOLD_ACCESS)
