"""What a unit is: a table or other model, a schema, or a helper."""

from __future__ import annotations

import ast
from enum import StrEnum

from gofastapi_ext.core.convert.units import Unit
from gofastapi_ext.core.validation.names import Names
from gofastapi_ext.core.validation.statements import is_never_deployed, last_name

METHODS = frozenset({"get", "post", "put", "delete", "patch", "options", "head", "trace", "api_route", "websocket"})

_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
_TYPED = frozenset({"TypedDict", "NamedTuple"})
# Object mappers whose classes are what the database holds.
_MAPPERS = frozenset({"beanie", "mongoengine", "odmantic", "tortoise", "ormar", "peewee", "pony", "piccolo", "umongo"})


class Kind(StrEnum):
    """What becomes of a unit."""

    DOCSTRING = "docstring"
    FUTURE = "future"
    IMPORT = "import"
    ROUTE = "route"
    MODEL = "model"
    SCHEMA = "schema"
    HELPER = "helper"
    """Binds names: a function, a constant, a client."""
    STATEMENT = "statement"
    """Binds nothing."""


def kind_of(unit: Unit, names: Names, classes: dict[str, ast.ClassDef], binds: frozenset[str]) -> Kind:
    """The kind of a unit; routes are known to `routes` only."""
    node = unit.node
    if all(is_import(each) for each in unit.nodes):
        futures = [each for each in unit.nodes if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
        return Kind.FUTURE if futures else Kind.IMPORT
    if isinstance(node, ast.If) and is_never_deployed(node.test):
        return Kind.STATEMENT  # the block that starts a server
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and unit.index == 0:
        return Kind.DOCSTRING
    if isinstance(node, ast.ClassDef):
        return _kind_of_class(node, names, classes, set())
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
        made = names.qualified(node.value.func)
        if made.partition(".")[0] == "sqlalchemy" and last_name(node.value.func) in ("declarative_base", "Table"):
            return Kind.MODEL
    return Kind.HELPER if binds else Kind.STATEMENT


def is_import(node: ast.stmt) -> bool:
    """Whether it only imports: under `if TYPE_CHECKING` too."""
    if isinstance(node, ast.If) and is_never_deployed(node.test) and not node.orelse:
        return not _is_main_block(node) and all(isinstance(each, ast.Import | ast.ImportFrom) for each in node.body)
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_main_block(node: ast.If) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(node.test))


def _kind_of_class(node: ast.ClassDef, names: Names, classes: dict[str, ast.ClassDef], seen: set[str]) -> Kind:
    seen.add(node.name)
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if last_name(call) == "dataclass":
            return Kind.SCHEMA if names.qualified(call).startswith("pydantic.") else Kind.MODEL
    kinds = {_kind_of_base(node, base, names, classes, seen) for base in node.bases}
    return next((kind for kind in (Kind.MODEL, Kind.SCHEMA) if kind in kinds), Kind.HELPER)


def _kind_of_base(
    node: ast.ClassDef, base: ast.expr, names: Names, classes: dict[str, ast.ClassDef], seen: set[str]
) -> Kind:
    if isinstance(base, ast.Subscript):
        base = base.value
    qualified = names.qualified(base)
    top, _, _ = qualified.partition(".")
    last = qualified.rpartition(".")[2]
    is_table = any(keyword.arg == "table" and _is_true(keyword.value) for keyword in node.keywords)
    if qualified in classes and qualified not in seen:
        inherited = _kind_of_class(classes[qualified], names, classes, seen)
        return Kind.MODEL if is_table else inherited
    if top == "sqlmodel" and last == "SQLModel":
        return Kind.MODEL if is_table else Kind.SCHEMA
    if last == "DeclarativeBase" or last == "Model" or (top in _MAPPERS and last != "BaseModel"):
        return Kind.MODEL
    binding = names.bindings.get(qualified)
    if binding is not None and isinstance(binding.value, ast.Call):
        return Kind.MODEL if last_name(binding.value.func) == "declarative_base" else Kind.HELPER
    if top == "pydantic" and last in ("BaseModel", "RootModel", "GenericModel"):
        return Kind.SCHEMA
    return Kind.SCHEMA if last in _ENUMS | _TYPED and top in ("enum", "typing", "typing_extensions") else Kind.HELPER


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def is_table(node: ast.ClassDef, kind: Kind) -> bool:
    """Whether defining the class tells a registry of it."""
    plain = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    return kind is Kind.MODEL and not plain
