"""What this kernel ran, and when: so that a cell which is not saved yet can be told. Loaded in every kernel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell


class Run(NamedTuple):
    """One cell as it was run."""

    label: str
    cell_id: str | None
    """What the front end calls the cell, where it says so."""
    source: str
    at: float
    """Seconds since the epoch."""


class Runs:
    """The last run of each cell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._last: dict[str, Run] = {}

    def note(self, info: ExecutionInfo) -> None:
        """IPython calls this before it runs a cell."""
        history = self._shell.history_manager
        source = info.raw_cell
        if not info.store_history or history is None or not isinstance(source, str):
            return
        cell_id = getattr(info, "cell_id", None)
        # Its number is that of the entry it is about to get.
        label = f"In[{len(history.input_hist_raw)}]"
        self._last[cell_id or label] = Run(label, cell_id, source, time.time())

    def since(self, moment: float) -> list[Run]:
        """The last runs of cells that were run after `moment`."""
        return [run for run in self._last.values() if run.at > moment]
