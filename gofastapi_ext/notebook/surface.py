"""Where a deploy is shown while it runs: a widget, an HTML output, or lines in a terminal."""

from __future__ import annotations

import importlib.util
import os
import sys
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from gofastapi_ext.client.render import plain
from gofastapi_ext.notebook.card import html_card
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.progress import Ending, Progress
from gofastapi_ext.notebook.report import MEDIA_TYPE, report
from gofastapi_ext.notebook.text import coloured, ending_lines, shown_stages, shown_tree, stage_line, text_card

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class Surface(Protocol):
    """Shows each state of a deploy in place of the one before."""

    def show(self, progress: Progress) -> None: ...


def surface_for(shell: InteractiveShell) -> Surface:
    """The best that can be shown by whoever listens to `shell`."""
    if not is_kernel(shell):
        return TerminalSurface()
    # Programs that run notebooks name no session. They have no use for widgets, and keep their models.
    has_session = bool(os.environ.get("JPY_SESSION_NAME"))
    if has_session and importlib.util.find_spec("ipywidgets"):
        return WidgetSurface()
    return OutputSurface()


class OutputSurface:
    """An output that is updated. What stays in the notebook needs neither kernel nor widgets."""

    def __init__(self) -> None:
        self._display_id = f"gofastapi-{uuid.uuid4().hex}"
        self._shown = False

    def show(self, progress: Progress) -> None:
        data: dict[str, Any] = {"text/html": html_card(progress), "text/plain": text_card(progress)}
        if progress.ending:
            data[MEDIA_TYPE] = report(progress)
        self.publish(data)

    def publish(self, data: dict[str, Any]) -> None:
        publish(data, self._display_id, update=self._shown)
        self._shown = True


class WidgetSurface:
    """A widget while the deploy runs; at its end a plain output takes the widget's place."""

    def __init__(self) -> None:
        self._output = OutputSurface()
        self._widget: Any = None

    def show(self, progress: Progress) -> None:
        if progress.ending:
            self._output.show(progress)
            if self._widget is not None:
                self._widget.close()
        elif self._widget is None:
            from ipywidgets import HTML

            self._widget = HTML(html_card(progress))
            self._output.publish(
                {
                    "application/vnd.jupyter.widget-view+json": {
                        "version_major": 2,
                        "version_minor": 0,
                        "model_id": self._widget.model_id,
                    },
                    "text/html": html_card(progress),
                    "text/plain": text_card(progress),
                }
            )
        else:
            self._widget.value = html_card(progress)


class TerminalSurface:
    """A line for each stage as it ends, then the result."""

    def __init__(self) -> None:
        self._paint = coloured if sys.stdout.isatty() else plain
        self._printed: set[str] = set()

    def show(self, progress: Progress) -> None:
        if progress.ending is None:
            self._once(progress.title)
            self._once("\n".join(shown_tree(progress, self._paint)))
            if progress.note:
                self._once(f"  {progress.note}")
        if progress.ending is Ending.PLANNED:
            self._once("\n".join(shown_tree(progress, self._paint)))
        for stage, seconds in shown_stages(progress).items():
            self._once(stage_line(stage, seconds, self._paint))
        if progress.ending:
            self._once("\n".join(ending_lines(progress, self._paint)))

    def _once(self, line: str) -> None:
        if line and line not in self._printed:
            self._printed.add(line)
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
