"""The zygote: a warmed-up process that app instances are forks of.

It has imported what nearly every app imports, and nothing of any user. It stays single-threaded
and holds no connection but its channel: a fork copies one thread and shares every connection.
When its channel ends the platform is gone, and everything forked goes with it.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import Any

from gofastapi_runner import instance, protocol, subreaper
from gofastapi_runner.warmup import warm_up


class Zygote:
    """Forks instances on request, and reports when they end."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: set[int] = set()
        self._pending = bytearray()
        self._descriptors: list[int] = []

    def run(self) -> None:
        """Serve the platform until its end of the channel closes."""
        wakeup_read, wakeup_write = os.pipe()
        os.set_blocking(wakeup_read, False)
        os.set_blocking(wakeup_write, False)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._wakeup = (wakeup_read, wakeup_write)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(wakeup_read, selectors.EVENT_READ)
        try:
            self._serve()
        except OSError:
            pass  # the platform went away in the middle of a word
        finally:
            self._end()

    def _serve(self) -> None:
        protocol.send(self._channel, {"warm": os.getpid(), "files": _imported_files(), "sites": _site_directories()})
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._channel:
                    if not self._receive():
                        return
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wakeup[0], 4096)
                    self._reap()

    def _receive(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._channel, 65536, 16)
        if not data:
            return False
        for descriptor in descriptors:
            # Programs an app starts must not hold its address or its channel open.
            os.set_inheritable(descriptor, False)
        self._pending += data
        self._descriptors += descriptors
        while (end := self._pending.find(b"\n")) >= 0:
            line = bytes(self._pending[:end])
            del self._pending[: end + 1]
            self._obey(json.loads(line))
        return True

    def _obey(self, message: dict[str, Any]) -> None:
        if "fork" in message:
            descriptors = self._descriptors[: protocol.DESCRIPTORS_PER_FORK]
            del self._descriptors[: protocol.DESCRIPTORS_PER_FORK]
            self._fork(message["fork"], *descriptors)
        elif "missing" in message:
            importlib.invalidate_caches()
            names = [name for name in message["names"] if not _can_import(name)]
            protocol.send(self._channel, {"missing": message["missing"], "names": names})

    def _fork(self, token: str, channel: int, listener: int, log: int) -> None:
        # What was installed since the last fork is found.
        importlib.invalidate_caches()
        zygote_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            protocol.send(self._channel, {"not_forked": token, "reason": error.strerror})
            return
        finally:
            if os.getpid() == zygote_pid:
                for descriptor in (channel, listener, log):
                    os.close(descriptor)
        if pid == 0:
            self._become_instance(zygote_pid, channel, listener, log)
        self._children.add(pid)
        protocol.send(self._channel, {"forked": token, "pid": pid})

    def _become_instance(self, zygote_pid: int, channel: int, listener: int, log: int) -> None:
        """In the child: leave everything of the zygote behind and run the app. Never returns."""
        status = 70
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            self._channel.close()
            for descriptor in self._wakeup:
                os.close(descriptor)
            status = instance.run(zygote_pid, channel, listener, log)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            # Never unwind into the zygote's own frames.
            os._exit(status)

    def _reap(self) -> None:
        """Report the instances that ended, and end what they leave behind: daemons, which come to us."""
        reaped = False
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                reaped = True
                pid, status = ended
                if pid in self._children:
                    self._children.remove(pid)
                    protocol.send(self._channel, {"exited": pid, "status": os.waitstatus_to_exitcode(status)})
        if reaped:
            _kill(subreaper.children() - self._children)

    def _end(self) -> None:
        """Leave nothing behind."""
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        # Each that ends hands its own children to us; when there is none left, all are gone.
        with contextlib.suppress(ChildProcessError):
            while True:
                _kill(subreaper.children())
                os.waitpid(-1, 0)


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _can_import(name: str) -> bool:
    """Whether a top-level module is there. Looks it up; does not import it."""
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _imported_files() -> list[str]:
    """The files of the installed packages that are imported: when one changes, a new zygote is due."""
    files = [getattr(sys.modules[name], "__file__", None) for name in list(sys.modules) if "." not in name]
    return sorted(file for file in files if file and "site-packages" in file)


def _site_directories() -> list[str]:
    return [path for path in sys.path if path.endswith("site-packages")]


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.umask(0o077)
    warm_up()
    subreaper.become()
    Zygote(channel).run()


if __name__ == "__main__":
    main()
