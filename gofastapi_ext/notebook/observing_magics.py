"""The magics that tell how an app is doing. As in `magics`, their docstrings are what `?` shows."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class


@magics_class
class ObservingMagics(Magics):
    """What is asked of an app that runs, rather than done to it."""

    shell: InteractiveShell

    @line_magic
    def app(self, line: str) -> None:
        """Show how an app is and how it is set; with options, set it otherwise.

        Usage: %app NAME [--sleep-after TIME] [--workers N] [--record-bodies on|off]

        --sleep-after TIME       how long without a request until it sleeps: 30m, 2h, never, default
        --workers N              how many processes serve it side by side
        --record-bodies on|off   keep the bodies of requests that fail, so that %replay can send them again

        Example: %app hello --sleep-after never
        """
        from gofastapi_ext.notebook.one_app import app

        app(self.shell, line)

    @line_magic
    def sleep(self, line: str) -> None:
        """Let an app that nobody is using sleep now. The next request wakes it.

        Usage: %sleep NAME

        Example: %sleep hello
        """
        from gofastapi_ext.notebook.one_app import sleep

        sleep(self.shell, line)

    @line_magic
    def errors(self, line: str) -> None:
        """Show what goes wrong in an app, at the line of its cell: the same errors as one, the latest first.

        Usage: %errors NAME [--all] [--clear]

        --all     all that are kept, not only the latest ten
        --clear   forget them instead

        Example: %errors hello
        """
        from gofastapi_ext.notebook.app_errors import errors

        errors(self.shell, line)

    @line_magic
    def events(self, line: str) -> None:
        """Show what happened to your apps: deploys, crashes, sleep, changes.

        Usage: %events [NAME] [-f] [--limit N]

        -f, --follow   go on showing new ones until interrupted
        --limit N      the latest N (50)

        Example: %events hello -f
        """
        from gofastapi_ext.notebook.feeds import events

        events(self.shell, line)

    @line_magic
    def logs(self, line: str) -> None:
        """Show what an app printed, its errors included.

        Usage: %logs NAME [-f] [--tail N] [--since TIME] [--until TIME] [--grep TEXT] [--level LEVEL] [--instance PID]

        -f, --follow     go on showing new lines until interrupted, over restarts and redeploys too
        --tail N         the last N lines: 200, or with --since all
        --since TIME     only lines since then: 10m, 2h or 2026-01-31T12:00
        --until TIME     only lines until then
        --grep TEXT      only lines with this text in them, whatever its case
        --level LEVEL    only debug, info, warning or error, and what is above
        --instance PID   only what this process printed

        Example: %logs hello -f --since 10m --level warning
        """
        from gofastapi_ext.notebook.feeds import logs

        logs(self.shell, line)

    @line_magic
    def metrics(self, line: str) -> None:
        """Show requests, errors and latency of an app: in all, over time, and by route.

        Usage: %metrics [NAME [--window DURATION]]

        --window DURATION   how far back: 1h, 30m; a day, or an hour where that is all

        Without NAME: all apps, of a day.

        Example: %metrics hello --window 1h
        """
        from gofastapi_ext.notebook.metrics import metrics

        metrics(self.shell, line)

    @line_magic
    def replay(self, line: str) -> None:
        """Send the request of an error to what is running now, and show both answers.

        Usage: %replay ERROR_ID [--header 'NAME: VALUE' ...] [--body FILE] [--yes]

        ERROR_ID               as %errors shows it
        --header NAME: VALUE   a header to send, too: credentials are not kept
        --body FILE            a file to send as the body
        --yes                  also where the request may change something: a POST, say

        Example: %replay 3fa9c1d2e4b5
        """
        from gofastapi_ext.notebook.app_errors import replay

        replay(self.shell, line)
