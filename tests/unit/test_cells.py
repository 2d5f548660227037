"""The code of a bundle by its notebook cells."""

from __future__ import annotations

import zlib

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.cells import cell_codes


def bundle(**files: str) -> Bundle:
    return Bundle(files={name.replace("_", "."): BundleFile(text=text) for name, text in files.items()})


def test_a_file_of_several_cells_is_told_cell_by_cell() -> None:
    parts = [
        CellOrigin(label="In[1]", cell_id="a", line_offset=1),
        CellOrigin(label="In[2]", cell_id="b", line_offset=-2, first_line=4),
    ]
    made = cell_codes(bundle(main_py="x = 1\r\ny = 2\n\nz = 3\n"), {"main.py": parts})
    assert [(each.cell and each.cell.cell_id, each.line, each.text) for each in made] == [
        ("a", 1, "x = 1\ny = 2"),
        ("b", 4, "z = 3"),
    ]


def test_the_main_file_is_told_though_it_came_from_no_cell() -> None:
    made = cell_codes(bundle(main_py="\n\nx = 'ä'\n\n", other_py="y"), {})
    assert [(each.path, each.cell, each.line, each.text) for each in made] == [("main.py", None, 3, "x = 'ä'")]
    assert made[0].crc32 == zlib.crc32("x = 'ä'".encode())


def test_what_came_from_cells_but_is_no_text_is_left_out() -> None:
    files = {"main.py": BundleFile(text="x"), "b.bin": BundleFile(base64="//8=")}
    made = cell_codes(Bundle(files=files), {"b.bin": [CellOrigin(label="In[1]")], "gone.py": [CellOrigin(label="x")]})
    assert [each.path for each in made] == ["main.py"]
