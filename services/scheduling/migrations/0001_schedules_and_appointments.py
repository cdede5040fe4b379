"""Schedules, appointments and the times that they take, and what scheduling keeps of its neighbors."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, open_to_service, protect, show

revision = "0001"
down_revision = None


def upgrade() -> None:
    _schedules()
    _appointments()
    _neighbors()


def _schedules() -> None:
    op.execute("""
        CREATE TABLE schedules (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            practitioner text NOT NULL,
            hours jsonb NOT NULL,
            slot_minutes integer NOT NULL,
            start_on date NOT NULL,
            end_on date,
            purposes text[] NOT NULL,
            closed_on date[] NOT NULL
        );
        CREATE INDEX schedules_by_name ON schedules (practitioner, id);
        CREATE INDEX schedules_by_facility ON schedules (facility_id, practitioner, id);
    """)
    open_to_service("schedules", people="SELECT, INSERT, UPDATE")


def _appointments() -> None:
    op.execute("""
        CREATE TABLE appointments (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            schedule_id uuid,
            state text NOT NULL CHECK (state IN ('BOOKED', 'ARRIVED', 'FULFILLED', 'NO_SHOW', 'CANCELLED')),
            purpose text NOT NULL,
            start_at timestamptz NOT NULL,
            end_at timestamptz,
            practitioner text NOT NULL,
            external_number text NOT NULL,
            booked_by_id uuid,
            booked_at timestamptz,
            rebooked_from_id uuid,
            told_state text,
            told_version bigint NOT NULL,
            done text,
            done_at timestamptz,
            done_start_at timestamptz,
            done_reason text NOT NULL,
            arrived_at timestamptz,
            encounter_id uuid,
            visit_labels text[] NOT NULL,
            death_id uuid,
            own_labels text[] NOT NULL
        );
        CREATE INDEX appointments_by_patient ON appointments (patient_id, start_at, id);
        CREATE INDEX appointments_by_day ON appointments (facility_id, start_at, id);
        CREATE INDEX appointments_by_encounter ON appointments (encounter_id) WHERE encounter_id IS NOT NULL;
        CREATE INDEX appointments_by_death ON appointments (death_id) WHERE death_id IS NOT NULL;
        -- The times that nobody else can have, of whatever patient: what is free is read from here.
        CREATE EXTENSION IF NOT EXISTS btree_gist;
        CREATE TABLE taken (
            appointment_id uuid PRIMARY KEY,
            facility_id uuid NOT NULL,
            schedule_id uuid NOT NULL,
            start_at timestamptz NOT NULL,
            end_at timestamptz NOT NULL,
            during tstzrange NOT NULL GENERATED ALWAYS AS (tstzrange(start_at, end_at)) STORED,
            CHECK (start_at < end_at),
            CONSTRAINT taken_once EXCLUDE USING gist (schedule_id WITH =, during WITH &&)
        );
        CREATE INDEX taken_by_start ON taken (schedule_id, start_at);
    """)
    protect("appointments", people="SELECT, INSERT, UPDATE")
    add_labels("appointments")
    show("appointments", using=by_access("VISITS", labels="labels"))
    protect("taken")


def _neighbors() -> None:
    op.execute("""
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            time_zone text NOT NULL
        );
        CREATE TABLE feeds (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_ids uuid[] NOT NULL,
            is_program boolean NOT NULL
        );
        -- Every encounter has its newest version here, so that an older one that comes late is known for one.
        CREATE TABLE visits (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            began_at timestamptz,
            died_at timestamptz,
            labels text[] NOT NULL
        );
        CREATE INDEX visits_of_use ON visits (patient_id) WHERE began_at IS NOT NULL OR died_at IS NOT NULL;
        CREATE TABLE merges (
            retired_id uuid PRIMARY KEY,
            survivor_id uuid NOT NULL
        );
    """)
    open_to_service("facilities", people="SELECT")
    open_to_service("feeds", people="SELECT")
    protect("visits", using="false", check="false", people="")
    open_to_service("merges", people="SELECT")
