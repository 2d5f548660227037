"""Run a notebook from the command line, and show what it brought live.

`python notebooks/run.py notebooks/quickstart.ipynb` executes every cell in a real kernel, prints a
line `live <app> <url>` for each deploy, and one real request with its answer. The apps stay up.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import httpx
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from gofastapi_ext.client.client import connect
from gofastapi_ext.core.errors import GoFastAPIError

_DEPLOY = re.compile(r"^%%deploy\s+([a-z0-9-]+)", re.MULTILINE)


def main(path: Path) -> int:
    """Execute the notebook; return the exit status."""
    print(f"Running {path} ...", flush=True)
    begun = time.monotonic()
    # As Jupyter does: the kernel learns which notebook it runs, so the card and tracebacks can name it.
    os.environ["JPY_SESSION_NAME"] = str(path.resolve())
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=lambda cell, **_: _show(cell),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\nThe notebook stopped: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    deployed = [name for cell in notebook.cells for name in _DEPLOY.findall(cell.source)]
    _show_request(deployed[-1])
    print(f"\nThe whole notebook took {time.monotonic() - begun:.1f} s. The apps stay live; next:")
    print("  make lab                   open it in JupyterLab, change a cell, deploy again")
    print("  .venv/bin/gofastapi apps   what is live, and where")
    print("  .venv/bin/gofastapi down   stop everything (`up` brings it back)")
    return 0


def _show(cell: nbformat.NotebookNode) -> None:
    """A line for a deploy, the text of any other cell."""
    if cell.cell_type != "code":
        return
    if found := _DEPLOY.search(cell.source):
        with connect() as client:
            view = client.app(found[1])
        print(f"live {view.id} {view.url}", flush=True)
        return
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        if text:
            first_line = cell.source.strip().splitlines()[0]
            print(f"\n> {first_line}\n{text.rstrip()}", flush=True)


def _show_request(app_id: str) -> None:
    with connect() as client:
        url = client.app(app_id).url
    answer = httpx.get(f"{url}/", trust_env=False)
    title = re.search(r"<title>(.*?)</title>", answer.text)
    page = f'a page titled "{title[1]}", ' if title else ""
    kind = answer.headers.get("content-type", "to " + answer.headers.get("location", "nowhere"))
    print(f"\n> GET {url}/\n{answer.status_code} {kind}, {page}{len(answer.content)} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} NOTEBOOK.ipynb")
    try:
        sys.exit(main(Path(sys.argv[1])))
    except GoFastAPIError as error:
        sys.exit(error.message)
