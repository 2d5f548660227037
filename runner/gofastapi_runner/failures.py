"""What went wrong since the last report: exceptions, and answers 4xx and 5xx, the same ones together.

A request that fails costs a look-up and a few references; what is told of it is made up when the
platform asks. Nothing is told that may be a credential and came with the request.
"""

from __future__ import annotations

import base64
import http
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

from gofastapi_runner.credentials import Credentials
from gofastapi_runner.protocol import GAP
from gofastapi_runner.tracebacks import SourceMap, columns_of, shortened

_MAX_GROUPS = 50
# Kinds that `on_new` was called for; beyond that many it is called no more.
_MAX_KINDS = 500
_MAX_TRACEBACK = 16_000
_MAX_MESSAGE = 2_000
_MAX_PATH = 2_000
_MAX_HEADER = 500
_MAX_ANSWER = 2_048
# Parts that are left out where there is too little room, the last ones first.
_LARGE = ("traceback", "answer", "body")

_Key = tuple[str, str, int, str | None, str | None, int | None]


@dataclass(slots=True)
class Seen:
    """One request that failed, as the gate saw it."""

    scope: Any
    error: BaseException | None
    traceback: str | None
    answer: bytes
    answer_headers: Any
    has_body: bool
    body: bytes | None


@dataclass(slots=True)
class _Group:
    count: int
    at: float
    columns: tuple[int, int] | None
    path: bytes
    query: bytes
    headers: Any
    path_params: Any
    message: str | None
    traceback: str | None
    answer: bytes
    answer_headers: Any
    has_body: bool
    body: bytes | None


class Failures:
    """Bounded, whatever an app does: so many different ones, each so large."""

    def __init__(self, sources: SourceMap, record_bodies: bool = False) -> None:
        self.record_bodies = record_bodies
        self.on_new: Callable[[], None] | None = None
        """Called at the first failure of each kind. It must not wait."""
        self._kinds: set[_Key] = set()
        self._sources = sources
        self._groups: dict[_Key, _Group] = {}
        self._dropped = 0

    def take(self, method: str, route: str, status: int, seen: Seen) -> None:
        """Remember a failure, with the others of its kind."""
        error = seen.error
        exception = None if error is None else type(error).__name__
        file, line, step = (None, None, None) if error is None else self._place(error)
        key = (method[:20], route, status, exception, file, line)
        before = self._groups.get(key)
        if before is None and len(self._groups) >= _MAX_GROUPS:
            self._dropped += 1
            return
        scope = seen.scope
        self._groups[key] = _Group(
            count=before.count + 1 if before else 1,
            at=time.time(),
            columns=before.columns if before else step and columns_of(step),
            path=scope.get("raw_path") or quote(scope["path"]).encode(),
            query=scope.get("query_string", b""),
            headers=scope["headers"],
            path_params=scope.get("path_params"),
            message=None if error is None else _words_of(error),
            traceback=seen.traceback and shortened(seen.traceback, _MAX_TRACEBACK),
            answer=seen.answer,
            answer_headers=seen.answer_headers,
            has_body=seen.has_body,
            body=seen.body if self.record_bodies else None,
        )
        if key not in self._kinds and len(self._kinds) < _MAX_KINDS:
            self._kinds.add(key)
            if self.on_new is not None:
                self.on_new()

    def report(self, room_bytes: int) -> tuple[list[dict[str, Any]], int]:
        """All since the last time, as much as `room_bytes` of JSON hold, and how often others came."""
        groups, dropped = self._groups, self._dropped
        self._groups, self._dropped = {}, 0
        told, parts = [], []
        for key, group in groups.items():
            failure = self._told(key, group)
            large = {name: failure[name] for name in _LARGE}
            failure.update(dict.fromkeys(_LARGE))
            size = len(json.dumps(failure)) + 2
            if size > room_bytes:
                dropped += group.count
                continue
            told.append(failure)
            parts.append((failure, large))
            room_bytes -= size
        # Each is told before any has its large parts.
        for name in _LARGE:
            for failure, large in parts:
                size = len(json.dumps(large[name]))
                if size <= room_bytes:
                    failure[name] = large[name]
                    room_bytes -= size
        return told, dropped

    def _told(self, key: _Key, group: _Group) -> dict[str, Any]:
        method, route, status, exception, file, line = key
        credentials = Credentials(group.headers, group.query, group.path_params)
        answer = _answer_text(group.answer, group.answer_headers, keep_input=group.body is not None)
        message = group.message if group.message is not None else _words_of_answer(answer, status)
        path = cut(credentials.path(group.path), _MAX_PATH)
        return {
            "method": method,
            "route": route,
            "path": f"{path}?{cut(credentials.query(), _MAX_PATH)}" if group.query else path,
            "status": status,
            "exception": exception,
            "message": cut(credentials.without(message), _MAX_MESSAGE),
            "traceback": group.traceback and credentials.without(group.traceback),
            "file": file,
            "line": line,
            "columns": group.columns,
            "count": group.count,
            "at": group.at,
            "headers": {name: cut(value, _MAX_HEADER) for name, value in credentials.headers().items()},
            "body": None if group.body is None else base64.b64encode(group.body).decode(),
            "has_body": group.has_body,
            "answer": answer and cut(credentials.without(answer), _MAX_ANSWER),
        }

    def _place(self, error: BaseException) -> tuple[str | None, int | None, TracebackType | None]:
        """The innermost frame of the app's own code."""
        place: tuple[str | None, int | None, TracebackType | None] = (None, None, None)
        step = error.__traceback__
        while step is not None:
            file, line = self._sources.locate(step.tb_frame.f_code.co_filename, step.tb_lineno)
            if file is not None:
                place = file, line, step
            step = step.tb_next
        return place


