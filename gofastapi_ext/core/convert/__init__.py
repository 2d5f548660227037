"""Make several files out of a single-file FastAPI app: routers, models, schemas, and what they share.

The code is parsed and moved in ranges of lines, never run. The app stays the same one: the same OpenAPI
document, the same answers, the same order of routes. What cannot be moved safely stays where it is, and the
notes say why.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.convert.kinds import Kind
from gofastapi_ext.core.convert.layout import Layout, lay_out
from gofastapi_ext.core.convert.objects import with_objects_imported
from gofastapi_ext.core.convert.order import in_the_way, later_routes, settle
from gofastapi_ext.core.convert.place import MAIN, Decisions, Placement, misplaced, place
from gofastapi_ext.core.convert.reasons import reason_to_leave_alone, reasons_to_stay
from gofastapi_ext.core.convert.source import Source, read_source
from gofastapi_ext.core.convert.write import Writer, folders, title
from gofastapi_ext.core.diagnostics import Severity
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.validation import analyze
from gofastapi_ext.core.validation.names import names_of
from gofastapi_ext.core.validation.parsing import parse, read_tree, source_text

__all__ = ["Conversion", "convert"]

# More is what a program wrote, and nobody wants to look through.
_MAX_UNITS = 1_000
_TAKEN = ("routers", "models", "schemas", "shared")


@dataclass(frozen=True)
class Conversion:
    """The app in several files. `moved` has the names in each new file; `notes` what stayed, and why, in words."""

    bundle: Bundle
    moved: dict[str, list[str]]
    notes: list[str]


def convert(bundle: Bundle) -> Conversion:
    """Make several files out of the main file of `bundle`; its other files stay as they are.

    Raises `InvalidRequestError`, with the reason in words, where nothing is to be gained or nothing can be moved.
    """
    bundle = with_objects_imported(bundle)
    path = bundle.main
    if path not in bundle.files:
        raise InvalidRequestError(f"There is no file {path} to convert.")
    text = bundle.text_of(path)
    parsed = parse(path, source_text(bundle.files[path]) or "") if text is not None else None
    if parsed is None or parsed.tree is None or any(d.severity is Severity.ERROR for d in parsed.diagnostics):
        raise _left_alone(path, "Python cannot read it")
    if len(parsed.tree.body) > _MAX_UNITS:
        raise _left_alone(path, f"it has more than {_MAX_UNITS} statements")
    elsewhere = dict(_other_trees(bundle))
    _check_names_are_free(bundle, parsed.tree)
    try:
        source = read_source(path, parsed.lines, parsed.tree, _app_of(bundle, parsed.tree), _own_modules(bundle))
        reason = reason_to_leave_alone(source) or _reason_elsewhere(source, elsewhere)
        if reason is not None:
            raise _left_alone(path, reason)
        exported = frozenset(_imported_from(source, elsewhere.values()))
        decisions = Decisions(reasons_to_stay(source, elsewhere.values()))
        placement, layout = _settled(source, decisions, exported)
        return _written(bundle, source, decisions, placement, layout)
    except RecursionError:
        raise _left_alone(path, "it is nested too deeply") from None


def _settled(source: Source, decisions: Decisions, exported: frozenset[str]) -> tuple[Placement, Layout]:
    """Place everything, look whether that is right, and let stay what is not, until all is right."""
    while True:
        placement = place(source, decisions)
        wrong = dict([*misplaced(source, placement)]) or dict([*in_the_way(source, placement)])
        if wrong:
            for unit, reason in wrong.items():
                decisions.stays.setdefault(unit, reason)
            continue
        layout = lay_out(source, decisions, placement, exported)
        if not settle(source, placement, layout, decisions):
            return placement, layout


def _written(bundle: Bundle, source: Source, decisions: Decisions, placement: Placement, layout: Layout) -> Conversion:
    moved = _moved(source, placement)
    if not _is_worth_it(source, placement):
        raise _left_alone(source.path, _why_nothing_moves(source, decisions))
    writer = Writer(source, layout)
    folder = PurePosixPath(source.path).parent
    main = writer.main()
    texts = {title(module): writer.module(module) for module in placement.names}
    texts |= {f"{package}/__init__.py": "" for package in folders(placement.names)}
    files = dict(bundle.files)
    before = bundle.text_of(source.path) or ""
    mark = "\ufeff" if before.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in before else "\n"
    files[source.path] = BundleFile(text=mark + main.replace("\n", newline))
    for path, text in texts.items():
        files[str(folder / path)] = BundleFile(text=text.replace("\n", newline))
    for path, text in [(source.path, main), *texts.items()]:
        if read_tree(text) is None:
            raise _left_alone(source.path, f"{path} could not be written")
    notes = list(_notes(source, decisions, placement))
    # A copy of the bundle would keep the hash of the old one.
    new = Bundle(files=files, main=bundle.main, entrypoint=bundle.entrypoint, requirements=bundle.requirements)
    return Conversion(new, {str(folder / path): names for path, names in moved.items()}, notes)


def _moved(source: Source, placement: Placement) -> dict[str, list[str]]:
    return {title(module): [source.name_of(unit) for unit in placement.units_of(module)] for module in placement.names}


def _is_worth_it(source: Source, placement: Placement) -> bool:
    """Whether there is a router, or more than a class or two, outside of the main file."""
    moved = [unit for unit, module in placement.modules.items() if module != MAIN]
    classes = sum(1 for unit in moved if source.kinds[unit] in (Kind.MODEL, Kind.SCHEMA))
    return bool(placement.routers) or classes > 2


def _notes(source: Source, decisions: Decisions, placement: Placement) -> Iterator[str]:
    """What stayed, though one might expect it elsewhere, with the reasons."""
    main = PurePosixPath(source.path).name
    expected = (Kind.ROUTE, Kind.MODEL, Kind.SCHEMA)
    by_reason: dict[str, list[int]] = {}
    for root, reason in decisions.stays.items():
        along = [unit for unit in placement.because if _root(placement.because, unit) == root]
        by_reason.setdefault(reason or f"`{source.app}` itself is needed there", []).extend([root, *along])
    for reason, units in by_reason.items():
        named = [source.name_of(unit) for unit in sorted(units) if source.kinds[unit] in expected]
        if named:
            yield f"{_listed(named)} {'stays' if len(named) == 1 else 'stay'} in {main}: {reason}."
    staying = decisions.stays.keys() | placement.because.keys()
    alone = [
        source.name_of(route.unit)
        for route in source.routes.routes.values()
        if placement.modules[route.unit] == MAIN and route.unit not in staying
    ]
    if alone:
        yield f"{_listed(alone)} {'stays' if len(alone) == 1 else 'stay'} in {main}: too few to be a router."
    changed = sum(1 for _ in later_routes(source, placement))
    if changed:
        yield "Some routes stand in another order in /docs; no URL is answered by another one."


def _root(because: dict[int, int], unit: int) -> int:
    while unit in because:
        unit = because[unit]
    return unit


def _why_nothing_moves(source: Source, decisions: Decisions) -> str:
    reasons = [reason for reason in decisions.stays.values() if reason]
    if not source.routes.routes and not any(kind in (Kind.MODEL, Kind.SCHEMA) for kind in source.kinds):
        return "it has neither routes nor models of its own to move"
    return reasons[0] if reasons else "it is small enough as it is"


def _listed(names: list[str]) -> str:
    named = [f"`{name}`" for name in dict.fromkeys(names)]
    if len(named) > 6:
        named = [*named[:5], f"{len(named) - 5} more"]
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _app_of(bundle: Bundle, tree: ast.Module) -> str:
    """The name of the `FastAPI` object in the main file that is served, or is inside what is."""
    entrypoint = bundle.entrypoint or analyze(bundle).entrypoint
    if entrypoint is None:
        raise _left_alone(bundle.main, "no app was found in it")
    names = names_of(tree)
    made = [
        name
        for name, binding in names.bindings.items()
        if isinstance(binding.value, ast.Call)
        and names.qualified(binding.value.func) in ("fastapi.FastAPI", "fastapi.applications.FastAPI")
    ]
    served = entrypoint.rpartition(":")[2]
    app = made[0] if served not in made and len(made) == 1 and not served.endswith("()") else served
    if sum(1 for node in tree.body for inner in ast.walk(node) if _is_bound(inner, app)) > 1:
        raise _left_alone(bundle.main, f"`{app}` is bound more than once")
    if app not in made:
        raise _left_alone(bundle.main, f"its app `{app}` is not made by FastAPI(...) at the top level")
    return app


def _is_bound(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Global) and name in node.names


def _own_modules(bundle: Bundle) -> frozenset[str]:
    """The first words of imports that mean the app's own files."""
    folder = PurePosixPath(bundle.main).parent
    pures = [PurePosixPath(path) for path in bundle.files if path.endswith(".py")]
    beside = [pure.relative_to(folder) for pure in pures if pure.is_relative_to(folder)]
    return frozenset(pure.parts[0].removesuffix(".py") for pure in [*pures, *beside])


