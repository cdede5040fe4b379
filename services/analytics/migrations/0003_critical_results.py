"""Critical results, as far as they are counted, and how long a unit took."""

from alembic import op

from libs.chassis.schema import protect

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE critical_results (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            result_id uuid NOT NULL,
            verified_at timestamptz NOT NULL,
            read_back_at timestamptz,
            read_back_evidence_id uuid,
            close_reason text NOT NULL,
            closed_at timestamptz,
            labels text[] NOT NULL
        );
        CREATE INDEX critical_results_by_patient ON critical_results (patient_id);
        CREATE INDEX critical_results_by_facility ON critical_results (facility_id);
        ALTER TABLE units ADD COLUMN took interval;
    """)
    protect("critical_results", using="false", check="false", people="")
