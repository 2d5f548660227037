"""Where the magic runs: which notebook and cell, which folder, and behind which Jupyter server."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gofastapi_ext.core.bundle import CellOrigin

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MAX_NAME = 400
"""As long as a `CellOrigin` takes it."""


def is_kernel(shell: InteractiveShell) -> bool:
    """Whether a front end shows what we send, rather than a terminal."""
    return getattr(shell, "kernel", None) is not None


def notebook_path() -> Path | None:
    """The notebook of this kernel, where the Jupyter server told; renaming it later does not show here."""
    name = os.environ.get("JPY_SESSION_NAME", "")
    path = Path(name)
    return path if name and path.is_absolute() else None


def notebook_folder() -> Path:
    """The folder local modules are looked up in."""
    path = notebook_path()
    return path.parent if path and path.parent.is_dir() else Path.cwd()


def cell_origin(shell: InteractiveShell) -> CellOrigin:
    """The cell that runs now."""
    path = notebook_path()
    # Not `execution_count`: from IPython 9 on that is the number of the next cell already.
    inputs = shell.history_manager.input_hist_raw if shell.history_manager else []
    number = len(inputs) - 1 if len(inputs) > 1 else shell.execution_count
    return CellOrigin(
        label=f"In[{number}]",
        notebook=name_of(path) if path else None,
        cell_id=_cell_id(shell),
        line_offset=_line_of_magic(inputs[-1] if inputs else ""),
    )


def name_of(notebook: Path) -> str:
    """The notebook as its Jupyter server calls it, by its path from where that begins; elsewhere by its file name."""
    root = _server_info().get("root_dir")
    path = notebook.name
    if isinstance(root, str) and root:
        with contextlib.suppress(ValueError, OSError):
            path = notebook.resolve().relative_to(Path(root).resolve()).as_posix()
    return path if len(path) <= _MAX_NAME else notebook.name


def relay_path(app_id: str) -> str | None:
    """The path under which the Jupyter server of this kernel relays to an app, or None outside of one.

    People whose browser is on another machine reach the app there. It is relative to the server's
    origin: only the browser knows that.
    """
    base = _server_info().get("base_url")
    is_path = isinstance(base, str) and base.startswith("/") and base.endswith("/")
    return f"{base}gofastapi/apps/{app_id}/" if is_path else None


def _server_info() -> dict[str, object]:
    """What the Jupyter server of this kernel wrote down of itself; nothing outside of one."""
    pid = os.environ.get("JPY_PARENT_PID", "")
    if not pid.isdigit():
        return {}
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        info = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json").read_text())
    except (OSError, ValueError):
        return {}
    return info if isinstance(info, dict) else {}


def _cell_id(shell: InteractiveShell) -> str | None:
    """What the front end calls the cell, where it said so with the request."""
    get_parent = getattr(shell, "get_parent", None)
    request: object = get_parent() if get_parent else None
    metadata = request.get("metadata") if isinstance(request, dict) else None
    cell_id = metadata.get("cellId") if isinstance(metadata, dict) else None
    return cell_id if isinstance(cell_id, str) else None


def _line_of_magic(cell: str) -> int:
    """How many lines of the cell come before the app's first: blank lines or `%%time` may stand above."""
    for number, line in enumerate(cell.splitlines(), start=1):
        if line.lstrip().startswith("%%deploy"):
            return number
    return 1
