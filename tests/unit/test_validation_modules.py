"""Imports of the bundle's own modules and of the environment, and what the policy says about them."""

from __future__ import annotations

import pytest

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.diagnostics import Diagnostic, Severity
from gofastapi_ext.core.validation import Analysis, ImportMode, ImportPolicy, analyze, check_imports

APP = "\nfrom fastapi import FastAPI\napp = FastAPI()\n"
ALLOW_LIST = ImportPolicy(mode=ImportMode.ALLOW_LIST, allowed=frozenset({"fastapi"}))


def look_at(files: dict[str, str], main: str = "main.py") -> Analysis:
    return analyze(Bundle(files={p: BundleFile(text=t) for p, t in files.items()}, main=main))


def from_environment(analysis: Analysis) -> set[str]:
    return {use.top for use in analysis.imports} - {"fastapi"}


def problems(analysis: Analysis) -> list[tuple[str, str | None, int | None, Severity]]:
    return [(d.code, d.file, d.line, d.severity) for d in analysis.diagnostics]


def check_one(source: str, missing: set[str], policy: ImportPolicy | None = None) -> list[Diagnostic]:
    return check_imports(look_at({"main.py": source + APP}).imports, missing, policy or ImportPolicy())


def test_own_modules_are_not_the_environments() -> None:
    analysis = look_at(
        {
            "main.py": "import db, pkg.deep.mod, folder.part, yaml\nfrom pkg import deep\nfrom folder import part"
            + APP,
            "db.py": "import motor",
            "pkg/__init__.py": "from . import deep",
            "pkg/deep/__init__.py": "",
            "pkg/deep/mod.py": "from ... import nothing\nfrom ..deep import mod\nfrom .. import deep",
            "folder/part.py": "from . import other",
            "folder/other.py": "import redis.asyncio",
        }
    )
    assert from_environment(analysis) == {"yaml", "motor", "redis"}
    assert problems(analysis) == [("invalid_import", "pkg/deep/mod.py", 1, Severity.ERROR)]


def test_modules_beside_a_main_in_a_folder_are_its_own() -> None:
    files = {"app/main.py": "import db, app.db\nfrom . import db\nfrom app import db" + APP, "app/db.py": ""}
    analysis = look_at(files, main="app/main.py")
    assert (analysis.entrypoint, from_environment(analysis), problems(analysis)) == ("app.main:app", set(), [])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("from . import db", "leads out of the app"),
        ("from .db import x", "leads out of the app"),
        ("import pkg.absent", "pkg has no such module"),
        ("from pkg.absent import x", "pkg has no such module"),
        ("import db.absent", "db has no such module"),
    ],
)
def test_imports_that_cannot_work(source: str, message: str) -> None:
    files = {"db.py": "", "pkg/__init__.py": "", "pkg/a.py": ""}
    analysis = look_at({"main.py": source + APP} | files)
    assert problems(analysis) == [("invalid_import", "main.py", 1, Severity.ERROR)]
    assert message in analysis.diagnostics[0].message
    assert analysis.entrypoint is None
    guarded = look_at({"main.py": f"try:\n    {source}\nexcept ImportError:\n    pass" + APP} | files)
    assert problems(guarded) == [("invalid_import", "main.py", 2, Severity.WARNING)]
    assert guarded.entrypoint == "main:app"


@pytest.mark.parametrize(
    "source",
    [
        "from pkg import anything",
        "from .pkg_sub import x",
        "from .absent import y",
        "from . import absent",
        "from .. import x",
    ],
)
def test_relative_imports_inside_a_package(source: str) -> None:
    files = {
        "pkg/__init__.py": "anything = 1",
        "pkg/pkg_sub.py": "",
        "pkg/mod.py": source,
        "main.py": "import pkg.mod" + APP,
    }
    expected = [] if "anything" in source or "pkg_sub" in source else ["invalid_import"]
    if source == "from . import absent":
        expected = []  # pkg/__init__.py may define it
    assert [d.code for d in look_at(files).diagnostics] == expected


def test_a_name_that_a_folder_of_modules_cannot_have() -> None:
    analysis = look_at({"main.py": "import f.a" + APP, "f/a.py": "from . import b"})
    assert problems(analysis) == [("invalid_import", "f/a.py", 1, Severity.ERROR)]


def test_a_plain_folder_gives_way_to_an_installed_package() -> None:
    analysis = look_at({"main.py": "import alembic, alembic.config" + APP, "alembic/env.py": ""})
    uses = {use.module: use for use in analysis.imports if use.top == "alembic"}
    assert uses["alembic"].optional
    assert not uses["alembic.config"].optional


def test_what_the_app_does_not_import_only_warns() -> None:
    analysis = look_at(
        {
            "main.py": APP,
            "old.py": "print 'python 2'",
            "tests/test_main.py": "import pytest\nfrom . import conftest2",
            "run.py": "import uvicorn\nuvicorn.run('main:app')",
        }
    )
    assert analysis.entrypoint == "main:app"
    assert problems(analysis) == [("syntax_error", "old.py", 1, Severity.WARNING)]
    assert check_imports(analysis.imports, {"pytest", "uvicorn"}, ImportPolicy()) == []


