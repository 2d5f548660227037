"""Is a request made by a page of this server, or by one of another site through the viewer's login?"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_foreign(method: str, headers: Mapping[str, str], *, websocket: bool = False) -> bool:
    """Whether to refuse a request that rides on a cookie.

    What changes something, and every WebSocket, has to prove that it comes from here. The rest is
    refused where it is known to come from elsewhere, except for following a link.
    """
    proof_needed = websocket or method not in _SAFE_METHODS
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        # "none" is the person: the address bar, a bookmark, a reload.
        if site in ("same-origin", "none"):
            return False
        return proof_needed or headers.get("Sec-Fetch-Mode") != "navigate"
    host = headers.get("Host", "").lower()
    origin = headers.get("Origin")
    if origin is not None:
        return not host or _host_of(origin) != host
    if not proof_needed:
        return False
    referer = headers.get("Referer")
    return referer is None or not host or _host_of(referer) != host


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""
