"""`#| deploy: NAME` and `#| file: PATH` on top of a cell, and what people write instead."""

from __future__ import annotations

import pytest

from gofastapi_ext.core.markers import close_names, read_marks


@pytest.mark.parametrize(
    ("source", "path", "text", "above"),
    [
        ("#| deploy: hello\nx = 1", "main.py", "x = 1", 1),
        ("#|deploy:hello\nx = 1", "main.py", "x = 1", 1),
        ('#| deploy: "hello"  \n#| file: routers/users.py\n\nx = 1', "routers/users.py", "\nx = 1", 2),
        ("\n# The users.\n#| file: a.py\n\n#| deploy: hello\n# kept\nx = 1", "a.py", "# kept\nx = 1", 5),
        ("#| deploy: hello", "main.py", "", 1),
        ("#| deploy: hello\n#| file:\nx = 1", "main.py", "x = 1", 2),
    ],
)
def test_a_marked_cell(source: str, path: str, text: str, above: int) -> None:
    marks = read_marks(source)
    assert (marks.app, marks.path, marks.text, marks.lines_above) == ("hello", path, text, above)
    assert marks.warnings == ()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1",
        "# deploy: hello\nx = 1",
        "#| echo: false\n#| label: fig-1\nx = 1",
        "%%time\nx = 1",
        "# a | b\nx",
        "#|",
    ],
)
def test_other_cells_are_nobodys_business(source: str) -> None:
    assert read_marks(source) == read_marks("")


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        ("#|deploy hello\nx", "line 1: `#|deploy hello` is no marker; write `#| deploy: hello`."),
        ("# | deploy: hello", "line 1: `# | deploy: hello` is no marker; write `#| deploy: hello`."),
        ("#| deploy = hello", "line 1: `#| deploy = hello` is no marker; write `#| deploy: hello`."),
        ("#| Deploy: hello", "line 1: `#| Deploy: hello` is no marker; write `#| deploy: hello`."),
        ("\n#| delpoy: hello", "line 2: `#| delpoy: hello` is no marker; write `#| deploy: hello`."),
        ("#| deploy:", "`#| deploy:` names no app"),
        ("#| deploy: My App", 'Try "my-app"'),
        ("#| deploy: admin", "reserved"),
        ("#| file: a.py\nx", "`#| file` needs the app's name with it"),
        ("x = 1\n#| deploy: hello", "line 2: a marker counts on top of a cell only"),
        ("%%time\n#| deploy: hello\nx", "line 2: cells that begin with %%time are not collected"),
    ],
)
def test_what_was_meant_as_a_marker_is_told(source: str, warning: str) -> None:
    marks = read_marks(source)
    assert marks.app is None
    [told] = marks.warnings
    assert warning in told


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        ("#| deploy: other", "line 2: a cell has one `#| deploy:`; the first one counts."),
        ("#| env: A=1", "line 2: `#| env` means nothing here"),
        ("#| files: a.py", "line 2: `#| files: a.py` is no marker; write `#| file: a.py`."),
        ("x = 1\n#| file: a.py", "line 3: a marker counts on top of a cell only"),
    ],
)
def test_a_marked_cell_with_something_strange(more: str, warning: str) -> None:
    marks = read_marks(f"#| deploy: hello\n{more}")
    assert (marks.app, marks.path) == ("hello", "main.py")
    [told] = marks.warnings
    assert warning in told


def test_close_names() -> None:
    assert close_names("hello", {"helo", "shop", "hello"}) == ["helo"]
    assert close_names("shop", {"hello"}) == []
