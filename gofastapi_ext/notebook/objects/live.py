"""What cannot leave the kernel: what is open, runs, or stands for something outside of it."""

from __future__ import annotations

import asyncio
import io
import mmap
import socket
import subprocess
import threading
import types
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import Any

from gofastapi_ext.notebook.objects.saved import CannotSaveError

_MAKE_IT = "Make it in the cell instead, so that the app has one of its own."
_KINDS: tuple[tuple[tuple[type, ...], str, str], ...] = (
    (
        (socket.socket,),
        "an open socket",
        _MAKE_IT,
    ),
    (
        (types.GeneratorType, types.AsyncGeneratorType, types.CoroutineType),
        "a generator that has begun to run",
        "Take along what it yields, list(...) for example, or define its function in the cell.",
    ),
    ((threading.Thread, Executor), "a thread", "Start it in the cell, when the app starts."),
    (
        (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Event, threading.Semaphore),
        "a lock",
        _MAKE_IT,
    ),
    ((Future, asyncio.Future, asyncio.AbstractEventLoop), "work under way", "Take along its result instead."),
    ((subprocess.Popen,), "a running program", "Start it in the cell, when the app starts."),
    ((mmap.mmap,), "a mapped file", "Read it, and take along what it holds."),
    ((types.FrameType, types.TracebackType), "a part of the running kernel", "Take along the plain data in it."),
)
_READ_IT = "Take along what it holds (data = file.read()), or bring the file: --file PATH."
# Clients of databases and services, known by the library they are of: none of it is imported for this.
_CLIENT_LIBRARIES = {
    "_duckdb", "_sqlite3", "aiohttp", "asyncpg", "boto3", "botocore", "duckdb", "elasticsearch", "gridfs", "httpx",
    "kafka", "motor", "MySQLdb", "paramiko", "pika", "psycopg", "psycopg2", "pymongo", "pymysql", "redis", "requests",
    "sqlalchemy", "sqlite3", "websockets",
}  # fmt: skip
_CLIENT_NAMES = (
    "client", "connection", "engine", "session", "sessionmaker", "database", "collection", "cursor", "redis",
)  # fmt: skip
_MAX_LOOKED_AT = 5_000
_MAX_DEPTH = 6


def find_live(value: object, name: str) -> CannotSaveError | None:
    """The first thing in `value`, which is called `name`, that cannot leave the kernel; None where none is found."""
    seen: set[int] = set()
    queue: deque[tuple[object, str, int]] = deque([(value, name, 0)])
    while queue and len(seen) < _MAX_LOOKED_AT:
        each, path, depth = queue.popleft()
        if id(each) in seen:
            continue
        seen.add(id(each))
        found = _what_it_is(each)
        if found is not None:
            what, hint = found
            where = "is" if depth == 0 else f"holds `{path}`, which is"
            return CannotSaveError(f"cannot leave the kernel: it {where} {what}.", hint)
        if depth < _MAX_DEPTH:
            queue.extend((inner, inner_path, depth + 1) for inner, inner_path in _inside(each, path))
    return None


def _what_it_is(value: object) -> tuple[str, str] | None:
    for kinds, what, hint in _KINDS:
        if isinstance(value, kinds):
            return what, hint
    if isinstance(value, io.IOBase) and not isinstance(value, io.BytesIO | io.StringIO):
        return "an open file", _READ_IT
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if library in _CLIENT_LIBRARIES and kind.__name__.lower().endswith(_CLIENT_NAMES):
        return f"a connection ({library} {kind.__name__})", _MAKE_IT
    return None


def _inside(value: object, path: str) -> Iterator[tuple[object, str]]:
    """What an object holds, with how to write it."""
    if isinstance(value, dict):
        yield from ((each, f"{path}[{key!r}]") for key, each in list(value.items())[:_MAX_LOOKED_AT])
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((each, f"{path}[{at}]") for at, each in zip(range(_MAX_LOOKED_AT), value, strict=False))
    elif isinstance(value, types.FunctionType):
        # What it names outside of itself goes along with it.
        code = value.__code__
        cells = zip(code.co_freevars, value.__closure__ or (), strict=False)
        yield from ((_contents(cell), each) for each, cell in cells)
        if value.__module__ == "__main__":
            yield from ((value.__globals__[each], each) for each in code.co_names if each in value.__globals__)
    elif isinstance(value, types.MethodType):
        yield value.__self__, f"{path}.__self__"
    elif not isinstance(value, type | types.ModuleType) and isinstance(attributes := _attributes(value), dict):
        yield from ((each, f"{path}.{key}") for key, each in list(attributes.items())[:_MAX_LOOKED_AT])


def _attributes(value: object) -> Any:
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None


def _contents(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None
