"""Write what the magics take, for completion and help on their lines: `python magics.py FILE`. `make types` does."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics

from gofastapi_ext.notebook.data_magics import DataMagics
from gofastapi_ext.notebook.magics import GoFastAPIMagics
from gofastapi_ext.notebook.observing_magics import ObservingMagics
from gofastapi_ext.notebook.usage import OPTIONS, TAKES_VALUE, USAGE

_CELL_MAGICS = ("deploy", "deployfile")
# `--with OBJECT    what it is for`: a term, two blanks or more, and its text, which may go on below.
_TERM = re.compile(r"(\S+(?: \S+)*)  +(\S.*)")


def magics() -> dict[str, Any]:
    """Each magic as it is typed, `%%deploy` or `%logs`, with its usage, what it does, and its options."""
    names = [name for name in USAGE if not name.startswith("%")]
    found = {f"%%{name}": _magic(name, name) for name in _CELL_MAGICS}
    found |= {f"%{name}": _magic(name, f"%{name}" if f"%{name}" in USAGE else name) for name in names}
    return dict(sorted(found.items()))


def _magic(name: str, key: str) -> dict[str, Any]:
    holder: type[Magics] = next(each for each in (GoFastAPIMagics, ObservingMagics, DataMagics) if hasattr(each, name))
    paragraphs = inspect.cleandoc(getattr(holder, name).__doc__ or "").split("\n\n")
    terms = {}
    for paragraph in paragraphs[1:]:
        terms |= _terms(paragraph)
    options = {}
    for option in OPTIONS.get(key, ()):
        own = [term for term in terms if option in re.split(r"[ ,=]+", term)]
        # One that has no line of its own is told with another: "--drop: ...; with --force also ...".
        term = next(iter(own or [term for term, text in terms.items() if option in text.split()]))
        about = {"term": term if own else option, "about": _sentence(terms[term])}
        options[option] = {"takesValue": option in TAKES_VALUE, **about}
    return {
        "usage": USAGE[key],
        "about": " ".join(paragraphs[0].split()),
        "takesName": bool(re.match(r"%+\w+ \[?NAME\b", USAGE[key])),
        "options": options,
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _terms(paragraph: str) -> dict[str, str]:
    """Terms and their texts, where a paragraph is a list of them."""
    terms: dict[str, str] = {}
    last = None
    for line in paragraph.split("\n"):
        if match := _TERM.fullmatch(line):
            last = match[1]
            terms[last] = match[2]
        elif last is not None and line.startswith("  "):
            terms[last] += f" {line.strip()}"
        else:
            last = None
    return terms


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(magics(), indent=2) + "\n")
