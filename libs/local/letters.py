"""The letters that the mail sink of one machine keeps: apart from it, since whoever reads them needs no server."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


def kept_letters(home: Path) -> Iterator[tuple[Path, bytes]]:
    """What is kept in home/mail, the oldest first. What makes room for newer ones meanwhile is passed over."""
    for file in sorted((home / "mail").glob("*.eml")):
        with contextlib.suppress(FileNotFoundError):
            yield file, file.read_bytes()