def cut(text: str, limit: int) -> str:
    """The beginning of a text, marked where something is missing: the platform looks there for parts of secrets."""
    return text if len(text) <= limit else text[:limit] + GAP


def _words_of(error: BaseException) -> str:
    try:
        return str(error)[:_MAX_TRACEBACK]
    except Exception:
        return ""


def _answer_text(answer: bytes, headers: Any, *, keep_input: bool) -> str | None:
    """The beginning of an answer, where it is text; what was sent is not repeated in it unless bodies are kept."""
    kind = b"".join(value for name, value in headers if name.lower() == b"content-type").lower()
    text = answer.decode(errors="replace")
    if b"json" in kind:
        if not keep_input and b'"input"' in answer:
            text = _without_input(text)
    elif not kind.startswith(b"text/"):
        return None
    return text or None


def _without_input(text: str) -> str:
    """The errors of a validation without the input they are about. Nothing, where they cannot be read."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    errors = _validation_errors(answer)
    if errors is not None:
        kept = [{name: value for name, value in each.items() if name not in ("input", "ctx")} for each in errors]
        answer = {"detail": kept}
    return json.dumps(answer, ensure_ascii=False)


def _validation_errors(answer: Any) -> list[dict[str, Any]] | None:
    """The items of an answer of FastAPI's to what does not validate; apps name their list otherwise, too."""
    for found in answer.values() if isinstance(answer, dict) else ():
        if isinstance(found, list) and found and all(isinstance(each, dict) and "msg" in each for each in found):
            return found
    return None


def _words_of_answer(answer: str | None, status: int) -> str:
    """What an answer says, in short."""
    try:
        told = json.loads(answer or "")
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict) and isinstance(told.get("detail"), str):
        return str(told["detail"])
    if errors := _validation_errors(told):
        return "; ".join(f"{'.'.join(map(str, e.get('loc') or ()))}: {e['msg']}" for e in errors[:5])
    if answer and told is None and not answer.lstrip().startswith(("<", "{", "[")):
        return answer.strip().partition("\n")[0]
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
