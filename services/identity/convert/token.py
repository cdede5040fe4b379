"""Caller tokens as signed text, and the keys that sign them."""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_service_pb2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from libs.chassis.errors import InvalidArgument
from services.identity.domain.token import (
    EMERGENCY,
    FAMILY_REQUEST,
    PATIENT_REQUEST,
    TREATMENT,
    CallerToken,
)

log = logging.getLogger(__name__)

TYPE = "caller+jwt"
_LOOK_SECONDS = 1.0
# RFC 9864: the name of the algorithm is the name of the curve, no longer "EdDSA".
ALGORITHM: Final = "Ed25519"
CURVE: Final = "Ed25519"
# Other purposes wait for whoever may have them: payers, public health.
PURPOSES = {
    access_pb2.PURPOSE_UNSPECIFIED: TREATMENT,
    access_pb2.PURPOSE_TREATMENT: TREATMENT,
    access_pb2.PURPOSE_EMERGENCY: EMERGENCY,
    access_pb2.PURPOSE_PATIENT_REQUEST: PATIENT_REQUEST,
    access_pb2.PURPOSE_FAMILY_REQUEST: FAMILY_REQUEST,
}


class CallerSigner:
    """Signs with the first key; publishes all of them, so that a key can be known before it signs and after."""

    def __init__(self, keys: Sequence[OKPKey]) -> None:
        if not keys:
            raise ValueError("There is no key to sign caller tokens with.")
        self._signing = keys[0]
        self.public_keys = json.dumps({"keys": [_public(key) for key in keys]})

    def sign(self, token: CallerToken) -> str:
        header = {"alg": ALGORITHM, "kid": self._signing.kid, "typ": TYPE}
        return jwt.encode(header, token.claims(), self._signing, algorithms=[ALGORITHM])


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


def read_keys(text: str) -> list[OKPKey]:
    """The private keys of a JSON Web Key Set, the signing one first."""
    entries = json.loads(text)["keys"]
    if not all(entry.get("crv") == CURVE and "d" in entry for entry in entries):
        raise ValueError("Caller tokens are signed with private Ed25519 keys.")
    keys = [OKPKey.import_key(entry) for entry in entries]
    for key in keys:
        key.ensure_kid()
    return keys


def new_keys() -> str:
    """A JSON Web Key Set with one new private key. A secret."""
    key = OKPKey.generate_key(CURVE, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return json.dumps({"keys": [key.as_dict(private=True)]})


def _public(key: OKPKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}


def to_purpose(request: identity_service_pb2.ExchangeTokenRequest) -> str:
    """For what the caller will ask."""
    if purpose := PURPOSES.get(request.purpose):
        return purpose
    raise InvalidArgument(
        "PURPOSE_NOT_OFFERED",
        "Callers ask for treatment, in an emergency, or as or for the patient.",
        field="purpose",
    )
