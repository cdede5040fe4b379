"""Words as they are compared: without case, accents and punctuation."""

import unicodedata
from functools import lru_cache

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


def plain_suffix(suffix: str) -> str:
    return plain(suffix).replace(" ", "")
