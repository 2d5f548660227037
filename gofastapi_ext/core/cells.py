"""The code of a bundle by the notebook cells it came from: to tell whether a cell still is what was deployed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from gofastapi_ext.core.bundle import Bundle, CellOrigin, Origins

# Neither what stands around a cell's code counts, nor how its lines end.
_BLANK = " \t\r\n\f\v"


class CellCode(BaseModel):
    """The code that one cell gave to a file, without the lines of the cell that are for the deploy only."""

    model_config = ConfigDict(frozen=True)

    path: str
    cell: CellOrigin | None = None
    """None where it came from no cell."""
    line: int = 1
    """Line of the file (1-based) that the text begins at."""
    text: str

    @property
    def crc32(self) -> int:
        """Of the text in UTF-8, to know it by. Not against forgery."""
        return zlib.crc32(self.text.encode(errors="surrogatepass"))


def cell_codes(bundle: Bundle, origins: Origins) -> list[CellCode]:
    """The main file, and every file that came from cells, cell by cell; blank lines around the code left out."""
    found = []
    for path in dict.fromkeys([bundle.main, *origins]):
        text = bundle.text_of(path)
        if text is None:
            continue
        lines = [line.removesuffix("\r") for line in text.split("\n")]
        parts = sorted(origins.get(path, []), key=lambda part: part.first_line)
        begins = [1, *(part.first_line for part in parts[1:]), len(lines) + 1]
        cells: Sequence[CellOrigin | None] = parts or [None]
        for cell, begin, end in zip(cells, begins, begins[1:], strict=False):
            text = "\n".join(lines[begin - 1 : end - 1])
            above = len(text) - len(text.lstrip(_BLANK))
            line = begin + text.count("\n", 0, above)
            found.append(CellCode(path=path, cell=cell, line=line, text=text.strip(_BLANK)))
    return found
