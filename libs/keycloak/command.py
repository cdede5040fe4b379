"""The command line of `carehub keycloak provision`."""

import argparse
import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from libs.keycloak.definition import REALM, check_url, read_definition

if TYPE_CHECKING:
    from libs.keycloak.people import Person


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    sub = actions.add_parser(
        "provision",
        help="Make a realm what CareHub needs. Twice changes nothing.",
        description="Make a realm what CareHub needs, with its people. Twice changes nothing. "
        "The administrator is in KEYCLOAK_ADMIN_USERNAME and KEYCLOAK_ADMIN_PASSWORD, "
        "or KEYCLOAK_ADMIN_CLIENT_ID and KEYCLOAK_ADMIN_CLIENT_SECRET.",
    )
    sub.add_argument("--url", required=True, help="where Keycloak is, such as https://id.example")
    sub.add_argument("--public-url", required=True, help="where browsers find the hub")
    sub.add_argument("--realm", default=REALM)
    sub.add_argument("--ca-file", default="", help="trust this certificate authority")
    sub.add_argument(
        "--client-secret-file", type=Path, help="the gateway's secret; made if missing"
    )
    people = sub.add_mutually_exclusive_group()
    people.add_argument("--staff", type=Path, metavar="CSV", help="the people, from a file")
    people.add_argument(
        "--staff-of", metavar="URL", help="the people, from a hub; a token in CAREHUB_TOKEN"
    )
    sub.add_argument("--invite", action="store_true", help="Keycloak writes to each new person")
    sub.add_argument("--passwords-file", type=Path, help="write first passwords of new people here")
    sub.add_argument("--dry-run", action="store_true", help="say what would change, and stop there")


async def run(
    arguments: argparse.Namespace, env: Mapping[str, str], say: Callable[[str], None]
) -> int:
    try:
        from libs.keycloak.provision import Administrator, Order, provision
    except ModuleNotFoundError as error:
        raise RuntimeError("install the extra: pip install 'carehub[keycloak]'") from error
    check_url(arguments.url)
    order = Order(
        definition=read_definition(realm=arguments.realm, public_url=arguments.public_url),
        people=await _people(arguments, env),
        secret_file=arguments.client_secret_file,
        passwords_file=arguments.passwords_file,
        invite=arguments.invite,
        dry_run=arguments.dry_run,
    )
    administrator = Administrator(
        url=arguments.url,
        username=env.get("KEYCLOAK_ADMIN_USERNAME", ""),
        password=env.get("KEYCLOAK_ADMIN_PASSWORD", ""),
        client_id=env.get("KEYCLOAK_ADMIN_CLIENT_ID", "admin-cli"),
        client_secret=env.get("KEYCLOAK_ADMIN_CLIENT_SECRET", ""),
        ca_file=arguments.ca_file,
    )
    changes = await asyncio.to_thread(provision, administrator, order, say)
    say(f"{changes} changes{' to make' if order.dry_run else ''}.")
    return 0


async def _people(arguments: argparse.Namespace, env: Mapping[str, str]) -> "list[Person]":
    from libs.keycloak.people import from_csv, from_hub

    if arguments.staff:
        return from_csv(arguments.staff)
    if arguments.staff_of:
        return await from_hub(arguments.staff_of, env.get("CAREHUB_TOKEN", ""))
    return []
