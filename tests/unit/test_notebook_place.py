"""What a notebook is called, so that whoever reads of one of its cells can open it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gofastapi_ext.notebook.place import name_of


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Jupyter server, as the kernels of that server find it."""
    root = tmp_path / "work"
    (root / "shop").mkdir(parents=True)
    info = {"base_url": "/", "root_dir": str(root)}
    (tmp_path / "jpserver-77.json").write_text(json.dumps(info))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "77")
    return root


def test_a_notebook_is_called_by_its_path_below_the_server(root: Path) -> None:
    assert name_of(root / "menu.ipynb") == "menu.ipynb"
    assert name_of(root / "shop" / "menu.ipynb") == "shop/menu.ipynb"
    (root.parent / "link").symlink_to(root)
    assert name_of(root.parent / "link" / "shop" / "menu.ipynb") == "shop/menu.ipynb"


def test_elsewhere_by_its_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert name_of(root.parent / "other" / "menu.ipynb") == "menu.ipynb"
    deep = Path(*["a" * 100] * 5, "menu.ipynb")
    assert name_of(root / deep) == "menu.ipynb"
    monkeypatch.setenv("JPY_PARENT_PID", "78")
    assert name_of(root / "shop" / "menu.ipynb") == "menu.ipynb"
