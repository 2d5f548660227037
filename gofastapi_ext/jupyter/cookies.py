"""An app's cookies share a browser's jar with Jupyter's, so each app has names and a path of its own."""

from __future__ import annotations

from collections.abc import Iterable

_KEPT_ATTRIBUTES = frozenset({"expires", "httponly", "max-age", "partitioned", "samesite", "secure"})


def stored_name(name: str, app_id: str) -> str:
    """The name the browser knows an app's cookie by. The dot is in no app's id, so two never meet."""
    return f"gofastapi-{app_id}.{name}"


def app_cookie(set_cookie: str, app_id: str, prefix: str) -> str | None:
    """An app's `Set-Cookie`, renamed and kept below `prefix`; None where it has no name.

    A nameless cookie would come back as whatever its value says, Jupyter's own names included.
    """
    pair, *attributes = set_cookie.split(";")
    name, equals, value = pair.partition("=")
    name = name.strip()
    if not name or not equals:
        return None
    kept = [f"{stored_name(name, app_id)}={value.strip()}"]
    path = "/"
    for attribute in attributes:
        key, _, setting = attribute.partition("=")
        key = key.strip().lower()
        if key in _KEPT_ATTRIBUTES:
            kept.append(attribute.strip())
        elif key == "path":
            path = setting.strip()
    kept.append(f"Path={_below(prefix, path)}")
    return "; ".join(kept)


def cookies_of_app(cookie_headers: Iterable[str], app_id: str) -> str:
    """The `Cookie` value for an app: its own cookies under their own names, nobody else's; or ""."""
    start = stored_name("", app_id)
    own: list[str] = []
    for header in cookie_headers:
        for pair in header.split(";"):
            pair = pair.strip()
            if pair.startswith(start) and not pair.startswith(start + "="):
                own.append(pair[len(start) :])
    return "; ".join(own)


def _below(prefix: str, path: str) -> str:
    if path == prefix or path.startswith(prefix + "/"):
        return path
    return prefix + (path if path.startswith("/") else "/")
