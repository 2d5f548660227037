"""The shape of a query: its operators and the fields they are about, without a value of anybody's data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_MAX_LENGTH = 500
_MAX_DEPTH = 8
_MAX_KEYS = 20
_MAX_NAME = 60
_MAX_SHAPES = 3
# What says which data, and how they are looked for; the rest is bookkeeping of drivers.
_TOLD = (
    "filter",
    "query",
    "q",
    "pipeline",
    "update",
    "u",
    "updates",
    "deletes",
    "key",
    "projection",
    "sort",
    "hint",
    "indexes",
)
_KINDS = {"str": "string", "int": "number", "Int64": "number", "float": "number", "NoneType": "null", "Code": "code"}


def shape_of(command: Mapping[str, Any]) -> str:
    """`find {"filter": {"age": {"$gt": "number"}}}`, cut where it is long."""
    if not command:
        return "operation"
    # The first key of a command is its name. A command that the server cut is text that may hold values.
    name = next(iter(command))
    if name.startswith("$"):
        return "operation"
    told = {key: _shape(command[key], 0) for key in _TOLD if command.get(key)}
    text = json.dumps(told, ensure_ascii=False) if told else ""
    if len(text) > _MAX_LENGTH:
        text = text[:_MAX_LENGTH] + "…"
    return f"{name[:_MAX_NAME]} {text}".rstrip()


def _shape(value: Any, depth: int) -> Any:
    if depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        names = list(value)[:_MAX_KEYS]
        shape = {str(name)[:_MAX_NAME]: _shape(value[name], depth + 1) for name in names}
        return shape if len(names) == len(value) else shape | {"…": "…"}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        shapes: list[Any] = []
        for each in value[:100]:
            shape = _shape(each, depth + 1)
            if shape not in shapes:
                shapes.append(shape)
        return shapes if len(shapes) <= _MAX_SHAPES and len(value) <= 100 else [*shapes[:_MAX_SHAPES], "…"]
    kind = type(value).__name__
    return _KINDS.get(kind, kind.lower())
