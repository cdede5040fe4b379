"""How far the projection of access has come, and who was deactivated a moment ago."""

from alembic import op

from libs.chassis.schema import open_to_service

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE access_heartbeat ADD COLUMN position bigint NOT NULL DEFAULT 0;
        CREATE TABLE deactivated (person_id uuid PRIMARY KEY, deactivated_at timestamptz NOT NULL);
    """)
    open_to_service("deactivated", people="SELECT")
