"""Caller tokens as signed text, and keys as text."""

import json
from collections.abc import Sequence
from typing import Any, Final

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_service_pb2
from joserfc import jwt
from joserfc.jwk import OKPKey

from libs.chassis.errors import InvalidArgument
from services.identity.domain.token import (
    EMERGENCY,
    FAMILY_REQUEST,
    PATIENT_REQUEST,
    TREATMENT,
    CallerToken,
)

TYPE = "caller+jwt"
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
