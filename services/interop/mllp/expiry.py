"""Until when senders believe the listener, and the listener its senders: read with the other gauges."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

from libs.chassis.database import Transaction
from libs.chassis.tls import EXPIRES, expires_at
from libs.process.gauges import Read, Reading
from services.interop.mllp.settings import Settings


def expiry_gauges(settings: Settings) -> Read:
    """Of the files as they are: the listener uses them within seconds. None, where it speaks in plain text."""
    files = {"mllp": settings.mllp_certificate, "mllp_client_authority": settings.mllp_client_ca}

    def told() -> Sequence[Reading]:
        return [
            (EXPIRES, (name,), _ends(Path(path)))
            for name, path in files.items()
            if path and settings.mllp_certificate
        ]

    async def read(_tx: Transaction) -> Sequence[Reading]:
        return await asyncio.to_thread(told)

    return read


def _ends(path: Path) -> float:
    """Not a number while it is being replaced: no reason for the other gauges to be unknown."""
    try:
        return expires_at(path.read_bytes())
    except (OSError, ValueError):
        return math.nan
