"""What a query may be. It is looked at as plain JSON, before anything of MongoDB's touches it.

What is allowed is listed, rather than what is not: an operator that MongoDB has tomorrow is refused until somebody
has thought about it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NoReturn

from gofastapi_ext.core.documents.names import check_path
from gofastapi_ext.core.documents.patterns import check_options, check_pattern
from gofastapi_ext.core.errors import InvalidRequestError

MAX_TEXT_BYTES = 100_000
MAX_DEPTH = 20
MAX_PARTS = 5_000
MAX_LIST = 1_000
MAX_SORT_FIELDS = 8
MAX_FIELDS = 200

EXTENDED_JSON = frozenset(
    {"$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$binary", "$uuid"}
    | {"$timestamp", "$regularExpression", "$minKey", "$maxKey", "$symbol", "$undefined", "$dbPointer"}
)
"""The first key of what stands for one value in Extended JSON, in a filter too: no code and no references."""

_LOGICAL = frozenset({"$and", "$or", "$nor"})
_VALUES = frozenset(
    {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$exists", "$type", "$mod", "$size"}
    | {"$bitsAllClear", "$bitsAllSet", "$bitsAnyClear", "$bitsAnySet"}
)
_LISTS = frozenset({"$in", "$nin", "$all"})
_GEO = frozenset({"$geoWithin", "$geoIntersects"})
_GEO_PARTS = frozenset({"$geometry", "$box", "$polygon", "$center", "$centerSphere"})
_TEXT_PARTS = frozenset({"$search", "$language", "$caseSensitive", "$diacriticSensitive"})
# None of them makes more out of what it is given, so that what an expression takes is bounded by its own length.
_EXPRESSIONS = frozenset(
    {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$cmp", "$and", "$or", "$not", "$cond", "$ifNull", "$in", "$switch"}
    | {"$add", "$subtract", "$multiply", "$divide", "$mod", "$abs", "$ceil", "$floor", "$round", "$trunc", "$sqrt"}
    | {"$size", "$type", "$isArray", "$isNumber", "$arrayElemAt", "$first", "$last", "$min", "$max", "$sum", "$avg"}
    | {"$strLenCP", "$strLenBytes", "$toLower", "$toUpper", "$substrCP", "$strcasecmp", "$indexOfCP", "$trim"}
    | {"$year", "$month", "$dayOfMonth", "$dayOfWeek", "$dayOfYear", "$hour", "$minute", "$second", "$millisecond"}
    | {"$week", "$isoWeek", "$isoWeekYear", "$dateTrunc", "$dateDiff", "$dateAdd", "$dateSubtract"}
    | {"$toInt", "$toLong", "$toDouble", "$toDecimal", "$toString", "$toDate", "$toBool", "$toObjectId"}
    | {"$setIsSubset", "$setEquals", "$anyElementTrue", "$allElementsTrue", "$bsonSize"}
)
_SCRIPTS = frozenset({"$where", "$function", "$accumulator"})


def parse(text: str, where: str) -> Any:
    """The JSON in `text`. Raises `InvalidRequestError` that names `where` it stands."""
    if len(text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES:
        raise InvalidRequestError(f"The {where} is longer than {MAX_TEXT_BYTES:,} bytes.")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise InvalidRequestError(f"The {where} is nested too deeply.") from None
    except ValueError as error:
        raise InvalidRequestError(f"The {where} is not JSON: {error}.") from None


def check_filter(value: Any) -> dict[str, Any]:
    """Return a filter that is one of MongoDB's, harmless and bounded; else raise `InvalidRequestError`."""
    _Filter().check(value, 0)
    checked: dict[str, Any] = value
    return checked


def check_projection(value: Any) -> dict[str, int]:
    """Return which fields to show, or which not to: 1 or 0 for each."""
    fields = _object(value, "projection")
    if len(fields) > MAX_FIELDS:
        raise InvalidRequestError(f"The projection names more than {MAX_FIELDS} fields.")
    found: dict[str, int] = {}
    for path, shown in fields.items():
        check_path(path, "projection")
        if isinstance(shown, float) or shown not in (0, 1):
            raise InvalidRequestError(f'projection: "{path}" is to be 1, to show it, or 0, to leave it out.')
        found[path] = int(shown)
    if len({shown for path, shown in found.items() if path != "_id"}) > 1:
        raise InvalidRequestError("projection: either name the fields to show or those to leave out, not both.")
    return found


def check_sort(value: Any) -> dict[str, int]:
    """Return by which fields to sort: 1 up, -1 down, the first field first."""
    fields = _object(value, "sort")
    if len(fields) > MAX_SORT_FIELDS:
        raise InvalidRequestError(f"The sort names more than {MAX_SORT_FIELDS} fields.")
    for path, direction in fields.items():
        check_path(path, "sort")
        if isinstance(direction, bool | float) or direction not in (1, -1):
            raise InvalidRequestError(f'sort: "{path}" is to be 1, upwards, or -1, downwards.')
    return {path: int(direction) for path, direction in fields.items()}


def check_change(changed: Mapping[str, Any], unset: list[str]) -> None:
    """Check the fields of an update. What they are set to is anything a document may hold."""
    paths = [*changed, *unset]
    if not paths:
        raise InvalidRequestError("There is nothing to change: name fields in set or unset.")
    if len(paths) > MAX_FIELDS:
        raise InvalidRequestError(f"That changes more than {MAX_FIELDS} fields at once.")
    for path in paths:
        check_path(path, "set" if path in changed else "unset")
        if path.partition(".")[0] == "_id":
            raise InvalidRequestError("_id says which document it is; it cannot be changed.")
    ordered = sorted(paths)
    for before, after in pairwise(ordered):
        if after == before or after.startswith(f"{before}."):
            raise InvalidRequestError(f'"{before}" and "{after}" are changed at once; one is in the other.')


