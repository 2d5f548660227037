"""Errors of apps and replays, as the command line and the notebook take and say them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from gofastapi_ext.client.render import Paint, plain, printable, render_diagnostic
from gofastapi_ext.client.text import format_seconds
from gofastapi_ext.core.app_errors import (
    Answer,
    ErrorRequest,
    ErrorType,
    ErrorView,
    ReplayRequest,
    ReplayView,
    in_words,
)
from gofastapi_ext.core.diagnostics import Diagnostic, Severity
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.replay import BODY, SAFE_METHODS, can_be_sent, check_headers

SHOWN = 10
"""How many errors a list shows where nobody asks for all."""
_MAX_BODY_BYTES = 10_000_000


def replay_request(headers: Iterable[str], body: str | None) -> ReplayRequest:
    """Of headers as `Name: value`, and a body in a file, or `-` for what comes in. Raises `InvalidRequestError`."""
    given: dict[str, str] = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon:
            raise InvalidRequestError(
                "--header takes a name and a value, for example --header 'Authorization: Bearer x'."
            )
        given[name.strip()] = value.strip()
    return ReplayRequest(headers=check_headers(given), body=None if body is None else _read(body))


def check_may_replay(error: ErrorView) -> None:
    """Raise `InvalidRequestError` where a request may change something and nobody can be asked."""
    if not can_be_sent(error.method):
        return  # the service says why
    if error.method not in SAFE_METHODS:
        raise InvalidRequestError(
            f"{error.method} may change something in the app. To send it again all the same: add --yes"
        )


def errors_as_text(errors: list[ErrorView], now: datetime, paint: Paint = plain) -> str:
    """A paragraph for each, with its place and the line of code."""
    return "\n\n".join("\n".join(_summary(error, now, paint)) for error in errors)


def error_as_text(error: ErrorView, now: datetime, paint: Paint = plain) -> str:
    """One in full: traceback, request, answer."""
    lines = [*_summary(error, now, paint, in_full=True), "", paint("  request", "dim")]
    lines += _indented(request_as_text(error.request))
    if error.answer:
        lines += ["", paint("  answer", "dim"), *_indented(printable(error.answer))]
    return "\n".join(lines)


def replay_as_text(view: ReplayView, paint: Paint = plain, reword: Callable[[str], str] = str) -> str:
    """Both answers, one below the other, and what the request lacked; `reword` puts that as people here say it."""
    lines = [printable(f"{view.error.request.method} {view.error.request.path}")]
    for when, version, answer in (("before", view.error.version, view.before), ("now", view.version, view.now)):
        look = paint(str(answer.status), "good" if answer.status < 400 else "error")
        about = ", ".join(about_answer(answer))
        lines += ["", f"  {when:<6}  v{version}  {look}" + (f"  {paint(about, 'dim')}" if about else "")]
        lines += _indented(printable(answer.body if answer.body is not None else "(no text)"))
    if view.left_out:
        lines += ["", paint(reword(left_out(view)), "hint")]
    return "\n".join(lines)


def about_answer(answer: Answer) -> list[str]:
    """Its type and how long it took, as far as known."""
    kind = [printable(answer.content_type.partition(";")[0])] if answer.content_type else []
    return [*kind, *([format_seconds(answer.seconds)] if answer.seconds is not None else [])]


def left_out(view: ReplayView) -> str:
    """What the request lacked, and what can be done about it."""
    words = f"Not kept, so not sent: {', '.join(view.left_out)}."
    if BODY in view.left_out:
        words += f" To keep bodies from now on: gofastapi app {view.error.app} --record-bodies on"
    return printable(words)


def request_as_text(request: ErrorRequest) -> str:
    """As it is written on the wire, more or less."""
    lines = [f"{request.method} {request.path}", *(f"{name}: {value}" for name, value in request.headers.items())]
    if request.body is not None:
        lines += ["", "(binary)" if request.body_is_base64 else request.body]
    return printable("\n".join(lines))


def how_often(error: ErrorView, now: datetime) -> str:
    """`once, 2 min ago` or `12 times, latest 2 min ago`"""
    when = ago((now - error.last_at).total_seconds())
    return f"once, {when}" if error.count == 1 else f"{error.count:,} times, latest {when}"


def ago(seconds: float) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`"""
    if seconds < 60:
        return "just now" if seconds < 5 else f"{seconds:.0f} s ago"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    return f"{seconds // 3600:.0f} h ago" if seconds < 172_800 else f"{seconds // 86_400:.0f} days ago"


def finding(error: ErrorView) -> Diagnostic:
    """What there is to say of the place; where none is known, of the error itself."""
    found = error.diagnostic or Diagnostic(
        code=f"http_{error.status}", message=in_words(error.exception, error.message)
    )
    return found.model_copy(update={"severity": Severity.WARNING if error.type is ErrorType.CLIENT else Severity.ERROR})


def _summary(error: ErrorView, now: datetime, paint: Paint, *, in_full: bool = False) -> list[str]:
    where = paint(printable(f"{error.status}  {error.method} {error.route}"), "place")
    about = paint(f"{how_often(error, now)}, v{error.version}, {error.id}", "dim")
    found = finding(error) if in_full else finding(error).model_copy(update={"traceback": None})
    return [f"{where}  {about}", render_diagnostic(found, paint)]


def _indented(text: str) -> Iterator[str]:
    return (f"      {line}".rstrip() for line in text.rstrip().split("\n"))


def _read(path: str) -> str:
    if path == "-":
        content = sys.stdin.buffer.read(_MAX_BODY_BYTES + 1)
    else:
        try:
            with Path(path).expanduser().open("rb") as file:
                content = file.read(_MAX_BODY_BYTES + 1)
        except OSError as error:
            raise InvalidRequestError(f"The body cannot be read from {path}: {error.strerror}.") from None
    if len(content) > _MAX_BODY_BYTES:
        raise InvalidRequestError(
            f"The body is more than {_MAX_BODY_BYTES // 1_000_000} MB, which is too much to send."
        )
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidRequestError("The body is not text in UTF-8, which is all that can be sent again.") from None
