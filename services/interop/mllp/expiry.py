"""Until when senders believe the listener, and the listener its senders."""

import math
from functools import partial
from pathlib import Path

from libs.chassis.tls import EXPIRES, expires_at
from services.interop.mllp.settings import Settings


def tell_expiry(settings: Settings) -> None:
    """Have the metrics tell it of the files as they are when somebody asks: the listener uses them within seconds.

    Nothing is told where the listener speaks in plain text.
    """
    files = {"mllp": settings.mllp_certificate, "mllp_client_authority": settings.mllp_client_ca}
    for name, path in files.items():
        if path and settings.mllp_certificate:
            EXPIRES.labels(name).set_function(partial(_ends, Path(path)))


def _ends(path: Path) -> float:
    """Not a number while it is being replaced."""
    try:
        return expires_at(path.read_bytes())
    except (OSError, ValueError):
        return math.nan
