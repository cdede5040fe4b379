"""Messages by the hour, who mutes an alarm, and who was told of a silence."""

from alembic import op

from libs.chassis.schema import open_to_service

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE feeds ADD COLUMN mute jsonb;
        -- Arrivals that are older than an hour, folded: each is in `arrivals` or here, never in both.
        CREATE TABLE arrivals_by_hour (
            feed_id uuid NOT NULL,
            hour timestamptz NOT NULL,
            count bigint NOT NULL,
            PRIMARY KEY (feed_id, hour)
        );
        -- Who may have to be told that a feed is silent, as identity told last.
        CREATE TABLE people (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            display_name text NOT NULL,
            email text NOT NULL,
            is_active boolean NOT NULL,
            roles jsonb NOT NULL
        );
        CREATE TABLE silence_notices (
            feed_id uuid NOT NULL,
            began_at timestamptz NOT NULL,
            staff_id uuid NOT NULL,
            staff_name text NOT NULL,
            email text NOT NULL,
            sent_at timestamptz,
            tries integer NOT NULL,
            next_try_at timestamptz,
            PRIMARY KEY (feed_id, began_at, staff_id)
        );
        CREATE INDEX silence_notices_to_send ON silence_notices (next_try_at) WHERE next_try_at IS NOT NULL;
    """)
    for table in ("arrivals_by_hour", "people", "silence_notices"):
        open_to_service(table, people="SELECT")
