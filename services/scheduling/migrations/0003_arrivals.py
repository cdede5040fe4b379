"""An arrival is one for the beginning that the appointment had then.

Of those from before nobody knows which that was: the one of now, unless it lies more than a day after the arrival.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE appointments ADD COLUMN arrived_start_at timestamptz;
        -- The owner is under the policies too, and shown no appointment.
        ALTER TABLE appointments NO FORCE ROW LEVEL SECURITY;
        UPDATE appointments SET arrived_start_at = start_at WHERE arrived_at >= start_at - interval '1 day';
        ALTER TABLE appointments FORCE ROW LEVEL SECURITY;
    """)
