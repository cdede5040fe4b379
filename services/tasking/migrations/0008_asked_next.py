"""Why a referral was taken back: one that gave way to the next service leaves somebody to be asked."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE referrals ADD COLUMN state_reason text NOT NULL DEFAULT ''")
