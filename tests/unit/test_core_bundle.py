"""Bundles: what paths they hold, what names them, how large they may be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin, check_sizes, path_problem
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits, format_bytes


def bundle(**files: str) -> Bundle:
    return Bundle(files={f"{name}.py": BundleFile(text=text) for name, text in files.items()})


@pytest.mark.parametrize("path", ["main.py", "a/b/c.py", "ünï.py", "with space.txt", ".env", "a/.hidden", "..a/b..c"])
def test_paths_a_bundle_may_hold(path: str) -> None:
    assert path_problem(path) is None
    Bundle(files={path: BundleFile(text="")})


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../a",
        "a/../b",
        "/etc/passwd",
        "a//b",
        "./a",
        "a/",
        "a/.",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\u202eb",
        "a" * 401,
    ],
)
def test_paths_a_bundle_refuses(path: str) -> None:
    assert path_problem(path)
    with pytest.raises(ValidationError):
        Bundle(files={path: BundleFile(text="")})


@pytest.mark.parametrize(("one", "other"), [("a.py", "A.py"), ("\u00e9.py", "e\u0301.py"), ("Stra\u00dfe", "STRASSE")])
def test_paths_some_file_systems_cannot_tell_apart(one: str, other: str) -> None:
    with pytest.raises(ValidationError, match="differ only in case"):
        Bundle(files={one: BundleFile(text=""), other: BundleFile(text="")})


def test_content_survives_as_text_or_base64() -> None:
    for content in (b"", b"hello\r\n", "\u00e9\u4e2d".encode(), b"\xef\xbb\xbfx", bytes(range(256))):
        file = BundleFile.from_bytes(content)
        assert file.content == content
        assert BundleFile.model_validate_json(file.model_dump_json()).content == content
    assert BundleFile.from_bytes(b"\xff").text is None
    # Valid UTF-8, and no text.
    assert BundleFile.from_bytes(b"a\0").text is None
    assert BundleFile.from_bytes(b"a\0").content == b"a\0"
    with pytest.raises(InvalidBundleError):
        _ = BundleFile(base64="not base64!").content


def test_the_code_hash_names_the_content() -> None:
    first = bundle(main="a", other="b")
    assert len(first.code_hash) == 64
    same = Bundle(files=dict(reversed(first.files.items())))
    assert same.code_hash == first.code_hash
    as_bytes = Bundle(files={path: BundleFile(base64="YQ==" if "main" in path else "Yg==") for path in first.files})
    assert as_bytes.code_hash == first.code_hash
    others = [
        bundle(main="a", other="c"),
        bundle(main="a"),
        bundle(main="b", other="a"),
        Bundle(files=first.files, entrypoint="main:api"),
        Bundle(files=first.files, main="other.py"),
        Bundle(files=first.files, requirements=["x"]),
    ]
    assert len({first.code_hash, *(other.code_hash for other in others)}) == len(others) + 1
    ordered = Bundle(files=first.files, requirements=["a", "b"])
    assert ordered.code_hash == Bundle(files=first.files, requirements=["b", "a"]).code_hash


def test_sizes_are_checked_and_the_largest_files_named() -> None:
    limits = Limits(max_files=3, max_file_bytes=10, max_bundle_bytes=20)
    check_sizes(bundle(main="x" * 10, a="x" * 10), limits)
    with pytest.raises(InvalidBundleError, match="4 files; 3 is the limit"):
        check_sizes(bundle(main="", a="", b="", c=""), limits)
    with pytest.raises(InvalidBundleError, match=r"a\.py is 11 B"):
        check_sizes(bundle(main="", a="x" * 11), limits)
    with pytest.raises(InvalidBundleError, match=r"26 B together.*a\.py \(10 B\), b\.py \(9 B\), main\.py \(7 B\)"):
        check_sizes(bundle(main="x" * 7, a="x" * 10, b="x" * 9), limits)
    with pytest.raises(InvalidBundleError, match=r"no file main\.py"):
        check_sizes(bundle(a=""), limits)


def test_sizes_count_bytes_not_characters() -> None:
    assert bundle(main="\u4e2d").size_bytes == 3


def test_a_line_of_a_file_is_a_line_of_its_cell() -> None:
    origin = CellOrigin(label="In[5]", notebook="n.ipynb", cell_id="x", line_offset=2)
    position = origin.position(1)
    assert (position.label, position.notebook, position.cell_id, position.line) == ("In[5]", "n.ipynb", "x", 3)
    assert origin.position(None).line is None


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_999, "1.0 MB"),
        (5_242_880, "5.2 MB"),
        (3_000_000_000, "3.0 GB"),
        (4_000_000_000_000, "4000.0 GB"),
    ],
)
def test_sizes_people_read(size: int, text: str) -> None:
    assert format_bytes(size) == text
