"""What a set says of itself: `manifest.json`, written last, and SHA256SUMS for `sha256sum --check`."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from libs.backup.archive import BackupFailed, Seal, damaged, digest_of

FORM = 1
NAME = "manifest.json"
SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of the set as it is on the disk."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSet:
    """One table: its columns in the order of the file, and a digest of its rows that knows no order."""

    file: StoredFile
    columns: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSet:
    """The end of the sealed ledger, the last place that a signed head vouches for, and the time of the last row."""

    sealed: int
    chained: str
    head: int
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSet:
    """One service's database."""

    taken_at: datetime
    server: str
    carehub: str
    revisions: Mapping[str, str]
    epoch: int
    lift: int
    ledger: LedgerSet
    tables: Mapping[str, TableSet]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole set. `heard_ahead`: events that somebody had heard and whoever told them not yet told, in this set: none,
    unless the hub was too busy for a clean cut.
    """

    form: int
    id: UUID
    taken_at: datetime
    seconds: float
    heard_ahead: int
    services: Mapping[str, DatabaseSet]
    # Public: what the heads in the set are signed with.
    audit_keys: str
    # Of a hub of one machine: its accounts, and how far its clock is ahead.
    home: Mapping[str, StoredFile]
    salt: str = ""
    mac: str = field(default="")

    def files(self) -> Iterator[StoredFile]:
        yield from self.home.values()
        for database in self.services.values():
            for table in database.tables.values():
                yield table.file

    @property
    def rows(self) -> int:
        return sum(t.rows for d in self.services.values() for t in d.tables.values())

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files())

    def write(self, folder: Path, seal: Seal | None) -> None:
        """With the passphrase's word for it. Whoever finds SHA256SUMS knows that all of it is there."""
        told = replace(self, mac=seal.vouch(_encoded(self)) if seal else "")
        _keep(folder / NAME, msgspec.json.format(msgspec.json.encode(told)))
        sums = [(file.sha256, file.name) for file in self.files()]
        sums.append((digest_of(folder / NAME), NAME))
        _keep(folder / SUMS, "".join(f"{digest}  {name}\n" for digest, name in sums).encode())
        _sync(folder)


def _encoded(manifest: Manifest) -> bytes:
    return msgspec.json.encode(replace(manifest, mac=""), order="deterministic")


def _keep(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    for each in {folder, *(path.parent for path in folder.rglob("*") if path.is_file())}:
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_manifest(folder: Path, passphrase: str) -> tuple[Manifest, Seal | None]:
    """What the set says of itself, and what opens it. BackupFailed says what is wrong with either."""
    if not (folder / SUMS).exists() or not (folder / NAME).exists():
        raise BackupFailed(
            f"{folder} is no whole set: {SUMS} or {NAME} is missing. A backup that was interrupted has none."
        )
    listed = {line[66:]: line[:64] for line in (folder / SUMS).read_text().splitlines()}
    if listed.get(NAME) != digest_of(folder / NAME):
        raise damaged(NAME)
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupFailed(f"{NAME} cannot be read: is it of another version?") from error
    if found.form != FORM:
        raise BackupFailed(f"The set has the form {found.form}; this CareHub reads form {FORM}.")
    return found, _opened(found, passphrase)


def _opened(found: Manifest, passphrase: str) -> Seal | None:
    if not found.salt and passphrase:
        raise BackupFailed(
            "The set is not sealed, and a passphrase was given: somebody may have put another set in its place. Compare it "
            "with where it comes from; if it was taken without a passphrase, leave --passphrase-file away."
        )
    if not found.salt:
        return None
    if not passphrase:
        raise BackupFailed("The set is sealed. Give the file of its passphrase: --passphrase-file")
    seal = Seal(passphrase, bytes.fromhex(found.salt))
    if seal.vouch(_encoded(found)) != found.mac:
        raise BackupFailed("That is not the passphrase of this set, or the manifest was changed.")
    return seal


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every file is there and what it was; said before anything is changed anywhere."""
    for file in manifest.files():
        path = folder / file.name
        if not path.is_file():
            raise BackupFailed(f"{file.name} is missing from the set. Take another set.")
        if path.stat().st_size != file.size or digest_of(path) != file.sha256:
            raise damaged(file.name)
