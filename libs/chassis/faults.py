"""Whose fault an error is: the weather's, which passes, or the work's, which is counted and in the end set aside."""

import asyncio
import random
import traceback

import asyncpg

from libs.chassis.errors import Unavailable

# Connection, transaction rollback (deadlock, serialization), resources, operator, system: SQLSTATE classes.
_WEATHER_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_LOCK_NOT_AVAILABLE = "55P03"
_QUERY_CANCELED = "57014"  # too slow by itself: waiting will not cure that


def is_weather(error: BaseException) -> bool:
    """Whether the same work can be expected to succeed once the database or the network is well again."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state == _QUERY_CANCELED:
            return False
        return state[:2] in _WEATHER_CLASSES or state == _LOCK_NOT_AVAILABLE
    # InternalClientError: what a killed server looks like. Any other InterfaceError may be a bug, so it counts.
    return isinstance(error, (Unavailable, OSError, asyncpg.InternalClientError))


def whereabouts(error: BaseException) -> str:
    """The type of an error and where it was raised; never its text, which may quote health data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def backoff(attempt: int, *, first: float = 0.1, most: float = 30.0) -> float:
    """How long to wait after the nth failure, in seconds: doubling, with jitter so that a crowd does not march in step."""
    return min(first * 2.0 ** min(attempt - 1, 20), most) * random.uniform(0.5, 1.0)  # noqa: S311 not a secret


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep, but not through the end of the process."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
