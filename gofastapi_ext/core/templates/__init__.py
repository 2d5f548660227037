"""What a new app may start from: small, whole apps to change into one's own."""

from __future__ import annotations

from gofastapi_ext.core.templates.base import Template
from gofastapi_ext.core.templates.chat import CHAT
from gofastapi_ext.core.templates.hello import HELLO
from gofastapi_ext.core.templates.items import ITEMS
from gofastapi_ext.core.templates.notes import NOTES
from gofastapi_ext.core.templates.predict import PREDICT

__all__ = ["TEMPLATES", "Template"]

TEMPLATES = (HELLO, NOTES, ITEMS, PREDICT, CHAT)
"""The easiest first."""
