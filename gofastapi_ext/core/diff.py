"""How two trees of code differ, as unified diffs.

Whatever the files are like, it takes little time and memory: what two sides have in common at their ends is
skipped first, the comparison of the rest has a budget of steps, and what is shown has a size. A diff that ran
out of its budget is longer than it had to be, never wrong.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from itertools import accumulate
from typing import Literal

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.history import FileChange, FileDiff, TreeDiff
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.objects import MANIFEST, is_objects_file

MAX_FILE_DIFF = 200_000
"""Characters of one file's diff; what is beyond is left out, and the note says so."""
MAX_TREE_DIFF = 2_000_000
"""Characters of all diffs together."""
MAX_LINES = 20_000
"""Of both sides together, without what they have in common at their ends: more is not compared by lines."""
MAX_STEPS = 4_000_000
"""Comparisons of lines, for all files together: some tenths of a second."""
_CONTEXT = 3
_Code = tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]


def compare(old: Bundle, new: Bundle, old_name: str, new_name: str) -> TreeDiff:
    """What changed from `old` to `new`, by path: code first, then things from the kernel.

    It may take a second: nothing for an event loop.
    """
    budget = _Budget(MAX_STEPS, MAX_TREE_DIFF)
    paths = [path for path in old.files.keys() | new.files if _sha256(old, path) != _sha256(new, path)]
    paths.sort(key=lambda path: (is_objects_file(path), path))
    return TreeDiff(
        old=old_name,
        new=new_name,
        files=[_compare_file(path, old.files.get(path), new.files.get(path), budget) for path in paths],
        notes=_other_changes(old, new),
    )


@dataclass
class _Budget:
    """What is left to spend on the files to come."""

    steps: int
    characters: int


def _compare_file(path: str, old: BundleFile | None, new: BundleFile | None, budget: _Budget) -> FileDiff:
    change = FileChange.ADDED if old is None else FileChange.REMOVED if new is None else FileChange.CHANGED
    if path == MANIFEST:
        # Written by us, about files that stand below it.
        return FileDiff(path=path, change=change, unified="", note="what came from the kernel")
    before, after = _text(old), _text(new)
    if before is None or after is None:
        return FileDiff(path=path, change=change, unified="", note=f"not text: {_sizes(old, new)}")
    sides = _Sides.of(before, after)
    if sides is None:
        return FileDiff(path=path, change=change, unified="", note=f"too large to compare: {_sizes(old, new)}")
    matcher = _BoundedMatcher(sides, budget)
    changed = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    unified, is_whole = _shown(_unified(path, change, matcher, sides), min(MAX_FILE_DIFF, budget.characters))
    budget.characters -= len(unified)
    notes = ["an empty file"] if not before and not after else []
    notes += [f"line endings: {_endings(before)} → {_endings(after)}"] if _other_endings(before, after) else []
    if not is_whole:
        notes.append("the rest is too much to show" if unified else f"too much to show: {_sizes(old, new)}")
    return FileDiff(
        path=path,
        change=change,
        unified=unified,
        added_lines=sum(j2 - j1 for _, _, _, j1, j2 in changed),
        removed_lines=sum(i2 - i1 for _, i1, i2, _, _ in changed),
        note="; ".join(notes),
    )


@dataclass(frozen=True)
class _Sides:
    """The lines from the first to the last in which two texts differ, and some around them, with their newlines."""

    old: list[str]
    new: list[str]
    before: list[str]
    after: list[str]
    skipped: int
    """How many lines come before all of these, in both."""

    @classmethod
    def of(cls, old: str, new: str) -> _Sides | None:
        """None where they differ in too many lines."""
        same = _common_prefix(old, new)
        tail = _common_suffix(old, new, min(len(old), len(new)) - same)
        start = _back(old, same, 0)
        old_end, new_end = _forth(old, len(old) - tail, 0), _forth(new, len(new) - tail, 0)
        if old.count("\n", start, old_end) + new.count("\n", start, new_end) > MAX_LINES:
            return None
        context = _back(old, start, _CONTEXT)
        return cls(
            old=_lines(old[start:old_end]),
            new=_lines(new[start:new_end]),
            before=_lines(old[context:start]),
            after=_lines(old[old_end : _forth(old, old_end, _CONTEXT - 1)]),
            skipped=old.count("\n", 0, context),
        )


class _BoundedMatcher(SequenceMatcher[str]):
    """Stops looking for what two sides have in common when the budget is spent: the rest counts as replaced."""

    a: list[str]
    b2j: dict[str, list[int]]

    def __init__(self, sides: _Sides, budget: _Budget) -> None:
        super().__init__(None, sides.old, sides.new)
        self._around = len(sides.before), len(sides.after)
        self._budget = budget
        # What each line of the old side costs, summed up from the first: one look at it, and one at each like it.
        self._costs = [0, *accumulate(1 + len(self.b2j.get(line, ())) for line in sides.old)]

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        cost = self._costs[len(self.a) if ahi is None else ahi] - self._costs[alo]
        if cost > self._budget.steps:
            return Match(alo, blo, 0)
        self._budget.steps -= cost
        return super().find_longest_match(alo, ahi, blo, bhi)

    def get_opcodes(self) -> list[_Code]:
        """With the lines around the two sides, which are the same in both."""
        before, after = self._around
        codes: list[_Code] = [("equal", 0, before, 0, before)]
        for tag, i1, i2, j1, j2 in super().get_opcodes():
            codes.append((tag, i1 + before, i2 + before, j1 + before, j2 + before))
        _, _, old_end, _, new_end = codes[-1]
        codes.append(("equal", old_end, old_end + after, new_end, new_end + after))
        return _merged(codes)


