"""Words as they are compared: without case, accents and punctuation."""

import unicodedata
from functools import lru_cache

# Letters that no accent makes: a site whose character set has none of them writes those below.
_STROKES = str.maketrans("ĐŁØ", "DLO")
_SUFFIXES = frozenset({"JR", "SR", "II", "III", "IV", "V", "MD", "PHD"})


@lru_cache(maxsize=8192)  # the messages of a stay say the same again and again
def plain(text: str) -> str:
    """Upper case letters and digits, one blank between words."""
    decomposed = unicodedata.normalize("NFKD", text)
    kept = (c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join("".join(kept).upper().split())


@lru_cache(maxsize=8192)
def plain_name(name: str) -> str:
    """A name as compared: O'Brien is OBRIEN, and a suffix is not part of it."""
    words = plain(name.replace("'", "").replace("’", "").replace("`", "")).split()
    return " ".join(w for w in words if w not in _SUFFIXES) or " ".join(words)


def plainest_name(name: str) -> str:
    """A name as it is compared with what another site may have had to write; keys that are stored know `plain_name`."""
    return plain_name(name).translate(_STROKES)


def plain_suffix(suffix: str) -> str:
    return plain(suffix).replace(" ", "")
