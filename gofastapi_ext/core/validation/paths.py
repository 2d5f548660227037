"""Which files and folders a module names: read from its text, never by running it."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gofastapi_ext.core.validation.imports import bound_names, literal_path
from gofastapi_ext.core.validation.parsing import read_tree
from gofastapi_ext.core.validation.statements import last_name

_MAKES_PATH = frozenset({"Path", "PurePath", "join", "joinpath"})
_TAKES_FOLDER = frozenset({"listdir", "scandir", "walk"})
# `data/*.json`, `uploads/%s`, `models/{}.bin`: what is named is the folder.
_PATTERN = re.compile(r"[*?%{\[]")
_MAX_PATH = 255


@dataclass(frozen=True)
class MentionedPath:
    """A path as the code names it: relative, with `/`, in its shortest form; it may begin with `..`."""

    path: str
    may_be_folder: bool
    """Not a bare word (`"data"`), which is a folder's name only by chance."""


def mentioned_paths(source: str) -> list[MentionedPath]:
    """What may be files or folders the code reads, in order; whether they exist the caller knows.

    Every string literal may be one (`open("index.html")`), and every path made of literals
    (`BASE / "data" / "a.json"`, `f"uploads/{name}"`). Of a file it opens for writing only, the folder is meant.
    """
    tree = read_tree(source)
    if tree is None:
        return []
    found: dict[MentionedPath, None] = {}
    bound = bound_names(tree)
    nodes = list(ast.walk(tree))
    written = set(_written(nodes))
    part_of_path: set[ast.AST] = set()
    for node in nodes:
        path = _path(node, bound) if isinstance(node, ast.expr) and node not in part_of_path else None
        if node in part_of_path or (path is not None and not isinstance(node, ast.JoinedStr)):
            # Of `HERE / "data" / "a.json"` the whole is meant, not `HERE / "data"` too.
            part_of_path.update(part for part in ast.iter_child_nodes(node) if not isinstance(part, ast.JoinedStr))
        if path is None:
            continue
        is_word = isinstance(node, ast.Constant) and "/" not in path
        if node in written:
            path = posixpath.dirname(path)
        found.setdefault(MentionedPath(posixpath.normpath(path), may_be_folder=not is_word))
    return [mention for mention in found if mention.path != "." and not mention.path.startswith("/")]


def _path(node: ast.expr, bound: dict[str, ast.expr]) -> str | None:
    path: str | None = None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        path = node.value
    elif isinstance(node, ast.JoinedStr):
        path = _of_joined(node, bound)
    elif (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)) or (
        isinstance(node, ast.Call) and last_name(node.func) in _MAKES_PATH
    ):
        path = literal_path(node, bound)
    elif isinstance(node, ast.Call) and last_name(node.func) in _TAKES_FOLDER and node.args:
        path = literal_path(node.args[0], bound)
    if path is None:
        return None
    pattern = _PATTERN.search(path)
    if pattern:
        path = path[: path.rfind("/", 0, pattern.start()) + 1]
    usable = 0 < len(path) <= _MAX_PATH and path.isprintable() and "://" not in path and "\\" not in path
    return path if usable else None


def _of_joined(node: ast.JoinedStr, bound: dict[str, ast.expr]) -> str | None:
    """The folder in `f"uploads/{name}"`, `f"{UPLOADS}/{name}"` and `f"{HERE}/uploads/{name}"`."""
    text = ""
    for index, value in enumerate(node.values):
        if isinstance(value, ast.Constant):
            text += str(value.value)
        elif isinstance(value, ast.FormattedValue) and index == 0:
            text = literal_path(value.value, bound) or ""
        else:
            return text[: text.rfind("/") + 1].lstrip("/") or None
    return text.lstrip("/")


def _written(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The first arguments of `open("a.txt", "w")` and its like."""
    for node in nodes:
        if isinstance(node, ast.Call) and last_name(node.func) == "open" and node.args:
            modes = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
            if any(isinstance(m, ast.Constant) and str(m.value).startswith(("w", "a", "x")) for m in modes):
                yield from (arg for arg in node.args[:1] if isinstance(arg, ast.Constant))
