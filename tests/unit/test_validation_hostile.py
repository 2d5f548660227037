"""Code that means harm: nothing of it is executed, and none of it takes validation down."""

from __future__ import annotations

import resource
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.validation import Analysis, ImportPolicy, analyze, check_imports, locate
from gofastapi_ext.core.validation.imports import local_imports, referenced_directories
from gofastapi_ext.core.validation.paths import mentioned_paths


def look_at(source: str) -> Analysis:
    """Everything validation does with a bundle."""
    bundle = Bundle(files={"main.py": BundleFile(text=source), "evil.py": BundleFile(text=source)})
    analysis = analyze(bundle)
    found = analysis.diagnostics + check_imports(analysis.imports, {"gone"}, ImportPolicy())
    locate(found, bundle, {"main.py": [CellOrigin(label="In[1]")]})
    local_imports(source)
    referenced_directories(source)
    mentioned_paths(source)
    return analysis


@pytest.mark.parametrize(
    "source",
    [
        "@touch()\ndef app(scope, receive, send): ...",
        "@touch()\nclass app: ...",
        "def app(scope, receive=touch(), send=None, *, x=touch()): ...",
        "def app(scope: touch(), receive, send) -> touch(): ...",
        "app: touch() = 1\nx: touch()",
        "class A:\n    x = touch()\n    app = touch()\napp = A",
        "class M(type):\n    def __new__(*a): touch()\nclass app(metaclass=M): ...",
        "class B:\n    def __init_subclass__(cls): touch()\nclass app(B): ...",
        "class app(touch()): ...",
        "app = f'{touch()}'\nx = f'{1:{touch()}}'\ny = f'{touch()=}'",
        "app = __import__('evil')",
        "app = eval('touch()')",
        "exec('touch()')\napp = 1",
        "import evil\nfrom evil import app",
        "app = [touch() for _ in range(2)]",
        "app = (lambda x=touch(): x)()",
        "if touch(): app = 1",
        "while touch(): app = 1",
        "assert touch()\napp = 1",
        "match touch():\n    case A(x=1): app = 1",
        "with touch() as app: pass",
        "for app in touch(): pass",
        "try:\n    raise touch()\nexcept touch() as e:\n    app = 1",
        "del touch().x\napp = 1",
        "app = touch() + 2 ** 10 * touch()",
        "async def app(scope, receive=touch(), send=touch()): ...",
        "app = StaticFiles(directory=touch())\nx = Jinja2Templates(touch() / 'templates')",
        "# coding: rot13\napp = touch()",
        "__path__ = touch()\n__getattr__ = touch\n__all__ = touch()\nfrom evil import *\napp = 1",
        "from __future__ import annotations\napp: touch() = touch()",
        "!touch()\n%run evil.py\n%%bash\ntouch()",
        "uvicorn.run(touch())",
        "print 'python 2', touch()",
    ],
)
def test_nothing_is_executed(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "executed"
    touch = f"def touch(*a, **k):\n    open({str(marker)!r}, 'w').close()\n    return touch\ntouch()\n"
    # Were the code imported from disk instead of read from the bundle, this would be it.
    (tmp_path / "evil.py").write_text(touch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    look_at(source)
    look_at(touch + source)
    assert not marker.exists()
    assert "evil" not in sys.modules


def test_the_marker_would_be_written(tmp_path: Path) -> None:
    """The proof above can fail: executed, such code does write its marker."""
    marker = tmp_path / "executed"
    exec(f"def touch():\n    open({str(marker)!r}, 'w').close()\n@(lambda f: touch())\ndef app(): ...", {})
    assert marker.exists()


DEEP = {
    "open parentheses": "(" * 100_000,
    "parentheses": "(" * 5_000 + ")" * 5_000,
    "minus": "-" * 100_000 + "1",
    "minus a little": "-" * 3_000 + "1",
    "sum": "+".join(["1"] * 100_000),
    "attributes": "a" + ".b" * 100_000,
    "calls": "a" + "()" * 100_000,
    "subscripts": "a" + "[0]" * 100_000,
    "elif": "if a:\n pass\n" + "elif a:\n pass\n" * 30_000,
    "lambda": "lambda:" * 50_000 + "1",
    "not": "not " * 50_000 + "1",
    "conditional": "1 if a else " * 30_000 + "1",
    "indentation": "".join(" " * i + "if a:\n" for i in range(150)) + " " * 150 + "pass",
    "decorators": "@a\n" * 20_000 + "def f(): ...",
    "f-strings": "f'{f\"{1}\"}'" * 5_000,
}


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP.keys())
def test_deep_nesting_is_a_diagnostic(source: str) -> None:
    analysis = look_at("x = 1\n" + source)
    assert analysis.entrypoint is None
    assert {d.code for d in analysis.diagnostics} <= {"syntax_error", "too_complex", "no_app"}


@pytest.mark.parametrize("name", ["minus", "elif", "calls", "sum"])
def test_deep_nesting_in_a_small_stack(name: str) -> None:
    """A quarter of what Linux gives a thread is enough."""
    results: list[Analysis] = []
    before = threading.stack_size(2 * 1024 * 1024)
    try:
        thread = threading.Thread(target=lambda: results.append(look_at("x = 1\n" + DEEP[name])))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert [d.code for d in results[0].diagnostics if d.file == "main.py"] == ["too_complex"]


FOLDING = {
    "power": "x = 2 ** 2 ** 30",
    "power of power": "x = 2 ** (2 ** (2 ** 30))",
    "string": "x = 'a' * 10 ** 10",
    "bytes": "x = b'a' * 10 ** 10",
    "tuple": "x = (1,) * 10 ** 9",
    "nested tuples": "x = " + "(" * 20 + "1," + ",) * 99" * 20,
    "shift": "x = 1 << 10 ** 10",
    "format": "x = '%1000000000d' % 1",
    "product": "x = " + " * ".join(["9999999999999999999"] * 5_000),
    "decimal digits": "x = " + "9" * 100_000,
    "hexadecimal digits": "x = 0x" + "f" * 400_000,
    "float": "x = 1e" + "9" * 10_000,
}


@pytest.mark.parametrize("source", FOLDING.values(), ids=FOLDING.keys())
def test_constants_are_not_computed(source: str) -> None:
    with limited(seconds=5, megabytes=300):
        look_at(source)


def nested_finally(depth: int, returns: bool) -> str:
    text = "x()\n"
    for _ in range(depth):
        body = "if a: return" if returns else "pass"
        text = f"try:\n {body}\nfinally:\n" + textwrap.indent(text, " ")
    return "def f():\n" + textwrap.indent(text, " ")


@pytest.mark.parametrize(
    "source",
    [
        nested_finally(19, returns=False),
        nested_finally(19, returns=True),
        "def f():\n try:\n" + "  if a: return\n" * 5_000 + " finally:\n" + "  x()\n" * 5_000,
        "[" + "1," * 100_000 + "]",
    ],
    ids=["nested finally", "nested finally with returns", "many returns", "long list"],
)
def test_compiling_takes_no_more_than_the_text_deserves(source: str) -> None:
    with limited(seconds=10, megabytes=500):
        analysis = look_at(source)
    assert [d.code for d in analysis.diagnostics if d.file == "main.py"] == ["no_app"]


def test_ordinary_finally_blocks_are_compiled() -> None:
    source = "import x\ndef f():\n    try:\n        return 1\n    finally:\n        x.close()\napp = 1 + 1\nreturn\n"
    assert [d.message for d in look_at(source).diagnostics][:1] == ["Syntax error: 'return' outside function"]


def test_far_too_much_source() -> None:
    large = "x = 1\n" * 200_000
    bundle = Bundle(files={"main.py": BundleFile(text=large)})
    assert [d.code for d in analyze(bundle).diagnostics] == ["source_too_large"]
    small = "import big\nfrom fastapi import FastAPI\napp = FastAPI()"
    others = {f"many{n}.py": BundleFile(text="x = 1\n" * 80_000) for n in range(12)}
    with limited(seconds=20, megabytes=700):
        analysis = analyze(Bundle(files={"main.py": BundleFile(text=small), "big.py": BundleFile(text=large)} | others))
    assert analysis.entrypoint == "main:app"
    assert [d.code for d in analysis.diagnostics] == ["source_too_large"]


def test_imports_in_a_circle_end() -> None:
    files = {"main.py": "import a\nimport main\napp = a", "a.py": "import b", "b.py": "import a, main"}
    bundle = Bundle(files={path: BundleFile(text=text) for path, text in files.items()})
    assert analyze(bundle).entrypoint == "main:app"


class limited:
    """Fails where what runs inside takes more time, or raises the process's peak memory by more."""

    def __init__(self, *, seconds: float, megabytes: int) -> None:
        self.seconds = seconds
        self.megabytes = megabytes

    def __enter__(self) -> None:
        self.started = time.process_time()
        self.peak = _peak_megabytes()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            assert time.process_time() - self.started < self.seconds
            assert _peak_megabytes() - self.peak < self.megabytes


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)
