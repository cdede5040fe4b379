"""How patients want to be reached, as careplans tells it."""

from alembic import op

from libs.chassis.schema import by_access, protect, show

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # What is not kept any more is a row of no patient and no facility: both are 0 then.
    op.execute("""
        CREATE TABLE wishes (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            language text NOT NULL,
            telephone text NOT NULL,
            best_from text NOT NULL,
            best_until text NOT NULL,
            sleeps_from text NOT NULL,
            sleeps_until text NOT NULL,
            updated_at timestamptz NOT NULL
        );
        CREATE INDEX wishes_by_patient ON wishes (patient_id, updated_at, id);
    """)
    # As careplans shows them; nobody writes them here.
    protect("wishes", check="false", people="SELECT")
    show("wishes", using=by_access("COORDINATION"), check="false")
