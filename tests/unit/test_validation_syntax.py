"""What Python, or IPython, has to say about the text of a module."""

from __future__ import annotations

import warnings

import pytest
from pydantic import ValidationError

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.diagnostics import Diagnostic, Severity
from gofastapi_ext.core.validation import Analysis, analyze, locate


def analyze_main(source: str) -> Analysis:
    return analyze(Bundle(files={"main.py": BundleFile(text=source)}))


def only(source: str) -> Diagnostic:
    analysis = analyze_main(source)
    assert analysis.entrypoint is None
    assert len(analysis.diagnostics) == 1, analysis.diagnostics
    return analysis.diagnostics[0]


def place(d: Diagnostic) -> tuple[int | None, int | None, int | None, int | None]:
    return d.line, d.column, d.end_line, d.end_column


def test_a_syntax_error_says_what_python_says_and_where() -> None:
    found = only("x = 1\ndef f(:\n    pass\n")
    assert (found.code, found.message, found.file) == ("syntax_error", "Syntax error: invalid syntax", "main.py")
    assert place(found) == (2, 6, 2, 7)


@pytest.mark.parametrize(
    ("source", "message", "where"),
    [
        ("print 'x'", "Missing parentheses in call to 'print'", (1, 0, 1, 9)),
        ("x = (1,\n", "'(' was never closed", (1, 4, None, None)),
        ("if 1:\nx = 2", "expected an indented block after 'if' statement on line 1", (2, 0, 2, 1)),
        ("x = 'abc", "unterminated string literal", (1, 4, None, None)),
        ("é = 1; return", "'return' outside function", (1, 7, 1, 13)),
        ("é = 1; break", "'break' outside loop", (1, 7, 1, 12)),
        ("def f():\n    await g()", "'await' outside async function", (2, 4, 2, 13)),
        ("def f(a, a): pass", "duplicate argument 'a' in function definition", None),
        ("x = 1\nfrom __future__ import annotations", "from __future__ imports must occur at the beginning", None),
    ],
)
def test_errors_of_the_parser_and_of_the_compiler(
    source: str, message: str, where: tuple[int | None, ...] | None
) -> None:
    found = only(source)
    assert found.code == "syntax_error"
    assert message in found.message
    if where is not None:
        assert place(found) == where


def test_null_bytes_and_surrogates() -> None:
    assert "null bytes" in only("app = 1\0").message
    with pytest.raises(ValidationError, match="not valid Unicode"):
        only("app = '\ud800'")


@pytest.mark.parametrize(
    ("line", "mentions"),
    [
        ("!pip install httpx", "notebook's Python has installed"),
        ("%pip install httpx", "notebook's Python has installed"),
        ("!ls -la", "cell of its own"),
        ("!!ls", "cell of its own"),
        ("files = !ls", "subprocess"),
        ("%time f()", "cell of its own"),
        ("x = %timeit -o f()", "cell of its own"),
        ("    !ls", "cell of its own"),
        ("df?", "cell of its own"),
        ("df.head??", "cell of its own"),
        ("?df", "cell of its own"),
        ("%time?", "cell of its own"),
    ],
)
def test_ipython_syntax(line: str, mentions: str) -> None:
    source = f"if True:\n    pass\n{line}\n" if line.startswith(" ") else f"import os\napp = os\n{line}\n"
    found = only(source)
    assert found.code == "ipython_syntax"
    assert found.hint is not None
    assert mentions in found.hint
    assert place(found) == (3, len(line) - len(line.lstrip()), 3, len(line))


def test_every_line_of_ipython_is_reported_and_the_rest_is_still_looked_at() -> None:
    analysis = analyze_main("!pip install yaml\nimport yaml\n%time 1\napp = yaml\n")
    assert [(d.code, d.line) for d in analysis.diagnostics] == [("ipython_syntax", 1), ("ipython_syntax", 3)]
    assert [use.top for use in analysis.imports] == ["yaml"]
    assert analysis.entrypoint is None


