"""The tables of careplans. One column per field of the dataclass that a row becomes, by the same name."""

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
    Column("duty_team_id", Uuid),
    Column("organization_id", Uuid),
)

organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("is_community", Boolean),
)

# Who can answer for something: people and teams.
owners = Table(
    "owners",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("is_active", Boolean),
    Column("facility_id", Uuid),
    Column("role", Text),
)

seen = Table(
    "seen",
    metadata,
    Column("encounter_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("began_at", instant),
    Column("counts", Boolean),
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_ids", ARRAY(Uuid)),
    Column("is_program", Boolean),
)

merges = Table(
    "merges",
    metadata,
    Column("retired_id", Uuid, primary_key=True),
    Column("survivor_id", Uuid),
)

loops = Table(
    "loops",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("encounter_id", Uuid),
    Column("protocol", Text),
    Column("state", Text),
    Column("owner_id", Uuid),
    Column("accountable_id", Uuid),
    Column("key_dates", JSONB),
    Column("opened_at", instant),
    Column("closed_at", instant),
    Column("labels", ARRAY(Text)),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("loop_id", Uuid),
    Column("facility_id", Uuid),
    Column("step", Text),
    Column("title", Text),
    Column("role", Text),
    Column("state", Text),
    Column("owner_id", Uuid),
    Column("accountable_id", Uuid),
    Column("due_at", instant),
    Column("due_on", Date),
)

care_plans = Table(
    "care_plans",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("template", Text),
    Column("template_version", Integer),
    Column("title", Text),
    Column("state", Text),
    Column("loop_id", Uuid),
    Column("coordinator_id", Uuid),
    Column("is_coordinator_named", Boolean),
    Column("goals", JSONB),
    Column("activities", JSONB),
    Column("started_at", instant),
    Column("ended_at", instant),
    Column("labels", ARRAY(Text)),
    Column("owner_ids", ARRAY(Uuid)),
)

medicine_lists = Table(
    "medicine_lists",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("encounter_id", Uuid),
    Column("encounter_version", BigInteger),
    Column("side", Text),
    Column("source", Text),
    Column("medicines", JSONB),
    Column("entered_by_id", Uuid),
    Column("entered_at", instant),
    Column("labels", ARRAY(Text)),
)

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("encounter_id", Uuid),
    Column("encounter_version", BigInteger),
    Column("state", Text),
    Column("lines", JSONB),
    Column("signed_by_id", Uuid),
    Column("signed_at", instant),
    Column("earlier_signatures", JSONB),
    Column("left_at", instant),
    Column("opened_at", instant),
    Column("labels", ARRAY(Text)),
)

preferences = Table(
    "preferences",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("language", Text),
    Column("needs_interpreter", Boolean),
    Column("telephone", Text),
    Column("best_from", Text),
    Column("best_until", Text),
    Column("works_nights", Boolean),
    Column("sleeps_from", Text),
    Column("sleeps_until", Text),
    Column("food", Text),
    Column("faith", Text),
    Column("reading", Text),
    Column("updated_at", instant),
    Column("labels", ARRAY(Text)),
)
