"""Find the app in a module: the entrypoint, or why there is none."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.validation.modules import LocalModules, module_name
from gofastapi_ext.core.validation.names import Binding, Names, names_of
from gofastapi_ext.core.validation.parsing import Parsed, read_tree
from gofastapi_ext.core.validation.statements import last_name

APP_CLASSES = frozenset({"FastAPI", "Starlette", "Litestar", "Quart", "FastHTML"})
FACTORIES = (
    "create_app",
    "make_app",
    "get_app",
    "build_app",
    "app_factory",
    "get_application",
    "create_application",
)
# What people also call `app`, and which cannot be served.
_OTHER_APPS = frozenset({"Typer", "Celery", "Bottle", "Flask", "Dash"})

_HOW_TO_MAKE_ONE = """\
An app takes three lines:
    from fastapi import FastAPI
    app = FastAPI()
    @app.get("/")"""


@dataclass
class FoundApp:
    """The entrypoint, `module:name` or `module:name()`, or what keeps it from being found."""

    entrypoint: str | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)


def find_app(parsed: Parsed, tree: ast.Module, local: LocalModules) -> FoundApp:
    """Find the app in the main module, whose tree is `tree`.

    It is what the code itself hands to `uvicorn.run`, under `if __name__ == "__main__"` say. Else it is `app`,
    where that name is bound to anything that could be one, unless it is wrapped in ASGI middleware under
    another name. Else it is the only app the module makes, those mounted into another left out. Else it is a
    factory without required parameters and with a usual name.
    """
    module = module_name(parsed.path)
    names = names_of(tree)
    handed = _handed_to_uvicorn(tree, names, parsed.path)
    if handed is not None:
        return FoundApp(f"{module}:{handed}")
    made = _made_apps(tree, names)
    wrappers = _wrappers(made, names)
    if len(wrappers) == 1 and "app" not in wrappers:
        return FoundApp(f"{module}:{wrappers[0]}")
    suffix = _suffix_of_app(names, local)
    if suffix is not None:
        return FoundApp(f"{module}:app{suffix}")
    mounted = _mounted(tree)
    left = [name for name in made if name not in mounted]
    if len(left) == 1:
        return FoundApp(f"{module}:{left[0]}")
    if len(left) > 1:
        return FoundApp(None, [_several(parsed, [made[name] for name in left])])
    for name in FACTORIES:
        binding = names.bindings.get(name)
        if binding and _is_factory(binding.node):
            return FoundApp(f"{module}:{name}()")
    if _may_come_from_elsewhere(names, local):
        return FoundApp(f"{module}:app")
    return FoundApp(None, [_no_app(parsed, tree, names)])


def binds(tree: ast.Module, name: str) -> bool:
    """Whether the module binds `name`, or may get it from `import *` or a `__getattr__` of its own."""
    names = names_of(tree)
    return name in names.bindings or bool(names.star_modules) or "__getattr__" in names.bindings


def _handed_to_uvicorn(tree: ast.Module, names: Names, path: str) -> str | None:
    """The one name, bound in this module, that is given to `uvicorn.run` or `uvicorn.Config` as the app."""
    found: set[str] = set()
    for given in _given_to_uvicorn(tree, names):
        module, _, name = given.rpartition(":")
        if module and module.rpartition(".")[2] != module_name(path).rpartition(".")[2]:
            return None  # the app of another module
        found.add(name)
    name = found.pop() if len(found) == 1 else ""
    binding = names.bindings.get(name.removesuffix("()"))
    # `import app.routes` binds a package, which a function's own `app` only happens to share its name with.
    return None if binding is None or isinstance(binding.node, ast.Import) else name


def launched_app(source: str, stem: str) -> str | None:
    """The one app of another module that a file called `stem`.py starts: `uvicorn.run("app.api:app")`.

    It is `module:name`, or `module:name()` for a factory.
    """
    tree = read_tree(source) if "uvicorn" in source else None
    found = set(_given_to_uvicorn(tree, names_of(tree))) if tree else set()
    app = found.pop() if len(found) == 1 else ""
    module = app.rpartition(":")[0]
    return None if module in ("", stem) else app


def _given_to_uvicorn(tree: ast.Module, names: Names) -> Iterator[str]:
    """The apps given to `uvicorn.run` or `uvicorn.Config`: `name`, or `module:name`; a factory with `()`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and names.qualified(node.func) in ("uvicorn.run", "uvicorn.Config")):
            continue
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        given = node.args[0] if node.args else options.get("app")
        if isinstance(given, ast.Name):
            yield given.id
        elif isinstance(given, ast.Constant) and isinstance(given.value, str):
            factory = options.get("factory")
            yield given.value + ("()" if isinstance(factory, ast.Constant) and factory.value is True else "")


def _made_apps(tree: ast.Module, names: Names) -> dict[str, Binding]:
    """The names bound to a call of an app's class, or to middleware around one, in the order of the text."""
    classes: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_is_app_class(base, names, classes) for base in node.bases):
            classes.add(node.name)
    made: dict[str, Binding] = {}
    for name, binding in sorted(names.bindings.items(), key=lambda item: item[1].node.lineno):
        value = binding.value
        options = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
        for option in options:
            if isinstance(option, ast.Call) and (
                _is_app_class(option.func, names, classes) or _wrapped(option, {*made, name}, names)
            ):
                made[name] = binding
    return made


