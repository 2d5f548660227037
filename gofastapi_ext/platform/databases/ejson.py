"""MongoDB Extended JSON v2: the text form in which dates, ObjectIds, Decimals and binary survive.

Canonical, where every type can be told again, is for exchange. Relaxed is for people: numbers are plain, dates are
text; only integers that JavaScript would round stay wrapped. Both are read alike.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bson import CodecOptions, Int64, ObjectId, json_util
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError

from gofastapi_ext.core.documents.query import EXTENDED_JSON
from gofastapi_ext.core.errors import InvalidRequestError

Document = dict[str, Any]

# Dates that no calendar of Python's holds (year 20000, say) stay numbers; UUIDs stay the bytes they are.
READING: CodecOptions[Document] = CodecOptions(
    document_class=dict, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_CANONICAL = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_RELAXED = json_util.JSONOptions(
    json_mode=json_util.JSONMode.RELAXED, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_WRAPPERS = EXTENDED_JSON | {"$code", "$ref"}
# What most values are. The library's own way, through all the forms there are, takes three times as long.
_READ_AT_ONCE: dict[str, Callable[[str], Any]] = {
    "$numberInt": int,
    "$numberLong": Int64,
    "$numberDouble": float,
    "$oid": ObjectId,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_EXACT = 2**53


def to_json(value: Any, *, relaxed: bool = False) -> Any:
    """A value of BSON as data that JSON can hold."""
    return _relaxed(value) if relaxed else _canonical(value)


def to_text(document: Mapping[str, Any], *, relaxed: bool = False) -> str:
    """A document in one line of JSON."""
    return json.dumps(to_json(document, relaxed=relaxed), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def from_text(text: str | bytes) -> Any:
    """Read one value. Raises `InvalidRequestError` that says what is wrong with it."""
    return _read(lambda: json.loads(text, object_hook=_unwrap))


def from_json(value: Any) -> Any:
    """Read a value that came within other JSON. Raises `InvalidRequestError`."""
    return _read(lambda: _unwrapped(value))


def _read(reading: Callable[[], Any]) -> Any:
    try:
        return reading()
    except RecursionError:
        raise InvalidRequestError("It is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise InvalidRequestError(f"It is not JSON: {error}.") from None
    except (BSONError, ValueError, TypeError, KeyError, ArithmeticError, AttributeError, IndexError) as error:
        raise InvalidRequestError(f"It is not Extended JSON: {error}.") from None


def _unwrap(value: Document) -> Any:
    # Asked of every object there is, so the first key alone decides whether it stands for something else.
    for first, inner in value.items():
        if first not in _WRAPPERS:
            return value
        read = _READ_AT_ONCE.get(first)
        if read is not None and type(inner) is str and len(value) == 1:
            return read(inner)
        return json_util.object_hook(value, _CANONICAL)
    return value


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return _unwrap({key: _unwrapped(each) for key, each in value.items()})
    if isinstance(value, list):
        return [_unwrapped(each) for each in value]
    return value


def _canonical(value: Any) -> Any:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int:
        return {"$numberInt": str(value)} if -(2**31) <= value < 2**31 else {"$numberLong": str(value)}
    if kind is dict:
        return {key: _canonical(each) for key, each in value.items()}
    if kind is list:
        return [_canonical(each) for each in value]
    if kind is float and math.isfinite(value):
        return {"$numberDouble": repr(value)}
    if kind is ObjectId:
        return {"$oid": str(value)}
    if kind is Int64:
        return {"$numberLong": str(int(value))}
    if kind is datetime:
        since = value - _EPOCH
        milliseconds = (86_400 * since.days + since.seconds) * 1000 + since.microseconds // 1000
        return {"$date": {"$numberLong": str(milliseconds)}}
    return _other(value, _CANONICAL, _canonical)


def _relaxed(value: Any) -> Any:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int or kind is Int64:
        return int(value) if -_MOST_EXACT <= value <= _MOST_EXACT else {"$numberLong": str(int(value))}
    if kind is float and math.isfinite(value):
        return value
    if kind is dict:
        return {key: _relaxed(each) for key, each in value.items()}
    if kind is list:
        return [_relaxed(each) for each in value]
    return _other(value, _RELAXED, _relaxed)


def _other(value: Any, options: json_util.JSONOptions, convert: Callable[[Any], Any]) -> Any:
    """Whatever has a class of its own; what it is made of is converted in turn, as the scope of code is."""
    wrapped = json_util.default(value, options)
    return {key: convert(each) if isinstance(each, dict) and key == "$scope" else each for key, each in wrapped.items()}
