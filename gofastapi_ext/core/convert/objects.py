"""Objects of the kernel stand in the main module only: code that moves out of it has to import them."""

from __future__ import annotations

import ast
import io

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.objects import MODULE, object_names
from gofastapi_ext.core.validation.parsing import read_tree
from gofastapi_ext.core.validation.undefined import undefined_names


def with_objects_imported(bundle: Bundle) -> Bundle:
    """The bundle with an import, in its main file, of the objects that it uses; as it is where there are none."""
    text = bundle.text_of(bundle.main) or ""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    source = text.removeprefix(mark)
    known = object_names(bundle)
    names = [each.name for each in undefined_names(source) if each.name in known] if known else []
    tree = read_tree(source)
    if not names or tree is None:
        return bundle
    newline = "\r\n" if "\r\n" in text else "\n"
    # The lines that Python counts: form feeds and Unicode separators end none.
    lines = list(io.StringIO(source, newline=""))
    at = _after_what_comes_first(tree)
    if at and not lines[at - 1].endswith(("\n", "\r")):
        lines[at - 1] += newline
    lines.insert(at, f"from {MODULE} import {', '.join(sorted(names))}{newline}")
    files = {**bundle.files, bundle.main: BundleFile(text=mark + "".join(lines))}
    return bundle.with_files(files)


def _after_what_comes_first(tree: ast.Module) -> int:
    """How many lines the docstring and the imports of `__future__` take."""
    last = 0
    for index, node in enumerate(tree.body):
        is_docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        last = node.end_lineno or last
    return last
