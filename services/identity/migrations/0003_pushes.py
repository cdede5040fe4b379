"""In which order access was decided, for who asks what they have missed; and what a holder has not confirmed yet."""

from alembic import op

from libs.chassis.schema import protect, service

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # There is one decider at a time, until its commit: a lower position is never seen after a higher one.
    op.execute(f"""
        CREATE SEQUENCE access_position;
        ALTER TABLE access_versions
            ADD COLUMN position bigint NOT NULL DEFAULT nextval('access_position');
        CREATE UNIQUE INDEX access_versions_by_position ON access_versions (position);
        GRANT USAGE ON SEQUENCE access_position TO {service()}_system, {service()}_maintenance;
        CREATE TABLE pushes (
            holder text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('ACCESS', 'BASIS', 'PERSON')),
            id uuid NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (holder, kind, id)
        );
        CREATE INDEX pushes_by_time ON pushes (at);
    """)
    protect("pushes", using="false", check="false", people="")
