"""Loops, tasks, protocols, notifications, and what tasking keeps of the record and of identity."""

from alembic import op

from libs.chassis.schema import BY_FACILITY, open_to_service, protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    _directory()
    _record()
    _protocols()
    _loops()
    _tasks()
    _notifications()


def _directory() -> None:
    op.execute("""
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            name text NOT NULL,
            time_zone text NOT NULL,
            holiday_calendar text NOT NULL,
            duty_team_id uuid
        );
        CREATE TABLE staff (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            display_name text NOT NULL,
            email text NOT NULL,
            is_active boolean NOT NULL,
            roles jsonb NOT NULL,
            facility_ids uuid[] NOT NULL,
            is_network_wide boolean NOT NULL
        );
        CREATE INDEX staff_by_facility ON staff USING gin (facility_ids);
        CREATE INDEX staff_network_wide ON staff (id) WHERE is_network_wide;
        CREATE TABLE teams (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            name text NOT NULL,
            role text NOT NULL,
            lead_id uuid NOT NULL,
            member_ids uuid[] NOT NULL
        );
        CREATE INDEX teams_by_facility ON teams (facility_id);
        CREATE INDEX teams_by_member ON teams USING gin (member_ids);
    """)
    for table in ("facilities", "staff", "teams"):
        open_to_service(table, people="SELECT")


def _record() -> None:
    op.execute("""
        CREATE TABLE patients (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            name text NOT NULL,
            language text NOT NULL,
            is_deceased boolean NOT NULL,
            died_at timestamptz,
            merged_into_id uuid,
            facility_ids uuid[] NOT NULL
        );
        CREATE INDEX patients_merged ON patients (merged_into_id) WHERE merged_into_id IS NOT NULL;
        CREATE TABLE encounters (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            visit_class text NOT NULL,
            state text NOT NULL,
            admitted_at timestamptz,
            discharged_at timestamptz,
            disposition text NOT NULL,
            diagnoses text[] NOT NULL,
            admission_type text NOT NULL,
            waits_for text NOT NULL CHECK (waits_for IN ('', 'planning', 'protocol', 'facility', 'owner'))
        );
        CREATE INDEX encounters_by_patient ON encounters (patient_id);
        CREATE INDEX encounters_waiting ON encounters (facility_id) WHERE waits_for <> '';
    """)
    # A patient is visible where they are registered or treated; people only read it.
    protect(
        "patients",
        using="facility_ids && (SELECT caller_facilities())::uuid[]",
        check="false",
        people="SELECT",
    )
    protect("encounters", using="false", check="false", people="")


def _protocols() -> None:
    op.execute("""
        CREATE TABLE protocols (
            key text NOT NULL,
            version integer NOT NULL,
            title text NOT NULL,
            text text NOT NULL,
            effective_from date NOT NULL,
            sources text[] NOT NULL,
            is_shipped boolean NOT NULL,
            published_at timestamptz NOT NULL,
            published_by_id uuid,
            PRIMARY KEY (key, version)
        );
    """)
    open_to_service("protocols", people="SELECT, INSERT")


def _loops() -> None:
    op.execute("""
        CREATE TABLE loops (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            protocol text NOT NULL,
            protocol_version integer NOT NULL,
            title text NOT NULL,
            encounter_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('OPEN', 'CLOSED', 'CANCELLED')),
            team_id uuid,
            staff_id uuid,
            accountable_id uuid NOT NULL,
            clock_at timestamptz,
            why text NOT NULL,
            closes_when text[] NOT NULL,
            key_dates jsonb NOT NULL,
            evidence jsonb NOT NULL,
            close_reason text NOT NULL,
            opened_at timestamptz NOT NULL,
            closed_at timestamptz,
            anchor_at timestamptz,
            escalation_level integer NOT NULL,
            -- The product, as a constraint: an open loop has a clock, a closed one has evidence.
            CHECK (state <> 'OPEN' OR clock_at IS NOT NULL),
            CHECK (state <> 'CLOSED' OR (jsonb_array_length(evidence) > 0 AND close_reason <> '')),
            UNIQUE (protocol, encounter_id)
        );
        CREATE INDEX loops_by_facility ON loops (facility_id, state, coalesce(clock_at, opened_at), id);
        CREATE INDEX loops_by_patient ON loops (patient_id);
        CREATE INDEX loops_accountable ON loops (accountable_id) WHERE state = 'OPEN';
        CREATE INDEX loops_by_encounter ON loops (encounter_id);
    """)
    protect("loops", using=BY_FACILITY, people="SELECT, UPDATE, INSERT")


def _tasks() -> None:
    op.execute("""
        CREATE TABLE tasks (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            loop_id uuid NOT NULL REFERENCES loops DEFERRABLE INITIALLY DEFERRED,
            step text NOT NULL,
            title text NOT NULL,
            description text NOT NULL,
            role text NOT NULL,
            state text NOT NULL CHECK (state IN ('OPEN', 'COMPLETED', 'CANCELLED')),
            team_id uuid,
            staff_id uuid,
            accountable_id uuid NOT NULL,
            is_chosen boolean NOT NULL,
            start_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            due_on date NOT NULL,
            due_explanation text NOT NULL,
            why text NOT NULL,
            done_when text[] NOT NULL,
            outcomes jsonb NOT NULL,
            rungs jsonb NOT NULL,
            escalation_level integer NOT NULL,
            next_escalation_at timestamptz,
            is_contact boolean NOT NULL,
            attempts_needed integer NOT NULL,
            attempts_hours_apart double precision NOT NULL,
            is_required boolean NOT NULL,
            attempts jsonb NOT NULL,
            comments jsonb NOT NULL,
            shown_by jsonb,
            outcome text NOT NULL,
            close_reason text NOT NULL,
            closed_at timestamptz,
            completed_by_id uuid,
            decline_reason text NOT NULL,
            CHECK (state = 'OPEN' OR closed_at IS NOT NULL),
            UNIQUE (loop_id, step)
        );
        CREATE INDEX tasks_by_facility ON tasks (facility_id, state, due_at, id);
        CREATE INDEX tasks_by_team ON tasks (team_id, state, due_at, id);
        CREATE INDEX tasks_unclaimed ON tasks (team_id, state, due_at, id) WHERE staff_id IS NULL;
        CREATE INDEX tasks_by_staff ON tasks (staff_id, state, due_at, id);
        CREATE INDEX tasks_by_patient ON tasks (patient_id, due_at, id);
        CREATE INDEX tasks_accountable ON tasks (accountable_id) WHERE state = 'OPEN';
        CREATE INDEX tasks_claimed ON tasks (staff_id) WHERE state = 'OPEN';
    """)
    protect("tasks", using=BY_FACILITY, people="SELECT, UPDATE, INSERT")


def _notifications() -> None:
    op.execute("""
        CREATE TABLE notifications (
            id uuid PRIMARY KEY,
            facility_id uuid NOT NULL,
            loop_id uuid NOT NULL,
            task_id uuid,
            level integer NOT NULL,
            level_at timestamptz NOT NULL,
            staff_id uuid NOT NULL,
            is_email boolean NOT NULL,
            created_at timestamptz NOT NULL,
            sent_at timestamptz,
            tries integer NOT NULL,
            next_try_at timestamptz
        );
        CREATE UNIQUE INDEX notifications_once
            ON notifications (coalesce(task_id, loop_id), level, level_at, staff_id);
        CREATE INDEX notifications_to_send ON notifications (next_try_at) WHERE next_try_at IS NOT NULL;
    """)
    open_to_service("notifications", people="SELECT")
