"""What an export pins: asked of an interpreter that has packages of every kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import packaging
import pytest

RUNNER = Path(__file__).parents[2] / "runner"


class Site:
    """A folder of installed packages, and an interpreter that knows no other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "packaging").symlink_to(Path(packaging.__file__).parent)

    def install(
        self, name: str, version: str, *, needs: tuple[str, ...] = (), files: tuple[str, ...] = (), url: Any = None
    ) -> None:
        """A package as pip leaves it. Whoever imports one of its files leaves a trace."""
        files = files or (f"{name.replace('-', '_')}/__init__.py",)
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        for file in files:
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file).write_text(f"open({str(self.folder / 'imported')!r}, 'w')\nraise SystemExit\n")
        lines = [
            "Metadata-Version: 2.1",
            f"Name: {name}",
            f"Version: {version}",
            *(f"Requires-Dist: {n}" for n in needs),
        ]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
        if url is not None:
            (info / "direct_url.json").write_text(json.dumps(url))

    def freeze(self, modules: list[str], requirements: list[str] | None = None) -> dict[str, Any]:
        question = json.dumps({"modules": modules, "requirements": requirements or []})
        done = subprocess.run(
            [sys.executable, "-S", "-P", "-m", "gofastapi_runner.freeze"],
            input=question,
            env={"PYTHONPATH": f"{RUNNER}:{self.folder}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert not (self.folder / "imported").exists(), "it imported what it was to look at"
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_is_imported_is_pinned_with_all_it_needs(site: Site) -> None:
    site.install("web-frame", "1.2.3", needs=("Core_Lib>=1", "absent>=2"), files=("webframe/__init__.py",))
    site.install("core-lib", "4.0", needs=("web-frame",))
    site.install("unrelated", "9")
    (site.folder / "half_removed-1.dist-info").mkdir()
    found = site.freeze(["webframe.routing", "os.path", "json", "no_such_module"])
    assert found["pins"] == ["core-lib==4.0", "web-frame==1.2.3"]
    assert found["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (found["kept"], found["notes"]) == ([], [])


def test_markers_and_extras_are_those_that_hold_here(site: Site) -> None:
    needs = (
        "old; python_version < '3'",
        f"here; sys_platform == '{sys.platform}'",
        "fast; extra == 'standard'",
        "other; extra == 'other'",
    )
    site.install("server", "1", needs=needs)
    for name in ("old", "here", "fast", "other"):
        site.install(name, "1")
    site.install("uses", "1", needs=("server[standard]",))
    assert site.freeze(["server"])["pins"] == ["here==1", "server==1"]
    assert site.freeze([], ["server[standard]"])["pins"] == ["fast==1", "here==1", "server==1"]
    assert site.freeze(["server", "uses"])["pins"] == ["fast==1", "here==1", "server==1", "uses==1"]


def test_of_packages_that_share_a_folder_those_are_pinned_that_are_meant(site: Site) -> None:
    site.install("cloud-storage", "1", files=("cloud/storage/__init__.py",))
    site.install("cloud-queue", "2", files=("cloud/queue/__init__.py",))
    site.install("cloud-fast", "3", files=("cloud/fast.abi3.so",))
    assert site.freeze(["cloud.storage.blobs"])["pins"] == ["cloud-storage==1"]
    assert site.freeze(["cloud.fast"])["pins"] == ["cloud-fast==3"]
    assert len(site.freeze(["cloud"])["pins"]) == 3


def test_a_build_that_no_index_has_is_pinned_by_its_public_version(site: Site) -> None:
    site.install("torch", "2.3.0+cpu")
    assert site.freeze(["torch"])["pins"] == ["torch==2.3.0"]


def test_where_a_package_came_from_is_kept(site: Site) -> None:
    vcs = {"vcs": "git", "commit_id": "abc123"}
    site.install("from-git", "1", url={"url": "https://me:secret@example.com/tool.git", "vcs_info": vcs})
    site.install("from-web", "1", url={"url": "https://example.com/w-1.whl", "archive_info": {}})
    site.install("from-file", "1.5", url={"url": "file:///home/me/f.whl", "archive_info": {}})
    site.install("from-folder", "1", needs=("dep",), url={"url": "file:///home/me/f", "dir_info": {"editable": True}})
    site.install("dep", "3")
    found = site.freeze(["from_git", "from_web", "from_file", "from_folder"])
    assert found["pins"] == [
        "dep==3",
        "from-file==1.5",
        "from-git @ git+https://example.com/tool.git@abc123",
        "from-web @ https://example.com/w-1.whl",
    ]
    assert found["notes"] == ["from-folder 1: installed from a folder of the machine it ran on"]


def test_requirements_are_pinned_kept_or_told(site: Site) -> None:
    site.install("there", "2.0")
    site.install("pre", "3.0rc1")
    asked = ["there>=1", "there<2", "pre>=2", "missing>=1", "gone; python_version < '3'", "not a requirement", "a\nb"]
    found = site.freeze([], asked)
    assert found["pins"] == ["pre==3.0rc1", "there==2.0"]
    assert found["kept"] == ["missing>=1"]
    assert found["notes"] == [
        "there<2: it ran with 2.0",
        "not a requirement: not a requirement pip understands",
        "a ...: a requirement is one line",
    ]


def test_a_module_that_no_installer_put_there_is_told(site: Site) -> None:
    (site.folder / "handmade.py").write_text("raise SystemExit")
    assert site.freeze(["handmade"])["notes"] == ["handmade: imported here, but no installer put it there"]
