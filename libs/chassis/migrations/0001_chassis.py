"""The outbox, the inbox, timers, idempotency records, the audit ledger and the projection of grants."""

from alembic import op

from libs.chassis.schema import open_to_service, protect, service

revision = "0001"
down_revision = None


def upgrade() -> None:
    _caller()
    _conveyor()
    _requests()
    op.execute("""
        CREATE TABLE grants (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            reason text NOT NULL,
            expires_at timestamptz,
            is_active boolean NOT NULL
        );
        CREATE INDEX grants_by_patient ON grants (patient_id, facility_id) WHERE is_active;
    """)
    protect("grants", people="SELECT")


def _caller() -> None:
    # No caller is an error, never an empty list: an empty allergy list is a clinical hazard.
    op.execute("""
        CREATE FUNCTION caller_facilities() RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        DECLARE listed text := current_setting('carehub.facilities', true);
        BEGIN
            IF listed IS NULL OR listed = '' THEN
                RAISE EXCEPTION 'no caller' USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN listed::uuid[];
        END $$;
        CREATE FUNCTION caller_subject() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
            $$ SELECT nullif(current_setting('carehub.subject', true), '')::uuid $$;
    """)


def _conveyor() -> None:
    op.execute("""
        CREATE TABLE outbox (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id uuid NOT NULL UNIQUE,
            subject text NOT NULL,
            key text NOT NULL,
            version bigint NOT NULL,
            facility_id uuid,
            payload bytea NOT NULL,
            headers jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now(),
            published_at timestamptz,
            incarnation text,
            sequence bigint
        );
        CREATE INDEX outbox_waiting ON outbox (position) WHERE published_at IS NULL;
        CREATE INDEX outbox_published ON outbox (sequence) WHERE published_at IS NOT NULL;
        CREATE INDEX outbox_age ON outbox (published_at) WHERE published_at IS NOT NULL;
        CREATE TABLE stream_marks (stream text PRIMARY KEY, incarnation text NOT NULL, sequence bigint NOT NULL);
        CREATE TABLE inbox (
            consumer text NOT NULL,
            message_id uuid NOT NULL,
            handled_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (consumer, message_id)
        );
        CREATE INDEX inbox_age ON inbox (handled_at);
        CREATE TABLE parked (
            id uuid PRIMARY KEY,
            consumer text NOT NULL,
            message_id uuid NOT NULL,
            subject text NOT NULL,
            key text NOT NULL,
            version bigint NOT NULL,
            facility_id uuid,
            payload bytea NOT NULL,
            headers jsonb NOT NULL DEFAULT '{}',
            reason text NOT NULL,
            message text NOT NULL,
            attempts integer NOT NULL,
            parked_at timestamptz NOT NULL,
            state text NOT NULL CHECK (state IN ('PARKED', 'REPLAYED', 'DISCARDED')),
            settled_at timestamptz,
            settled_reason text,
            UNIQUE (consumer, message_id)
        );
        CREATE TABLE timers (
            kind text NOT NULL,
            key text NOT NULL,
            due_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            PRIMARY KEY (kind, key)
        );
        CREATE INDEX timers_due ON timers (due_at);
    """)
    # Payloads hold patient data: people's requests may add an event, never read one.
    protect("outbox", using="false", check="true", people="INSERT")
    protect("parked", using="false", check="false", people="")
    open_to_service("stream_marks", people="SELECT")
    open_to_service("inbox", people="SELECT")
    open_to_service("timers")


def _requests() -> None:
    op.execute("""
        CREATE TABLE idempotency (
            subject uuid NOT NULL,
            method text NOT NULL,
            key text NOT NULL,
            request_hash bytea NOT NULL,
            response bytea,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (subject, method, key)
        );
        CREATE INDEX idempotency_age ON idempotency (created_at);
        CREATE TABLE audit (
            id uuid PRIMARY KEY,
            at timestamptz NOT NULL,
            subject uuid,
            method text NOT NULL,
            resource text NOT NULL,
            patients uuid[] NOT NULL,
            outcome text NOT NULL,
            reason text NOT NULL,
            purpose text NOT NULL,
            facilities uuid[] NOT NULL,
            request_id text NOT NULL
        );
        CREATE INDEX audit_by_time ON audit (at);
        CREATE INDEX audit_by_patient ON audit USING gin (patients);
    """)
    own = "subject = (SELECT caller_subject())"
    protect("idempotency", using=own, check=own, people="SELECT, INSERT, UPDATE")
    # The ledger is written by every request and changed by none, the system included.
    protect("audit", using="false", check="true", people="INSERT")
    op.execute(f"REVOKE UPDATE, DELETE ON audit FROM {service()}_system")
