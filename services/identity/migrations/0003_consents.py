"""What people record about who may see a patient: consents, in every version."""

from alembic import op

from libs.chassis.schema import BY_FACILITY, protect

revision = "0003"
down_revision = "0002"

# Where it was recorded, unless the patient refuses that very person, who would else find out, and take it back.
OF_FACILITY = f"""{BY_FACILITY} AND NOT EXISTS (
    SELECT 1 FROM denials d WHERE d.patient_id = {{table}}.patient_id AND d.weight = 3
    AND d.grantee_id = ANY ((SELECT caller_in_person())::uuid[]) AND (d.expires_at IS NULL OR d.expires_at > now()))"""  # noqa: S608 a policy


def upgrade() -> None:
    op.execute("""
        CREATE TABLE consents (
            id uuid NOT NULL,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            decision text NOT NULL CHECK (decision IN ('PERMIT', 'DENY')),
            recipients uuid[] NOT NULL,
            sources uuid[] NOT NULL,
            purposes text[] NOT NULL,
            labels text[] NOT NULL,
            classes text[] NOT NULL,
            given_at timestamptz NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz,
            withdrawn_at timestamptz,
            form text NOT NULL CHECK (form IN ('ELECTRONIC', 'VERBAL', 'PAPER')),
            evidence_id uuid,
            evidence_note text NOT NULL,
            given_by uuid,
            recorded_at timestamptz NOT NULL,
            recorded_by uuid NOT NULL,
            PRIMARY KEY (id, version)
        );
        CREATE INDEX consents_by_patient ON consents (patient_id, id, version);
    """)
    # A version is never changed: what was allowed on a day can be told years later.
    protect("consents", using=OF_FACILITY, people="SELECT, INSERT")
