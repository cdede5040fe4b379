"""Whose fault an error is, and how long to leave alone what failed."""

import asyncio

import asyncpg
import pytest

from libs.chassis.errors import FailedPrecondition, Unavailable
from libs.chassis.faults import TookTooLong, backoff, is_weather, whereabouts, within


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("DATABASE_AWAY", ""),
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.AdminShutdownError(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.InterfaceError("connection is closed"),
    ],
)
def test_these_errors_are_the_weathers(error: Exception) -> None:
    assert is_weather(error)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        FailedPrecondition("X", ""),
        FileNotFoundError(),
        asyncpg.QueryCanceledError(),
        asyncpg.UniqueViolationError(),
        asyncpg.DataError("invalid input for query argument $1"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        TookTooLong(),
    ],
)
def test_these_errors_are_the_works(error: Exception) -> None:
    assert not is_weather(error)


async def test_work_that_takes_too_long_is_told_from_a_timeout_below() -> None:
    with pytest.raises(TookTooLong):
        async with within(0.0):
            await asyncio.sleep(1)
    with pytest.raises(TimeoutError):
        async with within(1.0):
            raise TimeoutError


def test_whereabouts_name_the_place_and_never_the_text() -> None:
    with pytest.raises(ValueError, match="Jane") as caught:
        int("Jane Doe")
    where = whereabouts(caught.value)
    assert where.startswith("ValueError at test_faults.py:")
    assert "Jane" not in where


def test_backoff_doubles_up_to_a_limit() -> None:
    waits = [backoff(attempt, first=1.0, most=8.0) for attempt in (1, 2, 3, 4, 5, 1000)]
    for wait, full in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert full / 2 <= wait <= full
