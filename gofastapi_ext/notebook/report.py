"""What a deploy leaves in the notebook for programs: JupyterLab shows its findings at their lines."""

from __future__ import annotations

from typing import Any

from gofastapi_ext.notebook.progress import Progress

MEDIA_TYPE = "application/vnd.gofastapi.deploy+json"


def report(progress: Progress) -> dict[str, Any]:
    """How a deploy ended, what was found, and by `crc32` which code of which cell it was about."""
    return {
        "app": progress.app,
        "ending": progress.ending,
        "version": progress.version,
        "cells": [
            {
                "path": code.path,
                "label": code.cell.label if code.cell else None,
                "cell_id": code.cell.cell_id if code.cell else None,
                "line": code.line,
                "crc32": code.crc32,
            }
            for code in progress.cells
        ],
        "diagnostics": [each.model_dump(mode="json", exclude_none=True) for each in progress.diagnostics],
    }
