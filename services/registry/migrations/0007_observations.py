"""Results of laboratories."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, protect, show

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE observations (
            id uuid PRIMARY KEY,
            result_id uuid NOT NULL,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL REFERENCES patients,
            number text NOT NULL,
            code text NOT NULL,
            code_system text NOT NULL,
            sub_id text NOT NULL,
            standing jsonb NOT NULL,
            content jsonb NOT NULL,
            is_elsewhere boolean NOT NULL,
            label_version integer NOT NULL,
            listed_at timestamptz NOT NULL
        );
        CREATE INDEX observations_by_patient ON observations (patient_id, listed_at, id);
        CREATE INDEX observations_by_result ON observations (result_id);
    """)
    add_labels("observations")
    protect("observations", people="SELECT")
    show("observations", using=by_access("RESULTS", labels="labels"))
