"""Services as callers: each vouches for itself with a key of its own, and everybody knows the public keys of all."""

import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from libs.chassis.errors import Unavailable
from libs.chassis.tokens import AUDIENCE, SERVICE_TYPE

log = logging.getLogger(__name__)

LIFE = 30
_RENEWED = 20.0  # so that one that is sent has a while to live
_CURVE: Final = "Ed25519"


def new_service_key() -> tuple[str, str]:
    """A new key, as two JSON Web Key Sets: the private one, a secret, and the public one."""
    key = OKPKey.generate_key(_CURVE, {"use": "sig"}, auto_kid=True)
    private, public = (KeySet([key]).as_dict(private=secret) for secret in (True, False))
    return orjson.dumps(private).decode(), orjson.dumps(public).decode()


class ServiceSigner:
    """Vouches for one service with the first key of a file, which may be replaced at any time."""

    def __init__(self, service: str, path: Path | None) -> None:
        self._service = service
        self._path = path
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """A caller token of the service; the same one for a while."""
        if time.time() >= self._renew_at:
            self._token, self._renew_at = self._signed(int(time.time())), time.time() + _RENEWED
        return self._token

    def _signed(self, at: int) -> str:
        if self._path is None:
            raise Unavailable(
                "SERVICE_KEY_MISSING",
                f"{self._service.upper()}_SERVICE_KEY does not say where the service's key is.",
            )
        try:
            key = KeySet.import_key_set(orjson.loads(self._path.read_bytes())).keys[0]
        except (OSError, JoseError, ValueError, LookupError, TypeError) as error:
            raise Unavailable(
                "SERVICE_KEY_UNREADABLE", f"{self._path} is no private JSON Web Key Set."
            ) from error
        key.ensure_kid()
        header = {"alg": _CURVE, "typ": SERVICE_TYPE, "kid": key.kid}
        claims = {"iss": self._service, "aud": AUDIENCE, "iat": at, "exp": at + LIFE}
        return jwt.encode(header, claims, key, algorithms=[_CURVE])


class ServiceKeys:
    """The public keys of services: a folder of files `<service>.json`, read anew when one of them changes.

    The file says whose key it is, whatever the key itself says.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._read: Mapping[Path, int] = {}
        self._keys: dict[str, tuple[str, KeySet]] = {}

    def find(self, kid: object) -> tuple[str, KeySet] | None:
        """Whose key this is, and the key."""
        files = self._files()
        if files != self._read:
            self._read, self._keys = files, {}
            for path in files:
                self._load(path)
        return self._keys.get(str(kid))

    def _files(self) -> dict[Path, int]:
        """Each with when it was changed."""
        found = dict[Path, int]()
        for path in sorted(self._folder.glob("*.json")) if self._folder else ():
            with contextlib.suppress(OSError):  # it went just now
                found[path] = path.stat().st_mtime_ns
        return found

    def _load(self, path: Path) -> None:
        try:
            for key in KeySet.import_key_set(orjson.loads(path.read_bytes())).keys:
                key.ensure_kid()
                self._keys[str(key.kid)] = (path.stem, KeySet([key]))
        except (OSError, JoseError, ValueError, LookupError, TypeError, AttributeError) as error:
            # Nobody is believed by a file that cannot be read; the others go on.
            log.warning(
                "a service's key cannot be read",
                extra={"service": path.stem, "reason": type(error).__name__},
            )
