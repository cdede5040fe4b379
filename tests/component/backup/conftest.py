"""Three services on the test's servers, and hands to back them up and to restore them."""

from pathlib import Path

import pytest

from libs.backup import restoring, taking
from libs.backup.loading import Target
from libs.chassis import ids
from libs.ledger.heads import Keys, Signer, new_key

ROOT = Path(__file__).parents[3]
SERVICES = ("identity", "registry", "tasking")


class Operator:
    """Whoever backs up and restores."""

    def __init__(self, servers, folder):
        self.servers = servers
        self.folder = folder
        self.key = folder / "audit-key.pem"
        self.key.write_text(new_key())
        self.said = []

    def targets(self):
        return {
            service: Target(
                service=service,
                owner_url=self.servers.url(service, "owner"),
                maintenance_url=self.servers.url(service, "maintenance"),
                migrations=ROOT / "services" / service / "migrations",
            )
            for service in SERVICES
        }

    async def back_up(self, name="set", passphrase="", home_files=()):
        return await taking.take(
            taking.Order(
                folder=self.folder / name,
                urls={s: self.servers.url(s, "maintenance") for s in SERVICES},
                passphrase=passphrase,
                audit_keys=Keys(self.key.read_text()).pem(),
                home_files=dict(home_files),
                now=ids.now,
            ),
            self.said.append,
        )

    async def restore(
        self, *only, name="set", passphrase="", replaces=True, although_heard=False, **others
    ):
        return await restoring.restore(
            restoring.Order(
                folder=self.folder / name,
                passphrase=passphrase,
                targets=self.targets(),
                only=frozenset(only),
                replaces=replaces,
                although_heard=although_heard,
                signer=Signer(self.key.read_text()),
                now=ids.now,
                **others,
            ),
            self.said.append,
        )

    @property
    def env(self):
        urls = {f"{s.upper()}_SYSTEM_DATABASE_URL": self.servers.url(s, "system") for s in SERVICES}
        return urls | {
            "CAREHUB_AUDIT_KEY": str(self.key),
            "CAREHUB_AUDIT_HEADS": str(self.folder / "heads"),
        }


@pytest.fixture
def operator(servers, tmp_path):
    return Operator(servers, tmp_path)
