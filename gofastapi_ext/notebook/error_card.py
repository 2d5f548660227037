"""Errors of an app, and a replay, as self-contained HTML: the looks are those of the card."""

from __future__ import annotations

from datetime import datetime
from html import escape

from gofastapi_ext.client.app_errors import about_answer, finding, how_often, left_out, request_as_text
from gofastapi_ext.client.render import printable
from gofastapi_ext.core.app_errors import Answer, ErrorType, ErrorView, ReplayView
from gofastapi_ext.core.replay import can_be_sent
from gofastapi_ext.notebook.card import html_code, html_finding
from gofastapi_ext.notebook.magic_words import as_magics
from gofastapi_ext.notebook.style import STYLE

_MAX_TRACEBACK = 8_000
_MAX_BODY = 4_000


def html_errors(app: str, errors: list[ErrorView], shown: int, now: datetime) -> str:
    """The latest `shown` of them, each with its place and what was sent."""
    if not errors:
        return _card("live", _head(f"<b>{escape(app)}</b>: no errors are known"))
    times = sum(error.count for error in errors)
    words = f"{times:,} error{'' if times == 1 else 's'} of <b>{escape(app)}</b>"
    if len(errors) < times:
        words += f", {len(errors):,} different"
    parts = [_head(words), *(_error(error, now) for error in errors[:shown])]
    if shown < len(errors):
        parts.append(
            f'<p class="gofastapi-note">{len(errors) - shown} more: <code>%errors {escape(app)} --all</code></p>'
        )
    return _card("failed", *parts)


def html_replay(view: ReplayView) -> str:
    """The answer that was and the one that is, side by side where there is room."""
    asked = f"{_text(view.error.method)} <b>{_text(view.error.request.path)}</b>"
    sides = _answer("before", view.error.version, view.before) + _answer("now", view.version, view.now)
    note = f'<p class="gofastapi-note">{escape(as_magics(left_out(view)))}</p>' if view.left_out else ""
    state = "live" if view.now.status < 400 else "failed"
    return _card(state, _head(asked), f'<div class="gofastapi-sides">{sides}</div>', note)


def _card(state: str, *parts: str) -> str:
    return f'<div class="gofastapi gofastapi-{state}"><style>{STYLE}</style>{"".join(parts)}</div>'


def _head(html: str) -> str:
    return f'<p class="gofastapi-head"><span class="gofastapi-dot"></span><span>{html}</span></p>'


def _error(error: ErrorView, now: datetime) -> str:
    found = finding(error)
    kind = "client" if error.type is ErrorType.CLIENT else "server"
    return (
        '<div class="gofastapi-error"><p class="gofastapi-head">'
        f'<span class="gofastapi-status gofastapi-{kind}">{error.status}</span>'
        f"<span>{_text(f'{error.method} {error.route}')}</span>"
        f'<span class="gofastapi-time">{how_often(error, now)}, v{error.version}</span></p>'
        f"{html_finding(found.model_copy(update={'traceback': None}))}{_details(error, found.traceback)}</div>"
    )


def _details(error: ErrorView, traceback: str | None) -> str:
    parts = [html_code(printable(_cut(traceback, _MAX_TRACEBACK).rstrip()))] if traceback else []
    parts.append(html_code(_cut(request_as_text(error.request), _MAX_BODY)))
    if error.answer:
        parts += ['<p class="gofastapi-where">It answered:</p>', html_code(printable(_cut(error.answer, _MAX_BODY)))]
    words = "Traceback and request" if traceback else "Request"
    again = ""
    if can_be_sent(error.method):
        again = f'<p class="gofastapi-note">To send it again: <code>%replay {escape(error.id)}</code></p>'
    return f"<details><summary>{words}</summary>{''.join(parts)}{again}</details>"


def _answer(when: str, version: int, answer: Answer) -> str:
    kind = "fine" if answer.status < 400 else "client" if answer.status < 500 else "server"
    about = ", ".join(about_answer(answer))
    body = "(no text)" if answer.body is None else printable(_cut(answer.body, _MAX_BODY))
    return (
        f'<div><p class="gofastapi-head"><span class="gofastapi-status gofastapi-{kind}">{answer.status}</span>'
        f'<span>{when}, v{version}</span><span class="gofastapi-time">{_text(about)}</span></p>{html_code(body)}</div>'
    )


def _text(text: str) -> str:
    return escape(printable(text))


def _cut(text: str, most: int) -> str:
    """The text, or its beginning and its end."""
    return text if len(text) <= most else f"{text[: most // 2]}\n …\n{text[-most // 2 :]}"