def _merged(codes: list[_Code]) -> list[_Code]:
    """Without empty blocks, and with one where two that are equal follow each other."""
    merged: list[_Code] = []
    for code in codes:
        tag, i1, i2, j1, j2 = code
        if i1 == i2 and j1 == j2:
            continue
        if merged and merged[-1][0] == tag == "equal":
            _, i1, _, j1, _ = merged.pop()
        merged.append((tag, i1, i2, j1, j2))
    return merged


def _unified(path: str, change: FileChange, matcher: _BoundedMatcher, sides: _Sides) -> Iterator[str]:
    """The lines of the diff, as `patch -p1` reads it, in pieces of whole lines; the first two are its head."""
    yield "--- /dev/null\n" if change is FileChange.ADDED else f"--- a/{path}\n"
    yield "+++ /dev/null\n" if change is FileChange.REMOVED else f"+++ b/{path}\n"
    old_lines, new_lines = ([*sides.before, *lines, *sides.after] for lines in (sides.old, sides.new))
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        old_range, new_range = _range(old_start, old_end, sides), _range(new_start, new_end, sides)
        yield f"@@ -{old_range} +{new_range} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (_line(" ", line) for line in old_lines[i1:i2])
                continue
            yield from (_line("-", line) for line in old_lines[i1:i2])
            yield from (_line("+", line) for line in new_lines[j1:j2])


def _range(start: int, end: int, sides: _Sides) -> str:
    first = sides.skipped + start + (1 if end > start else 0)
    return f"{first}" if end - start == 1 else f"{first},{end - start}"


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _shown(pieces: Iterator[str], most: int) -> tuple[str, bool]:
    """The diff as far as it fits into `most` characters, and whether that is all of it."""
    shown: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            # The head and a hunk's own line alone say nothing.
            return ("".join(shown) if len(shown) > 3 else ""), False
        shown.append(piece)
    return ("".join(shown) if len(shown) > 2 else ""), True


def _other_changes(old: Bundle, new: Bundle) -> list[str]:
    notes = []
    if old.main != new.main:
        notes.append(f"The app is in {new.main}, it was in {old.main}.")
    if old.entrypoint != new.entrypoint:
        notes.append(f"Entrypoint: {old.entrypoint or 'found by itself'} → {new.entrypoint or 'found by itself'}")
    if added := sorted(set(new.requirements) - set(old.requirements)):
        notes.append(f"Requirements added: {', '.join(added)}")
    if removed := sorted(set(old.requirements) - set(new.requirements)):
        notes.append(f"Requirements removed: {', '.join(removed)}")
    return notes


def _text(file: BundleFile | None) -> str | None:
    """ "" for no file, None for what is no text."""
    if file is None:
        return ""
    if file.blob is not None:
        return None
    text = file.text
    if text is None:
        try:
            text = base64.b64decode(file.base64 or "").decode()
        except ValueError:
            return None
    return None if "\0" in text else text


def _sizes(old: BundleFile | None, new: BundleFile | None) -> str:
    return " → ".join(format_bytes(file.size_bytes) for file in (old, new) if file is not None)


def _sha256(bundle: Bundle, path: str) -> str | None:
    return bundle.files[path].sha256 if path in bundle.files else None


def _other_endings(old: str, new: str) -> bool:
    return "\n" in old and "\n" in new and _endings(old) != _endings(new)


def _endings(text: str) -> str:
    all_of_them, windows = text.count("\n"), text.count("\r\n")
    return "LF" if not windows else "CRLF" if windows == all_of_them else "mixed"


def _lines(text: str) -> list[str]:
    """Not `splitlines`, which cuts at form feeds and the like too."""
    *lines, last = text.split("\n")
    return [line + "\n" for line in lines] + ([last] if last else [])


def _back(text: str, position: int, lines: int) -> int:
    """The beginning of the line `lines` above that of `position`."""
    for _ in range(lines + 1):
        position = text.rfind("\n", 0, position) + 1
        if position == 0:
            return 0
        position -= 1
    return position + 1


def _forth(text: str, position: int, lines: int) -> int:
    """The end of the line `lines` below that of `position`."""
    for _ in range(lines + 1):
        end = text.find("\n", position)
        if end < 0:
            return len(text)
        position = end + 1
    return position


def _common_prefix(old: str, new: str) -> int:
    """How many characters are the same at the beginning. By halves: a comparison of slices is fast."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(old: str, new: str, most: int) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low
