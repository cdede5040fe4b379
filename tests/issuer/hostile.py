"""Tokens that nobody should take: made by strangers, or signed by the right key and meant for something else.

Each maker gets a Forge and returns the bytes of one token. The name of a maker is the name of its test.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

ALL_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "Ed25519", "EdDSA"]
STRANGER = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
STRANGER_EC = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
STRANGER_OKP = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
Maker = Callable[["Forge"], bytes]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class KeyKeptElsewhere(Exception):
    """Only the holder of the key could make this one."""


@dataclass(frozen=True, kw_only=True)
class Forge:
    """A good token of one kind, taken apart: its key, header and claims, and what else the same person holds."""

    key: Any
    algorithm: str
    header: dict
    claims: dict
    others: dict[str, str]
    token: str = ""  # the good one, of an issuer that keeps its key to itself

    @property
    def public(self) -> dict:
        return self.key.as_dict(private=False)

    def pem(self, kind: PublicFormat = PublicFormat.SubjectPublicKeyInfo, encoding=Encoding.PEM):
        return self.key.public_key.public_bytes(encoding, kind)

    def good(self) -> bytes:
        return self.token.encode() if self.token else self.signed()

    def signed(self, header=None, payload=None, key=None, algorithm="", **claims) -> bytes:
        """Signed by the right key, unless another is given. A claim or header that is `...` is left out."""
        head = self.header | (header or {})
        head = {k: v for k, v in head.items() if v is not ...}
        raw = _json(self.claims | claims) if payload is None else payload
        return self.over(_json(head), raw, key=key, algorithm=algorithm)

    def over(self, header: bytes, payload: bytes, *, key=None, algorithm="") -> bytes:
        """A right signature over a header and a payload of whatever bytes."""
        if not (key or self.key).is_private:
            raise KeyKeptElsewhere
        text = f"{b64(header)}.{b64(payload)}"
        model = jws.JWSRegistry(algorithms=ALL_ALGORITHMS).get_alg(algorithm or self.algorithm)
        return f"{text}.{b64(model.sign(text.encode(), key or self.key))}".encode()

    def unsigned(self, signature: bytes = b"", **header) -> bytes:
        head = {k: v for k, v in (self.header | header).items() if v is not ...}
        return f"{b64(_json(head))}.{b64(_json(self.claims))}.{b64(signature)}".encode()

    def mac(self, secret: bytes, algorithm: str = "HS256", **header) -> bytes:
        head = self.header | {"alg": algorithm} | header
        text = f"{b64(_json(head))}.{b64(_json(self.claims))}"
        digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[algorithm]
        return f"{text}.{b64(hmac.new(secret, text.encode(), digest).digest())}".encode()


def _json(value: dict) -> bytes:
    return json.dumps({k: v for k, v in value.items() if v is not ...}).encode()


def makers() -> Iterator[tuple[str, Maker]]:
    for group in (_algorithms, _secrets, _key_ids, _key_headers, _claims, _times, _forms, _other_tokens):  # fmt: skip
        yield from group()


def _algorithms() -> Iterator[tuple[str, Maker]]:
    for name in ("none", "None", "NONE", "nOnE"):
        yield f"alg {name} without a signature", lambda f, n=name: f.unsigned(alg=n)
        yield (
            f"alg {name} with a signature",
            lambda f, n=name: f.unsigned(f.good().rpartition(b".")[2], alg=n),
        )
    for name, value in {
        "missing": ..., "null": None, "empty": "", "a list": ["RS256"], "an object": {"RS256": 1}, "a number": 256,
        "true": True, "in lower case": "rs256", "with a space": "RS256 ", "unknown": "XX999", "dir": "dir",
        "RSA-OAEP": "RSA-OAEP",
    }.items():  # fmt: skip
        yield f"alg {name}", lambda f, v=value: f.signed({"alg": v})
    yield "signature left out", lambda f: f.good().rpartition(b".")[0] + b"."
    yield "signature of zeros", lambda f: f.unsigned(bytes(256))
    yield (
        "signature of another token",
        lambda f: f.signed(jti="x").rpartition(b".")[0] + b"." + f.good().rpartition(b".")[2],
    )
    yield (
        "claims changed",
        lambda f: b".".join(
            [
                f.good().split(b".")[0],
                b64(_json(f.claims | {"sub": "x"})).encode(),
                f.good().split(b".")[2],
            ]
        ),
    )
    yield "ES256 of zeros (CVE-2022-21449)", lambda f: f.unsigned(bytes(64), alg="ES256")
    yield "ES256 with nothing", lambda f: f.unsigned(b"", alg="ES256")
    yield (
        "ES256 of a stranger",
        lambda f: f.signed({"alg": "ES256"}, key=STRANGER_EC, algorithm="ES256"),
    )
    yield (
        "Ed25519 of a stranger",
        lambda f: f.signed({"alg": "Ed25519"}, key=STRANGER_OKP, algorithm="Ed25519"),
    )
    yield (
        "EdDSA of a stranger",
        lambda f: f.signed({"alg": "EdDSA"}, key=STRANGER_OKP, algorithm="EdDSA"),
    )
    yield (
        "RS256 of a stranger",
        lambda f: f.signed({"alg": "RS256"}, key=STRANGER, algorithm="RS256"),
    )
    yield (
        "PS256 of a stranger",
        lambda f: f.signed({"alg": "PS256"}, key=STRANGER, algorithm="PS256"),
    )
    yield (
        "RS512 of a stranger",
        lambda f: f.signed({"alg": "RS512"}, key=STRANGER, algorithm="RS512"),
    )
    yield "alg twice", lambda f: f.over(_json(f.header)[:-1] + b', "alg": "none"}', _json(f.claims))
    yield "an extension that must be understood", lambda f: f.signed({"crit": ["x"], "x": 1})
    yield "an unencoded payload", lambda f: f.signed({"crit": ["b64"], "b64": False})


def _secrets() -> Iterator[tuple[str, Maker]]:
    """HMAC with what everybody can know."""
    for name, secret in {
        "nothing": lambda f: b"",
        "the public key, PEM": lambda f: f.pem(),
        "the public key, PEM without the end of line": lambda f: f.pem().rstrip(),
        "the public key, DER": lambda f: f.pem(encoding=Encoding.DER),
        "the public key, JWK": lambda f: json.dumps(f.public).encode(),
        "a number of the public key": lambda f: f.public.get("n", f.public.get("x", "")).encode(),
        "its kid": lambda f: f.header["kid"].encode(),
    }.items():
        yield f"HS256 with {name}", lambda f, s=secret: f.mac(s(f))
    yield "HS384 with the public key", lambda f: f.mac(f.pem(), "HS384")
    yield "HS512 with the public key", lambda f: f.mac(f.pem(), "HS512")


def _key_ids() -> Iterator[tuple[str, Maker]]:
    for name, kid in {
        "missing": ..., "null": None, "a number": 1, "a list": ["k"], "an object": {"k": 1}, "true": True, "empty": "",
        "a path": "../../../../../../dev/null", "an absolute path": "/etc/passwd", "a URL": "http://127.0.0.1:9/key",
        "a file URL": "file:///dev/null", "a statement": "' OR 1=1 --", "a command": "$(id)`id`|id", "NUL": "a\x00b",
        "a line": "a\r\nX-Injected: 1", "long": "k" * 3000, "not ASCII": "ключ\u202e", "a format": "%s%n{0.__class__}",
    }.items():  # fmt: skip
        yield (
            f"kid {name}",
            lambda f, k=kid: f.signed({"kid": k, "alg": "RS256"}, key=STRANGER, algorithm="RS256"),
        )
    yield "kid /dev/null and HS256 with nothing", lambda f: f.mac(b"", kid="/dev/null")
    yield (
        "a stranger's kid",
        lambda f: f.signed({"kid": STRANGER.kid, "alg": "RS256"}, key=STRANGER, algorithm="RS256"),
    )


def _key_headers() -> Iterator[tuple[str, Maker]]:
    """Keys that the token brings along."""
    public = STRANGER.as_dict(private=False)
    for name, header in {
        "jwk": {"jwk": public}, "jku": {"jku": "http://127.0.0.1:9/jwks"}, "x5u": {"x5u": "http://127.0.0.1:9/cert"},
        "x5c": {"x5c": [b64(STRANGER.as_der(private=False))]}, "jwk without a kid": {"jwk": public, "kid": ...},
        "jwk and its kid": {"jwk": public, "kid": STRANGER.kid}, "jku and its kid": {"jku": "http://127.0.0.1:9/jwks", "kid": STRANGER.kid},
        "zip": {"zip": "DEF"},
    }.items():  # fmt: skip
        yield (
            f"header {name}",
            lambda f, h=header: f.signed({"alg": "RS256"} | h, key=STRANGER, algorithm="RS256"),
        )
    oct_key = OctKey.import_key("a secret that the token tells itself")
    yield (
        "header jwk with an HMAC key",
        lambda f: f.mac(oct_key.raw_value, jwk=oct_key.as_dict(private=True)),
    )


def _claims() -> Iterator[tuple[str, Maker]]:
    """Signed by the right key, and not for us."""
    for name, value in {
        "missing": ..., "null": None, "another": "other-services", "the client's": "carehub-web", "a list of others": ["a", "b"],
        "an object": {"carehub": 1, "carehub-internal": 1}, "in upper case": "CAREHUB", "with a space": "carehub ", "a number": 1,
        "nested": [["carehub", "carehub-internal"]], "empty": [],
    }.items():  # fmt: skip
        yield f"aud {name}", lambda f, v=value: f.signed(aud=v)
    for name, change in {
        "missing": lambda _: ..., "null": lambda _: None, "another": lambda _: "https://id.example/realms/carehub",
        "with a slash": lambda i: f"{i}/", "in a list": lambda i: [i], "in upper case": lambda i: i.upper(),
        "longer": lambda i: f"{i}.example", "another realm": lambda i: f"{i}2",
    }.items():  # fmt: skip
        yield f"iss {name}", lambda f, c=change: f.signed(iss=c(f.claims["iss"]))
    for name, value in {
        "missing": ..., "null": None, "empty": "", "no UUID": "admin", "a number": 1, "a list": ["x"], "an object": {},
        "a path": "../admin", "another's with a line": "00000000-0000-0000-0000-000000000001\n",
    }.items():  # fmt: skip
        yield f"sub {name}", lambda f, v=value: f.signed(sub=v)
    for name in ("ID", "Refresh", "Offline", "Logout", "bearer", "", None, ["Bearer"], 1):
        yield f"typ {name!r} in header and claims", lambda f, n=name: f.signed({"typ": n}, typ=n)
    yield (
        "aud twice, the last another",
        lambda f: f.over(_json(f.header), _json(f.claims)[:-1] + b', "aud": "other"}'),
    )
    yield (
        "iss twice, the last another",
        lambda f: f.over(_json(f.header), _json(f.claims)[:-1] + b', "iss": "other"}'),
    )
    yield (
        "exp twice, the last over",
        lambda f: f.over(_json(f.header), _json(f.claims)[:-1] + b', "exp": 1}'),
    )


def _times() -> Iterator[tuple[str, Maker]]:
    now = int(time.time())
    for name, value in {
        "missing": ..., "null": None, "over": now - 60, "long over": 0, "negative": -1, "text": "9999999999",
        "words": "tomorrow", "true": True, "a list": [now + 60], "an object": {"n": now + 60}, "in year 9999": 253402300799,
        "in year 10000": 253402300800, "in milliseconds": (now + 60) * 1000, "of 31 digits": 10**30, "of 400 digits": 10**400,
    }.items():  # fmt: skip
        yield f"exp {name}", lambda f, v=value: f.signed(exp=v)
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400"):
        yield (
            f"exp {number.decode()}",
            lambda f, n=number: f.over(
                _json(f.header), _json(f.claims | {"exp": ...})[:-1] + b', "exp": ' + n + b"}"
            ),
        )


def _forms() -> Iterator[tuple[str, Maker]]:
    for name, payload in {
        "nothing": b"", "no JSON": b"hello", "a list": b"[]", "text": b'"text"', "a number": b"1", "null": b"null",
        "not UTF-8": b'{"sub":"\xff\xfe"}', "nested deep": b'{"a":' * 700 + b"1" + b"}" * 700,
        "lists in lists": b"[" * 3000, "UTF-16": "{}".encode("utf-16"), "a number of 5000 digits": b'{"exp":' + b"9" * 5000 + b"}",
    }.items():  # fmt: skip
        yield f"payload {name}", lambda f, p=payload: f.signed(payload=p)
    for name, header in {
        "nothing": b"", "no JSON": b"hello", "a list": b"[]", "text": b'"text"', "null": b"null", "not UTF-8": b'{"alg":"\xff"}',
        "nested deep": b"[" * 3000, "objects in objects": b'{"alg":' * 900, "a number of 5000 digits": b'{"alg":' + b"9" * 5000 + b"}",
    }.items():  # fmt: skip
        yield f"header {name}", lambda f, h=header: f.over(h, _json(f.claims))
    yield "empty", lambda _: b""
    for text in (
        "null",
        "undefined",
        ".",
        "..",
        "...",
        "....",
        "e30.e30.",
        "e30.e30.e30",
        "\x00",
        "💉.💉.💉",
        "%00",
    ):
        yield f"only {text!r}", lambda _, t=text: t.encode()
    yield "two parts", lambda f: f.good().rpartition(b".")[0]
    yield "four parts", lambda f: f.good() + b".x"
    yield "detached", lambda f: f.good().split(b".")[0] + b".." + f.good().split(b".")[2]
    yield "Bearer twice", lambda f: b"Bearer " + f.good()
    yield "two tokens", lambda f: f.good() + b"," + f.good()
    yield "in quotes", lambda f: b'"' + f.good() + b'"'
    yield "percent-encoded", lambda f: f.good().replace(b".", b"%2E")
    yield "a character changed", lambda f: _changed(f.good())
    for name, mark in {"space": b" ", "tab": b"\t", "line": b"\n", "NUL": b"\x00", "no-break space": "\u00a0".encode(), "zero-width space": "\u200b".encode(), "full-width dot": "\uff0e".encode(), "not UTF-8": b"\xff"}.items():  # fmt: skip
        yield f"{name} in the signature", lambda f, m=mark: f.good()[:-20] + m + f.good()[-20:]
        yield f"{name} in the header", lambda f, m=mark: f.good()[:8] + m + f.good()[8:]
    yield "dots that look alike", lambda f: f.good().replace(b".", "\u2024".encode())
    for size in (9_000, 70_000, 1_000_000):
        yield (
            f"{size} characters",
            lambda f, n=size: f.signed(
                padding="x" * (70_000 if n == 9_000 and f.algorithm != "RS256" else n)
            ),
        )
        yield f"{size} dots", lambda _, n=size: b"." * n
    yield (
        "as JSON",
        lambda f: _json(
            dict(
                zip(
                    ("protected", "payload", "signature"), f.good().decode().split("."), strict=True
                )
            )
        ),
    )
    yield "JWE by the public key", _encrypted
    yield (
        "JWE dir",
        lambda f: jwe.encrypt_compact(
            {"alg": "dir", "enc": "A128CBC-HS256", "kid": f.header["kid"]},
            f.good(),
            OctKey.generate_key(256),
        ).encode(),
    )
    yield (
        "nested in a stranger's",
        lambda f: f.signed(
            {"cty": "JWT", "alg": "RS256"}, payload=f.good(), key=STRANGER, algorithm="RS256"
        ),
    )


def _changed(token: bytes) -> bytes:
    middle = len(token) - 30
    other = b"A" if token[middle : middle + 1] != b"A" else b"B"
    return token[:middle] + other + token[middle + 1 :]


def _encrypted(forge: Forge) -> bytes:
    key = forge.key if isinstance(forge.key, RSAKey) else STRANGER
    public = RSAKey.import_key({k: v for k, v in key.as_dict(private=False).items() if k in {"kty", "n", "e"}})  # fmt: skip
    header = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": forge.header["kid"], "cty": "JWT"}
    return jwe.encrypt_compact(header, forge.good(), public).encode()


def _other_tokens() -> Iterator[tuple[str, Maker]]:
    for name in ("the ID token", "the refresh token", "the token of the other kind"):
        yield name, lambda f, n=name: f.others[n].encode()
    yield "a random secret", lambda _: secrets.token_urlsafe(32).encode()
    yield "a digest of the good one", lambda f: hashlib.sha256(f.good()).hexdigest().encode()


MAKERS = dict(makers())
