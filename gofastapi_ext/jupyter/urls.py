"""Rules for URLs on their way through the relay. Pure, and byte for byte where nothing has to change."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote, unquote_plus, urlsplit, urlunsplit

# Never in a request's target on the wire: they are sent as what they stand for.
_UNSENDABLE = re.compile(r"[^\x21-\x22\x24-\x7e]")
_APP_PATH = re.compile(r"/(?P<app>[^/]*)(?P<rest>/.*)?", re.DOTALL)


def split_app_path(path: str) -> tuple[str, str | None]:
    """`/hello/a%2Fb` as (`hello`, `/a%2Fb`); the second is None where even the slash is missing."""
    match = _APP_PATH.fullmatch(path)
    return (match["app"], match["rest"]) if match else ("", None)


def target(path: str, query: str) -> str:
    """A request's target from a path and a query as the viewer sent them."""
    return _UNSENDABLE.sub(lambda found: f"%{ord(found[0]):02X}", f"{path}?{query}" if query else path)


def has_dot_segments(path: str) -> bool:
    """Whether some reader of `path`, before or after decoding, may see `.` or `..` as a step."""
    return any(part in (".", "..") for part in re.split(r"[/\\]", unquote(unquote(path))))


def without_parameters(query: str, names: Collection[str]) -> str:
    """`query` without the parameters of these names; the rest stays as it is."""
    kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0], encoding="latin-1") not in names]
    return "&".join(kept)


def clean_referer(referer: str) -> str:
    """A `Referer` without the credentials its query, and what follows the path, may hold."""
    try:
        parts = urlsplit(referer)
    except ValueError:
        return ""
    netloc = parts.netloc.rpartition("@")[2]
    query = without_parameters(parts.query, ("token", "_xsrf"))
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def is_within(url: str, host: str, prefix: str) -> bool:
    """Whether `url` lies at `host`, below the path `prefix`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    inside = parts.path.startswith(prefix + "/") and not has_dot_segments(parts.path)
    return inside and parts.netloc.lower() == host.lower()


def relocate(location: str, prefix: str, own_hosts: Collection[str]) -> str:
    """Where a redirect of the app leads when the app appears below `prefix`.

    `own_hosts` are the `host:port` names the app knows itself by. Other sites, and relative
    references, stay as they are.
    """
    try:
        parts = urlsplit(location)
    except ValueError:
        return location
    path = parts.path
    if parts.scheme or parts.netloc:
        if parts.scheme.lower() not in ("", "http", "https") or parts.netloc.lower() not in own_hosts:
            return location
        path = path or "/"
    elif not path.startswith("/"):
        return location
    if path != prefix and not path.startswith(prefix + "/"):
        path = prefix + path
    # Joined by hand: `urlunsplit` would read a path that starts with two slashes as a host.
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return path + query + fragment
