"""What facilities tell of appointments."""

from alembic import op

from libs.chassis.schema import add_labels, protect

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE appointments (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            number text NOT NULL,
            facts jsonb NOT NULL,
            event_at timestamptz NOT NULL
        );
    """)
    protect("appointments", using="false", check="false", people="")
    add_labels("appointments")
