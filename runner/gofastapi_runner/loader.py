"""Load the user's app, so that the interpreter itself names notebook cells and lines in tracebacks."""

from __future__ import annotations

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


class LoadError(Exception):
    """The entrypoint is not an app; the message says what it is instead."""


class _CellLoader(SourceFileLoader):
    """Compiles a file under its cell's label, with the cell's line numbers."""

    def __init__(self, fullname: str, path: str, origin: Origin) -> None:
        super().__init__(fullname, path)
        self._origin = origin

    def get_code(self, fullname: str) -> CodeType:
        source = importlib.util.decode_source(self.get_data(self.path))
        label, offset = self._origin.label, self._origin.line_offset
        head = self._origin.first_lines.splitlines()[:offset]
        lines = head + [""] * (offset - len(head)) + source.splitlines()
        # With no modification time, linecache keeps the entry although no such file exists.
        linecache.cache[label] = (len(source), None, [line + "\n" for line in lines], label)
        code: CodeType = compile("\n" * offset + source, label, "exec", dont_inherit=True)
        return code


class _CellFinder(MetaPathFinder):
    """Hands files that came from a cell to `_CellLoader`."""

    def __init__(self, sources: SourceMap) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        origin = self._sources.origin_of(spec.origin)
        if origin is None:
            return None
        spec.loader = _CellLoader(fullname, spec.origin, origin)
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