def test_a_cell_magic_takes_everything_below_it() -> None:
    found = only("%%bash\nls -la\necho $HOME\n")
    assert (found.code, found.line) == ("ipython_syntax", 1)
    assert "%%bash" in found.message


@pytest.mark.parametrize("source", ["x = (5\n  % y z)", "x = (a\n  != b c)", "x = a ? b : c", "y = 5 %"])
def test_plain_mistakes_are_not_taken_for_ipython(source: str) -> None:
    assert only(source).code == "syntax_error"


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("é = await f()", (1, 4, 1, 13)),
        ("async with f() as x:\n    pass", (1, 0, 2, 8)),
        ("async for x in f():\n    pass", (1, 0, 2, 8)),
        ("x = [y async for y in f()]", (1, 4, 1, 26)),
        ("if 1:\n    x = await f()", (2, 8, 2, 17)),
        ("class A:\n    x = await f()", (2, 8, 2, 17)),
    ],
)
def test_top_level_await(source: str, where: tuple[int, ...]) -> None:
    found = only(source)
    assert found.code == "top_level_await"
    assert found.hint is not None
    assert "lifespan" in found.hint
    assert place(found) == where


@pytest.mark.parametrize("source", ["", "\n\n", "# nothing here\n", "   \n# x"])
def test_nothing_to_deploy(source: str) -> None:
    assert only(source).code == "empty"


def test_main_has_to_be_an_importable_text_file() -> None:
    def code(**kwargs: object) -> str:
        return analyze(Bundle.model_validate(kwargs)).diagnostics[0].code

    assert code(files={"main.py": {"base64": "gIE="}}) == "binary_main"
    assert code(files={"notes.txt": {"text": "x"}}, main="notes.txt") == "invalid_main"
    assert code(files={"my.app.py": {"text": "x"}}, main="my.app.py") == "invalid_main"
    assert code(files={"other.py": {"text": "x"}}) == "no_main"


def test_a_coding_cookie_and_a_byte_order_mark_are_obeyed() -> None:
    latin = "# coding: latin-1\napp = 'é'\nfrom x import app\n".encode("latin-1")
    assert analyze(Bundle(files={"main.py": BundleFile.from_bytes(latin)})).entrypoint == "main:app"
    assert analyze_main("\ufefffrom x import app").entrypoint == "main:app"


def test_pythons_warnings_become_warnings_and_do_not_leak() -> None:
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        analysis = analyze_main("from x import app\nif app is 'a': pass\nx = '\\d'\n")
    assert leaked == []
    assert analysis.entrypoint == "main:app"
    assert {d.severity for d in analysis.diagnostics} == {Severity.WARNING}
    assert [(d.code, d.line) for d in analysis.diagnostics if '"is"' in d.message] == [("syntax_warning", 2)]


def test_warnings_do_not_depend_on_filters_that_make_them_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert analyze_main("from x import app\nif app is 'a': pass\n").entrypoint == "main:app"


def test_locate_adds_the_line_and_the_cell() -> None:
    bundle = Bundle(files={"main.py": BundleFile(text="x = 1\r\n\x0cdef f(:\r\n"), "a.py": BundleFile(text="")})
    origins = {"main.py": [CellOrigin(label="In[5]", notebook="n.ipynb", cell_id="c", line_offset=1)]}
    found = locate(
        [
            Diagnostic(code="a", message="m", file="main.py", line=2),
            Diagnostic(code="b", message="m", file="main.py"),
            Diagnostic(code="c", message="m", file="a.py", line=7),
            Diagnostic(code="d", message="m"),
        ],
        bundle,
        origins,
    )
    assert found[0].source == "\x0cdef f(:"
    assert found[0].cell is not None
    assert (found[0].cell.label, found[0].cell.line) == ("In[5]", 3)
    assert found[1].cell is not None
    assert found[1].cell.line is None
    assert found[2].cell is None
    assert found[2].source is None
    assert found[3] == Diagnostic(code="d", message="m")
