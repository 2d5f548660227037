"""What is wrong with code, where, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """An error stops a deploy; a warning is shown and lets it pass."""

    ERROR = "error"
    WARNING = "warning"


class CellPosition(BaseModel):
    """Where in a notebook a line of a file came from."""

    model_config = ConfigDict(frozen=True)

    label: str
    """What people know the cell by: `In[5]`."""
    notebook: str | None = None
    cell_id: str | None = None
    line: int | None = None
    """1-based line of the cell, the magic's own line counted."""


class Diagnostic(BaseModel):
    """One finding. Lines are 1-based and of `file`; columns are 0-based characters."""

    model_config = ConfigDict(frozen=True)

    severity: Severity = Severity.ERROR
    code: str
    message: str
    hint: str | None = None
    """What to do about it."""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    source: str | None = None
    """The text of the line, for the caret."""
    cell: CellPosition | None = None
    traceback: str | None = None
    """The frames of the user's own code, where the finding is an exception."""


def has_errors(diagnostics: list[Diagnostic]) -> bool:
    """Whether any of them stops a deploy."""
    return any(d.severity is Severity.ERROR for d in diagnostics)
