"""What has left the network."""

from alembic import op

from libs.chassis.schema import protect, service

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE disclosures (
            id uuid NOT NULL,
            patient_id uuid NOT NULL,
            recipient_id uuid NOT NULL,
            recipient_kind text NOT NULL CHECK (recipient_kind IN ('FACILITY', 'ORGANIZATION', 'PERSON')),
            purpose text NOT NULL,
            source_ids uuid[] NOT NULL CHECK (cardinality(source_ids) > 0),
            classes text[] NOT NULL CHECK (cardinality(classes) > 0),
            consent_ids uuid[] NOT NULL,
            is_accountable boolean NOT NULL,
            is_part2 boolean NOT NULL,
            service text NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (id, patient_id)
        );
        CREATE INDEX disclosures_of_patient ON disclosures (patient_id, at DESC, id DESC);
    """)
    # What one's facilities wrote. The service writes it for itself, and nobody changes it.
    theirs = "source_ids && ((SELECT caller_facilities())::uuid[])"
    protect("disclosures", using=theirs, check="false", people="SELECT")
    op.execute(f"REVOKE UPDATE, DELETE ON disclosures FROM {service()}_system")
