"""Feeds, their messages and refusals, and the accounts, which the database keeps itself."""

from alembic import op

from libs.chassis.schema import BY_FACILITY, open_to_service, protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    _feeds()
    _messages()
    _refusals()
    _accounts()


def _feeds() -> None:
    op.execute("""
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            time_zone text NOT NULL,
            version bigint NOT NULL
        );
        CREATE TABLE feeds (
            id uuid PRIMARY KEY,
            facility_id uuid NOT NULL,
            name text NOT NULL,
            sending_facility text NOT NULL UNIQUE,
            sending_application text NOT NULL,
            state text NOT NULL CHECK (state IN ('ACTIVE', 'PAUSED')),
            quirks jsonb NOT NULL,
            silence_after interval NOT NULL,
            created_at timestamptz NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX feeds_by_name ON feeds (name, id);
        -- Who holds which MSH-4: unique in the network, also beyond what a caller may see.
        CREATE TABLE senders (
            sending_facility text PRIMARY KEY,
            feed_id uuid NOT NULL
        );
        -- Silences that were told of; one row from the alarm to the next message.
        CREATE TABLE silences (
            feed_id uuid PRIMARY KEY,
            began_at timestamptz NOT NULL
        );
    """)
    open_to_service("facilities")
    protect("feeds")
    open_to_service("senders")
    open_to_service("silences")


def _messages() -> None:
    op.execute("""
        CREATE TABLE messages (
            id uuid PRIMARY KEY,
            feed_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            sending_application text NOT NULL,
            control_id text NOT NULL,
            content_hash bytea NOT NULL,
            event_type text NOT NULL,
            received_at timestamptz NOT NULL,
            message_at timestamptz,
            state text NOT NULL CHECK (state IN
                ('PENDING', 'APPLIED', 'NO_OP', 'QUARANTINED', 'IGNORED', 'PARKED')),
            reason text NOT NULL,
            explanation text NOT NULL,
            is_control_id_reused boolean NOT NULL,
            patient_id uuid,
            encounter_id uuid,
            replay integer NOT NULL,
            outcome_version bigint NOT NULL,
            raw bytea NOT NULL,
            UNIQUE (feed_id, sending_application, control_id, content_hash)
        );
        -- Ids are UUIDv7: their order is that of arrival.
        CREATE INDEX messages_by_feed ON messages (feed_id, id);
        CREATE INDEX messages_by_facility ON messages (facility_id, id);
        CREATE INDEX messages_to_look_at ON messages (facility_id, state, id)
            WHERE state IN ('PENDING', 'QUARANTINED', 'PARKED');
    """)
    protect("messages")


def _refusals() -> None:
    op.execute("""
        CREATE TABLE refusals (
            id uuid PRIMARY KEY,
            feed_id uuid NOT NULL,
            facility_id uuid,
            refused_at timestamptz NOT NULL,
            code text NOT NULL,
            error_code integer NOT NULL,
            reason text NOT NULL,
            explanation text NOT NULL,
            peer text NOT NULL,
            size_bytes bigint NOT NULL
        );
        CREATE INDEX refusals_by_feed ON refusals (feed_id, id);
    """)
    # Those of senders that no feed knows belong to no facility; the service shows them to callers
    # who look after the whole network.
    whose = f"facility_id IS NULL OR {BY_FACILITY}"
    protect("refusals", using=whose, check=whose)


def _accounts() -> None:
    """Counts by feed and state, kept by triggers: there is no way to change a state past them.

    Each statement adds rows of differences, which nobody waits for; a job folds them into the
    totals. Totals and differences are always read together, in one statement.
    """
    op.execute("""
        CREATE TABLE accounts (
            feed_id uuid NOT NULL,
            what text NOT NULL,
            count bigint NOT NULL,
            PRIMARY KEY (feed_id, what)
        );
        CREATE TABLE account_changes (
            feed_id uuid NOT NULL,
            what text NOT NULL,
            count bigint NOT NULL
        );
        CREATE INDEX account_changes_by_feed ON account_changes (feed_id);
        CREATE TABLE arrivals (
            feed_id uuid NOT NULL,
            at timestamptz NOT NULL,
            count bigint NOT NULL
        );
        CREATE INDEX arrivals_by_feed ON arrivals (feed_id, at) INCLUDE (count);
    """)
    for table in ("accounts", "account_changes", "arrivals"):
        open_to_service(table)
    op.execute("""
        CREATE FUNCTION account_for_new_messages() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO account_changes (feed_id, what, count)
                SELECT feed_id, state, count(*) FROM added GROUP BY feed_id, state;
            INSERT INTO arrivals (feed_id, at, count)
                SELECT feed_id, max(received_at), count(*) FROM added GROUP BY feed_id;
            RETURN NULL;
        END $$;
        CREATE FUNCTION account_for_changed_messages() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO account_changes (feed_id, what, count)
                SELECT feed_id, state, sum(n) FROM (
                    SELECT feed_id, state, -1 AS n FROM before
                    UNION ALL SELECT feed_id, state, 1 FROM after
                ) AS moved GROUP BY feed_id, state HAVING sum(n) <> 0;
            RETURN NULL;
        END $$;
        CREATE FUNCTION account_for_new_refusals() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO account_changes (feed_id, what, count)
                SELECT feed_id, 'REFUSED', count(*) FROM added
                WHERE facility_id IS NOT NULL GROUP BY feed_id;
            RETURN NULL;
        END $$;
        CREATE TRIGGER account_for_new AFTER INSERT ON messages REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION account_for_new_messages();
        CREATE TRIGGER account_for_changed AFTER UPDATE ON messages
            REFERENCING OLD TABLE AS before NEW TABLE AS after
            FOR EACH STATEMENT EXECUTE FUNCTION account_for_changed_messages();
        CREATE TRIGGER account_for_new AFTER INSERT ON refusals REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION account_for_new_refusals();
    """)
