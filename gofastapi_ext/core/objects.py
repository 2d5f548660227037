"""Where a bundle holds objects of a notebook's kernel. The runner knows these places too, and loads them."""

from __future__ import annotations

import json

from gofastapi_ext.core.bundle import Bundle

FOLDER = ".gofastapi/objects"
MANIFEST = ".gofastapi/objects.json"
MODULE = "gofastapi_objects"
"""Modules other than the main one import objects from here."""


def object_names(bundle: Bundle) -> list[str]:
    """The names of a bundle's objects, [] where it has none."""
    try:
        entries = json.loads(bundle.text_of(MANIFEST) or "{}").get("objects", [])
        return [str(entry["name"]) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []  # the app says what is wrong with it when it loads them


def is_objects_file(path: str) -> bool:
    """Whether a path of a bundle belongs to its objects."""
    return path == MANIFEST or path.startswith(f"{FOLDER}/")
