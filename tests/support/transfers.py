"""Documents in and out of a service, as files have them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from gofastapi_ext.core.documents.views import ImportEvent
from support.platform import Platform


def load(platform: Platform, collection: str, content: bytes | Iterable[bytes], **how: Any) -> ImportEvent:
    """Import, and return how it ended."""
    pieces = [content] if isinstance(content, bytes) else content
    return list(platform.client.import_documents(collection, pieces, **how))[-1]


def export(platform: Platform, collection: str, **how: Any) -> bytes:
    target = io.BytesIO()
    platform.client.export_documents(collection, target, **how)
    return target.getvalue()


def lines(documents: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)
