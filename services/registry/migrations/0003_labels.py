"""How sensitive a visit is, and the messages that say so; what programs under 42 CFR Part 2 told, apart."""

from alembic import op

from libs.chassis.schema import (
    BY_FACILITY,
    add_labels,
    by_access,
    open_to_service,
    protect,
    show,
)

revision = "0003"
down_revision = "0002"

HERE = "{table}.facility_ids && (SELECT caller_facilities())::uuid[]"
KNOWN_TO_A_PROGRAM = "EXISTS (SELECT 1 FROM program_patients m WHERE m.patient_id = {table}.id)"
MINE = """EXISTS (SELECT 1 FROM program_patients m WHERE m.patient_id = {table}.id
    AND m.facility_id = ANY ((SELECT caller_facilities())::uuid[]))"""


def upgrade() -> None:
    op.execute("""
        ALTER TABLE visit_messages
            ADD COLUMN provenance jsonb NOT NULL DEFAULT '{"is_part2_program": false, "sends_labels": false}',
            ADD COLUMN sent text[] NOT NULL DEFAULT '{}';
        -- Version 0 is older than any: what is here, and what the version before writes meanwhile, is labeled anew soon.
        ALTER TABLE encounters ADD COLUMN label_version integer NOT NULL DEFAULT 0;
    """)
    add_labels("encounters")
    show("encounters", using=by_access("VISITS", labels="labels"))
    _programs()


def _programs() -> None:
    """Nobody but the program learns from these rows that it knows somebody, unless the patient has signed."""
    op.execute("""
        CREATE TABLE program_patients (
            patient_id uuid NOT NULL REFERENCES patients DEFERRABLE INITIALLY DEFERRED,
            facility_id uuid NOT NULL,
            facts jsonb NOT NULL,
            version bigint NOT NULL,
            vector tsvector NOT NULL,
            labels text[] NOT NULL GENERATED ALWAYS AS ('{PART2}'::text[]) STORED,
            PRIMARY KEY (patient_id, facility_id)
        );
        CREATE INDEX program_patients_by_facility ON program_patients (facility_id);
        CREATE INDEX program_patients_vector ON program_patients USING gin (vector)
            WITH (gin_pending_list_limit = 256);
        -- What interop told of its feeds: what people type in at a program is the program's alone, too.
        CREATE TABLE feeds (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_ids uuid[] NOT NULL,
            is_program boolean NOT NULL
        );
        -- Of whom programs alone know, the record itself says nothing, not even where.
        ALTER TABLE patients DROP CONSTRAINT patients_facility_ids_check;
    """)
    open_to_service("feeds", people="SELECT")
    protect("program_patients", people="SELECT, INSERT, UPDATE")
    show("program_patients", using=by_access("DEMOGRAPHICS", labels="labels"), check=BY_FACILITY)
    shared = by_access("DEMOGRAPHICS", source="facility_ids", patient="id", is_shared=True)
    show("patients", using=f"{shared} OR {KNOWN_TO_A_PROGRAM}", check=f"{HERE} OR {MINE}")
