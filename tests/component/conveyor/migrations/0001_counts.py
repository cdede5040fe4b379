"""What the conveyor's tests tell, hear and ring."""

from alembic import op

from libs.chassis.schema import open_to_service

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE told (key text PRIMARY KEY);
        CREATE TABLE heard (key text, version bigint, times integer NOT NULL, PRIMARY KEY (key, version));
        CREATE TABLE newest (key text PRIMARY KEY, version bigint NOT NULL);
        CREATE TABLE rung (key text PRIMARY KEY, times integer NOT NULL);
    """)
    for table in ("told", "heard", "newest", "rung"):
        open_to_service(table)
