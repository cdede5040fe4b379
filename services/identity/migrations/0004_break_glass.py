"""Emergency access and its review."""

from alembic import op

from libs.chassis.schema import protect, service

revision = "0004"
down_revision = "0002"

# One's own, and those that a privacy officer may look at: opened at their facility, or of a patient known there.
_OWN = "person_id = (SELECT caller_subject())"
_THEIRS = """facility_id = ANY ((SELECT caller_facilities())::uuid[])
    OR EXISTS (SELECT FROM patients_known_at(ARRAY[patient_id], (SELECT caller_facilities())::uuid[]))"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE break_glass (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            person_id uuid NOT NULL REFERENCES staff,
            facility_id uuid NOT NULL REFERENCES facilities,
            reason text NOT NULL,
            reason_text text NOT NULL CHECK (reason_text <> ''),
            is_part2_emergency boolean NOT NULL,
            is_medical boolean NOT NULL,
            reauthenticated_at timestamptz NOT NULL CHECK (reauthenticated_at <= opened_at),
            opened_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL CHECK (expires_at > opened_at),
            ended_at timestamptz,
            uses_in_30_days integer NOT NULL CHECK (uses_in_30_days > 0),
            finding text CHECK ((finding IS NULL) = (reviewed_by_id IS NULL)),
            finding_note text NOT NULL,
            reviewed_by_id uuid REFERENCES staff CHECK (reviewed_by_id <> person_id),
            reviewed_at timestamptz
        );
        CREATE INDEX break_glass_by_patient ON break_glass (patient_id, expires_at);
        CREATE INDEX break_glass_by_person ON break_glass (person_id, opened_at DESC);
        CREATE INDEX break_glass_newest ON break_glass (opened_at DESC, id DESC);
    """)
    # A method says further which of these it is about: whoever may break the glass does not read what others wrote.
    seen = f"{_OWN} OR {_THEIRS}"
    protect("break_glass", using=seen, check=seen, people="SELECT, INSERT, UPDATE")
    _exists()


def _exists() -> None:
    """Whether there is such a patient at all, for whoever knows their id and may not see them."""
    op.execute("""
        CREATE FUNCTION patient_is_there(id uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT EXISTS (SELECT FROM public.access_facts f
                WHERE f.kind = 'PATIENT' AND f.id = patient_is_there.id AND f.is_holding)
        $$;
        REVOKE ALL ON FUNCTION patient_is_there FROM PUBLIC;
    """)
    op.execute(f"GRANT EXECUTE ON FUNCTION patient_is_there TO {service()}")
