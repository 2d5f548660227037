"""Failures as people see them in a notebook: one clear line, no traceback of ours."""

from __future__ import annotations


class CommandFailed(Exception):  # noqa: N818 - the name is shown by programs that run notebooks
    """A magic could not do what it was asked. The cell counts as failed; people see the message alone."""

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this instead of formatting a traceback."""
        return [f"\x1b[31m{self}\x1b[0m"]


class DeployFailed(CommandFailed):
    """The app was not deployed; the output above says why."""
