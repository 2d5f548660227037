"""What a stored request needs to be sent again: where it goes, with which headers, and what it lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_plus

from gofastapi_ext.core.app_errors import CUT, LEFT_OUT
from gofastapi_ext.core.errors import InvalidRequestError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Those that are to change nothing: sent again without a question."""
BODY = "its body"
"""One of the words of `what_lacks`."""

_METHOD = re.compile(r"[A-Z]{1,20}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]{0,8000}")
# They are about one connection, or follow from what is sent.
_NOT_OURS_TO_SEND = frozenset(
    {"connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-authenticate"}
    | {"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_MAX_HEADERS = 100


def request_target(path: str) -> str:
    """A stored path, with its query, as it may stand in the first line of a request.

    It was told by the app's process: whatever it holds, it is a path at the server that is asked, and one line.
    """
    target = quote(path.partition("#")[0], safe="/?%:@!$&'()*+,;=-._~", errors="replace")
    return target if target.startswith("/") else f"/{target}"


def can_be_sent(method: str) -> bool:
    """Whether it is a method of HTTP; an error in a WebSocket has none."""
    return _METHOD.fullmatch(method) is not None and method not in ("CONNECT", "WEBSOCKET")


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers a person wants to send. Raises `InvalidRequestError` that names the one which cannot be sent."""
    if len(headers) > _MAX_HEADERS:
        raise InvalidRequestError(f"{len(headers)} headers are too many; {_MAX_HEADERS} can be sent.")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise InvalidRequestError(f'"{name[:100]}" cannot be the name of a header.')
        if not _VALUE.fullmatch(value):
            raise InvalidRequestError(f"The value of {name} holds control characters, or is too long.")
        if name.lower() in _NOT_OURS_TO_SEND:
            raise InvalidRequestError(f"{name} is about the connection and cannot be chosen. Leave it out.")
    return dict(headers)


def headers_to_send(stored: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The stored headers that can be sent as they are, and those `given`, which win."""
    named = {name.lower() for name in given}
    kept = {
        name: value
        for name, value in stored.items()
        if name.lower() not in named | _NOT_OURS_TO_SEND
        # An answer that is not compressed is one that can be shown.
        and name.lower() != "accept-encoding"
        and not _is_cut(value)
        and _TOKEN.fullmatch(name)
        and _VALUE.fullmatch(value)
    }
    return kept | dict(given)


def what_lacks(path: str, headers: Mapping[str, str], *, lacks_body: bool, given: Mapping[str, str]) -> list[str]:
    """What was in the request and is not kept, in words; `given` headers make up for those that are not."""
    pairs = [part.partition("=") for part in path.partition("#")[0].partition("?")[2].split("&")]
    hidden = [unquote_plus(name) for name, _, value in pairs if _is_cut(unquote_plus(value))]
    lacking = ["a part of its path"] if _is_cut(path.partition("?")[0]) else []
    lacking += [f"the value of {name} in the query" for name in hidden]
    named = {name.lower() for name in given}
    lacking += [f"the header {name}" for name, v in headers.items() if _is_cut(v) and name.lower() not in named]
    return [*lacking, BODY] if lacks_body else lacking


def _is_cut(text: str) -> bool:
    return LEFT_OUT in text or CUT in text
