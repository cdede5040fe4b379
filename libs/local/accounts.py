"""The people who may sign in at the development issuer: the network's staff, each with the account as password."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid5

import orjson

from libs.local.issuer import Account
from libs.local.process import write_private

NAMESPACE = UUID("6f1d3c1e-3d5b-5a8e-9f4e-6b1a2c7d8e90")
ADMIN = Account(
    username="admin",
    password="admin",  # noqa: S106 development only: the issuer serves nobody but this machine
    subject=uuid5(NAMESPACE, "staff:admin"),
    name="Network Administrator",
    email="admin@carehub.example",
    about="Administers the network",
)


def accounts_file(home: Path) -> Path:
    return home / "accounts.json"


def read_accounts(home: Path) -> list[Account]:
    """The administrator, and whoever was added since."""
    path = accounts_file(home)
    if not path.exists():
        return [ADMIN]
    listed = [
        Account(
            username=entry["username"],
            password=entry["username"],
            subject=UUID(entry["subject"]),
            name=entry["name"],
            email=entry["email"],
            about=entry["about"],
        )
        for entry in orjson.loads(path.read_bytes())
    ]
    return [ADMIN, *(account for account in listed if account.username != ADMIN.username)]


def write_accounts(home: Path, accounts: Sequence[Account]) -> None:
    """Keep the accounts; the running issuer reads them at the next sign-in."""
    kept = [
        {
            "username": a.username,
            "subject": str(a.subject),
            "name": a.name,
            "email": a.email,
            "about": a.about,
        }
        for a in accounts
    ]
    write_private(accounts_file(home), orjson.dumps(kept, option=orjson.OPT_INDENT_2).decode())
