"""The tree of an app's files, in text and on the card."""

from __future__ import annotations

from gofastapi_ext.client.tree import TreeRow, total_of, tree_lines, tree_rows
from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.notebook.card import html_card
from gofastapi_ext.notebook.progress import Ending, Progress
from gofastapi_ext.notebook.text import text_card

SIZES = {"routers/users.py": 2, "main.py": 1234, "routers/deep/a.py": 3, "alpha/z.txt": 0, "routers2/b.py": 4}
BUNDLE = Bundle(files={path: BundleFile(text="x" * size) for path, size in SIZES.items()})
ORIGINS = {
    "main.py": [CellOrigin(label="In[3]"), CellOrigin(label="In[5]", first_line=9)],
    "routers/users.py": [CellOrigin(label="In[4]"), CellOrigin(label="In[4]", first_line=2)],
}
TEXT = """\
main.py     1.2 kB  In[3], In[5]
alpha/
  z.txt        0 B
routers/
  users.py     2 B  In[4]
  deep/
    a.py       3 B
routers2/
  b.py         4 B
5 files, 1.2 kB"""


def test_files_come_before_folders_and_columns_are_aligned() -> None:
    assert "\n".join(tree_lines(tree_rows(BUNDLE, ORIGINS))) == TEXT


def test_one_file() -> None:
    assert tree_lines(tree_rows(Bundle(files={"main.py": BundleFile(text="x")}))) == ["main.py  1 B", "1 file, 1 B"]
    assert total_of([]) == "0 files, 0 B"


def test_names_drive_no_terminal_and_write_no_html() -> None:
    rows = [TreeRow("a\x1b[2J<b>.py", 0, 1, "In[<i>]\x07")]
    assert "\x1b" not in tree_lines(rows)[0]
    card = html_card(Progress(app="x", title="x", tree=tuple(rows)))
    assert "<b>.py" not in card
    assert "<i>]" not in card
    assert "&lt;b&gt;.py" in card


def test_the_card_shows_the_tree_before_during_and_after() -> None:
    progress = Progress(app="hello", title="Deploying hello", tree=tuple(tree_rows(BUNDLE, ORIGINS)))
    planned = progress.ended(Ending.PLANNED, 0.1)
    for state in (progress, planned):
        assert '<pre class="gofastapi-code gofastapi-tree">main.py   <span class="gofastapi-dim">' in html_card(state)
        assert "  main.py     1.2 kB  In[3], In[5]\n" in text_card(state)
    assert '<ol class="gofastapi-stages">' in html_card(progress)
    assert '<ol class="gofastapi-stages">' not in html_card(planned)
    assert text_card(planned).endswith("hello: this is what would be deployed")
    assert "gofastapi-tree" not in html_card(Progress(app="x", title="x")).partition("</style>")[2]
