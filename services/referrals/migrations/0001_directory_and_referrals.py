"""The directory, referrals, the links and letters to partners; merges and facilities as neighbors tell of them."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, open_to_service, protect, service, show

revision = "0001"
down_revision = None


def upgrade() -> None:
    _neighbors()
    _directory()
    _referrals()
    _edges()
    _partners()
    _taken()


def _neighbors() -> None:
    op.execute("""
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            name text NOT NULL,
            time_zone text NOT NULL,
            holiday_calendar text NOT NULL,
            phone text NOT NULL
        );
        CREATE TABLE merges (
            retired_id uuid PRIMARY KEY,
            survivor_id uuid NOT NULL,
            version bigint NOT NULL
        );
    """)
    for table in ("facilities", "merges"):
        open_to_service(table, people="SELECT")


def _directory() -> None:
    op.execute("""
        CREATE TABLE organizations (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            name text NOT NULL,
            description text NOT NULL,
            body jsonb NOT NULL
        );
        CREATE INDEX organizations_by_name ON organizations (name, id);
        CREATE TABLE services (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            organization_id uuid NOT NULL REFERENCES organizations,
            name text NOT NULL,
            description text NOT NULL,
            status text NOT NULL,
            service_types text[] NOT NULL,
            needs text[] NOT NULL,
            postal_codes text[] NOT NULL,
            counties text[] NOT NULL,
            languages text[] NOT NULL,
            is_wheelchair_accessible boolean NOT NULL,
            eligibility text NOT NULL,
            minimum_age integer NOT NULL,
            maximum_age integer NOT NULL,
            hours jsonb NOT NULL,
            drivers integer NOT NULL,
            answer_hours integer NOT NULL,
            capacity_hours integer NOT NULL,
            phones text[] NOT NULL,
            email text NOT NULL,
            assured_on date,
            capacity text NOT NULL
                CHECK (capacity IN ('UNVERIFIED', 'YES', 'NO', 'WAITLIST', 'ASSESSMENT_REQUIRED')),
            capacity_at timestamptz,
            capacity_until timestamptz,
            wait text NOT NULL,
            body jsonb NOT NULL
        );
        CREATE INDEX services_by_need ON services USING gin (needs);
        CREATE INDEX services_by_organization ON services (organization_id);
        -- The drivers of a ride service, one row each: nobody is promised a driver whom there is not.
        CREATE TABLE seats (
            service_id uuid NOT NULL REFERENCES services,
            seat integer NOT NULL,
            PRIMARY KEY (service_id, seat)
        );
    """)
    open_to_service("organizations", people="SELECT, INSERT, UPDATE")
    open_to_service("services", people="SELECT, INSERT, UPDATE")
    # UPDATE is what locking a row takes.
    open_to_service("seats", people="SELECT, INSERT, UPDATE")


def _referrals() -> None:
    op.execute("""
        CREATE EXTENSION IF NOT EXISTS btree_gist;
        CREATE TABLE referrals (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            need text NOT NULL,
            service_id uuid NOT NULL REFERENCES services,
            service_name text NOT NULL,
            state text NOT NULL CHECK (state IN ('DRAFT', 'REQUESTED', 'ACCEPTED', 'REJECTED', 'IN_PROGRESS',
                'COMPLETED', 'FAILED', 'CANCELLED')),
            state_reason text NOT NULL,
            outcome text NOT NULL,
            priority text NOT NULL CHECK (priority IN ('ROUTINE', 'URGENT', 'EMERGENT')),
            is_auto_next boolean NOT NULL,
            appointment_id uuid,
            loop_id uuid,
            follows_id uuid REFERENCES referrals,
            details jsonb NOT NULL,
            consent jsonb,
            created_at timestamptz NOT NULL,
            created_by uuid NOT NULL,
            queued_at timestamptz,
            sent_at timestamptz,
            answer_due_at timestamptz,
            answer_due_explanation text NOT NULL,
            ended_at timestamptz,
            link_at timestamptz,
            seat integer,
            ride_from timestamptz,
            ride_until timestamptz,
            FOREIGN KEY (service_id, seat) REFERENCES seats,
            -- Nobody's name goes anywhere without their consent.
            CHECK (state IN ('DRAFT', 'CANCELLED') OR (consent IS NOT NULL AND sent_at IS NOT NULL)),
            -- Who waits, waits until a time.
            CHECK (state <> 'REQUESTED' OR answer_due_at IS NOT NULL),
            CHECK (state NOT IN ('REJECTED', 'FAILED', 'CANCELLED') OR state_reason <> ''),
            CHECK (state <> 'COMPLETED' OR outcome <> ''),
            CHECK ((ended_at IS NOT NULL) = (state IN ('COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED'))),
            CHECK ((seat IS NULL) = (ride_from IS NULL) AND (seat IS NULL) = (ride_until IS NULL)),
            CHECK (ride_from < ride_until),
            -- No driver is in two places at a time.
            CONSTRAINT no_driver_twice EXCLUDE USING gist (
                service_id WITH =, seat WITH =, tstzrange(ride_from, ride_until) WITH &&
            ) WHERE (seat IS NOT NULL AND state IN ('ACCEPTED', 'IN_PROGRESS', 'COMPLETED'))
        );
        CREATE INDEX referrals_by_patient ON referrals (patient_id, created_at DESC, id DESC);
        CREATE INDEX referrals_by_facility ON referrals (facility_id, created_at DESC, id DESC);
        CREATE INDEX referrals_by_follows ON referrals (follows_id) WHERE follows_id IS NOT NULL;
        CREATE INDEX referrals_queued ON referrals (queued_at) WHERE queued_at IS NOT NULL;
    """)
    protect("referrals", people="SELECT, INSERT, UPDATE")
    add_labels("referrals")
    show("referrals", using=by_access("REFERRALS", labels="labels"))


def _edges() -> None:
    """The same as EDGES in domain/referral.py, for whoever writes past it."""
    op.execute("""
        CREATE FUNCTION check_referral_edge() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN (
                'DRAFT>REQUESTED', 'DRAFT>CANCELLED',
                'REQUESTED>ACCEPTED', 'REQUESTED>REJECTED', 'REQUESTED>CANCELLED', 'REQUESTED>FAILED',
                'ACCEPTED>IN_PROGRESS', 'ACCEPTED>CANCELLED',
                'IN_PROGRESS>COMPLETED', 'IN_PROGRESS>FAILED', 'IN_PROGRESS>CANCELLED')
            THEN
                RAISE EXCEPTION 'a referral does not go from % to %', OLD.state, NEW.state
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER referral_edge BEFORE UPDATE ON referrals
            FOR EACH ROW EXECUTE FUNCTION check_referral_edge();
    """)


def _partners() -> None:
    op.execute("""
        CREATE TABLE links (
            token_hash bytea PRIMARY KEY,
            referral_id uuid NOT NULL REFERENCES referrals,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            revoked_at timestamptz
        );
        CREATE INDEX links_by_referral ON links (referral_id);
        CREATE TABLE letters (
            id uuid PRIMARY KEY,
            referral_id uuid NOT NULL REFERENCES referrals,
            created_at timestamptz NOT NULL,
            sent_at timestamptz,
            tries integer NOT NULL,
            next_try_at timestamptz
        );
        CREATE INDEX letters_to_send ON letters (next_try_at) WHERE next_try_at IS NOT NULL;
    """)
    # Only the hash of a token is here, and people never read it: they make links, and take them back.
    open_to_service("links", people="INSERT")
    op.execute(
        f"GRANT SELECT (referral_id, revoked_at), UPDATE (revoked_at) ON links TO {service()}"
    )
    open_to_service("letters", people="INSERT")


def _taken() -> None:
    """How many drivers are taken at a time, whoever took them: a number, and nobody's ride."""
    name = service()
    op.execute(f"CREATE POLICY counting ON referrals FOR SELECT TO {name}_owner USING (true)")
    op.execute("""
        CREATE FUNCTION drivers_taken(asked uuid[], since timestamptz, until timestamptz)
            RETURNS TABLE (service_id uuid, seat integer) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public AS $$
            SELECT DISTINCT r.service_id, r.seat FROM public.referrals r
                WHERE r.service_id = ANY (asked) AND r.seat IS NOT NULL
                AND r.state IN ('ACCEPTED', 'IN_PROGRESS', 'COMPLETED')
                AND tstzrange(r.ride_from, r.ride_until) && tstzrange(since, until)
        $$;
        REVOKE ALL ON FUNCTION drivers_taken FROM PUBLIC;
    """)
    op.execute(f"GRANT EXECUTE ON FUNCTION drivers_taken TO {name}, {name}_system")
