"""Who may see what of whom: grants and denials as identity decided them, and how fresh they are.

The projection of grants that was here before is dropped: identity publishes every access again.
"""

from alembic import op

from libs.chassis.schema import open_to_service, protect

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _caller()
    # With the policies that asked it: each service's next migration states them anew, and until then nobody sees a row.
    op.execute("DROP TABLE grants CASCADE")
    op.execute("""
        CREATE TABLE access_versions (patient_id uuid PRIMARY KEY, version bigint NOT NULL);
        CREATE TABLE grants (
            patient_id uuid NOT NULL,
            number integer NOT NULL,
            grantee_id uuid NOT NULL,
            names uuid[] NOT NULL,
            sources uuid[],
            purposes text[] NOT NULL,
            classes text[] NOT NULL,
            labels text[] NOT NULL,
            expires_at timestamptz,
            standing smallint NOT NULL,
            reason text NOT NULL,
            basis_id uuid,
            consent_id uuid,
            PRIMARY KEY (patient_id, number)
        );
        CREATE TABLE denials (
            patient_id uuid NOT NULL,
            number integer NOT NULL,
            grantee_id uuid,
            sources uuid[],
            purposes text[] NOT NULL,
            classes text[] NOT NULL,
            labels text[] NOT NULL,
            expires_at timestamptz,
            weight smallint NOT NULL,
            PRIMARY KEY (patient_id, number)
        );
        CREATE INDEX denials_in_person ON denials (grantee_id) WHERE weight > 2;
        CREATE TABLE access_heartbeat (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            beat_at timestamptz NOT NULL
        );
        CREATE TABLE ended_bases (basis_id uuid PRIMARY KEY, ended_at timestamptz NOT NULL);
    """)
    theirs = "grantee_id = ANY ((SELECT caller_grantees())::uuid[])"
    protect("grants", using=theirs, check="false", people="SELECT")
    # All of them: a denial that its policy hid would not stop what it forbids.
    protect("denials", using="true", check="false", people="SELECT")
    for table in ("access_versions", "access_heartbeat", "ended_bases"):
        open_to_service(table, people="SELECT")


def _caller() -> None:
    """What the door says of a caller. As with their facilities, nothing said is an error and never nobody."""
    op.execute("""
        CREATE FUNCTION caller_setting(name text) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        DECLARE listed text := current_setting(name, true);
        BEGIN
            IF listed IS NULL OR listed = '' THEN
                RAISE EXCEPTION 'no caller' USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN listed;
        END $$;
        CREATE FUNCTION caller_grantees() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS
            $$ SELECT caller_setting('carehub.grantees')::uuid[] $$;
        CREATE FUNCTION caller_in_person() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS
            $$ SELECT caller_setting('carehub.in_person')::uuid[] $$;
        CREATE FUNCTION caller_purposes() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS
            $$ SELECT caller_setting('carehub.purposes')::text[] $$;
    """)
