"""A real IPython kernel, as a notebook's front end meets it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.manager import KernelManager

TIMEOUT_SECONDS = 60.0


def own_environment(directory: Path, **more: str) -> dict[str, str]:
    """The environment for a kernel or a program of Jupyter that keeps clear of the developer's own settings."""
    basics = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    folders = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    own = {name: str(directory / name.lower()) for name in folders}
    for path in own.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    return basics | own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{basics.get('PATH', '')}"} | more


@dataclass
class Ran:
    """What running a cell gave: its outputs as they stand in the end, and every message on the way."""

    request: str
    status: str = ""
    text: str = ""
    """Standard output and error."""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    """The data of each output, updates applied."""
    error: str = ""
    """The traceback as it is shown, without colours."""
    error_name: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    help: str = ""
    by_display_id: dict[str, int] = field(default_factory=dict)

    @property
    def html(self) -> str:
        return "\n".join(output.get("text/html", "") for output in self.outputs)

    @property
    def plain(self) -> str:
        return "\n".join(output.get("text/plain", "") for output in self.outputs)

    def types(self) -> list[str]:
        return [message["msg_type"] for message in self.messages]


class Kernel:
    """Runs cells and completes lines, as a front end does."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_SECONDS)

    def run(self, code: str, cell_id: str | None = "cell-1") -> Ran:
        """Run a cell; some front ends do not say which one, which `None` is."""
        return self.finish(self.send(code, cell_id))

    def send(self, code: str, cell_id: str | None = "cell-1") -> Ran:
        """Send a cell without waiting for it."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "stop_on_error": True}
        message = self.client.session.msg("execute_request", content | {"allow_stdin": False})
        message["metadata"] = {"cellId": cell_id}
        self.client.shell_channel.send(message)
        return Ran(request=message["header"]["msg_id"])

    def until_text(self, ran: Ran, part: str) -> None:
        """Read messages until the cell has printed or shown `part`."""
        self._read(ran, lambda: part in ran.text + ran.plain)

    def until_text_while(self, ran: Ran, part: str, act: Callable[[], object]) -> None:
        """The same, doing `act` again and again."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while part not in ran.text + ran.plain:
            act()
            with suppress(Empty):
                self._read(ran, lambda: part in ran.text + ran.plain, 0.5)
            assert time.monotonic() < deadline, f"{part!r} never came"

    def finish(self, ran: Ran) -> Ran:
        self._read(ran, lambda: ran.status == "idle")
        reply = self._reply(ran.request)
        ran.status = reply["status"]
        ran.help = "\n".join(page["data"]["text/plain"] for page in reply.get("payload", []))
        return ran

    def complete(self, code: str, cursor: int | None = None) -> list[str]:
        request = self.client.complete(code, len(code) if cursor is None else cursor)
        return list(self._reply(request)["matches"])

    def _reply(self, request: str) -> dict[str, Any]:
        while True:
            message = self.client.get_shell_msg(timeout=TIMEOUT_SECONDS)
            if message["parent_header"].get("msg_id") == request:
                return dict(message["content"])

    def _read(self, ran: Ran, enough: Callable[[], bool], timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not enough():
            message = self.client.get_iopub_msg(timeout=max(deadline - time.monotonic(), 0.01))
            if message["parent_header"].get("msg_id") != ran.request:
                continue
            ran.messages.append(message)
            content = message["content"]
            match message["msg_type"]:
                case "status":
                    ran.status = content["execution_state"]
                case "stream":
                    ran.text += content["text"]
                case "display_data" | "execute_result":
                    ran.by_display_id[content.get("transient", {}).get("display_id", "")] = len(ran.outputs)
                    ran.outputs.append(content["data"])
                case "update_display_data":
                    place = ran.by_display_id[content["transient"]["display_id"]]
                    ran.outputs[place] = content["data"]
                case "error":
                    ran.error = "\n".join(content["traceback"]).replace("\x1b[31m", "").replace("\x1b[0m", "")
                    ran.error_name = content["ename"]


@contextmanager
def running_kernel(directory: Path, **environment: str) -> Iterator[Kernel]:
    """A kernel in `directory`, ended afterwards."""
    manager = KernelManager(kernel_name="python3")
    settings = own_environment(directory / ".jupyter", **environment)
    manager.start_kernel(cwd=str(directory), env=settings)
    try:
        kernel = Kernel(manager)
        try:
            yield kernel
        finally:
            kernel.client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
