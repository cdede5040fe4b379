"""Where else a patient is known, whose facilities are, and the person who answers for a loop and for a task."""

from alembic import op

from libs.chassis.schema import open_to_service, protect

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # Of what was told before today it is not known, until it is told once more.
    op.execute("""
        ALTER TABLE loops ADD COLUMN accountable_id uuid;
        ALTER TABLE tasks ADD COLUMN accountable_id uuid;
        ALTER TABLE facilities ADD COLUMN organization_id uuid;
        ALTER TABLE owners ADD COLUMN facility_id uuid, ADD COLUMN role text NOT NULL DEFAULT '';
        CREATE INDEX owners_by_facility ON owners (facility_id) WHERE facility_id IS NOT NULL;
        CREATE TABLE organizations (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            is_community boolean NOT NULL
        );
        -- Visits, not stays: who saw a patient last. Nobody but the service itself reads it.
        CREATE TABLE seen (
            encounter_id uuid PRIMARY KEY,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            began_at timestamptz NOT NULL,
            counts boolean NOT NULL
        );
        CREATE INDEX seen_by_patient ON seen (patient_id);
    """)
    open_to_service("organizations", people="SELECT")
    protect("seen", using="false", check="false", people="")
