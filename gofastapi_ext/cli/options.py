"""What many commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _complete_app(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from gofastapi_ext.cli.apps import complete_app_ids

    return complete_app_ids(incomplete)


JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
APP = click.argument("name", shell_complete=_complete_app)
APP_OR_ALL = click.argument("name", required=False, shell_complete=_complete_app)