def _other_trees(bundle: Bundle) -> Iterator[tuple[str, ast.Module]]:
    for path, file in bundle.files.items():
        if path.endswith(".py") and path != bundle.main:
            text = source_text(file)
            tree = read_tree(text) if text is not None else None
            if tree is not None:
                yield path, tree


def _check_names_are_free(bundle: Bundle, tree: ast.Module) -> None:
    """Raise where the new files would stand in the way of something."""
    folder = PurePosixPath(bundle.main).parent
    for name in _TAKEN:
        for path in (folder / f"{name}.py", folder / name):
            # A folder of data may well be called `models`.
            code = [other for other in bundle.files if other.endswith(".py")]
            if any(other == str(path) or other.startswith(f"{path}/") for other in code):
                raise InvalidRequestError(
                    f"The app has {path.name}{'' if path.suffix else '/'} already, so it is in several files as it is. "
                    "Nothing was changed."
                )
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        for top in (module.partition(".")[0] for module in modules):
            if top in _TAKEN:
                raise _left_alone(bundle.main, f"it imports an installed module called {top}, as a new file would be")


def _reason_elsewhere(source: Source, elsewhere: dict[str, ast.Module]) -> str | None:
    """Why other files of the app forbid it: the main one and they import each other."""
    words, reached = set(_words_of_imports(source.tree)), set[str]()
    while more := [path for path in elsewhere if path not in reached and words & set(_words_of_path(path))]:
        reached.update(more)
        words.update(word for path in more for word in _words_of_imports(elsewhere[path]))
    for path in sorted(reached):
        if _imports_main(source, elsewhere[path]):
            return f"{path} imports it, and it imports {path}"
    main = PurePosixPath(source.path).stem
    for unit in source.units:
        if _imports_main(source, ast.Module(list(unit.nodes), [])):
            return f"it imports itself, as {main} (line {unit.line})"
    return None


def _words_of_path(path: str) -> tuple[str, ...]:
    return PurePosixPath(path.removesuffix("/__init__.py")).with_suffix("").parts[-1:]


def _words_of_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)


def _imports_main(source: Source, tree: ast.Module) -> bool:
    return any(True for _ in _imports_of_main(source, tree))


def _imports_of_main(source: Source, tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    stem = PurePosixPath(source.path).stem
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name.rpartition(".")[2] for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names.append((node.module or "").rpartition(".")[2])
            if stem in names:
                yield node


def _imported_from(source: Source, trees: Iterable[ast.Module]) -> Iterator[str]:
    """The names that other files take from the main one: whatever they say."""
    for tree in trees:
        if not _imports_main(source, tree):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.Attribute):
                yield node.attr


def _left_alone(path: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"{path} stays as it is: {reason}. Nothing was changed.")
