"""What critical results were known to be, one version after the other: who read one back knows what it was then."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER TABLE results ADD COLUMN heard jsonb NOT NULL DEFAULT '[]'")
