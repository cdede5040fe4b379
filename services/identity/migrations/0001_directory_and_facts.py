"""Organizations, facilities, staff, teams, and the facts that grants are decided from."""

from alembic import op

from libs.chassis.schema import open_to_service, protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    _directory()
    _facts()


def _directory() -> None:
    # Row by row the domain checks; across rows one lock does (store/schema.py). These are the net.
    op.execute("""
        CREATE TABLE organizations (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('PROVIDER', 'COMMUNITY', 'PAYER', 'AGENCY')),
            version bigint NOT NULL
        );
        CREATE INDEX organizations_by_name ON organizations (name, id);
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            organization_id uuid NOT NULL REFERENCES organizations,
            name text NOT NULL,
            time_zone text NOT NULL,
            holiday_calendar text NOT NULL,
            duty_team_id uuid,
            phone text NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX facilities_by_name ON facilities (name, id);
        CREATE INDEX facilities_by_duty_team ON facilities (duty_team_id);
        CREATE TABLE staff (
            id uuid PRIMARY KEY,
            account text NOT NULL UNIQUE,
            display_name text NOT NULL,
            email text NOT NULL,
            roles jsonb NOT NULL,
            state text NOT NULL CHECK (state IN ('ACTIVE', 'DEACTIVATED')),
            left_at timestamptz,
            left_because text NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX staff_by_role ON staff USING gin (roles jsonb_path_ops);
        CREATE TABLE teams (
            id uuid PRIMARY KEY,
            facility_id uuid NOT NULL REFERENCES facilities,
            name text NOT NULL,
            role text,
            lead_id uuid NOT NULL REFERENCES staff,
            member_ids uuid[] NOT NULL CHECK (lead_id = ANY (member_ids)),
            version bigint NOT NULL
        );
        CREATE INDEX teams_by_name ON teams (name, id);
        CREATE INDEX teams_by_member ON teams USING gin (member_ids);
        ALTER TABLE facilities ADD FOREIGN KEY (duty_team_id) REFERENCES teams;
    """)
    for table in ("organizations", "facilities", "staff", "teams"):
        open_to_service(table, people="SELECT, INSERT, UPDATE")


def _facts() -> None:
    op.execute("""
        CREATE TABLE access_facts (
            kind text NOT NULL CHECK (kind IN ('PATIENT', 'ENCOUNTER')),
            id uuid NOT NULL,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_ids uuid[] NOT NULL,
            is_holding boolean NOT NULL,
            PRIMARY KEY (kind, id)
        );
        CREATE INDEX access_facts_by_id ON access_facts (id);
        CREATE INDEX access_facts_by_patient ON access_facts (patient_id);
        CREATE INDEX grants_of_patient ON grants (patient_id);
    """)
    # What a patient's grants are decided from is nobody's business but the decider's.
    protect("access_facts", using="false", check="false", people="")
