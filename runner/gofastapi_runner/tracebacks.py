"""Tracebacks of the user's own code, by notebook cell and line."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from gofastapi_runner.protocol import GAP, Failure, Origin

_MONGO_UNAUTHORIZED = 13
_REFUSED_WRITE = re.compile(
    r"not authorized on (\S+) to execute command \{ (?:insert|update|findAndModify|create|createIndexes):"
)
_OVER_LIMIT = (
    "Your database is over its limit and takes no more writes: gofastapi db says what is large. Once enough is "
    "deleted, writes are taken again within a minute."
)
_OTHER_DATABASE = (
    "PLATFORM_MONGO_URI opens one database, your own: client.get_default_database() is it. "
    "For another one, give the app the address of a MongoDB of yours with --env."
)
# An exception may hold megabytes; the platform reads and stores what is reported.
_MAX_MESSAGE = 2_000
_MAX_TRACEBACK = 100_000


class SourceMap:
    """Which names code of the app was compiled under, and which file and line each means."""

    def __init__(self, code_dir: str, origins: dict[str, list[Origin]]) -> None:
        self._root = Path(code_dir)
        self._origins = origins
        self._cells = {part.label: (path, part) for path, parts in origins.items() for part in parts}

    def parts_of(self, filename: str) -> list[Origin]:
        """The cells a file on disk came from."""
        path = self.relative(filename)
        return self._origins.get(path, []) if path else []

    def relative(self, filename: str) -> str | None:
        """The path inside the app that `filename` (on disk, or a cell's label) stands for, or None."""
        if filename in self._cells:
            return self._cells[filename][0]
        try:
            return Path(filename).relative_to(self._root).as_posix()
        except ValueError:
            return None

    def locate(self, filename: str, line: int | None) -> tuple[str | None, int | None]:
        """The app's file and the line in it for a frame's file name and line."""
        path = self.relative(filename)
        if path is None or line is None:
            return path, None
        _, part = self._cells.get(filename, (path, None))
        return path, line - part.line_offset if part else line


def render(error: BaseException, sources: SourceMap) -> str:
    """The traceback with only the frames of the user's code; all frames where there is none of those."""
    lines: list[str] = []
    chain = list(_chain(error))
    for position, (link, word) in enumerate(chain):
        frames = traceback.extract_tb(link.__traceback__)
        own = [frame for frame in frames if sources.relative(frame.filename)] or list(frames)[-3:]
        if own:
            lines.append("Traceback (most recent call last):")
            lines += [_render_frame(frame, sources) for frame in own]
        lines += [text.rstrip("\n") for text in traceback.format_exception_only(link)]
        if position < len(chain) - 1:
            lines += ["", word, ""]
    return "\n".join(lines)


def describe(error: BaseException, sources: SourceMap, code: str, hint: str | None = None) -> Failure:
    """The failure to report: what was raised, and the innermost line of the user's code."""
    file: str | None = None
    line: int | None = None
    columns: tuple[int, int] | None = None
    for frame in traceback.extract_tb(error.__traceback__):
        found, number = sources.locate(frame.filename, frame.lineno)
        if found:
            file, line, columns = found, number, _columns(frame)
    if isinstance(error, SyntaxError) and error.filename:
        found, number = sources.locate(error.filename, error.lineno)
        if found:
            file, line, columns = found, number, None
    told = shortened(render(error, sources), _MAX_TRACEBACK)
    return Failure(code, shortened(_in_one_line(error), _MAX_MESSAGE), told, file, line, hint, columns)


def _in_one_line(error: BaseException) -> str:
    """What it is called and the first line of what it says: what follows only adds to that, as pydantic's links do."""
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    if isinstance(error, SyntaxError):
        # Its place comes before it.
        return next((line for line in lines if line.startswith(type(error).__name__)), lines[-1])
    return lines[0]


def columns_of(step: TracebackType) -> tuple[int, int] | None:
    """The first and the end character of what this step of a traceback is at, where it is on one line."""
    return _columns(traceback.extract_tb(step, limit=1)[0])


def hint_for(error: BaseException) -> str | None:
    """What to do about an exception whose own words do not say it."""
    for link, _ in _chain(error):
        if isinstance(link, FileNotFoundError) and isinstance(link.filename, str) and not link.filename.startswith("/"):
            return f"Files the code names come along by themselves; bring others with --file: --file {link.filename}"
        if type(link).__name__ == "OperationFailure" and getattr(link, "code", None) == _MONGO_UNAUTHORIZED:
            return _OVER_LIMIT if _is_write_to_own(str(link)) else _OTHER_DATABASE
        if isinstance(link, KeyError) and _is_of_environment(link):
            return (
                f"The app has no variable {link.args[0]}. Set it: gofastapi env set NAME {link.args[0]}=..., or "
                f"--secret {link.args[0]}; in a notebook: %env_set."
            )
    return None


def _is_write_to_own(refusal: str) -> bool:
    """Whether MongoDB did not let the app write into its own database; it always may, below the limit."""
    found = _REFUSED_WRITE.search(refusal)
    own = urlsplit(os.environ.get("PLATFORM_MONGO_URI", "")).path.strip("/")
    return found is not None and found[1] == own


def _is_of_environment(error: KeyError) -> bool:
    """Whether it was `os.environ` that lacks the key."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename in ("<frozen os>", os.__file__) and frames[-1].name == "__getitem__"


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning and its end where it is longer than `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit // 2]}{GAP}{text[-limit // 2 :]}"


def _columns(frame: traceback.FrameSummary) -> tuple[int, int] | None:
    """The characters of the line that failed. Python counts them in bytes."""
    if frame.colno is None or frame.end_colno is None or frame.lineno != frame.end_lineno:
        return None
    source = linecache.getline(frame.filename, frame.lineno or 0).encode()
    start, end = (len(source[:place].decode(errors="replace")) for place in (frame.colno, frame.end_colno))
    return start, end


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """The exception and what led to it, oldest first, each with the words that join it to the next."""
    links: list[tuple[BaseException, str]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    word = ""
    while current is not None and id(current) not in seen and len(links) < 10:
        seen.add(id(current))
        links.append((current, word))
        if current.__cause__ is not None:
            word = "The above exception was the direct cause of the following exception:"
            current = current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            word = "During handling of the above exception, another exception occurred:"
            current = current.__context__
        else:
            current = None
    return reversed(links)


def _render_frame(frame: traceback.FrameSummary, sources: SourceMap) -> str:
    path = sources.relative(frame.filename)
    if path is None:
        place = f'File "{frame.filename}"'
    elif path == frame.filename or frame.filename.endswith(path):
        place = f"File {path}"
    else:
        place = frame.filename
    source = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    return f"  {place}, line {frame.lineno}, in {frame.name}" + (f"\n    {source}" if source else "")
