"""The tables of registry. One column per field of the dataclass that a row becomes, by the same name."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

metadata = MetaData()
instant = DateTime(timezone=True)

# `facility_ids` is where a person is registered or was treated: the row's own facility link.
patients = Table(
    "patients",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facts", JSONB),
    Column("facility_ids", ARRAY(Uuid)),
    Column("state", Text),
    Column("merged_into_id", Uuid),
    Column("created_at", instant),
    Column("version", BigInteger),
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_ids", ARRAY(Uuid)),
    Column("is_program", Boolean),
)

# What programs under 42 CFR Part 2 told of people: the programs' rows alone, each with the keys that it is found by.
program_patients = Table(
    "program_patients",
    metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("facility_id", Uuid, primary_key=True),
    Column("facts", JSONB),
    Column("version", BigInteger),
    Column("vector", TSVECTOR),
)

# Which key leads to which record. A record that was merged has none left.
links = Table(
    "links",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("patient_id", Uuid),
    Column("retired_into", Uuid),
)

# The keys under which matching files a record.
descriptions = Table(
    "descriptions",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("patient_id", Uuid, primary_key=True),
)

# What people find a record by: its keys at each place that knows it (domain/search.py).
patient_search = Table(
    "patient_search",
    metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("vector", TSVECTOR),
)

joins = Table(
    "joins",
    metadata,
    Column("retired_id", Uuid, primary_key=True),
    Column("survivor_id", Uuid, primary_key=True),
    Column("facility_id", Uuid),
    Column("message_id", Uuid),
    Column("reason", Text),
    Column("merged_at", instant),
)

visit_messages = Table(
    "visit_messages",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("stream_id", Uuid),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("trigger", Text),
    Column("event_at", instant),
    Column("message_at", instant),
    Column("content_hash", Text),
    Column("said", JSONB),
    Column("provenance", JSONB),
    Column("sent", ARRAY(Text)),
)

encounters = Table(
    "encounters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("stream_id", Uuid),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("visit_number", Text),
    Column("encounter_class", Text),
    Column("state", Text),
    Column("admit_at", instant),
    Column("discharge_at", instant),
    Column("discharge_disposition", Text),
    Column("locations", JSONB),
    Column("diagnoses", JSONB),
    Column("attending", Text),
    Column("admit_reason", Text),
    Column("admission_type", Text),
    Column("listed_at", instant),
    Column("labels", ARRAY(Text)),
    Column("label_version", Integer),
    Column("is_void", Boolean),
    Column("version", BigInteger),
)

# What facilities tell of appointments, the newest per field: kept to know what is newer, shown to nobody.
appointments = Table(
    "appointments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("number", Text),
    Column("facts", JSONB),
    Column("event_at", instant),
    Column("labels", ARRAY(Text)),
)

# Results of laboratories: of each one a row for every patient to whom it was ever posted.
observations = Table(
    "observations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("result_id", Uuid),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("number", Text),
    Column("code", Text),
    Column("code_system", Text),
    Column("sub_id", Text),
    Column("standing", JSONB),
    Column("content", JSONB),
    Column("is_elsewhere", Boolean),
    Column("labels", ARRAY(Text)),
    Column("label_version", Integer),
    Column("listed_at", instant),
)

reports = Table(
    "reports",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("feed_id", Text),
    Column("facility_id", Uuid),
    Column("trigger", Text),
    Column("content_hash", Text),
    Column("outcome", Text),
    Column("reason", Text),
    Column("patient_id", Uuid),
    Column("encounter_id", Uuid),
)

# One row: by which value sets rows are labeled since when, and whether none is left that others labeled.
labeling = Table(
    "labeling",
    metadata,
    Column("is_only", Boolean, primary_key=True),
    Column("version", Integer),
    Column("since", instant),
    Column("is_settled", Boolean),
)
