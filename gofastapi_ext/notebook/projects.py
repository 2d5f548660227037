"""What %export does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gofastapi_ext.client.project import readme_of, version_of, write_project
from gofastapi_ext.notebook import arguments, session
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.place import notebook_folder

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def export(shell: InteractiveShell, line: str) -> None:
    """`%export`"""
    with one_line():
        name, target = arguments.parse_export(line)
        manifest = write_project(session.client(), name, notebook_folder() / target.expanduser())
        told = [f"{name} {version_of(manifest)} is in {target}. How to run it is in its {readme_of(manifest)}."]
        sys.stdout.write("\n".join([*told, *manifest.notes]) + "\n")
