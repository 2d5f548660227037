"""What only IPython understands: magics, shell commands and help, found in a line Python cannot parse."""

from __future__ import annotations

import re
from dataclasses import dataclass

_INSTALL = re.compile(r"\s*[!%]{1,2}.*\binstall\b")
_CELL_MAGIC = re.compile(r"\s*%%\s*\w+")
_MAGIC = re.compile(r"(?P<before>\s*([\w.,\[\]'\" ]+=\s*)?)(?P<mark>%)[A-Za-z_]\w*")
_SHELL = re.compile(r"(?P<before>\s*([\w.,\[\]'\" ]+=\s*)?)(?P<mark>!{1,2})\s*[^\s=]")
_HELP = re.compile(r"\s*(\?{1,2}\s*%{0,2}[\w.*]+|%{0,2}[\w.*]+\s*\?{1,2})\s*;?\s*(#.*)?")


@dataclass(frozen=True)
class IPythonSyntax:
    """Such a line: 1-based `line`, 0-based columns; `takes_the_rest` where everything below belongs to it."""

    what: str
    hint: str
    line: int
    column: int
    end_column: int
    takes_the_rest: bool = False


def find_ipython_syntax(lines: list[str], line: int | None) -> IPythonSyntax | None:
    """What line `line`, where parsing failed, holds of IPython's syntax, or None."""
    if line is None or not 0 < line <= len(lines):
        return None
    text = lines[line - 1]
    if _CELL_MAGIC.match(text):
        name = text.split()[0]
        return _found(text, line, f"{name} (a cell magic)", "Leave it out of the deployed code.", takes_the_rest=True)
    if _HELP.fullmatch(text):
        return _found(text, line, f"{text.strip()} (IPython's help)", "Run it in a cell of its own.")
    if match := _SHELL.match(text):
        command = text[match.start("mark") :].strip()
        hint = "Run it in a cell of its own, above."
        if _INSTALL.match(text):
            hint += " The app sees what the notebook's Python has installed."
        elif match["before"].strip():
            hint = "In the app, use subprocess.run([...], capture_output=True, text=True)."
        return _found(text, line, f"{_short(command)} (a shell command)", hint)
    if match := _MAGIC.match(text):
        magic = text[match.start("mark") :].split()[0]
        hint = "Run it in a cell of its own, above."
        if _INSTALL.match(text):
            hint += " The app sees what the notebook's Python has installed."
        return _found(text, line, f"{magic} (a magic)", hint)
    return None


def _found(text: str, line: int, what: str, hint: str, *, takes_the_rest: bool = False) -> IPythonSyntax:
    column = len(text) - len(text.lstrip())
    return IPythonSyntax(what, hint, line, column, len(text.rstrip()), takes_the_rest)


def _short(command: str) -> str:
    return command if len(command) <= 40 else command[:39] + "…"