def _is_app_class(node: ast.expr, names: Names, classes: set[str]) -> bool:
    qualified = names.qualified(node)
    return qualified in classes or qualified.rpartition(".")[2] in APP_CLASSES


def _wrapped(call: ast.Call, made: Collection[str], names: Names) -> str | None:
    """The app that is wrapped where `call` puts one into ASGI middleware or a Socket.IO app."""
    kind = names.qualified(call.func).rpartition(".")[2]
    if not kind.endswith(("Middleware", "ASGIApp")):
        return None
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return next((arg.id for arg in given if isinstance(arg, ast.Name) and arg.id in made), None)


def _wrappers(made: dict[str, Binding], names: Names) -> list[str]:
    """The names of apps around another one, the outermost of each chain."""
    inside = {
        name: wrapped
        for name, binding in made.items()
        if isinstance(binding.value, ast.Call) and (wrapped := _wrapped(binding.value, made, names))
    }
    return [name for name in inside if name not in inside.values()]


def _mounted(tree: ast.Module) -> set[str]:
    """The names given to `x.mount(path, name)` or `Mount(path, app=name)` anywhere."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) in ("mount", "Mount", "Host"):
            given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "app")]
            found |= {arg.id for arg in given if isinstance(arg, ast.Name)}
    return found


def _suffix_of_app(names: Names, local: LocalModules) -> str | None:
    """What follows `app` in the entrypoint: "()" where it is a factory; None where it cannot be the app."""
    binding = names.bindings.get("app")
    if binding is None:
        return None
    node, value = binding.node, binding.value
    if isinstance(node, ast.Import):
        # `import app.routes` binds the package of that name.
        return "" if names.origins.get("app") != "app" else None
    if isinstance(node, ast.ImportFrom):
        return None if not node.level and local.absolute(names.origins["app"]) is not None else ""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if node.decorator_list:
            return None
        if _is_factory(node):
            return "()"
        return "" if _is_asgi_function(node) else None
    if isinstance(value, ast.Constant | ast.List | ast.Dict | ast.Set | ast.JoinedStr):
        return None
    if isinstance(value, ast.Call) and names.qualified(value.func).rpartition(".")[2] in _OTHER_APPS:
        return None
    return ""


def _may_come_from_elsewhere(names: Names, local: LocalModules) -> bool:
    """Whether `app` is imported from a package that has a module of that name too, or by `import *`."""
    binding = names.bindings.get("app")
    if binding is not None and isinstance(binding.node, ast.ImportFrom):
        return True
    return any(node.level or local.absolute(node.module or "") for node in names.star_modules)


def _is_asgi_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = node.args
    return len(arguments.posonlyargs) + len(arguments.args) in (1, 3) or arguments.vararg is not None


def _is_factory(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef):
        return False
    arguments = node.args
    required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return required == 0 and all(default is not None for default in arguments.kw_defaults)


def _several(parsed: Parsed, candidates: list[Binding]) -> Diagnostic:
    listed = " and ".join(f"{binding.name} (line {binding.node.lineno})" for binding in candidates)
    return Diagnostic(
        code="several_apps",
        message=f"There are {len(candidates)} apps: {listed}",
        hint="Call the one to deploy `app`, or mount the others into it.",
        file=parsed.path,
        **parsed.place(candidates[1].node),
    )


def _no_app(parsed: Parsed, tree: ast.Module, names: Names) -> Diagnostic:
    binding = names.bindings.get("app")
    if binding is not None and isinstance(binding.value, ast.Call):
        kind = names.qualified(binding.value.func).rpartition(".")[2]
        if kind in ("Flask", "Dash", "Bottle"):
            return Diagnostic(
                code="wsgi_app",
                message=f"{kind} makes WSGI apps; GoFastAPI runs ASGI apps such as FastAPI and Starlette",
                hint="Mount it: app = FastAPI(); app.mount('/', WSGIMiddleware(...)), from the package a2wsgi.",
                file=parsed.path,
                **parsed.place(binding.node),
            )
    undefined = _undefined_decorator(tree, names)
    if undefined is not None:
        return Diagnostic(
            code="no_app",
            message=f"`{undefined.id}` is used here, but this code never makes it",
            hint=f"Put this above, or move the line here from the cell that has it:\n    {undefined.id} = FastAPI()",
            file=parsed.path,
            **parsed.place(undefined),
        )
    routers = [b.name for b in names.bindings.values() if _is_router(b, names)]
    hint = _HOW_TO_MAKE_ONE
    if routers:
        hint = f"Add:\n    app = FastAPI()\n    app.include_router({routers[0]})"
    return Diagnostic(code="no_app", message="This code makes no app", hint=hint, file=parsed.path)


def _is_router(binding: Binding, names: Names) -> bool:
    return isinstance(binding.value, ast.Call) and names.qualified(binding.value.func).endswith("APIRouter")


def _undefined_decorator(tree: ast.Module, names: Names) -> ast.Name | None:
    """The name in `@name.get(...)` that nothing binds."""
    if names.star_modules:
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                root: ast.expr = decorator
                while isinstance(root, ast.Call | ast.Attribute):
                    root = root.func if isinstance(root, ast.Call) else root.value
                if isinstance(root, ast.Name) and root.id not in names.bindings and not hasattr(builtins, root.id):
                    return root
    return None
