"""Which value sets this database was labeled by last, so that nobody has to look through its rows to know."""

from alembic import op

from libs.chassis.schema import open_to_service

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE labeling (
            is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
            version integer NOT NULL,
            since timestamptz NOT NULL,
            is_settled boolean NOT NULL
        );
    """)
    open_to_service("labeling", people="SELECT")
