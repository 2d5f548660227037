"""Which headers pass between a viewer, the platform and an app. Pure rules, without I/O.

Values are text in Latin-1, one character for each byte on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gofastapi_ext.jupyter.cookies import app_cookie, cookies_of_app
from gofastapi_ext.jupyter.urls import clean_referer, is_within, relocate

Header = tuple[str, str]

_HOP_BY_HOP = frozenset(
    {"connection", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authentication-info"}
    | {"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)

# The platform needs no more to know. Above all neither cookies nor tokens of Jupyter's.
_TO_PLATFORM = frozenset(
    {"accept", "accept-encoding", "accept-language", "content-encoding", "content-type", "if-match"}
    | {"if-modified-since", "if-none-match", "last-event-id", "range", "x-request-id"}
)

# Ours to say (the forwarded ones, framing), or the viewer's own business with Jupyter.
_NEVER_TO_APP = _HOP_BY_HOP | {
    "authorization", "content-length", "cookie", "expect", "forwarded", "host", "referer", "x-real-ip",
    "x-scheme", "x-xsrftoken",
}  # fmt: skip
# Headers that proxies in front of Jupyter add: addresses, and proofs of who the viewer is.
_NEVER_TO_APP_PREFIXES = (
    "cf-access-", "sec-websocket-", "x-amzn-oidc-", "x-auth-request-", "x-forwarded-", "x-goog-authenticated-",
    "x-goog-iap-", "x-ms-client-principal", "x-ms-token-",
)  # fmt: skip

# These bind the whole origin, which is Jupyter's: other pages, service workers, the next visit.
_NEVER_FROM_APP = _HOP_BY_HOP | {
    "accept-ch", "alt-svc", "clear-site-data", "critical-ch", "expect-ct", "nel", "origin-agent-cluster",
    "public-key-pins", "public-key-pins-report-only", "report-to", "reporting-endpoints",
    "service-worker-allowed", "set-login", "strict-transport-security",
    # Orders to a web server in front of Jupyter: serve a file of its own instead.
    "x-accel-redirect", "x-lighttpd-send-file", "x-reproxy-url", "x-sendfile",
}  # fmt: skip
# Who may read across origins through the viewer's login is for Jupyter's own settings to say.
_NEVER_FROM_APP_PREFIXES = ("access-control-", "sec-websocket-")


@dataclass(frozen=True)
class Visit:
    """A viewer's request to an app, as far as the rules need to know it.

    `prefix` is the URL path the app appears under, without a slash at its end. `by_token` says that
    the viewer showed a Jupyter token, in the URL or in `Authorization`, rather than a cookie.
    """

    app_id: str
    prefix: str
    host: str
    scheme: str
    address: str
    by_token: bool


def to_platform(headers: Iterable[Header]) -> list[Header]:
    """The few request headers the platform may see."""
    return [(name, value) for name, value in headers if name.lower() in _TO_PLATFORM]


def from_platform(headers: Iterable[Header]) -> list[Header]:
    """The response headers of the platform: all that are not about one connection, and no cookies."""
    return [(name, value) for name, value in _end_to_end(headers) if name.lower() != "set-cookie"]


def to_app(headers: Iterable[Header], visit: Visit) -> list[Header]:
    """The request headers an app sees: the viewer's, without what is between the viewer and Jupyter."""
    pairs = list(headers)
    kept = [
        (name, value)
        for name, value in _end_to_end(pairs)
        if name.lower() not in _NEVER_TO_APP and not name.lower().startswith(_NEVER_TO_APP_PREFIXES)
    ]
    referer = _value_of(pairs, "referer")
    if clean_referer(referer):
        kept.append(("Referer", clean_referer(referer)))
    if _is_bearer_of_app(pairs, referer, visit):
        kept.append(("Authorization", _value_of(pairs, "authorization")))
    cookies = cookies_of_app((value for name, value in pairs if name.lower() == "cookie"), visit.app_id)
    if cookies:
        kept.append(("Cookie", cookies))
    return [
        ("Host", visit.host),
        *kept,
        ("X-Forwarded-For", visit.address),
        ("X-Forwarded-Host", visit.host),
        ("X-Forwarded-Prefix", visit.prefix),
        ("X-Forwarded-Proto", visit.scheme),
    ]


def from_app(headers: Iterable[Header], visit: Visit, port: int) -> list[Header]:
    """The response headers a viewer sees: the app's, with cookies and redirects kept below its prefix."""
    kept: list[Header] = []
    for name, value in _end_to_end(headers):
        key = name.lower()
        if key in _NEVER_FROM_APP or key.startswith(_NEVER_FROM_APP_PREFIXES):
            continue
        if key == "set-cookie":
            cookie = app_cookie(value, visit.app_id, visit.prefix)
            if cookie:
                kept.append((name, cookie))
        elif key == "www-authenticate" and not value.lower().startswith("bearer"):
            continue  # a password typed into the browser's prompt would go to Jupyter, not to the app
        elif key in ("location", "content-location"):
            own_hosts = {visit.host.lower(), f"127.0.0.1:{port}", f"localhost:{port}"}
            kept.append((name, relocate(value, visit.prefix, own_hosts)))
        else:
            kept.append((name, value))
    return kept


def body_length(headers: Iterable[Header]) -> int | None:
    """How many bytes of body follow the request's head; 0 without one, None where chunks tell.

    Raises `ValueError` where the headers leave any doubt: two readings of it are how a request is
    smuggled inside another.
    """
    pairs = list(headers)
    lengths = [value for name, value in pairs if name.lower() == "content-length"]
    codings = [value for name, value in pairs if name.lower() == "transfer-encoding"]
    if codings:
        if lengths or [coding.lower() for coding in codings] != ["chunked"]:
            raise ValueError("The length of the request's body is not clear.")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
        raise ValueError("The Content-Length of the request is not one number.")
    return int(lengths[0])


def with_length(headers: list[Header], length: int | None) -> list[Header]:
    """`headers` with the one `Content-Length`, where the body has a known one."""
    return [*headers, ("Content-Length", str(length))] if length else headers


def _end_to_end(headers: Iterable[Header]) -> list[Header]:
    pairs = list(headers)
    dropped = set(_HOP_BY_HOP)
    for name, value in pairs:
        if name.lower() == "connection":
            dropped.update(token.strip().lower() for token in value.split(","))
    return [(name, value) for name, value in pairs if name.lower() not in dropped]


def _is_bearer_of_app(headers: list[Header], referer: str, visit: Visit) -> bool:
    """Whether `Authorization` was set by a page of the app itself, for the app.

    No browser adds a bearer token by itself, the page it comes from is the app's, and Jupyter knew
    the viewer by a cookie: so it is none of the viewer's credentials.
    """
    scheme = _value_of(headers, "authorization").partition(" ")[0].lower()
    return scheme == "bearer" and not visit.by_token and is_within(referer, visit.host, visit.prefix)


def _value_of(headers: list[Header], name: str) -> str:
    """The value of a header that comes once; "" where it is missing or comes more often."""
    values = [value for key, value in headers if key.lower() == name]
    return values[0] if len(values) == 1 else ""
