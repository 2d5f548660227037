"""The magics about your data. As in `magics`, their docstrings are what `?` shows."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class


@magics_class
class DataMagics(Magics):
    """What is stored, rather than what runs."""

    shell: InteractiveShell

    @line_magic
    def db(self, line: str) -> None:
        """Show your database: how full it is, and its collections; or the first documents of a collection.

        Usage: %db [COLLECTION [FILTER]] [--sort FIELDS] [--limit N] [--branch NAME]

        FILTER          a MongoDB query: {"age": {"$gt": 30}}
        --sort FIELDS   name,-age: upwards by name, then downwards by age
        --limit N       how many documents at most (20)
        --branch NAME   a branch of the database, instead of the data themselves

        Example: %db notes {"done": false} --sort -at
        """
        from gofastapi_ext.notebook.database import db

        db(self.shell, line)

    @line_magic
    def db_backup(self, line: str) -> None:
        """Back your database up, as it is at one moment. While it is read, writes wait; reads go on.

        Usage: %db_backup [--branch NAME]

        --branch NAME   a branch of the database, instead of the data themselves

        Example: %db_backup
        """
        from gofastapi_ext.notebook import backups

        backups.back_up(line)

    @line_magic
    def db_backups(self, line: str) -> None:
        """List the backups of your database, and what a restore can be undone to.

        Usage: %db_backups

        Example: %db_backups
        """
        from gofastapi_ext.notebook import backups

        backups.list_backups(line)

    @line_magic
    def db_restore(self, line: str) -> None:
        """Put the content of a backup in the place of your data. What is replaced can come back for a day.

        Usage: %db_restore BACKUP|FILE|latest [--branch NAME] --yes, or %db_restore --undo [NAME]

        Running apps move over without a failed request. If anything fails, nothing is changed.

        --branch NAME   into a branch of the database, instead of the data themselves
        --undo          bring back what the last restore or promotion replaced, or the database of this NAME
        --yes           it is meant

        Example: %db_restore latest --yes
        """
        from gofastapi_ext.notebook import backups

        backups.restore(line)

    @line_magic
    def db_branch(self, line: str) -> None:
        """Copy your database, to try things on: apps work on it that are deployed with --db-branch NAME.

        Usage: %db_branch [NAME [--ttl TIME] [--of BACKUP] [--extend TIME] [--drop [--force]]]

        Without a name: list the branches.

        --ttl TIME      how long it lives, as 30m, 24h or 7d; by default 24h
        --of BACKUP     copy this backup instead of the data as they are now
        --extend TIME   let a branch that is there live so long from now on
        --drop          drop a branch with all its data; with --force also where an app runs on it, which is stopped

        Example: %db_branch try-it --ttl 2h
        """
        from gofastapi_ext.notebook import backups

        backups.branch(line)

    @line_magic
    def db_promote(self, line: str) -> None:
        """Make a branch your data themselves. What it replaces can come back for a day: %db_restore --undo

        Usage: %db_promote NAME --yes

        --yes   it is meant

        Example: %db_promote try-it --yes
        """
        from gofastapi_ext.notebook import backups

        backups.promote(line)
