"""The walls of the house: who may import whom."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A module may import its own room and those named here; the longest matching prefix decides.
ALLOWED: dict[str, tuple[str, ...]] = {
    "gofastapi_ext": ("gofastapi_ext.core", "gofastapi_ext.client", "gofastapi_ext.notebook", "gofastapi_ext.jupyter"),
    "gofastapi_ext.core": (),
    "gofastapi_ext.client": ("gofastapi_ext.core",),
    "gofastapi_ext.notebook": ("gofastapi_ext.core", "gofastapi_ext.client"),
    "gofastapi_ext.jupyter": ("gofastapi_ext.core", "gofastapi_ext.client"),
    "gofastapi_ext.cli": ("gofastapi_ext.core", "gofastapi_ext.client"),
    "gofastapi_ext.platform.settings": ("gofastapi_ext.core",),
    "gofastapi_ext.platform.auth": ("gofastapi_ext.core",),
    "gofastapi_ext.platform.keyring": ("gofastapi_ext.core",),
    # A secret is stored as the key ring seals it.
    "gofastapi_ext.platform.store": ("gofastapi_ext.core", "gofastapi_ext.platform.keyring"),
    # Where mongod is on this machine is also what `gofastapi doctor` wants to know.
    "gofastapi_ext.platform.databases": ("gofastapi_ext.core", "gofastapi_ext.client.mongod"),
    "gofastapi_ext.platform.runtimes": (
        "gofastapi_ext.core",
        "gofastapi_ext.platform.settings",
        "gofastapi_runner.protocol",
    ),
    "gofastapi_ext.platform.control": (
        "gofastapi_ext.core",
        "gofastapi_ext.platform.keyring",
        "gofastapi_ext.platform.settings",
        "gofastapi_ext.platform.store",
        "gofastapi_ext.platform.databases",
        "gofastapi_ext.platform.runtimes.base",
    ),
    "gofastapi_ext.platform.api": (
        "gofastapi_ext.core",
        "gofastapi_ext.platform.control",
        "gofastapi_ext.platform.auth",
    ),
    "gofastapi_ext.platform": (
        "gofastapi_ext.core",
        "gofastapi_ext.client.places",
        "gofastapi_ext.client.discovery",
        "gofastapi_ext.platform",
    ),
    "gofastapi_runner": (),
}  # fmt: skip

# Where a library may be imported, and nowhere else.
HOMES: dict[str, tuple[str, ...]] = {
    "pymongo": ("gofastapi_ext.platform.store", "gofastapi_ext.platform.databases"),
    "bson": ("gofastapi_ext.platform.store", "gofastapi_ext.platform.databases"),
    "gridfs": ("gofastapi_ext.platform.store",),
    "cryptography": ("gofastapi_ext.platform.keyring",),
    "kubernetes": ("gofastapi_ext.platform.runtimes.kubernetes", "gofastapi_ext.platform.edge"),
    "tornado": ("gofastapi_ext.jupyter",),
    "jupyter_server": ("gofastapi_ext.jupyter",),
    "jupyterhub": ("gofastapi_ext.hub", "gofastapi_ext.platform.auth"),
    "fastapi": ("gofastapi_ext.platform.api", "gofastapi_ext.platform.app", "gofastapi_runner"),
    "granian": ("gofastapi_runner",),
    "prometheus_client": ("gofastapi_ext.platform.control",),
    "IPython": ("gofastapi_ext.notebook", "gofastapi_ext"),
    "ipywidgets": ("gofastapi_ext.notebook",),
    "nbformat": ("gofastapi_ext.notebook",),
}


def modules() -> Iterator[tuple[str, Path]]:
    for top, folder in (("gofastapi_ext", ROOT), ("gofastapi_runner", ROOT / "runner")):
        for path in sorted((folder / top).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # `from package import module` imports the module.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def room_of(module: str) -> str:
    return max((room for room in ALLOWED if inside(module, room)), key=len)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_one_way(module: str, path: Path) -> None:
    room = room_of(module)
    for name in imports(path):
        if name.startswith(("gofastapi_ext", "gofastapi_runner")):
            allowed = (*ALLOWED[room], "gofastapi_ext._version", *(() if room == "gofastapi_ext" else (room,)))
            assert any(inside(name, other) for other in allowed), f"{module} ({room}) imports {name}"
        for library, homes in HOMES.items():
            if inside(name, library):
                allowed_here = any(inside(module, home) for home in homes if home != "gofastapi_ext")
                assert allowed_here or module in homes, f"{module} imports {name}"


@pytest.mark.parametrize("room", ["core", "client.client", "notebook.magics", "jupyter.extension", "cli"])
def test_what_a_user_image_ships_imports_without_the_platforms_libraries(room: str) -> None:
    """In a JupyterHub image there is neither pymongo nor fastapi nor kubernetes nor jupyterhub."""
    code = (
        "import sys\n"
        "absent = 'pymongo bson cryptography fastapi granian kubernetes jupyterhub psutil pydantic_settings'\n"
        "sys.modules.update(dict.fromkeys(absent.split()))\n"
        f"import gofastapi_ext.{room}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_itself_is_light() -> None:
    """Every kernel and Jupyter server of the environment imports it."""
    code = "import gofastapi_ext, sys; print({'pydantic', 'httpx', 'IPython'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_files_fit_in_the_head() -> None:
    too_long = {module: n for module, path in modules() if (n := len(path.read_text().splitlines())) > 400}
    assert too_long == {}