def test_what_the_app_imports_stops_the_deploy() -> None:
    analysis = look_at({"main.py": "import a" + APP, "a.py": "def f():\n    import b", "b.py": "x = ("})
    assert problems(analysis) == [("syntax_error", "b.py", 1, Severity.ERROR)]
    assert analysis.entrypoint is None


def test_a_missing_module_is_an_error_at_its_place() -> None:
    (found,) = check_one("import os\nimport yaml.nodes as n", {"yaml"})
    assert (found.code, found.severity, found.file) == ("missing_module", Severity.ERROR, "main.py")
    assert (found.line, found.column, found.end_line, found.end_column) == (2, 0, 2, 22)
    assert found.hint is not None
    assert "%pip install pyyaml`" in found.hint


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("PIL", "pillow"),
        ("cv2", "opencv-python-headless"),
        ("sklearn", "scikit-learn"),
        ("dotenv", "python-dotenv"),
        ("jwt", "pyjwt"),
        ("jose", "python-jose[cryptography]"),
        ("bs4", "beautifulsoup4"),
        ("multipart", "python-multipart"),
        ("whatever", "whatever"),
    ],
)
def test_the_hint_names_the_package(module: str, package: str) -> None:
    (found,) = check_one(f"from {module} import x", {module})
    assert found.hint is not None
    assert f"`%pip install {package}`" in found.hint


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import gone\nexcept ImportError:\n    gone = None",
        "try:\n    import gone\nexcept (ModuleNotFoundError, KeyError):\n    gone = None",
        "try:\n    import other\nexcept Exception:\n    import gone",
        "try:\n    import gone\nexcept:\n    pass",
        "with contextlib.suppress(ImportError):\n    import gone",
        "def f():\n    import gone",
        "async def f():\n    from gone import x",
        "if sys.version_info < (3, 11):\n    import gone",
        "class A:\n    def f(self):\n        import gone",
    ],
)
def test_a_missing_module_the_app_starts_without_warns(source: str) -> None:
    assert [d.severity for d in check_one(source, {"gone"})] == [Severity.WARNING]


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import gone\nexcept ValueError:\n    pass",
        "try:\n    pass\nfinally:\n    import gone",
        "with open('x'):\n    import gone",
        "class A:\n    import gone",
        "import a",
        "try:\n    import gone\nexcept ImportError:\n    pass\nimport gone",
    ],
)
def test_a_missing_module_the_app_needs_is_an_error(source: str) -> None:
    analysis = look_at({"main.py": source + APP, "a.py": "import gone"})
    found = check_imports(analysis.imports, {"gone"}, ImportPolicy())
    assert [d.severity for d in found] == [Severity.ERROR]


def test_a_module_that_an_optional_module_needs_is_optional() -> None:
    files = {"main.py": "def f():\n    import plugin" + APP, "plugin.py": "import helper", "helper.py": "import gone"}
    assert [d.severity for d in check_imports(look_at(files).imports, {"gone"}, ImportPolicy())] == [Severity.WARNING]


def test_type_checking_and_main_blocks_import_nothing() -> None:
    source = "if TYPE_CHECKING:\n    import gone\nif __name__ == '__main__':\n    import gone"
    assert check_one(source, {"gone"}) == []


def test_each_missing_module_is_told_once() -> None:
    files = {"main.py": "import a, b" + APP, "a.py": "import gone", "b.py": "import gone.x\nimport away"}
    found = check_imports(look_at(files).imports, {"gone", "away"}, ImportPolicy())
    assert [(d.file, d.line) for d in found] == [("a.py", 1), ("b.py", 2)]
    assert {d.hint for d in found} == {"Run `%pip install gone away` in the notebook, then deploy again."}


def test_the_allow_list() -> None:
    assert check_one("import os, json.decoder\nfrom email import message", set(), ALLOW_LIST) == []
    assert [d.code for d in check_one("import numpy.linalg", set(), ALLOW_LIST)] == ["forbidden_module"]
    assert [d.code for d in check_one("from ctypes import CDLL", set(), ALLOW_LIST)] == ["forbidden_module"]
    assert [d.code for d in check_one("def f():\n    import numpy", {"numpy"}, ALLOW_LIST)] == ["forbidden_module"]
    ctypes_too = ImportPolicy(mode=ImportMode.ALLOW_LIST, allowed=frozenset({"fastapi", "ctypes"}))
    assert check_one("import ctypes", set(), ctypes_too) == []
    assert check_one("import numpy", set(), ImportPolicy()) == []


def test_the_allow_list_holds_for_files_nobody_imports_by_name() -> None:
    analysis = look_at({"main.py": APP, "plugins/a.py": "import numpy"})
    assert [d.file for d in check_imports(analysis.imports, set(), ALLOW_LIST)] == ["plugins/a.py"]
