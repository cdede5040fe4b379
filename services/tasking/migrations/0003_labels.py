"""How sensitive a visit is, and what is done because of it; whom programs under 42 CFR Part 2 know, apart."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, protect, show

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    add_labels("encounters")
    for table in ("loops", "tasks"):
        add_labels(table)
        show(table, using=by_access("COORDINATION", labels="labels"))
    _programs()


def _programs() -> None:
    op.execute("""
        CREATE TABLE program_patients (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            name text NOT NULL,
            language text NOT NULL,
            is_deceased boolean NOT NULL,
            died_at timestamptz,
            labels text[] NOT NULL GENERATED ALWAYS AS ('{PART2}'::text[]) STORED
        );
        CREATE INDEX program_patients_by_patient ON program_patients (patient_id);
    """)
    protect("program_patients", check="false", people="SELECT")
    show("program_patients", using=by_access("DEMOGRAPHICS", labels="labels"), check="false")
