"""Definition 2026.2 leaves out hospice, births and stays for a mental illness: everybody is counted anew."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        INSERT INTO timers (kind, key, due_at) VALUES ('units-anew', '00000000-0000-0000-0000-000000000000', now())
            ON CONFLICT (kind, key) DO NOTHING
    """)
