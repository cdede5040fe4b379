"""The tokens of a sign-in: one for the APIs, one for the client."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Any

from libs.local.issuer.keys import KeyRing
from libs.local.issuer.sessions import REFRESH_IDLES, SignIn
from libs.local.issuer.settings import Account, IssuerSettings

ACCESS_LIVES = 300
AUDIENCE = "carehub"
# The header tells the two apart, so that neither is taken for the other.
ACCESS_TYP = "at+jwt"
ID_TYP = "JWT"


class Mint:
    """Makes the tokens and reads them again."""

    def __init__(self, settings: IssuerSettings, ring: KeyRing) -> None:
        self._settings = settings
        self._ring = ring

    def answer(self, sign_in: SignIn, account: Account, refresh_token: str) -> dict[str, Any]:
        """Return the answer of the token endpoint."""
        access = self._access_token(sign_in, account)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS_LIVES,
            "refresh_token": refresh_token,
            "refresh_expires_in": REFRESH_IDLES,
            "id_token": self._id_token(sign_in, account, access),
            "scope": sign_in.scope,
            "session_state": sign_in.session,
        }

    def read_access_token(self, token: str) -> dict[str, Any] | None:
        claims = self._ring.verify(token, typ=ACCESS_TYP)
        if claims is None or claims["iss"] != self._settings.issuer:
            return None
        return claims if self._settings.now() < claims["exp"] else None

    def read_id_token(self, token: str) -> dict[str, Any] | None:
        """Return the claims also of an expired one: it only hints at who signs out."""
        claims = self._ring.verify(token, typ=ID_TYP)
        return claims if claims and claims["iss"] == self._settings.issuer else None

    def _access_token(self, sign_in: SignIn, account: Account) -> str:
        claims = {**self._claims(sign_in, account), "aud": [AUDIENCE], "typ": "Bearer"}
        return self._ring.sign(claims | {"scope": sign_in.scope}, typ=ACCESS_TYP)

    def _id_token(self, sign_in: SignIn, account: Account, access_token: str) -> str:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {**self._claims(sign_in, account), "aud": sign_in.client_id, "typ": "ID"}
        claims["at_hash"] = urlsafe_b64encode(half).rstrip(b"=").decode()
        if sign_in.nonce is not None:
            claims["nonce"] = sign_in.nonce
        return self._ring.sign(claims, typ=ID_TYP)

    def _claims(self, sign_in: SignIn, account: Account) -> dict[str, Any]:
        now = int(self._settings.now())
        return {
            "iss": self._settings.issuer,
            "sub": str(account.subject),
            "azp": sign_in.client_id,
            "iat": now,
            "exp": now + ACCESS_LIVES,
            "jti": secrets.token_urlsafe(16),
            "sid": sign_in.session,
            "auth_time": sign_in.auth_time,
            "acr": sign_in.acr,
            **profile(account),
        }


def profile(account: Account) -> dict[str, Any]:
    return {
        "preferred_username": account.username,
        "name": account.name,
        "email": account.email,
        "email_verified": True,
    }
