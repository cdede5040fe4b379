"""The words of `carehub backup` and `carehub restore`. Apart, since every command reads them at its start."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder for the set")
    parser.add_argument("--passphrase-file", type=Path, help="seals the set; without, it is open")
    parser.add_argument(
        "--keep",
        type=_one_or_more,
        metavar="N",
        help="DIR has many sets: write one more, named by its time, and remove what is older than the newest N",
    )


def _one_or_more(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(
            "should be 1 or more: the set that is written is one of them"
        )
    return number


def add_restore_arguments(parser: argparse.ArgumentParser, services: Sequence[str]) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of a set")
    parser.add_argument("--passphrase-file", type=Path, help="what the set was sealed with")
    parser.add_argument(
        "--only", choices=services, help="one database, beside the others that go on as they are"
    )
    parser.add_argument(
        "--although-heard",
        action="store_true",
        help="with --only: others keep what it has told since",
    )
    parser.add_argument(
        "--replace", action="store_true", help="what is in the databases now is dropped"
    )
    parser.add_argument(
        "--drill", action="store_true", help="into a server of its own, which is removed afterwards"
    )
