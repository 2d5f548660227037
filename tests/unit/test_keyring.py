"""The key file: made once, read each time, never written over where it cannot be understood."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, cast

import pytest

from gofastapi_ext.core.errors import NotFoundError, SecretsUnreadableError
from gofastapi_ext.platform.api.env import rotate_key
from gofastapi_ext.platform.auth import Principal
from gofastapi_ext.platform.keyring import KeyRing

SECRET = "sk_live_51H é"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets.key"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_a_file_is_made_with_the_first_secret_and_not_before(path: Path) -> None:
    ring = KeyRing(path)
    assert not path.exists()
    sealed = ring.seal(SECRET, "app/TOKEN")
    [line] = lines(path)
    assert line.split()[0] == sealed.key
    assert path.stat().st_mode & 0o777 == 0o600
    assert ring.open(sealed, "app/TOKEN") == KeyRing(path).open(sealed, "app/TOKEN") == SECRET
    assert sealed.size_bytes == len(SECRET.encode())
    assert SECRET.encode() not in sealed.data
    assert ring.seal(SECRET, "app/TOKEN").data != sealed.data


@pytest.mark.parametrize("elsewhere", ["app/OTHER", "other/TOKEN", "", "app/TOKEN "])
def test_a_secret_opens_in_its_own_place_only(path: Path, elsewhere: str) -> None:
    ring = KeyRing(path)
    sealed = ring.seal(SECRET, "app/TOKEN")
    with pytest.raises(SecretsUnreadableError, match="another one than"):
        ring.open(sealed, elsewhere)


@pytest.mark.parametrize("field", ["nonce", "data"])
def test_what_was_changed_does_not_open(path: Path, field: str) -> None:
    ring = KeyRing(path)
    sealed = ring.seal(SECRET, "app/TOKEN")
    content = bytearray(getattr(sealed, field))
    content[0] ^= 1
    with pytest.raises(SecretsUnreadableError):
        ring.open(sealed.model_copy(update={field: bytes(content)}), "app/TOKEN")


def test_after_every_step_of_a_rotation_everything_opens(path: Path) -> None:
    old = KeyRing(path).seal(SECRET, "a/T")
    key = KeyRing(path).begin_rotation()
    assert [line.split()[0] for line in lines(path)] == [key, old.key]
    assert KeyRing(path).open(old, "a/T") == SECRET
    new = KeyRing(path).seal(SECRET, "a/T")
    assert new.key == key
    # A second one begins where the first was broken off.
    again = KeyRing(path).begin_rotation()
    assert len(lines(path)) == 3
    newest = KeyRing(path).seal(SECRET, "a/T")
    for sealed in (old, new, newest):
        assert KeyRing(path).open(sealed, "a/T") == SECRET
    KeyRing(path).end_rotation({again, key})
    assert [line.split()[0] for line in lines(path)] == [again, key]
    KeyRing(path).end_rotation({again})
    assert [line.split()[0] for line in lines(path)] == [again]
    assert KeyRing(path).open(newest, "a/T") == SECRET
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_half_written_by_a_crash_harms_nothing(path: Path) -> None:
    ring = KeyRing(path)
    sealed = ring.seal(SECRET, "a/T")
    path.with_name("secrets.key.new").write_text("abc")
    ring.begin_rotation()
    assert ring.open(sealed, "a/T") == SECRET


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no key"),
        (b"# nothing\n\n", "holds no key"),
        (b"k1 abc\n", "damaged in line 1"),
        (b"k1 " + b"0" * 64 + b"\nk2 " + b"g" * 64 + b"\n", "damaged in line 2"),
        (b"k1 " + b"0" * 64 + b"\nk1 " + b"1" * 64 + b"\n", "damaged in line 2"),
        (b"\xff\xfe\x00", "is no text"),
    ],
)
def test_a_damaged_file_is_told_and_left_as_it_is(path: Path, content: bytes, words: str) -> None:
    sealed = KeyRing(path).seal(SECRET, "a/T")
    path.write_bytes(content)
    ring = KeyRing(path)
    for attempt in (
        lambda: ring.open(sealed, "a/T"),
        lambda: ring.seal(SECRET, "a/T"),
        ring.begin_rotation,
        lambda: ring.end_rotation(set()),
    ):
        with pytest.raises(SecretsUnreadableError, match=words) as told:
            attempt()
        assert str(path) in told.value.message
        assert path.read_bytes() == content


def test_a_file_that_is_no_file_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(SecretsUnreadableError, match="cannot be read"):
        KeyRing(path).seal(SECRET, "a/T")


def test_a_lost_file_is_told_and_one_brought_back_counts_at_once(path: Path) -> None:
    ring = KeyRing(path)
    sealed = ring.seal(SECRET, "a/T")
    kept = path.read_text()
    path.unlink()
    with pytest.raises(SecretsUnreadableError, match="there is no file"):
        ring.open(sealed, "a/T")
    other = ring.seal(SECRET, "b/T")
    with pytest.raises(SecretsUnreadableError, match="is not in"):
        ring.open(sealed, "a/T")
    # The line of the old key may stand below the new one.
    path.write_text(path.read_text() + kept)
    assert ring.open(sealed, "a/T") == ring.open(other, "b/T") == SECRET


def test_a_mounted_file_is_never_made_nor_written(path: Path) -> None:
    ring = KeyRing(path, mounted=True)
    with pytest.raises(SecretsUnreadableError, match="is not there"):
        ring.seal(SECRET, "a/T")
    assert not path.exists()
    path.write_text(f"k1 {'01' * 32}\r\n")
    sealed = ring.seal(SECRET, "a/T")
    path.write_text(f"k2 {'02' * 32}\n# the old one\nk1 {'01' * 32}\n")
    before = (path.read_bytes(), path.stat().st_mtime_ns, os.listdir(path.parent))
    assert ring.begin_rotation() == "k2"
    ring.end_rotation(set())
    assert ring.open(sealed, "a/T") == SECRET
    assert (path.read_bytes(), path.stat().st_mtime_ns, os.listdir(path.parent)) == before


def test_a_user_who_is_no_admin_does_not_rotate_the_key() -> None:
    with pytest.raises(NotFoundError):
        asyncio.run(rotate_key(cast(Any, None), Principal(user="somebody", is_admin=False)))
