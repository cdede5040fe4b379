"""Which facilities are programs under 42 CFR Part 2, as interop tells of its feeds."""

from alembic import op

from libs.chassis.schema import open_to_service

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE feeds (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_ids uuid[] NOT NULL,
            is_program boolean NOT NULL
        );
    """)
    open_to_service("feeds", people="SELECT")
