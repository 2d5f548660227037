"""A real JupyterLab and its notebooks in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import nbformat
from playwright.sync_api import Locator, Page, expect

from support.kernel import own_environment
from support.waiting import until

CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP computer.test 127.0.0.1",
]  # fmt: skip
TOKEN = "a-token-of-the-tests"
NETWORK_NAME = "computer.test"
"""What browsers on other machines would call this one; Jupyter answers to it."""
_CONFIG = f"""
c = get_config()
c.ServerApp.port = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.ServerApp.local_hostnames = ["localhost", "{NETWORK_NAME}"]
c.IdentityProvider.token = "{TOKEN}"
c.LabApp.expose_app_in_browser = True
c.LabApp.extension_manager = "readonly"
c.JupyterNotebookApp.expose_app_in_browser = True
"""
_OVERRIDES = {
    # Both start yarn, for nothing.
    "@jupyterlab/extensionmanager-extension:plugin": {"enabled": False},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Every cell is in the page, whether it is in view or not.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
_OPEN = "path => window.jupyterapp?.shell.currentWidget?.context?.path === path"
_READY = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.revealed;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""


def chromium() -> str:
    """The browser of this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "The browser tests need Chromium: apt install chromium"
    return found


@dataclass
class Lab:
    """A running server; notebooks are in `root`."""

    url: str
    root: Path

    def write(self, name: str, *cells: str) -> None:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.root / name)

    def end_kernels(self) -> None:
        """Those of the notebooks that a test has left open: each takes memory, and its share of every tick."""
        with httpx.Client(
            base_url=self.url, headers={"Authorization": f"token {TOKEN}"}, timeout=30, trust_env=False
        ) as jupyter:
            for kernel in jupyter.get("api/kernels").raise_for_status().json():
                jupyter.delete(f"api/kernels/{kernel['id']}")


RUNNING: list[Lab] = []
"""Those that run now."""


@contextmanager
def running_lab(directory: Path, home: Path, more_config: str = "") -> Iterator[Lab]:
    """JupyterLab with settings of its own, whose kernels use the service that lives in `home`."""
    environment = own_environment(directory / "own", GOFASTAPI_HOME=str(home))
    root = directory / "notebooks"
    settings = directory / "settings"
    for folder in (root, settings):
        folder.mkdir(parents=True)
    (Path(environment["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.py").write_text(_CONFIG + more_config)
    (settings / "overrides.json").write_text(json.dumps(_OVERRIDES))
    with (directory / "jupyter.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                f"--ServerApp.root_dir={root}",
                f"--LabApp.app_settings_dir={settings}",
            ],
            env=environment,
            cwd=root,
            stdout=log,
            stderr=log,
        )
    info = Path(environment["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{process.pid}.json"
    try:
        until(lambda: _is_written(info) or process.poll() is not None, 60, "JupyterLab up")
        assert process.poll() is None, (directory / "jupyter.log").read_text()
        lab = Lab(json.loads(info.read_text())["url"], root)
        RUNNING.append(lab)
        try:
            yield lab
        finally:
            RUNNING.remove(lab)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            # A thread of anyio stays behind where a page was still loading; kernels are ended by then.
            process.kill()
            process.wait(5)


def _is_written(file: Path) -> bool:
    """Whether all of it is there: it is empty for a moment."""
    return file.exists() and file.read_bytes().endswith(b"}")


class NotebookPage:
    """The notebook that is open in a browser, with its kernel ready. `name` is its path below the server's root."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        page.wait_for_function(_OPEN, arg=name, timeout=60_000)
        page.evaluate(_READY)

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(index)

    def card(self, index: int) -> Locator:
        return self.cell(index).locator(".gofastapi")

    def start(self, index: int) -> None:
        """Shift+Enter in a cell."""
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def run(self, index: int) -> None:
        """The same, and wait until it is over."""
        before = self.cell(index).locator(".jp-InputPrompt").inner_text()
        self.start(index)
        prompt = self.cell(index).locator(".jp-InputPrompt")
        expect(prompt).not_to_have_text(before)
        expect(prompt).not_to_have_text("[*]:")
        expect(self.cell(index).locator(".gofastapi-running")).to_have_count(0)

    def set_source(self, index: int, source: str) -> None:
        self.page.evaluate(
            "([index, source]) => window.jupyterapp.shell.currentWidget.content.widgets[index]"
            ".model.sharedModel.setSource(source)",
            [index, source],
        )

    def save(self) -> None:
        self.page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")


def open_notebook(page: Page, lab: Lab, name: str, *, front: str = "lab/tree") -> NotebookPage:
    """Load a notebook in JupyterLab (`lab/tree`) or Notebook 7 (`notebooks`)."""
    # Without what was open before, which JupyterLab would bring back.
    page.goto(f"{lab.url}{front}/{name}?reset&token={TOKEN}")
    return NotebookPage(page, name)
