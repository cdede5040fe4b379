"""The keys that sign tokens, kept in the home so that tokens outlive a restart."""

import json
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from libs.local.process import write_private

ALGORITHM = "RS256"
KEY_BITS = 2048
# One that signs, one that will, and the one that did until the last rotation.
KEPT = 3


class KeyRing:
    """The first key signs; the next one is published before it is needed.

    `rotate` may be called in another process: the ring notices that the file has changed.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "keys.json"
        self._read_at = -1
        self._keys: list[RSAKey] = []
        if not self._file.exists():
            self._write([_new_key(), _new_key()])

    def rotate(self) -> None:
        """Sign with the next key from now on; the last one still verifies."""
        signing, following, *_ = self._current()
        self._write([following, _new_key(), signing])

    def public(self) -> dict[str, Any]:
        """Return the keys as a JSON Web Key Set, without their secrets."""
        return {"keys": [key.as_dict(private=False) for key in self._current()]}

    def sign(self, claims: dict[str, Any], *, typ: str) -> str:
        key = self._current()[0]
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": typ}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM])

    def verify(self, token: str, *, typ: str) -> dict[str, Any] | None:
        """Return the claims of a token of ours, expired or not; None if it is not ours."""
        try:
            decoded = jwt.decode(token, KeySet([*self._current()]), algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return None
        return decoded.claims if decoded.header.get("typ") == typ else None

    def _current(self) -> list[RSAKey]:
        written_at = self._file.stat().st_mtime_ns
        if written_at != self._read_at:
            stored = json.loads(self._file.read_text())["keys"]
            self._keys = [RSAKey.import_key(key) for key in stored]
            self._read_at = written_at
        return self._keys

    def _write(self, keys: list[RSAKey]) -> None:
        stored = [key.as_dict(private=True) for key in keys[:KEPT]]
        write_private(self._file, json.dumps({"keys": stored}))


def _new_key() -> RSAKey:
    return RSAKey.generate_key(KEY_BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
