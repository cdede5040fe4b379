"""One appointment at most is booked in the place of another one.

Where there are two already, the later one stays as an appointment of its own: patients may have been told of it.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        -- The owner is under the policies too, and shown no appointment.
        ALTER TABLE appointments NO FORCE ROW LEVEL SECURITY;
        UPDATE appointments later SET rebooked_from_id = NULL
            WHERE EXISTS (SELECT FROM appointments first WHERE first.rebooked_from_id = later.rebooked_from_id
                AND (first.booked_at, first.id) < (later.booked_at, later.id));
        ALTER TABLE appointments FORCE ROW LEVEL SECURITY;
        CREATE UNIQUE INDEX appointments_booked_again ON appointments (rebooked_from_id)
            WHERE rebooked_from_id IS NOT NULL;
    """)
