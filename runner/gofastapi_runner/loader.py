"""Load the user's app, so that the interpreter itself names notebook cells and lines in tracebacks."""

from __future__ import annotations
import __future__

import ast
import importlib
import importlib.util
import inspect
import linecache
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from gofastapi_runner import objects
from gofastapi_runner.protocol import InstanceSpec, Origin
from gofastapi_runner.tracebacks import SourceMap

# The only one of them that still changes anything.
_FUTURE_FLAG = __future__.annotations.compiler_flag


class LoadError(Exception):
    """The entrypoint is not an app; the message says what it is instead."""


class _CellLoader(SourceFileLoader):
    """Runs a file whose parts came from cells, so that the interpreter knows the cells and their lines."""

    def __init__(self, fullname: str, path: str, parts: Sequence[Origin]) -> None:
        super().__init__(fullname, path)
        self._parts = parts

    def exec_module(self, module: ModuleType) -> None:
        source = importlib.util.decode_source(self.get_data(self.path))
        for code in compile_parts(source, self.path, self._parts):
            exec(code, module.__dict__)  # noqa: S102 - what every loader does


def compile_parts(source: str, path: str, parts: Sequence[Origin]) -> list[CodeType]:
    """What to execute, in this order: each of `parts`, by `first_line`, under its cell's label and line numbers.

    Where a part is not whole by itself (its `if` goes on in the next one), it is the file as one, under `path`.
    """
    lines = source.split("\n")
    starts = [0, *(part.first_line - 1 for part in parts[1:])]
    codes: list[CodeType] = []
    try:
        for part, start, end in zip(parts, starts, [*starts[1:], None], strict=True):
            text = "\n".join(lines[start:end])
            codes.append(_compile_part(part, max(start + part.line_offset, 0), text, codes))
    except SyntaxError:
        if len(parts) == 1:
            raise
        return [compile(source, path, "exec", dont_inherit=True)]
    return codes


def _compile_part(part: Origin, lines_above: int, text: str, before: list[CodeType]) -> CodeType:
    """Compile one part; `before` is what goes before it in the same module."""
    padded = "\n" * lines_above + text
    # With no modification time, linecache keeps the entry although no such file exists.
    linecache.cache[part.label] = (len(text), None, [line + "\n" for line in padded.split("\n")], part.label)
    # `from __future__` in an earlier part holds for the whole module.
    flags = before[-1].co_flags & _FUTURE_FLAG if before else 0
    what = _without_docstring(padded, part.label, flags) if before else padded
    code: CodeType = compile(what, part.label, "exec", flags, dont_inherit=True)
    return code


def _without_docstring(source: str, label: str, flags: int) -> ast.Module:
    """The tree of a later part: a string on top of it is not the module's docstring."""
    tree: ast.Module = compile(source, label, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    if ast.get_docstring(tree, clean=False) is not None:
        del tree.body[0]
    return tree


class _CellFinder(MetaPathFinder):
    """Hands files that came from cells to `_CellLoader`."""

    def __init__(self, sources: SourceMap) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        parts = self._sources.parts_of(spec.origin)
        if not parts:
            return None
        spec.loader = _CellLoader(fullname, spec.origin, parts)
        return spec


def load_app(spec: InstanceSpec, sources: SourceMap) -> Any:
    """Import the entrypoint and return the ASGI app. Whatever the user's code raises passes through."""
    main = ModuleType("__main__")
    main.__file__ = None
    sys.modules["__main__"] = main
    sys.argv = [spec.entrypoint.partition(":")[0] + ".py"]
    module_name, _, name = spec.entrypoint.partition(":")
    sys.path.insert(0, spec.code_dir)
    # Like `python backend/main.py`: what lies beside the main file is found too. It comes last, as in a
    # package called `app` nobody means `app/email.py` by `import email`.
    beside_main = str(Path(spec.code_dir, *module_name.split(".")[:-1]))
    if beside_main != spec.code_dir:
        sys.path.append(beside_main)
    if spec.origins:
        sys.meta_path.insert(0, _CellFinder(sources))
    objects.provide(spec.code_dir, module_name)
    module = importlib.import_module(module_name)
    factory = name.endswith("()")
    try:
        app = getattr(module, name.removesuffix("()"))
    except AttributeError:
        raise LoadError(f"{module_name} defines no {name}") from None
    if factory:
        app = app()
    _check_is_asgi(app, name)
    return app


def _check_is_asgi(app: Any, name: str) -> None:
    if hasattr(app, "wsgi_app"):
        raise LoadError(f"{name} is a WSGI app (Flask?); GoFastAPI runs ASGI apps such as FastAPI and Starlette")
    if not callable(app):
        raise LoadError(f"{name} is of type {type(app).__name__}, not an ASGI app such as FastAPI()")
    if inspect.isclass(app):
        raise LoadError(f"{name} is a class; make an instance of it: {name} = {app.__name__}()")
