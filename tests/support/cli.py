"""The real `gofastapi` command, run as people run it, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

from gofastapi_ext.client.places import Places
from support.ports import PortRange
from support.reruns import forget, remember

COMMAND = str(Path(sys.executable).with_name("gofastapi"))

APP = """
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
def root():
    print("somebody asked")
    return {"says": "WORD"}
"""


class CommandLine:
    """Runs `gofastapi` in a folder of its own; `home` is where its platform lives."""

    def __init__(self, home: Path, folder: Path, **settings: str) -> None:
        self.home = home
        self.folder = folder
        self.places = Places(home=home, run=home / "run")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("GOFASTAPI_") and k != "NO_COLOR"}
        self.environment = inherited | {"GOFASTAPI_HOME": str(home)} | settings

    def run(self, *arguments: str, status: int = 0, **environment: str) -> str:
        """What it prints on stdout. Fails where it ends with another status, or shows a traceback."""
        done = self.finish(*arguments, **environment)
        assert done.returncode == status, done
        return done.stdout

    def json(self, *arguments: str, status: int = 0, **environment: str) -> Any:
        """The one JSON value it prints with `--json`."""
        return json.loads(self.run(*arguments, "--json", status=status, **environment))

    def lines(self, *arguments: str, status: int = 0) -> list[Any]:
        """The JSON values it prints with `--json`, one a line."""
        return [json.loads(line) for line in self.run(*arguments, "--json", status=status).splitlines()]

    def finish(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> str:
        """Write a file in the folder; return its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def write_app(self, word: str = "hello", name: str = "main.py") -> str:
        return self.write(name, APP.replace("WORD", word))


@contextmanager
def command_line(**settings: str) -> Iterator[CommandLine]:
    """A command with an empty home; its platform is ended afterwards."""
    # Short: a unix socket's path holds about a hundred bytes.
    root = Path(tempfile.mkdtemp(prefix="gfc-"))
    (root / "code").mkdir()
    ports = PortRange()
    cli = CommandLine(root / "home", root / "code", **ports.settings, **settings)
    remember(cli.places)
    try:
        yield cli
    finally:
        forget(cli.places)
        cli.finish("down")
        rmtree(root, ignore_errors=True)
