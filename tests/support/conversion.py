"""Convert an app, run it before and after, and compare."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.convert import Conversion, convert
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.validation import analyze

FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
USERS = """
@app.get("/users")
def users(): return []

@app.get("/users/{name}")
def user(name: str): return name
"""


@dataclass(frozen=True)
class Converted:
    """An app in several files, known to be the same one as before."""

    conversion: Conversion
    folder: Path
    answers: list[Any]
    printed: str
    openapi_text_is_the_same: bool

    @property
    def notes(self) -> str:
        return "\n".join(self.conversion.notes)

    @property
    def moved(self) -> dict[str, list[str]]:
        return self.conversion.moved

    def text(self, path: str = "") -> str:
        """The text of a file, the main one by default."""
        text = self.conversion.bundle.text_of(path or self.conversion.bundle.main)
        assert text is not None, sorted(self.conversion.bundle.files)
        return text


class Comparer:
    """Runs apps in forks of one warm process; see `asgi_probe`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._process = subprocess.Popen(
            # Without its folder on the path, where modules are called like some of the standard library.
            [sys.executable, "-P", str(Path(__file__).with_name("asgi_probe.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)

    def __call__(
        self,
        source: str,
        *requests: tuple[Any, ...],
        files: dict[str, str] | None = None,
        main: str = "main.py",
        routes_keep_order: bool = True,
    ) -> Converted:
        """Convert `source`, and fail where anything differs: OpenAPI, routes, answers, what is printed."""
        texts = {main: textwrap.dedent(source)} | {path: textwrap.dedent(text) for path, text in (files or {}).items()}
        bundle = Bundle(files={path: BundleFile(text=text) for path, text in texts.items()}, main=main)
        conversion = convert(bundle)
        analysis = analyze(conversion.bundle)
        assert [d.message for d in analysis.diagnostics] == [d.message for d in analyze(bundle).diagnostics]
        before = self.look(bundle, requests)
        after = self.look(conversion.bundle, requests)
        shown = "\n".join(f"# {path}\n{file.text}" for path, file in conversion.bundle.files.items())
        assert "error" not in before, before["error"]
        assert "error" not in after, after["error"] + shown
        assert json.loads(after["openapi"]) == json.loads(before["openapi"]), shown
        assert after["answers"] == before["answers"], shown
        assert after["printed"] == before["printed"], shown
        assert sorted(after["routes"]) == sorted(before["routes"]), shown
        if routes_keep_order:
            assert after["routes"] == before["routes"], shown
        return Converted(
            conversion,
            self._folder / str(self._count),
            after["answers"],
            after["printed"],
            after["openapi"] == before["openapi"],
        )

    def look(self, bundle: Bundle, requests: tuple[tuple[Any, ...], ...]) -> dict[str, Any]:
        """What the app is and answers."""
        self._count += 1
        folder = self._folder / str(self._count)
        for path, file in bundle.files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
        entrypoint = bundle.entrypoint or analyze(bundle).entrypoint
        order = {"folder": str(folder), "entrypoint": entrypoint, "requests": requests}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def left_alone(source: str, **files: str) -> str:
    """Why nothing is converted."""
    texts = {"main.py": source} | {path.replace("__", "/").replace("_py", ".py"): text for path, text in files.items()}
    bundle = Bundle(files={path: BundleFile(text=textwrap.dedent(text)) for path, text in texts.items()})
    with pytest.raises(InvalidRequestError) as raised:
        convert(bundle)
    return raised.value.message
