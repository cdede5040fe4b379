"""ETag, If-Match and If-None-Match (RFC 9110, 13): which version a request means."""

import re
from collections.abc import Mapping

from gateway.api.problems import Problem

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e]*")')


def header_of(etag: str) -> str:
    """Return a resource's etag as the header shows it; ours are quoted already."""
    return etag if _TAG.fullmatch(etag) else '"' + re.sub(r"[^\x21\x23-\x7e]", "", etag) + '"'


def wanted_version(headers: Mapping[bytes, bytes]) -> str:
    """Return the one version that If-Match allows; empty if there is no such condition, or any will do."""
    text = headers.get(b"if-match", b"").decode("latin-1").strip()
    if text in {"", "*"}:
        return ""
    found = _TAG.fullmatch(text)
    if not found:
        raise Problem(400, "IF_MATCH_UNREADABLE", "If-Match names one ETag, as an answer gave it.")
    if found.group(1):
        # Weak tags never match here (RFC 9110, 13.1.1).
        raise Problem(412, "STALE_ETAG", "A weak ETag says nothing about the version.")
    return found.group(2)


def is_known(headers: Mapping[bytes, bytes], etag: str) -> bool:
    """Say whether If-None-Match names the version that would be sent."""
    text = headers.get(b"if-none-match", b"").decode("latin-1").strip()
    if not text or not etag:
        return False
    return text == "*" or etag in {match.group(2) for match in _TAG.finditer(text)}
