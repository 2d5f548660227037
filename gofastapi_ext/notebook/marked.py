"""The cells of a notebook that belong to an app: `#| deploy: NAME` stands on top of them."""

from __future__ import annotations

import json
import shlex
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gofastapi_ext.core.bundle import BundleFile, CellOrigin, check_path
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.leftout import check_goes_in
from gofastapi_ext.core.markers import DEFAULT_FILE, Marks, close_names, read_marks
from gofastapi_ext.core.project.main_file import find_main
from gofastapi_ext.core.validation.apps import APP_CLASSES
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.place import name_of
from gofastapi_ext.notebook.runs import Run


@dataclass(frozen=True)
class Cell:
    """A code cell on disk."""

    label: str
    """What people know it by: `In[3]`, or `cell 5` where it has no number of its own."""
    cell_id: str | None
    source: str


@dataclass(frozen=True)
class SavedNotebook:
    """The code cells of a notebook file, in the order of the document."""

    name: str
    saved_at: float
    cells: list[Cell] = field(default_factory=list)


@dataclass(frozen=True)
class Gathered:
    """The files that the marked cells of one app make."""

    texts: dict[str, str]
    origins: dict[str, list[CellOrigin]]
    warnings: list[str]

    @property
    def main(self) -> str:
        """The file that holds the app. Raises `InvalidBundleError` where that is not plain."""
        if DEFAULT_FILE in self.texts:
            return DEFAULT_FILE
        files = {path: BundleFile.from_bytes(text.encode(errors="surrogatepass")) for path, text in self.texts.items()}
        return find_main(files)


def read_notebook(path: Path) -> SavedNotebook:
    """Raises `CommandFailed` where it cannot be read."""
    try:
        saved_at = path.stat().st_mtime
        content = path.read_bytes()
        code = _cells_of_today(content)
        if code is None:
            code = _cells_of_any_format(content.decode("utf-8"))
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # whatever a file that is no notebook makes its reader raise
        raise CommandFailed(f"{path} cannot be read as a notebook: {type(error).__name__}: {error}") from None
    counts = Counter(cell.get("execution_count") for _, cell in code)
    cells = []
    for number, cell in code:
        count = cell.get("execution_count")
        label = f"In[{count}]" if isinstance(count, int) and counts[count] == 1 else f"cell {number}"
        source = cell["source"]
        cells.append(Cell(label, cell.get("id"), source if isinstance(source, str) else "".join(source)))
    return SavedNotebook(name_of(path), saved_at, cells)


def _cells_of_today(content: bytes) -> list[tuple[int, Any]] | None:
    """The code cells, by their place, of a notebook as Jupyter has written it for ten years; None for any other.

    nbformat, which knows all of them, takes a second or two to import.
    """
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        notebook = json.loads(content)
        if notebook["nbformat"] == 4:
            cells = [(n, cell) for n, cell in enumerate(notebook["cells"], start=1) if cell["cell_type"] == "code"]
            if all(_is_plain(cell) for _, cell in cells):
                return cells
    return None


def _is_plain(cell: dict[str, Any]) -> bool:
    source = cell["source"]
    is_text = isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))
    return is_text and isinstance(cell.get("id"), str | None) and isinstance(cell.get("execution_count"), int | None)


def _cells_of_any_format(text: str) -> list[tuple[int, Any]]:
    """Raises what nbformat raises where it is no notebook."""
    import nbformat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old notebooks have no cell ids, which is their right
        notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    return [(n, cell) for n, cell in enumerate(notebook.cells, start=1) if cell.cell_type == "code"]


def check_saved(notebook: SavedNotebook, runs: list[Run], app: str) -> None:
    """Raise `CommandFailed` where one of `runs`, all later than the save, shows a cell of the app that is not saved."""
    by_id = {cell.cell_id: cell for cell in notebook.cells if cell.cell_id}
    on_disk = {cell.source.rstrip() for cell in notebook.cells}
    unsaved = []
    for run in runs:
        saved = by_id.get(run.cell_id or "")
        is_there = run.source.rstrip() == saved.source.rstrip() if saved else run.source.rstrip() in on_disk
        if not is_there and app in (read_marks(run.source).app, read_marks(saved.source).app if saved else None):
            unsaved.append(run.label)
    if unsaved:
        words = "is not saved yet" if len(unsaved) == 1 else "are not saved yet"
        raise CommandFailed(
            f"{' and '.join(unsaved)} {words}: save the notebook (Ctrl+S) and run this again. "
            "What is deployed is what stands in the file."
        )


def gather(notebook: SavedNotebook, app: str) -> Gathered:
    """The files of `app`, each joined of its cells in the order of the document.

    Raises `InvalidBundleError` for a path that cannot be, and for what never goes into an app.
    """
    marked: dict[str, list[tuple[Cell, Marks]]] = {}
    others: dict[str, list[Cell]] = {}
    told: list[str] = []
    for cell in notebook.cells:
        marks = read_marks(cell.source)
        if marks.app == app:
            marked.setdefault(_checked(marks.path, cell), []).append((cell, marks))
        elif marks.app:
            others.setdefault(marks.app, []).append(cell)
        if marks.app in (None, app):
            told += [f"{cell.label}, {warning}" if warning.startswith("line") else f"{cell.label}: {warning}"
                     for warning in marks.warnings]  # fmt: skip
    for near in close_names(app, set(others)):
        # Cells that make an app are meant for one of that name, unless there are none for this one.
        if not marked or not any(sign in cell.source for cell in others[near] for sign in APP_CLASSES):
            cells = ", ".join(cell.label for cell in others[near])
            told.append(f'{cells}: marked for "{near}", not for "{app}".')
    if marked:
        _add_deployfile_cells(notebook, app, marked)
    files = {path: _joined(notebook.name, parts) for path, parts in marked.items()}
    texts = {path: text for path, (text, _) in files.items()}
    return Gathered(texts, {path: origins for path, (_, origins) in files.items()}, told)


def _checked(path: str, cell: Cell) -> str:
    try:
        check_goes_in(check_path(path), cell.source.encode(errors="surrogatepass"))
        return path
    except InvalidBundleError as error:
        raise InvalidBundleError(f"{cell.label}: {error.message}") from None


def _add_deployfile_cells(notebook: SavedNotebook, app: str, marked: dict[str, list[tuple[Cell, Marks]]]) -> None:
    """Cells with `%%deployfile` on top are a file of the app too; one that is marked wins."""
    for cell in notebook.cells:
        first, _, text = cell.source.partition("\n")
        try:
            words = shlex.split(first)
        except ValueError:
            continue
        if words[:2] == ["%%deployfile", app] and len(words) > 2 and words[2] not in marked:
            marked[_checked(words[2], cell)] = [(cell, Marks(app, words[2], text, lines_above=1))]


def _joined(notebook: str, cells: list[tuple[Cell, Marks]]) -> tuple[str, list[CellOrigin]]:
    """The text of a file with an empty line between its cells, and where each begins."""
    parts: list[str] = []
    origins: list[CellOrigin] = []
    line = 1
    for cell, marks in cells:
        text = marks.text.lstrip("\n")
        above = marks.lines_above + len(marks.text) - len(text)
        text = text.rstrip()
        if not text and len(cells) > 1:
            continue
        offset = above + 1 - line
        origins.append(
            CellOrigin(label=cell.label, notebook=notebook, cell_id=cell.cell_id, line_offset=offset, first_line=line)
        )
        parts.append(text)
        line += text.count("\n") + 2
    joined = "\n\n".join(parts)
    return f"{joined}\n" if joined else "", origins
