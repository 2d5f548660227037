"""Link-preview tags: a deployed page shared in a chat shows its title, without its author doing a thing."""

from __future__ import annotations

import html
import re
from typing import Any

_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HEAD = re.compile(rb"<head(\s[^>]*)?>", re.IGNORECASE)
_OPEN_GRAPH = re.compile(rb"""property\s*=\s*["']?og:""", re.IGNORECASE)


def is_page(message: dict[str, Any]) -> bool:
    """Whether a response start announces a plain HTML page."""
    if message["status"] != 200:
        return False
    page = False
    for name, value in message.get("headers", ()):
        if name == b"content-type":
            if not value.startswith(b"text/html"):
                return False
            page = True
        elif name in (b"content-encoding", b"etag"):
            # Compressed, or named by its bytes: not ours to change.
            return False
    return page


def add_tags(body: bytes, app_title: str) -> bytes:
    """The page with Open Graph tags, where it has a head and none of its own."""
    head = _HEAD.search(body)
    if head is None or _OPEN_GRAPH.search(body):
        return body
    found = _TITLE.search(body)
    title = html.unescape(found.group(1).decode("utf-8", "replace")).strip() if found else ""
    tags = "".join(
        f'<meta property="og:{name}" content="{html.escape(value)}">'
        for name, value in (("title", title or app_title), ("type", "website"), ("site_name", app_title))
    )
    return body[: head.end()] + tags.encode() + body[head.end() :]


def with_length(start: dict[str, Any], length: int) -> dict[str, Any]:
    """The response start with its content-length set to `length`."""
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    return {**start, "headers": [*headers, (b"content-length", b"%d" % length)]}
