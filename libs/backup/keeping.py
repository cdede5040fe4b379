"""A folder of many sets: each is named by its time, and only so many are kept."""

import re
import shutil
from datetime import datetime
from pathlib import Path

from libs.backup.archive import BackupFailed
from libs.backup.manifest import SUMS

# Names in the order of their times. Whatever has another name was put there by somebody, and stays.
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")


def named_by(at: datetime, parent: Path) -> Path:
    """The folder of a set taken at `at` (UTC)."""
    return parent / f"{at:%Y-%m-%dT%H%M%SZ}"


def let_go(parent: Path, keep: int, taken: Path) -> list[Path]:
    """Remove what is older than the newest `keep` whole sets, be it a set or what was interrupted; never `taken`."""
    found = [path for path in parent.iterdir() if path.is_dir() and not path.is_symlink()]
    named = sorted(path for path in found if _NAME.fullmatch(path.name))
    whole = [path for path in named if (path / SUMS).exists()]
    gone = [path for path in named if path < whole[-keep:][0] and path != taken]
    for path in gone:
        try:
            (path / SUMS).unlink(missing_ok=True)  # first: what is half removed is no set
            shutil.rmtree(path)
        except OSError as error:
            raise BackupFailed(
                f"{taken} is whole, but {path} cannot be removed: {error.strerror}. Remove it, or the disk fills up."
            ) from error
    return gone
