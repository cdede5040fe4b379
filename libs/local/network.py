"""`carehub apply`: a network from a file, for the hub of this machine, whose issuer learns of its people."""

from collections.abc import Callable
from pathlib import Path

from libs.local.accounts import read_accounts, write_accounts
from libs.local.apply import accounts_of, apply, read_network
from libs.local.client import FreshToken, api


async def apply_file(
    file: Path, home: Path, url: str, issuer: str, say: Callable[[str], None], *, dry_run: bool
) -> None:
    """Make the network what the file says, as its administrator would, and say what that changed."""
    network = read_network(file)
    auth = FreshToken(issuer, "admin")
    async with api(url, auth) as client:
        changes = await apply(network, client, say, renew=auth.renew, dry_run=dry_run)
    if not dry_run:
        new = {a.username: a for a in (*read_accounts(home), *accounts_of(network))}
        write_accounts(home, list(new.values()))
    say(f"{changes} changes{' to make' if dry_run else ''}.")
