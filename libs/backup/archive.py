"""The files of a set: compressed, each with its digest; and sealed, where there is a passphrase.

A sealed file is a row of frames, each a length of four bytes and as much of AES-256-GCM. Each file has a key of its own, made
from the passphrase and its name; a frame's nonce is its number, and says of the last one that it is the last: nothing can be
changed, exchanged or cut off.
"""

import hashlib
import hmac
import os
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

FRAME = 1024 * 1024
_TAG = 16
_LEVEL = 1  # three times as quick as the usual one, for a tenth more


class BackupFailed(RuntimeError):
    """It cannot be done; the message says why and what to do."""


class Seal:
    """What a passphrase becomes for one set."""

    def __init__(self, passphrase: str, salt: bytes) -> None:
        self.salt = salt
        self._key = Scrypt(salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())

    @classmethod
    def new(cls, passphrase: str) -> "Seal":
        return cls(passphrase, secrets.token_bytes(16))

    def cipher(self, name: str) -> AESGCM:
        return AESGCM(self._derived(f"file {name}"))

    def vouch(self, text: bytes) -> str:
        """What nobody can say of a text who does not know the passphrase."""
        return hmac.new(self._derived("manifest"), text, hashlib.sha256).hexdigest()

    def _derived(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, None, b"carehub backup 1 " + purpose.encode()).derive(self._key)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Writer:
    """Writes one file of a set; `sha256` and `size` are of what is on the disk, once it is closed."""

    def __init__(self, folder: Path, name: str, seal: Seal | None) -> None:
        path = folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._packer = zlib.compressobj(_LEVEL, wbits=31)
        self._cipher = seal.cipher(name) if seal else None
        self._waiting = bytearray()
        self._frames = 0
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def write(self, data: bytes) -> None:
        """As the driver wants it: it waits for us before it reads on."""
        self._take(self._packer.compress(data))

    def close(self) -> None:
        self._take(self._packer.flush())
        self._put(is_last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _take(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > FRAME:
            self._put(is_last=False)

    def _put(self, *, is_last: bool) -> None:
        frame = bytes(self._waiting[:FRAME])
        del self._waiting[:FRAME]
        if self._cipher:
            frame = self._cipher.encrypt(_nonce(self._frames, is_last=is_last), frame, None)
            frame = len(frame).to_bytes(4, "big") + frame
        self._frames += 1
        self._file.write(frame)
        self._digest.update(frame)
        self.size += len(frame)


def read(folder: Path, name: str, seal: Seal | None) -> Iterator[bytes]:
    """What was written into a file. BackupFailed where it was changed since."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for frame in _frames(folder / name, name, seal):
            if data := unpacker.decompress(frame):
                yield data
    except (InvalidTag, zlib.error, EOFError, OSError) as error:
        raise damaged(name) from error
    if not unpacker.eof:
        raise damaged(name)


def _frames(path: Path, name: str, seal: Seal | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        if seal is None:
            while frame := file.read(FRAME):
                yield frame
            return
        cipher, number, head = seal.cipher(name), 0, file.read(4)
        while head:
            frame = file.read(min(int.from_bytes(head, "big"), FRAME + _TAG))
            head = file.read(4)
            yield cipher.decrypt(_nonce(number, is_last=not head), frame, None)
            number += 1
        if not number:
            raise EOFError


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged(name: str) -> BackupFailed:
    return BackupFailed(f"{name} is damaged: it is not what was written. Take another set.")
