"""A real kernel, in which the real `%%deploy` runs."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from benchmarks.web import BenchmarkError, version_at

_TIMEOUT_SECONDS = 60.0
_LIVE = re.compile(r" is live\b.*?(http://[\w.]+:\d+)", re.DOTALL)


class Kernel:
    """Runs cells, and watches what they show."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def deploy(self, name: str, source: str, version: int) -> float:
        """Seconds from sending a `%%deploy` cell to a 200 of that version, at the URL its card shows."""
        started = time.perf_counter()
        seconds: float | None = None
        said: list[str] = []
        for message in self._run(f"%%deploy {name}\n{source}"):
            text = _text(message)
            said.append(text)
            found = _LIVE.search(text)
            if found and seconds is None:
                answered = version_at(found[1])
                seconds = time.perf_counter() - started
                if answered != version:
                    raise BenchmarkError(f"{name} answered as version {answered} after {version} was live")
        if seconds is None:
            raise BenchmarkError(f"{name} did not come live:\n" + "\n".join(said))
        return seconds

    def run(self, code: str) -> None:
        """Run a cell for its effect."""
        for _ in self._run(code):
            pass

    def _run(self, code: str) -> Iterator[dict[str, Any]]:
        """The messages that a cell sends, until it is done."""
        request = self._client.execute(code)
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=max(deadline - time.monotonic(), 0.0))
            except Empty:
                raise BenchmarkError(f"a cell did not end in {_TIMEOUT_SECONDS:.0f} s") from None
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return
            yield message


@contextmanager
def running_kernel(folder: Path, environment: dict[str, str]) -> Iterator[Kernel]:
    """A kernel as JupyterLab starts one for a notebook in `folder`, with settings of its own."""
    manager = KernelManager(kernel_name="python3")
    own = {name: str(folder / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    try:
        manager.start_kernel(
            cwd=str(folder),
            env=environment | own | {"JPY_SESSION_NAME": str(folder / "benchmark.ipynb")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_TIMEOUT_SECONDS)
            kernel = Kernel(client)
            # It is loaded by itself where the package is installed with its data files.
            kernel.run("%load_ext gofastapi_ext")
            yield kernel
        finally:
            client.stop_channels()
    finally:
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    match message["msg_type"]:
        case "display_data" | "update_display_data":
            return str(content["data"].get("text/plain", ""))
        case "stream":
            return str(content["text"])
        case "error":
            return f"{content['ename']}: {content['evalue']}"
        case _:
            return ""
