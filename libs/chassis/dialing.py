"""A new connection to a database: by a URL, or by what a file says at that moment, so that passwords can be changed."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import msgspec
import orjson

from libs.chassis.config import ConfigError

if TYPE_CHECKING:
    from asyncpg import Record


async def dial(place: str, **options: Any) -> "asyncpg.Connection[Record]":
    """Connect by `place`: a URL, or the path of a file with one in its first line.

    In the next line it may have the same with another password, which is tried where the first is refused: a role has
    one password, and pods see a file change at different moments.
    """
    *first, last = _urls(place)
    for url in first:
        with contextlib.suppress(asyncpg.InvalidPasswordError):
            return await asyncpg.connect(url, **options)
    return await asyncpg.connect(last, **options)


def to_json(value: Any) -> str:
    return orjson.dumps(value, default=_json_default).decode()


def _json_default(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    raise TypeError(type(value).__name__)


async def prepare(connection: "asyncpg.Connection[Record]") -> None:
    # JSON comes as its text: it is read where its kind is known.
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=to_json, decoder=str)


def _urls(place: str) -> list[str]:
    urls = Path(place).read_text().split() if place.startswith("/") else [place]
    if not 1 <= len(urls) <= 2:
        raise ConfigError(f"{place} should have the URL of a database in a line, or two")
    return urls
