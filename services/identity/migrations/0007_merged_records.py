"""Whom the patient refuses in person is refused what still bears the id of a merged record: everybody is decided anew."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # One timer for all: it takes up the next thousand until there are no more.
    op.execute("""
        INSERT INTO timers (kind, key, due_at) VALUES ('access-anew', '00000000-0000-0000-0000-000000000000', now())
            ON CONFLICT (kind, key) DO NOTHING
    """)
