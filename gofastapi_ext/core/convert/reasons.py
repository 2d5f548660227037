"""What has to stay in the main file, and why, before anything is placed."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from gofastapi_ext.core.convert.kinds import Kind
from gofastapi_ext.core.convert.source import Source, class_names
from gofastapi_ext.core.convert.units import binds_surely
from gofastapi_ext.core.validation.statements import last_name

_OF_THE_MODULE = frozenset({"__name__", "__file__", "__doc__", "__package__", "__spec__", "__loader__", "__builtins__"})
_SEE_THE_MODULE = frozenset({"globals", "locals", "vars", "eval", "exec", "dir", "__import__", "breakpoint"})
_SEE_MODULES = frozenset({"sys.modules", "sys._getframe", "inspect.stack", "inspect.currentframe", "inspect.getmodule"})
_PICKLES = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"})
_QUEUES = frozenset({"task", "shared_task", "periodic_task", "db_task", "db_periodic_task", "actor"})
_LOOKS_AT_NO_ROUTE = frozenset(
    {"run", "Config", "Server", "TestClient", "AsyncClient", "ASGITransport", "Mangum", "print", "isinstance"}
)


def reason_to_leave_alone(source: Source) -> str | None:
    """Why nothing can be moved at all, or None."""
    for unit in source.units:
        seen = sorted(_SEE_THE_MODULE & source.uses[unit.index].needs - source.bound_by.keys())
        # `dir(x)` and `vars(x)` are about x.
        for node in ast.walk(unit.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in seen:
                if node.func.id not in ("dir", "vars") or not node.args:
                    return f"it uses {node.func.id}() (line {node.lineno}), so nobody can tell which names it needs"
            elif isinstance(node, ast.Attribute):
                if node.attr == "__module__" or source.names.qualified(node) in _SEE_MODULES:
                    return f"it asks for modules by {node.attr} (line {node.lineno}), which would be other ones"
                if (reason := _looks_at_routes(source, node)) is not None:
                    return reason
        if (reason := _hands_the_app_on(source, unit.nodes)) is not None:
            return reason
    if "__getattr__" in source.bound_by:
        return "it has a __getattr__ for the whole module"
    leading = next((unit.index for unit in source.units if source.kinds[unit.index] not in _AT_THE_TOP), 0)
    late = [unit for unit in source.units if source.is_star(unit.index) and unit.index > leading]
    if late:
        return f"it imports * in the middle (line {late[0].line}), so nobody can tell where names come from"
    return None


_AT_THE_TOP = (Kind.DOCSTRING, Kind.FUTURE, Kind.IMPORT)


def _looks_at_routes(source: Source, node: ast.Attribute) -> str | None:
    root: ast.expr = node.value
    while isinstance(root, ast.Attribute):
        root = root.value
    is_app = isinstance(root, ast.Name) and root.id == source.app
    is_imported = isinstance(root, ast.Name) and root.id in source.names.origins
    if (node.attr == "routes" and not is_imported) or (node.attr == "router" and not is_imported):
        what = f"{source.app}.{node.attr}" if is_app else f".{node.attr}"
        return f"it works with {what} (line {node.lineno}), where the routes of a router would stand differently"
    return None


def _hands_the_app_on(source: Source, nodes: Iterable[ast.stmt]) -> str | None:
    for node in nodes:
        for inner in ast.walk(node):
            if not isinstance(inner, ast.Call):
                continue
            given = [*inner.args, *(keyword.value for keyword in inner.keywords)]
            called = source.names.qualified(inner.func)
            last = called.rpartition(".")[2]
            if last in _LOOKS_AT_NO_ROUTE or last.endswith(("Middleware", "ASGIApp", "Exporter")):
                continue
            if any(isinstance(each, ast.Name) and each.id == source.app for each in given) and not _is_parameter(
                node, source.app
            ):
                return f"it gives the app to {called or 'a call'} (line {inner.lineno}), which may look at its routes"
    return None


def _is_parameter(node: ast.stmt, name: str) -> bool:
    return any(isinstance(inner, ast.arg) and inner.arg == name for inner in ast.walk(node))


def reasons_to_stay(source: Source, elsewhere: Iterable[ast.Module]) -> dict[int, str]:
    """The units that have to stay, each with the reason in words: "`x` ...". "" where that goes without saying.

    `elsewhere` are the other files of the app.
    """
    stays: dict[int, str] = dict.fromkeys(source.bound_by[source.app], "")
    for name, found in source.bound_by.items():
        users = source.users.get(name, frozenset())
        if len(found) > 1 and users and not _adds_up(source, found):
            for index in found:
                stays.setdefault(index, f"`{name}` is bound more than once")
    for unit in source.units:
        reason = _reason(source, unit.index)
        if reason is not None:
            stays.setdefault(unit.index, reason)
    for index, name in _models_that_share_a_name(source, elsewhere):
        stays.setdefault(
            index, f"there is more than one `{name}`, and the OpenAPI document tells them apart by their module"
        )
    if any(name.partition(".")[0] in _PICKLES for name in _called(source)):
        for unit in source.units:
            if unit.class_:
                stays.setdefault(unit.index, "the app stores pickled objects, and they name the module of their class")
    return stays


def _adds_up(source: Source, found: list[int]) -> bool:
    """`import a.b` beside `import a.c`."""
    nodes = [node for index in found for node in source.units[index].nodes]
    return all(isinstance(node, ast.Import) for node in nodes)


def _reason(source: Source, index: int) -> str | None:
    unit, kind, use = source.units[index], source.kinds[index], source.uses[index]
    if kind in (Kind.IMPORT, Kind.FUTURE, Kind.DOCSTRING, Kind.STATEMENT):
        return None
    name = source.name_of(index)
    own = sorted(_OF_THE_MODULE & use.needs - source.bound_by.keys())
    for special in own:
        if special == "__file__" and is_about_the_folder(unit.nodes):
            continue
        if special == "__name__" and is_logger(source, index):
            continue
        return f"`{name}` uses {special}, which is another one in another file"
    if any(last_name(each) in _QUEUES for each in _decorators(source, index)):
        return f"`{name}` has a name in a queue, and that has the name of its module in it"
    unsure = use.binds - binds_surely(unit.nodes)
    globals_ = {each for other in source.uses for each in other.rebinds}
    for each in sorted(unsure):
        if source.users.get(each) and each not in globals_:
            return f"`{each}` is not always bound"
    route = source.routes.routes.get(index)
    paths = route.paths if route is not None and route.owner == source.app else ()
    if any(path is not None and not path.startswith("/") for path in paths):
        return f"the path of `{name}` does not begin with /"
    return None


def _decorators(source: Source, index: int) -> list[ast.expr]:
    found: list[ast.expr] = getattr(source.units[index].node, "decorator_list", [])
    return [each.func if isinstance(each, ast.Call) else each for each in found]


def is_about_the_folder(nodes: Iterable[ast.stmt]) -> bool:
    """Whether `__file__` is only asked for its folder, which is the same one for a module beside."""
    for node in nodes:
        parents = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and inner.id == "__file__" and not _only_its_folder(inner, parents):
                return False
    return True


def _only_its_folder(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    current = parents.get(node)
    while current is not None:
        if isinstance(current, ast.Attribute):
            if current.attr in ("parent", "parents"):
                return True
            if current.attr == "dirname":
                return True
            if current.attr not in ("resolve", "absolute", "abspath", "realpath"):
                return False
        elif isinstance(current, ast.Call):
            func = current.func
            called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            if called == "dirname":
                return True
            if called not in ("Path", "abspath", "realpath", "resolve", "absolute", "str"):
                return False
        else:
            return False
        current = parents.get(current)
    return False


def is_logger(source: Source, index: int) -> bool:
    """Whether the unit is `x = logging.getLogger(__name__)`, whose name can be written down."""
    node = source.units[index].node
    value = node.value if isinstance(node, ast.Assign) else None
    return (
        isinstance(value, ast.Call)
        and source.names.qualified(value.func) == "logging.getLogger"
        and len(value.args) == 1
        and isinstance(value.args[0], ast.Name)
        and value.args[0].id == "__name__"
    )


def must_be_beside(source: Source, index: int) -> bool:
    """Whether the unit can go to a file in the same folder only: it asks for its folder, or imports from there."""
    if "__file__" in source.uses[index].needs:
        return True
    if source.kinds[index] is Kind.IMPORT:
        return False
    nodes = [inner for node in source.units[index].nodes for inner in ast.walk(node)]
    return any(isinstance(node, ast.ImportFrom) and node.level > 0 for node in nodes)


def _models_that_share_a_name(source: Source, elsewhere: Iterable[ast.Module]) -> list[tuple[int, str]]:
    found = class_names(source.tree)
    for tree in elsewhere:
        found.update(class_names(tree))
    return [
        (unit.index, inner.name)
        for unit in source.units
        for inner in ast.walk(unit.node)
        if source.kinds[unit.index] in (Kind.MODEL, Kind.SCHEMA)
        and isinstance(inner, ast.ClassDef)
        # Every model may have one of these; they are no models.
        and inner.name not in ("Config", "Meta", "Settings", "PydanticMeta")
        and found[inner.name] > 1
    ]


def _called(source: Source) -> set[str]:
    """What the code calls to store objects."""
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    names = {source.names.qualified(call.func) for call in calls}
    return {name for name in names if name.rpartition(".")[2] in ("dump", "dumps", "open", "Pickler")}
