"""What `%errors` and `%replay` do."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gofastapi_ext.client.app_errors import SHOWN, check_may_replay, errors_as_text, replay_as_text, replay_request
from gofastapi_ext.core.app_errors import ErrorView
from gofastapi_ext.core.replay import can_be_sent
from gofastapi_ext.notebook import arguments, session
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.error_card import html_errors, html_replay
from gofastapi_ext.notebook.magic_words import as_magics
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.text import in_cell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def errors(shell: InteractiveShell, line: str) -> None:
    """`%errors`"""
    with one_line():
        wanted = arguments.parse_errors(line)
        client = session.client()
        if wanted.clear:
            client.clear_errors(wanted.name)
            sys.stdout.write(f"The errors of {wanted.name} are forgotten.\n")
            return
        found, now = client.errors(wanted.name), datetime.now(UTC)
        shown = len(found) if wanted.all else SHOWN
        _show(shell, html_errors(wanted.name, found, shown, now), _as_text(wanted.name, found, shown, now))


def replay(shell: InteractiveShell, line: str) -> None:
    """`%replay`"""
    with one_line():
        wanted = arguments.parse_replay(line)
        request = replay_request(wanted.headers, wanted.body)
        client = session.client()
        if not wanted.yes:
            check_may_replay(client.error(wanted.error_id))
        view = client.replay(wanted.error_id, request)
        _show(shell, html_replay(view), replay_as_text(view, reword=as_magics))


def _show(shell: InteractiveShell, html: str, text: str) -> None:
    if is_kernel(shell):
        publish({"text/html": html, "text/plain": text})
    else:
        sys.stdout.write(text + "\n")


def _as_text(name: str, found: list[ErrorView], shown: int, now: datetime) -> str:
    if not found:
        return f"No errors of {name} are known."
    more = f"\n\n{len(found) - shown} more: %errors {name} --all" if shown < len(found) else ""
    again = next((error.id for error in found[:shown] if can_be_sent(error.method)), None)
    more += f"\n\nTo send a request again: %replay {again}" if again else ""
    return errors_as_text([_in_cell(error) for error in found[:shown]], now) + more


def _in_cell(error: ErrorView) -> ErrorView:
    return error.model_copy(update={"diagnostic": error.diagnostic and in_cell(error.diagnostic)})
