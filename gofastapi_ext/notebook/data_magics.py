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
