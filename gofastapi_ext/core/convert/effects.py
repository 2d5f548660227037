"""What a statement does to the world when its module is imported, as far as the order of imports could matter."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator
from enum import Flag, auto

from gofastapi_ext.core.convert.kinds import Kind, is_import, is_table
from gofastapi_ext.core.convert.units import Unit
from gofastapi_ext.core.validation.names import Names
from gofastapi_ext.core.validation.statements import dotted_name, is_never_deployed


class Effect(Flag):
    """Effects of an import."""

    NONE = 0
    READS = auto()
    """Asks the environment, the clock, a file."""
    MAKES = auto()
    """Calls a library for an object: a client, an engine."""
    REGISTERS = auto()
    """Tells a registry of tables about a class."""
    IMPORTS = auto()
    """Runs the code of a library."""
    IMPORTS_OWN = auto()
    """Runs the code of another file of the app."""
    DOES = auto()
    """Anything else."""


def must_keep_order(first: Effect, second: Effect) -> bool:
    """Whether it may be told which of the two came first."""
    if Effect.DOES in first:
        return bool(second)
    if Effect.DOES in second:
        return bool(first)
    return Effect.IMPORTS_OWN in first and Effect.IMPORTS_OWN in second


_PURE_LIBRARIES = (
    "fastapi.", "starlette.", "pydantic.", "typing.", "typing_extensions.", "enum.", "dataclasses.", "abc.",
    "collections.", "decimal.", "fractions.", "pathlib.", "re.", "functools.", "itertools.", "operator.", "string.",
    "annotated_types.", "contextlib.", "contextvars.", "jinja2.", "sqlmodel.Field", "sqlmodel.Relationship",
    "sqlmodel.SQLModel", "sqlalchemy.", "passlib.context.CryptContext", "logging.getLogger", "uuid.UUID",
    "datetime.timedelta", "datetime.timezone", "http.HTTPStatus", "os.path.join", "os.path.dirname",
    "os.path.abspath", "os.path.basename", "asyncio.Lock", "asyncio.Queue", "asyncio.Event", "threading.Lock",
    "queue.", "json.dumps", "json.loads", "math.", "pydantic_settings.SettingsConfigDict",
)  # fmt: skip
_NOT_PURE = ("sqlalchemy.event", "starlette.config", "starlette.staticfiles", "fastapi.staticfiles")
_READS = (
    "os.getenv", "os.environ.get", "os.path.", "os.getcwd", "datetime.", "time.", "uuid.", "random.", "secrets.",
    "starlette.config", "starlette.staticfiles", "fastapi.staticfiles",
)  # fmt: skip
_PURE_OF_PATHS = frozenset({"resolve", "absolute", "joinpath", "expanduser", "with_suffix", "with_name", "as_posix"})
_IMPURE_BUILTINS = frozenset(
    {"print", "input", "exec", "eval", "compile", "open", "setattr", "delattr"}
    | {"__import__", "breakpoint", "exit", "quit"}
)
_QUIET_IMPORTS = frozenset(
    {*sys.stdlib_module_names, "fastapi", "starlette", "pydantic", "pydantic_settings", "typing_extensions", "sqlmodel"}
    | {"sqlalchemy", "pymongo", "motor", "bson", "beanie", "httpx", "uvicorn", "jinja2", "jose", "jwt", "passlib"}
    | {
        "gofastapi_objects",
        "dotenv",
        "numpy",
        "pandas",
        "joblib",
        "redis",
        "requests",
        "email_validator",
        "aiofiles",
        "annotated_types",
    }
)
# Code of ours that calls itself in circles, or ever deeper, is looked at no further.
_MAX_DEPTH = 20


class Effects:
    """Tells the effect of each unit of one module. What is only told to `apps`, the app and routers, is none."""

    def __init__(self, tree: ast.Module, names: Names, apps: frozenset[str], own_modules: frozenset[str]) -> None:
        self._names = names
        self._apps = apps
        self._own = own_modules
        self._functions = {
            node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self._running: list[str] = []

    def of(self, unit: Unit, kind: Kind) -> Effect:
        """The effect of importing the unit."""
        effect = Effect.NONE
        for node in unit.nodes:
            if is_import(node):
                effect |= self._of_import(node)
            elif not (isinstance(node, ast.If) and is_never_deployed(node.test)):
                effect |= self._of_statement(node)
        if kind is Kind.MODEL and (unit.class_ is None or is_table(unit.class_, kind)):
            effect |= Effect.REGISTERS
        return effect

    def _of_import(self, node: ast.stmt) -> Effect:
        effect = Effect.NONE
        for inner in ast.walk(node):
            if isinstance(inner, ast.ImportFrom) and inner.level:
                effect |= Effect.IMPORTS_OWN
            modules = [alias.name for alias in inner.names] if isinstance(inner, ast.Import) else []
            modules += [inner.module or ""] if isinstance(inner, ast.ImportFrom) and not inner.level else []
            for top in (module.partition(".")[0] for module in modules):
                if top in self._own:
                    effect |= Effect.IMPORTS_OWN
                elif top not in _QUIET_IMPORTS:
                    effect |= Effect.IMPORTS
        return effect

    def _of_statement(self, node: ast.stmt) -> Effect:
        effect = Effect.NONE
        for inner in _run_now(node):
            effect |= self._of_node(inner)
        return effect

    def _of_node(self, node: ast.AST) -> Effect:
        if isinstance(node, ast.Call):
            return self._of_call(node.func)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            # Nobody takes what it gives: it is called for what it does.
            return Effect.DOES if self._of_call(node.value.func) else Effect.NONE
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            effect = Effect.NONE
            for decorator in node.decorator_list:
                # `@name` is a call of it; `@name(...)` is one whose result is called, which `_of_call` looked at.
                if not isinstance(decorator, ast.Call):
                    effect |= self._of_call(decorator)
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                effect |= self._of_base(base)
            return effect
        if isinstance(node, ast.Subscript) and self._names.qualified(node.value) == "os.environ":
            return Effect.READS if isinstance(node.ctx, ast.Load) else Effect.DOES
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            return Effect.NONE if self._root(node) in self._apps else Effect.DOES
        if isinstance(
            node, ast.Raise | ast.Assert | ast.Delete | ast.With | ast.AsyncWith | ast.Import | ast.ImportFrom
        ):
            return Effect.DOES
        return Effect.NONE

    def _of_base(self, base: ast.expr) -> Effect:
        qualified = self._names.qualified(base.value if isinstance(base, ast.Subscript) else base)
        if qualified in self._classes:
            hooks = {getattr(each, "name", "") for each in self._classes[qualified].body}
            return Effect.DOES if "__init_subclass__" in hooks else Effect.NONE
        return Effect.NONE if self._is_pure(qualified) or hasattr(builtins, qualified) else Effect.MAKES

    def _of_call(self, func: ast.expr) -> Effect:
        qualified = self._names.qualified(func)
        if not qualified:
            return self._of_method(func)
        top = qualified.partition(".")[0]
        if top in self._apps:
            return Effect.NONE
        if qualified in self._functions:
            return self._inside(qualified, [self._functions[qualified]])
        if qualified in self._classes:
            return self._of_making(self._classes[qualified])
        if dotted_name(func) == qualified and top not in self._names.bindings:
            if hasattr(builtins, qualified) and qualified not in _IMPURE_BUILTINS:
                return Effect.NONE
            return Effect.READS if qualified == "open" else Effect.DOES
        if self._is_pure(qualified):
            return Effect.NONE
        if qualified.startswith(_READS):
            return Effect.READS
        return Effect.DOES if top in self._own or not top else Effect.MAKES

    def _of_method(self, func: ast.expr) -> Effect:
        """Of a method of what is no name: of a text, of what a call gave."""
        method = func.attr if isinstance(func, ast.Attribute) else ""
        while isinstance(func, ast.Attribute | ast.Subscript):
            func = func.value
        if isinstance(func, ast.Constant | ast.JoinedStr | ast.List | ast.Dict | ast.Set | ast.Tuple):
            return Effect.NONE
        if isinstance(func, ast.Call):
            qualified = self._names.qualified(func.func)
            if qualified.partition(".")[0] in self._apps:
                return Effect.NONE
            if method in _PURE_OF_PATHS or qualified.startswith("re."):
                return Effect.NONE
            return Effect.READS if qualified.startswith("pathlib.") else Effect.MAKES
        return Effect.MAKES

    def _of_making(self, node: ast.ClassDef) -> Effect:
        makers = [each for each in node.body if getattr(each, "name", "") in ("__init__", "__new__", "__post_init__")]
        effect = self._inside(node.name, makers)
        for base in node.bases:
            qualified = self._names.qualified(base.value if isinstance(base, ast.Subscript) else base)
            if qualified in self._classes and qualified not in self._running:
                effect |= self._of_making(self._classes[qualified])
            elif qualified.rpartition(".")[2] == "BaseSettings":
                effect |= Effect.READS
            elif not self._is_pure(qualified) and not hasattr(builtins, qualified):
                effect |= Effect.MAKES
        return effect

    def _inside(self, name: str, functions: list[ast.stmt] | list[ast.FunctionDef | ast.AsyncFunctionDef]) -> Effect:
        """Of running the bodies; functions in them may be run too."""
        if name in self._running or len(self._running) > _MAX_DEPTH:
            return Effect.NONE if name in self._running else Effect.DOES
        self._running.append(name)
        effect = Effect.NONE
        for function in functions:
            parameters = {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
            for node in ast.walk(function):
                if isinstance(node, ast.Global):
                    effect |= Effect.DOES
                elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
                    effect |= Effect.NONE if self._root(node) in parameters else Effect.DOES
                elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                    effect |= self._of_call(node.value.func) and Effect.DOES
                elif isinstance(node, ast.Call):
                    effect |= self._of_call(node.func)
        self._running.pop()
        return effect

    def _is_pure(self, qualified: str) -> bool:
        if qualified.startswith(_NOT_PURE) or qualified.rpartition(".")[2].startswith("create_"):
            return False
        return qualified.startswith(_PURE_LIBRARIES)

    @staticmethod
    def _root(node: ast.AST) -> str:
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        return node.id if isinstance(node, ast.Name) else ""


def _run_now(node: ast.AST) -> Iterator[ast.AST]:
    """The statement and all in it that is evaluated with it; bodies of functions are not."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef):
            stack += [*current.decorator_list, current.args, *([current.returns] if current.returns else [])]
        elif isinstance(current, ast.Lambda):
            stack.append(current.args)
        else:
            stack += ast.iter_child_nodes(current)
