"""Care plans, medicine lists, reconciliations, preferences, and what careplans keeps of its neighbors."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, open_to_service, protect, show

revision = "0001"
down_revision = None


def upgrade() -> None:
    _neighbors()
    _work()
    _plans()
    _medicines()
    _preferences()


def _neighbors() -> None:
    op.execute("""
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            time_zone text NOT NULL,
            duty_team_id uuid
        );
        CREATE TABLE owners (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            is_active boolean NOT NULL
        );
        CREATE TABLE feeds (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_ids uuid[] NOT NULL,
            is_program boolean NOT NULL
        );
        -- Ids alone: which record lives on in which.
        CREATE TABLE merges (
            retired_id uuid PRIMARY KEY,
            survivor_id uuid NOT NULL
        );
        CREATE INDEX merges_by_survivor ON merges (survivor_id);
    """)
    for table in ("facilities", "owners", "feeds", "merges"):
        open_to_service(table, people="SELECT")


def _work() -> None:
    """What tasking told. People read a loop to know of which visit it is; a task may come before its loop."""
    op.execute("""
        CREATE TABLE loops (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            encounter_id uuid,
            protocol text NOT NULL,
            state text NOT NULL CHECK (state IN ('OPEN', 'CLOSED', 'CANCELLED')),
            owner_id uuid NOT NULL,
            key_dates jsonb NOT NULL,
            opened_at timestamptz NOT NULL,
            closed_at timestamptz
        );
        CREATE INDEX loops_by_encounter ON loops (encounter_id);
        CREATE INDEX loops_by_patient ON loops (patient_id);
        CREATE TABLE tasks (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            loop_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            step text NOT NULL,
            title text NOT NULL,
            role text NOT NULL,
            state text NOT NULL CHECK (state IN ('OPEN', 'COMPLETED', 'CANCELLED')),
            owner_id uuid NOT NULL,
            due_at timestamptz NOT NULL,
            due_on date NOT NULL
        );
        CREATE INDEX tasks_by_loop ON tasks (loop_id);
    """)
    _hold("loops", "COORDINATION", people="SELECT", check="false")
    protect("tasks", using="false", check="false", people="")


def _plans() -> None:
    op.execute("""
        CREATE TABLE care_plans (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            template text NOT NULL,
            template_version integer NOT NULL,
            title text NOT NULL,
            state text NOT NULL CHECK (state IN ('ACTIVE', 'COMPLETED', 'REVOKED')),
            loop_id uuid UNIQUE,
            coordinator_id uuid NOT NULL,
            is_coordinator_named boolean NOT NULL,
            goals jsonb NOT NULL,
            activities jsonb NOT NULL,
            started_at timestamptz NOT NULL,
            ended_at timestamptz,
            owner_ids uuid[] NOT NULL,
            CHECK ((state = 'ACTIVE') = (ended_at IS NULL)),
            -- A goal has its measure, its day and its owner, or it is none.
            CHECK (NOT jsonb_path_exists(goals, '$[*] ? (@.measure == "" || @.due_on == null || @.owner_id == null)'))
        );
        CREATE INDEX care_plans_by_patient ON care_plans (patient_id, started_at, id);
        CREATE INDEX care_plans_by_owner ON care_plans USING gin (owner_ids) WHERE state = 'ACTIVE';
    """)
    _hold("care_plans", "COORDINATION")


def _medicines() -> None:
    op.execute("""
        CREATE TABLE medicine_lists (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            encounter_id uuid NOT NULL,
            encounter_version bigint NOT NULL,
            side text NOT NULL CHECK (side IN ('BEFORE', 'AFTER')),
            source text NOT NULL,
            medicines jsonb NOT NULL,
            entered_by_id uuid NOT NULL,
            entered_at timestamptz NOT NULL,
            UNIQUE (encounter_id, facility_id, side)
        );
        CREATE INDEX medicine_lists_by_patient ON medicine_lists (patient_id);
        CREATE TABLE reconciliations (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            encounter_id uuid NOT NULL,
            encounter_version bigint NOT NULL,
            state text NOT NULL CHECK (state IN ('OPEN', 'SIGNED', 'CANCELLED')),
            lines jsonb NOT NULL,
            signed_by_id uuid,
            signed_at timestamptz,
            opened_at timestamptz NOT NULL,
            UNIQUE (encounter_id, facility_id),
            -- What is signed is decided, line by line, and somebody signed it.
            CHECK ((state = 'SIGNED') = (signed_at IS NOT NULL AND signed_by_id IS NOT NULL)),
            CHECK (state <> 'SIGNED' OR NOT jsonb_path_exists(lines, '$[*] ? (@.decision == null)'))
        );
        CREATE INDEX reconciliations_by_patient ON reconciliations (patient_id, opened_at, id);
    """)
    for table in ("medicine_lists", "reconciliations"):
        _hold(table, "CLINICAL")


def _preferences() -> None:
    op.execute("""
        CREATE TABLE preferences (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            language text NOT NULL,
            needs_interpreter boolean NOT NULL,
            telephone text NOT NULL CHECK (telephone IN ('UNSPECIFIED', 'CALLS_AND_TEXTS', 'CALLS_ONLY', 'NONE')),
            best_from text NOT NULL,
            best_until text NOT NULL,
            works_nights boolean NOT NULL,
            sleeps_from text NOT NULL,
            sleeps_until text NOT NULL,
            food text NOT NULL,
            faith text NOT NULL,
            reading text NOT NULL CHECK (reading IN ('UNSPECIFIED', 'FLUENT', 'SIMPLE', 'NONE')),
            updated_at timestamptz NOT NULL,
            UNIQUE (patient_id, facility_id)
        );
    """)
    _hold("preferences", "COORDINATION")


def _hold(
    table: str, data_class: str, people: str = "SELECT, INSERT, UPDATE", check: str = ""
) -> None:
    """Labels, and who sees and writes the rows: their facility; and by a grant whom identity lets."""
    add_labels(table)
    own = {"check": check} if check else {}
    protect(table, people=people, **own)
    show(table, using=by_access(data_class, labels="labels"), **own)
