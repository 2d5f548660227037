"""How far a copy is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    collection: str
    """The one it is at."""
    documents: int
    """Of all collections, so far."""
