"""The keys that sign caller tokens, as they are in a file now."""

import logging
import time
from pathlib import Path

from joserfc.errors import JoseError

from services.identity.convert.token import CallerSigner, read_keys

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class SigningKeys:
    """The signer of a file, which may be replaced at any time; while it cannot be used, the one of before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = self._stamped()
        self._looked_at = time.monotonic()
        self._signer = CallerSigner(read_keys(path.read_text()))

    @property
    def signer(self) -> CallerSigner:
        if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._follow()
        return self._signer

    def _follow(self) -> None:
        try:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._signer = CallerSigner(read_keys(self._path.read_text()))
                self._stamp = stamp
                log.info("new signing keys are used")
        except (OSError, JoseError, ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("signing keys not read", extra={"reason": type(error).__name__})

    def _stamped(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_ino
