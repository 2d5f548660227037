"""What a module imports, and which directories it names."""

from __future__ import annotations

import pytest

from gofastapi_ext.core.validation.imports import ImportedModule, local_imports, referenced_directories
from gofastapi_ext.core.validation.paths import mentioned_paths


def names(source: str, package: str = "") -> list[str]:
    return [module.name for module in local_imports(source, package)]


def test_plain_and_from_imports_with_their_lines() -> None:
    source = "import os, helpers.db as db\n\nfrom models import User, Note\nfrom util import *\n"
    assert local_imports(source) == [
        ImportedModule("os", 1),
        ImportedModule("helpers.db", 1),
        ImportedModule("models", 3),
        ImportedModule("models.User", 3),
        ImportedModule("models.Note", 3),
        ImportedModule("util", 4),
    ]


def test_relative_imports_are_made_absolute() -> None:
    assert names("from . import models", "app.api") == ["app.api", "app.api.models"]
    assert names("from ..core import db", "app.api") == ["app.core", "app.core.db"]
    assert names("from ...x import y", "app.api") == []
    assert names("from . import models", "") == []


def test_imports_are_found_wherever_they_stand() -> None:
    source = """
try:
    import a
except ImportError:
    import b
else:
    import c
finally:
    import d
def f():
    with x:
        import e
class K:
    import f_
for i in y:
    import g
match z:
    case 1:
        import h
if w:
    import i
elif v:
    import j
else:
    import k
"""
    assert names(source) == ["a", "b", "c", "d", "e", "f_", "g", "h", "i", "j", "k"]


def test_what_a_deployed_app_never_reaches_is_left_out() -> None:
    source = """
if TYPE_CHECKING:
    import a
if typing.TYPE_CHECKING:
    import b
else:
    import c
if __name__ == "__main__":
    import uvicorn
if "__main__" == __name__:
    import uvicorn
if False:
    import d
"""
    assert names(source) == ["c"]


@pytest.mark.parametrize("source", ["def f(:", "\0", "(" * 5000, "-" * 100_000 + "1", "\ud800"])
def test_source_that_does_not_parse_imports_nothing(source: str) -> None:
    assert local_imports(source) == []
    assert referenced_directories(source) == []
    assert mentioned_paths(source) == []


def test_a_long_chain_of_elif_does_not_overflow() -> None:
    source = "if a:\n import m\n" + "elif a:\n import n\n" * 400
    assert names(source) == ["m", "n"]


@pytest.mark.parametrize(
    "expression",
    [
        '"static"',
        '"./static/"',
        'directory="static"',
        'directory=Path("static")',
        'directory=Path(__file__).parent / "static"',
        'directory=str(BASE_DIR / "static")',
        'directory=os.path.join(os.path.dirname(__file__), "static")',
        'directory=HERE.joinpath("static")',
        'directory=Path("static").resolve()',
        "directory=STATIC",
        "directory=ALIAS",
    ],
)
def test_directories_of_static_files(expression: str) -> None:
    names = 'STATIC = Path(__file__).resolve().parent / "static"\nALIAS = STATIC\n'
    source = names + f'app.mount("/s", StaticFiles({expression}))'
    assert referenced_directories(source) == ["static"]


def test_directories_of_templates_in_order_and_once() -> None:
    source = """
templates = Jinja2Templates(directory=["templates", "shared/templates"])
more = fastapi.templating.Jinja2Templates("templates")
env = Environment(loader=FileSystemLoader("emails"))
app.mount("/static", StaticFiles(directory="web/dist", html=True))
"""
    assert referenced_directories(source) == ["templates", "shared/templates", "emails", "web/dist"]


@pytest.mark.parametrize(
    "expression",
    ['"/srv/static"', '"../static"', '"."', "directory=x", "packages=['a']", 'directory=a / b / "c" / d', ""],
)
def test_directories_outside_or_unknown_are_left_out(expression: str) -> None:
    assert referenced_directories(f"StaticFiles({expression})") == []


def test_names_bound_to_each_other_end() -> None:
    assert referenced_directories("A = B\nB = A\nStaticFiles(A)") == []
