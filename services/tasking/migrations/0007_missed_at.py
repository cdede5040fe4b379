"""That a visit was missed stays known when its clinic cancels or moves it afterwards."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE appointments ADD COLUMN was_missed_at timestamptz")
