"""Whose fault an error is: the weather's, which passes, or the work's, which is counted and in the end set aside."""

import asyncio
import random
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from libs.chassis.errors import Unavailable

# Connection, transaction rollback (deadlock, serialization), resources, operator, system: SQLSTATE classes.
_WEATHER_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_LOCK_NOT_AVAILABLE = "55P03"
_CONNECTION_GONE = ("is closed", "released back to the pool", "is closing")
WELL_AFTER = 60.0  # seconds: what ran so long was well
_QUERY_CANCELED = "57014"  # too slow by itself: waiting will not cure that


def is_weather(error: BaseException) -> bool:
    """Whether the same work can be expected to succeed once the database or the network is well again."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state == _QUERY_CANCELED:
            return False
        return state[:2] in _WEATHER_CLASSES or state == _LOCK_NOT_AVAILABLE
    if isinstance(error, asyncpg.InterfaceError):
        # Only in words does it tell a lost connection from a wrong argument, which is a bug and counts.
        return any(words in str(error) for words in _CONNECTION_GONE)
    # InternalClientError: what a killed server looks like.
    return isinstance(
        error, (Unavailable, ConnectionError, TimeoutError, asyncpg.InternalClientError)
    )


def whereabouts(error: BaseException) -> str:
    """The type of an error and where it was raised; never its text, which may quote health data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def backoff(attempt: int, *, first: float = 0.1, most: float = 30.0) -> float:
    """How long to wait after the nth failure, in seconds: doubling, with jitter so that a crowd does not march in step."""
    return min(first * 2.0 ** min(attempt - 1, 20), most) * random.uniform(0.5, 1.0)  # noqa: S311 not a secret


def one_more(failures: int, began: float) -> int:
    """How many failures in a row it is with the one of what began then (on the monotonic clock): the first if it was well."""
    return 1 if time.monotonic() - began > WELL_AFTER else failures + 1


async def rest(unless: asyncio.Event, seconds: float) -> None:
    """Sleep, unless there is a reason to get up: the end of the process, or work."""
    try:
        async with asyncio.timeout(seconds):
            await unless.wait()
    except TimeoutError:
        return


class TookTooLong(Exception):
    """Work did not end in the time that anything should need. Its own fault: waiting will not cure it."""


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Give up after `seconds`, with TookTooLong: a TimeoutError from further below is the weather's."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise TookTooLong from error
        raise