class _Filter:
    """One check; counts what it has seen."""

    def __init__(self) -> None:
        self._parts = 0

    def check(self, value: Any, depth: int) -> None:
        """A filter: fields with conditions, and the words that join filters."""
        for key, wanted in _object(value, "filter").items():
            self._count(depth)
            if key in _LOGICAL:
                for each in self._list(key, wanted):
                    self.check(each, depth + 1)
            elif key == "$expr":
                self._expression(wanted, depth + 1)
            elif key == "$comment":
                self._literal(wanted, depth + 1)
            elif key == "$text":
                self._parts_of(key, wanted, _TEXT_PARTS, depth)
            elif key.startswith("$"):
                _refuse(key)
            else:
                check_path(key, "filter")
                self._condition(wanted, depth + 1)

    def _condition(self, value: Any, depth: int) -> None:
        self._count(depth)
        if not _has_operators(value):
            self._literal(value, depth)
            return
        for operator, operand in value.items():
            self._count(depth)
            if operator in _VALUES:
                self._literal(operand, depth + 1)
            elif operator in _LISTS:
                for each in self._list(operator, operand):
                    is_condition = operator == "$all" and _has_operators(each)
                    self._condition(each, depth + 1) if is_condition else self._literal(each, depth + 1)
            elif operator == "$not":
                self._condition(operand, depth + 1)
            elif operator == "$elemMatch":
                inner = self._condition if _has_operators(operand) and not _LOGICAL & operand.keys() else self.check
                inner(operand, depth + 1)
            elif operator == "$regex":
                self._literal(operand, depth + 1)
                if isinstance(operand, str):
                    check_pattern(operand)
            elif operator == "$options":
                check_options(operand if isinstance(operand, str) else "?")
            elif operator in _GEO:
                self._parts_of(operator, operand, _GEO_PARTS, depth)
            else:
                _refuse(operator)

    def _expression(self, value: Any, depth: int) -> None:
        self._count(depth)
        if isinstance(value, list):
            for each in self._list("A list in $expr", value):
                self._expression(each, depth + 1)
        elif isinstance(value, dict):
            if _is_extended(value):
                self._literal(value, depth)
                return
            for key, operand in value.items():
                if key == "$literal":
                    self._literal(operand, depth + 1)
                elif key.startswith("$") and key not in _EXPRESSIONS:
                    _refuse(key)
                else:
                    self._expression(operand, depth + 1)
        elif isinstance(value, str) and value.startswith("$"):
            start = "$$" if value.startswith("$$") else "$"
            check_path(value.removeprefix(start), "filter")

    def _literal(self, value: Any, depth: int) -> None:
        self._count(depth)
        if isinstance(value, list):
            for each in self._list("A list", value):
                self._literal(each, depth + 1)
        elif isinstance(value, dict):
            if pattern := value.get("$regularExpression"):
                _check_regular_expression(pattern)
            elif not _is_extended(value):
                for key, each in value.items():
                    if key.startswith("$"):
                        _refuse(key)
                    self._literal(each, depth + 1)

    def _parts_of(self, operator: str, value: Any, allowed: frozenset[str], depth: int) -> None:
        for key, each in _object(value, operator).items():
            if key not in allowed:
                _refuse(key)
            self._literal(each, depth + 1)

    def _list(self, operator: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise InvalidRequestError(f"filter: {operator} takes a list.")
        if len(value) > MAX_LIST:
            raise InvalidRequestError(f"filter: {operator} has {len(value):,} values; {MAX_LIST:,} are the most.")
        return value

    def _count(self, depth: int) -> None:
        self._parts += 1
        if depth > MAX_DEPTH:
            raise InvalidRequestError(f"The filter is nested more than {MAX_DEPTH} deep.")
        if self._parts > MAX_PARTS:
            raise InvalidRequestError(f"The filter has more than {MAX_PARTS:,} parts.")


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequestError(f'The {where} is to be an object, as in {{"name": 1}}.')
    return value


def _has_operators(value: Any) -> bool:
    return isinstance(value, dict) and not _is_extended(value) and any(key.startswith("$") for key in value)


def _is_extended(value: Mapping[str, Any]) -> bool:
    """Whether this stands for one value. Nothing in it is an operator then: see `platform.databases.ejson`."""
    first = next(iter(value), "")
    return first in EXTENDED_JSON and not any(isinstance(key, str) and key in _SCRIPTS for key in value)


def _check_regular_expression(value: Any) -> None:
    parts = value if isinstance(value, dict) else {}
    pattern, options = parts.get("pattern"), parts.get("options")
    if not isinstance(pattern, str) or not isinstance(options, str):
        raise InvalidRequestError('$regularExpression takes {"pattern": "…", "options": "…"}.')
    check_pattern(pattern)
    check_options(options)


def _refuse(operator: str) -> NoReturn:
    shown = operator[:40]
    if operator in _SCRIPTS:
        raise InvalidRequestError(f"The filter uses {shown}, which runs a script in the database; that is refused.")
    raise InvalidRequestError(f'The filter uses "{shown}", which is not an operator that is allowed here.')


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is written {{"$numberDouble": "{name}"}} here')
