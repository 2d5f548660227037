"""Unified diffs of two trees: what they say, that `patch` understands them, and that they stay small and quick."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest

from gofastapi_ext.client.history import render_diff
from gofastapi_ext.core import diff
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.diff import MAX_FILE_DIFF, MAX_TREE_DIFF, compare
from gofastapi_ext.core.history import FileChange, FileDiff, TreeDiff

# A busy machine is not to fail the test; a quiet one takes a fraction of it.
WITHIN_SECONDS = 10.0


def bundle(**files: str | bytes | BundleFile) -> Bundle:
    """`main_py` is the file `main.py`."""
    made = {}
    for name, content in files.items():
        if isinstance(content, str):
            content = content.encode()
        file = content if isinstance(content, BundleFile) else BundleFile.from_bytes(content)
        made[name.replace("__", "/").replace("_", ".")] = file
    return Bundle(files=made)


def one(old: str | bytes, new: str | bytes) -> FileDiff:
    [found] = compare(bundle(main_py=old), bundle(main_py=new), "v1", "v2").files
    return found


def test_a_changed_line_with_its_surroundings() -> None:
    lines = [f"line {n}\n" for n in range(1, 21)]
    found = one("".join(lines), "".join([*lines[:9], "changed\n", *lines[10:]]))
    assert found.change is FileChange.CHANGED
    assert (found.added_lines, found.removed_lines, found.note) == (1, 1, "")
    assert found.unified == (
        "--- a/main.py\n+++ b/main.py\n@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+changed\n"
        " line 11\n line 12\n line 13\n"
    )


def test_files_that_came_and_went_and_stayed() -> None:
    old = bundle(main_py="same\n", old_py="gone\n", a__b_py="x\n")
    new = bundle(main_py="same\n", new_py="come\n", a__b_py="y\n")
    found = compare(old, new, "v1", "draft")
    assert (found.old, found.new) == ("v1", "draft")
    assert [(f.path, str(f.change)) for f in found.files] == [
        ("a/b.py", "changed"),
        ("new.py", "added"),
        ("old.py", "removed"),
    ]
    assert found.files[1].unified == "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+come\n"
    assert found.files[2].unified == "--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
    assert compare(old, old, "v1", "v1").files == []


def test_a_missing_newline_at_the_end_is_said() -> None:
    found = one("a\nb", "a\nb\n")
    assert found.unified.endswith(" a\n-b\n\\ No newline at end of file\n+b\n")
    assert one("a\nb\n", "a\nc").unified.endswith("-b\n+c\n\\ No newline at end of file\n")
    assert one("a", "b").unified.endswith("-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n")


def test_other_line_endings_are_said_in_words_and_can_be_seen() -> None:
    found = one("a\nb\n", "a\r\nb\r\n")
    assert found.note == "line endings: LF → CRLF"
    assert (found.added_lines, found.removed_lines) == (2, 2)
    assert "-a\n" in found.unified
    assert "+a\r\n" in found.unified
    assert one("a\r\nb\r\n", "a\r\nb\n").note == "line endings: CRLF → mixed"
    assert one("a\r\nb\r\n", "a\r\nc\r\n").note == ""
    assert "+a␍" in render_diff(TreeDiff(old="v1", new="v2", files=[found]))


def test_a_form_feed_or_a_strange_separator_ends_no_line() -> None:
    found = one("a\x0cb\u2028c\n", "a\x0cb\u2028d\n")
    assert (found.added_lines, found.removed_lines) == (1, 1)


def test_what_is_no_text_is_said_in_words() -> None:
    blob = BundleFile(blob="a" * 64, blob_bytes=12_000_000)
    old = bundle(main_py="", image_png=bytes(range(256)), nul_txt="a\0b", gone_bin=b"\xff", model_bin=blob)
    new = bundle(main_py="", image_png=bytes(range(255)), nul_txt="a\0c", model_bin=BundleFile(text="now text"))
    notes = {f.path: (f.unified, f.note) for f in compare(old, new, "v1", "v2").files}
    assert notes == {
        "gone.bin": ("", "not text: 1 B"),
        "image.png": ("", "not text: 256 B → 255 B"),
        "model.bin": ("", "not text: 12.0 MB → 8 B"),
        "nul.txt": ("", "not text: 3 B → 3 B"),
    }


def test_text_is_text_however_it_was_sent() -> None:
    sent = BundleFile(base64="YQpjCg==")
    assert compare(bundle(main_py="a\nc\n"), bundle(main_py=sent), "v1", "v2").files == []
    [found] = compare(bundle(main_py="a\nb\n"), bundle(main_py=sent), "v1", "v2").files
    assert found.unified.endswith(" a\n-b\n+c\n")


def test_an_empty_file_that_came() -> None:
    [found] = compare(bundle(main_py="x"), bundle(main_py="x", empty_py=""), "v1", "v2").files
    assert (found.change, found.unified, found.note) == (FileChange.ADDED, "", "an empty file")


def test_what_changed_beside_the_files() -> None:
    old = Bundle(files={}, requirements=["numpy", "pandas"])
    new = Bundle(files={}, main="app/main.py", entrypoint="app.main:app", requirements=["numpy", "polars"])
    assert compare(old, new, "v1", "v2").notes == [
        "The app is in app/main.py, it was in main.py.",
        "Entrypoint: found by itself → app.main:app",
        "Requirements added: polars",
        "Requirements removed: pandas",
    ]
    assert "are the same" not in render_diff(compare(old, new, "v1", "v2"))
    assert render_diff(compare(old, old, "v1", "v1")).endswith("v1 and v1 are the same.")


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the patch program")
def test_patch_makes_the_new_file_out_of_the_old_one(tmp_path: Path) -> None:
    """Of texts of many kinds: line endings, blank and repeated lines, no newline at the end, nothing at all."""
    generator = random.Random(3)
    words = ["\n", "a\n", "b\n", "\r\n", "a\r\n", "é\n", "@@ -1 +1 @@\n", "--- a\n", "\\ No newline\n"]
    for round_ in range(80):
        old = [generator.choice(words) for _ in range(generator.randrange(60))]
        new = list(old)
        for _ in range(generator.randrange(1, 6)):
            start = generator.randrange(len(new) + 1)
            new[start : start + generator.randrange(4)] = generator.choices(words, k=generator.randrange(4))
        ends = [generator.choice(["", "the end"]) for _ in range(2)]
        before, after = "".join(old) + ends[0], "".join(new) + ends[1]
        if before == after or not before or not after:
            continue
        path = tmp_path / str(round_) / "main.py"
        path.parent.mkdir()
        path.write_bytes(before.encode())
        done = subprocess.run(
            ["patch", "-p1", "--binary", "--fuzz=0", "--no-backup-if-mismatch"],
            cwd=path.parent,
            input=one(before, after).unified.encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (before, after, done.stdout)
        assert path.read_bytes() == after.encode()
        assert b"offset" not in done.stdout, "the lines are numbered wrong"


def lines_of(count: int, seed: int, kinds: int) -> str:
    generator = random.Random(seed)
    return "".join(f"value_{generator.randrange(kinds)} = 1\n" for _ in range(count))


HOSTILE = {
    "one line of 5 MB each": ("x" * 4_999_999, "x" * 2_500_000 + "y" * 2_499_999),
    "2.5 million lines each": ("a\n" * 2_499_999, "b\n" * 2_499_999),
    "5 MB with one change in the middle": (
        lines_of(250_000, 1, 10**6),
        lines_of(125_000, 1, 10**6) + "changed\n" + lines_of(250_000, 1, 10**6)[len(lines_of(125_000, 1, 10**6)) :],
    ),
    "every second line changed": (
        "".join(f"same {n}\nold {n}\n" for n in range(4_900)),
        "".join(f"same {n}\nnew {n}\n" for n in range(4_900)),
    ),
    "few kinds of lines": (lines_of(9_900, 1, 120), lines_of(9_900, 2, 120)),
    "lines just rare enough to count": (lines_of(9_900, 1, 99), lines_of(9_900, 2, 99)),
    "backwards": ("".join(f"{n}\n" for n in range(9_900)), "".join(f"{n}\n" for n in reversed(range(9_900)))),
    "two lines, again and again": ("a\nb\n" * 4_900, "b\na\n" * 4_900),
    "thousands of blank lines": ("\n" * 9_000 + "a\n", "\n" * 5_000 + "b\n" + "\n" * 4_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_take_little_time_and_room(name: str) -> None:
    old, new = bundle(main_py=HOSTILE[name][0]), bundle(main_py=HOSTILE[name][1])
    old.code_hash, new.code_hash  # noqa: B018 - stored bundles have been hashed
    begun = time.process_time()
    [found] = compare(old, new, "v1", "v2").files
    seconds = time.process_time() - begun
    print(f"{name}: {seconds:.2f} s, {len(found.unified)} characters, {found.note!r}")
    assert seconds < WITHIN_SECONDS
    assert len(found.unified) <= MAX_FILE_DIFF
    assert found.unified or found.note


@pytest.mark.parametrize("name", [name for name in HOSTILE if "each" in name or "5 MB" in name])
def test_large_files_take_little_memory(name: str) -> None:
    old, new = bundle(main_py=HOSTILE[name][0]), bundle(main_py=HOSTILE[name][1])
    old.code_hash, new.code_hash  # noqa: B018 - stored bundles have been hashed
    tracemalloc.start()
    try:
        compare(old, new, "v1", "v2")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30_000_000


def test_the_change_in_a_large_file_is_shown_at_its_line() -> None:
    found = one(*HOSTILE["5 MB with one change in the middle"])
    assert "@@ -124998,6 +124998,7 @@\n" in found.unified
    assert "\n+changed\n" in found.unified
    assert (found.added_lines, found.removed_lines) == (1, 0)


def test_what_is_too_large_says_how_large() -> None:
    found = one(*HOSTILE["2.5 million lines each"])
    assert (found.unified, found.note) == ("", "too large to compare: 5.0 MB → 5.0 MB")
    found = one(*HOSTILE["one line of 5 MB each"])
    assert (found.unified, found.note) == ("", "too much to show: 5.0 MB → 5.0 MB")
    assert (found.added_lines, found.removed_lines) == (1, 1)
    found = one("", "a line of text\n" * 19_000)
    assert found.note == "the rest is too much to show"
    assert found.added_lines == 19_000


def test_many_large_files_share_one_budget() -> None:
    old = Bundle(files={f"f{n}.py": BundleFile(text=lines_of(2_000, n, 60)) for n in range(60)})
    new = Bundle(files={f"f{n}.py": BundleFile(text=lines_of(2_000, n + 100, 60)) for n in range(60)})
    begun = time.process_time()
    found = compare(old, new, "v1", "v2")
    assert time.process_time() - begun < WITHIN_SECONDS
    assert len(found.files) == 60
    assert sum(len(f.unified) for f in found.files) <= MAX_TREE_DIFF
    assert found.files[0].unified
    assert found.files[-1].note.startswith("too much to show")


def test_without_a_budget_a_diff_is_longer_and_still_right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(diff, "MAX_STEPS", 0)
    found = one("a\nb\nc\nd\n", "x\nb\nc\ny\n")
    assert found.unified.endswith("@@ -1,4 +1,4 @@\n-a\n-b\n-c\n-d\n+x\n+b\n+c\n+y\n")
