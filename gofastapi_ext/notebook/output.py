"""Outputs of a cell that are more than printed text."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from gofastapi_ext.notebook.place import is_kernel

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def publish(data: dict[str, Any], display_id: str | None = None, *, update: bool = False) -> None:
    """Show `data`, texts by media type; with `update`, in place of what was shown under `display_id`."""
    from IPython.display import publish_display_data

    transient = {"display_id": display_id} if display_id else {}
    publish_display_data(data, transient=transient, update=update)  # type: ignore[no-untyped-call]


def open_in_browser(shell: InteractiveShell, url: str, relay: str | None) -> None:
    """Open a tab with the app; a browser on another machine than this goes through Jupyter."""
    if not is_kernel(shell):
        import webbrowser

        webbrowser.open(url)
        return
    # The output stays in the notebook, and front ends run it again when that is opened: hence the time.
    script = (
        f"if (Math.abs(Date.now() - {time.time() * 1000:.0f}) < 60000) {{"
        "const here = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);"
        f"window.open(here ? {json.dumps(url)} : {json.dumps(relay or url)}, '_blank', 'noopener');"
        "}"
    )
    publish({"application/javascript": script, "text/plain": ""})
