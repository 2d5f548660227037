"""A file made of several cells: compiled cell by cell, so that everybody names the cell and its line."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from gofastapi_runner.loader import _CellFinder
from gofastapi_runner.protocol import Origin
from gofastapi_runner.tracebacks import SourceMap, describe, render

CELLS = (
    '"""What the app is for."""\nfrom __future__ import annotations\nimport warnings\n',
    "def two(x: Undefined) -> int:\n    return 1 // x\n\nwarnings.warn('old', stacklevel=1)\n",
    '"""no docstring"""\n\nclass Three:\n    y: int = 3\n\ndef three() -> int:\n    return two(0)\n',
)
# Each cell has one line above its code: `#| deploy: NAME`.
PARTS = [Origin("In[1] of n.ipynb", 1, 1), Origin("In[2] of n.ipynb", -2, 4), Origin("In[9] of n.ipynb", -6, 8)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    before = set(sys.modules), list(sys.path), list(sys.meta_path)
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - before[0]:
        del sys.modules[name]
    sys.path[:], sys.meta_path[:] = before[1:]


def load(folder: Path, source: str, parts: list[Origin], at: str = "many_cells.py") -> tuple[ModuleType, SourceMap]:
    path = folder / at
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    sources = SourceMap(str(folder), {at: parts})
    sys.meta_path.insert(0, _CellFinder(sources))
    importlib.invalidate_caches()
    return importlib.import_module(at.removesuffix(".py").replace("/", ".")), sources


def test_each_cell_is_named_with_its_own_lines(folder: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module, sources = load(folder, "".join(CELLS), PARTS)
    assert [(w.filename, w.lineno) for w in caught] == [("In[2] of n.ipynb", 5)]
    with pytest.raises(ZeroDivisionError) as raised:
        module.three()
    told = render(raised.value, sources)
    assert "In[9] of n.ipynb, line 8, in three\n    return two(0)" in told
    assert "In[2] of n.ipynb, line 3, in two\n    return 1 // x" in told
    failure = describe(raised.value, sources, "x")
    assert (failure.file, failure.line, failure.columns) == ("many_cells.py", 5, (11, 17))
    assert inspect.getsource(module.two) == "def two(x: Undefined) -> int:\n    return 1 // x\n"
    assert inspect.getsource(module.three) == "def three() -> int:\n    return two(0)\n"
    assert "y: int = 3" in inspect.getsource(module.Three)
    assert inspect.getsource(module) == "".join(CELLS)


def test_the_parts_are_one_module(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module, _ = load(folder, "".join(CELLS), PARTS)
    assert module.__doc__ == "What the app is for."
    assert module.two.__annotations__ == {"x": "Undefined", "return": "int"}
    assert module.Three.__annotations__ == {"y": "int"}
    assert module.Three.__module__ == "many_cells"
    assert module.__file__ == str(folder / "many_cells.py")


def test_no_docstring_comes_from_a_later_part(folder: Path) -> None:
    module, _ = load(folder, "x = 1\n'second'\n", [Origin("A"), Origin("B", -1, 2)])
    assert module.__doc__ is None


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("if False:\n    x = 1\n", "else:\n    x = 2\n", 2),
        ("x = [\n", "1, 2]\n", [1, 2]),
        ("def f():\n    a = 1\n", "    return a\nx = f()\n", 1),
        ("x = '''a\n", "b'''\n", "a\nb"),
    ],
)
def test_a_part_that_is_not_whole_makes_the_file_one(folder: Path, first: str, second: str, value: object) -> None:
    start = first.count("\n") + 1
    parts = [Origin("A", 1), Origin("B", 2 - start, start)]
    module, sources = load(folder, first + second + "def later():\n    raise KeyError\n", parts)
    assert module.x == value
    with pytest.raises(KeyError) as raised:
        module.later()
    last = (first + second).count("\n") + 2
    assert f"File many_cells.py, line {last}, in later" in render(raised.value, sources)
    assert describe(raised.value, sources, "x").line == last


def test_a_syntax_error_is_found_in_the_file(folder: Path) -> None:
    with pytest.raises(SyntaxError) as raised:
        load(folder, "x = 1\ny = (\nz = 2\n", [Origin("A", 1), Origin("B", 0, 2)])
    sources = SourceMap(str(folder), {"many_cells.py": [Origin("A", 1), Origin("B", 0, 2)]})
    failure = describe(raised.value, sources, "x")
    assert (failure.file, failure.line) == ("many_cells.py", 2)


def test_one_cell_with_a_syntax_error_is_named(folder: Path) -> None:
    with pytest.raises(SyntaxError) as raised:
        load(folder, "y = (\n", [Origin("In[4]", 1)])
    assert (raised.value.filename, raised.value.lineno) == ("In[4]", 2)


def test_parts_in_a_folder_without_init_and_lines_that_only_look_like_ends(folder: Path) -> None:
    source = "a = '\x0c\u2028'\r\nb = 1\r\ndef f():\r\n    1 / 0\r\n"
    module, sources = load(folder, source, [Origin("A", 1), Origin("B", -1, 3)], "routers/users_of_it.py")
    with pytest.raises(ZeroDivisionError) as raised:
        module.f()
    assert "B, line 3, in f\n    1 / 0" in render(raised.value, sources)
    assert describe(raised.value, sources, "x").file == "routers/users_of_it.py"


@pytest.mark.parametrize("first_line", [4, 400])
def test_parts_that_are_not_as_they_should_be_run_all_the_same(folder: Path, first_line: int) -> None:
    module, _ = load(folder, "x = 1\n", [Origin("A", -7, 3), Origin("B", -900, first_line)])
    assert module.x == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("first\nsecond\nthird"), "ValueError: first"),
        (SyntaxError("never closed", ("main.py", 1, 2, "f(")), "SyntaxError: never closed"),
        (KeyError("name"), "KeyError: 'name'"),
    ],
)
def test_an_exception_is_told_in_one_line_its_first(error: Exception, message: str) -> None:
    error.add_note("Read more elsewhere.")
    assert describe(error, SourceMap("/nowhere", {}), "x").message == message
