"""Zips of projects, and zips that want to do harm: read in bounded memory and time, or refused in words."""

from __future__ import annotations

import io
import stat
import struct
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable

import pytest

from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.project.archive import Archive
from gofastapi_ext.core.project.restored import restore

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def zipped(files: dict[str, str | bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    """A zip of these files; `change` may spoil what is written about each."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name, content in files.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            entry.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(entry)
            archive.writestr(entry, content)
    return buffer.getvalue()


def read(content: bytes, **limits: int) -> dict[str, bytes]:
    files = opened(content, **limits).files()
    return {path: file.content for path, file in files.items()}


def opened(content: bytes, **limits: int) -> Archive:
    return Archive(io.BytesIO(content), Limits(**limits))


def refusal(content: bytes, **limits: int) -> str:
    """Why a zip is refused, in words for people."""
    with pytest.raises(InvalidBundleError) as raised:
        restore(opened(content, **limits).files())
    assert "Traceback" not in raised.value.message
    return raised.value.message


def test_files_come_along_with_their_bytes_and_modes_do_not_matter() -> None:
    files = {"main.py": APP, "static/logo.png": b"\x89PNG\0", "empty.txt": ""}
    assert read(zipped(files)) == {"main.py": APP.encode(), "static/logo.png": b"\x89PNG\0", "empty.txt": b""}


def test_a_single_top_folder_is_dropped_as_in_zips_of_github() -> None:
    content = zipped({"shop-main/": "", "shop-main/main.py": APP, "shop-main/static/a.css": "", "__MACOSX/x": "junk"})
    assert sorted(read(content)) == ["main.py", "static/a.css"]


@pytest.mark.parametrize(
    "files",
    [
        {"shop/__init__.py": "", "shop/main.py": APP},
        {"shop/main.py": f"from shop.db import x\n{APP}", "shop/db.py": "x = 1"},
        {"shop/main.py": APP, "README.md": ""},
    ],
    ids=["package", "imported by its name", "not alone"],
)
def test_a_folder_that_means_something_stays(files: dict[str, str | bytes]) -> None:
    assert sorted(read(zipped(files))) == sorted(files)


def test_what_nobody_means_goes_without_a_word_and_secrets_are_named() -> None:
    files: dict[str, str | bytes] = {
        "main.py": APP,
        ".git/config": "",
        "__pycache__/main.pyc": b"",
        "node_modules/x/index.js": "",
        ".env": "KEY=1",
        "certs/server.key": "x",
        "deep/.aws/credentials": "x",
        ".hidden/file": "x",
        "env/pyvenv.cfg": "",
        "env/lib/site.py": "x",
        "notes.txt": "-----BEGIN RSA PRIVATE KEY-----\nabc",
    }
    archive = opened(zipped(files))
    assert sorted(archive.files()) == ["main.py"]
    assert sorted(archive.left_out) == [
        ".env: may hold secrets",
        ".hidden/: hidden",
        "certs/server.key: may hold secrets",
        "deep/.aws/: may hold secrets",
        "env/: a virtual environment",
        "notes.txt: may hold secrets",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "a/../../evil.py",
        "/etc/passwd",
        "//host/x",
        "C:/x.py",
        "c:\\x.py",
        "a\\..\\b.py",
        "a//b.py",
        "a\nb.py",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(name: str) -> None:
    told = refusal(zipped({"main.py": APP, name: "x"}))
    assert repr(name) in told


def test_a_nul_in_a_name_hides_nothing() -> None:
    """Python's reader cuts the name there: `main.py` it would be."""
    content = zipped({"main.pyXhidden": APP}).replace(b"main.pyXhidden", b"main.py\0hidden")
    assert "control characters" in refusal(content)


def test_two_entries_of_one_name_are_refused() -> None:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("main.py", APP)
        archive.writestr("main.py", "evil = 1")
    assert "main.py twice" in refusal(buffer.getvalue())


@pytest.mark.parametrize(
    "pair", [("Readme.txt", "README.txt"), ("caf\u00e9.txt", "cafe\u0301.txt"), ("data", "data/x.txt"), ("A/x", "a/y")]
)
def test_names_that_cannot_lie_side_by_side_are_refused(pair: tuple[str, str]) -> None:
    told = refusal(zipped({"main.py": APP, pair[0]: "x", pair[1]: "y"}))
    assert told.startswith("The files cannot be an app: ")
    assert ascii("A" if pair == ("A/x", "a/y") else pair[0]) in told


def test_links_and_devices_are_left_out_and_named() -> None:
    def change(entry: zipfile.ZipInfo) -> None:
        kind = {"link": stat.S_IFLNK, "pipe": stat.S_IFIFO, "disk": stat.S_IFBLK}.get(entry.filename, stat.S_IFREG)
        entry.create_system = 3
        entry.external_attr = (kind | 0o644) << 16

    archive = opened(zipped({"main.py": APP, "link": "/etc/passwd", "pipe": "", "disk": ""}, change))
    assert sorted(archive.files()) == ["main.py"]
    assert archive.left_out == ["link: a link", "pipe: not a file", "disk: not a file"]


def test_encrypted_files_are_refused() -> None:
    content = bytearray(zipped({"main.py": APP}))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1  # in the list of the zip
    content[6] |= 1  # and before the file itself
    assert "encrypted" in refusal(bytes(content))


def test_an_unusual_compression_is_refused_before_its_program_runs() -> None:
    """What unpacks LZMA takes as much memory as the zip tells it to."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("main.py", APP)
    assert "compressed in an unusual way (14)" in refusal(buffer.getvalue())


def test_a_file_that_is_not_what_its_checksum_says_is_refused() -> None:
    content = zipped({"main.py": APP}, lambda entry: setattr(entry, "compress_type", zipfile.ZIP_STORED))
    assert "main.py in the zip is damaged" in refusal(content.replace(b"fastapi", b"fastapj"))


@pytest.mark.parametrize("cut", [1, 10, 30, 60])
def test_a_zip_that_was_cut_short_is_refused(cut: int) -> None:
    assert "The zip is damaged" in refusal(zipped({"main.py": APP})[:-cut])


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + b"\xff" * 18, b"PK\x05\x06" + b"\0" * 17])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    assert "The zip is damaged, or no zip at all" in refusal(content)


def test_every_damage_is_refused_in_words_or_harmless() -> None:
    """Each byte of a zip spoilt, one at a time."""
    good = zipped({"main.py": APP, "a.txt": "hello"})
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 0xFF
        try:
            restore(opened(bytes(bad)).files())
        except InvalidBundleError:
            continue


def spoilt_size(content: bytes, size: int) -> bytes:
    """A zip of one file that says its file has another size, in both places."""
    spoilt = bytearray(content)
    spoilt[22:26] = struct.pack("<L", size)
    at = spoilt.index(b"PK\x01\x02")
    spoilt[at + 24 : at + 28] = struct.pack("<L", size)
    return bytes(spoilt)


def test_a_bomb_is_refused_by_what_it_declares_before_it_is_unpacked() -> None:
    bomb = zipped({"main.py": b"\0" * 50_000_000})
    assert len(bomb) < 100_000
    tracemalloc.start()
    told = refusal(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "main.py is 50.0 MB; a file may have 5.0 MB" in told
    assert peak < 5_000_000


def test_a_bomb_that_declares_little_is_refused_without_being_unpacked_whole() -> None:
    bomb = spoilt_size(zipped({"main.py": b"\0" * 50_000_000}), 1000)
    tracemalloc.start()
    told = refusal(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "main.py in the zip is damaged" in told
    assert peak < 5_000_000


def test_a_file_shorter_than_declared_is_refused() -> None:
    assert "damaged" in refusal(spoilt_size(zipped({"main.py": APP}), len(APP) + 10))


def test_many_files_that_are_too_much_together_are_refused_and_the_largest_named() -> None:
    bomb = zipped({"main.py": APP} | {f"data{n}.bin": b"\0" * (4_000_000 + n) for n in range(7)})
    told = refusal(bomb)
    assert "28.0 MB together; 20.0 MB is the limit. The largest: data6.bin (4.0 MB), data5.bin" in told


def test_entries_that_share_their_bytes_do_not_multiply() -> None:
    """A list that names one compressed file many times over, under other names."""
    one = zipped({"0000.bin": b"\0" * 4_000_000})
    start = one.index(b"PK\x01\x02")
    entry, end = one[start : one.index(b"PK\x05\x06")], bytearray(one[one.index(b"PK\x05\x06") :])
    entries = [entry.replace(b"0000.bin", b"%04d.bin" % n) for n in range(200)]
    end[8:12] = struct.pack("<HH", 200, 200)
    end[12:16] = struct.pack("<L", len(entry) * 200)
    began = time.process_time()
    assert "800.0 MB together" in refusal(one[:start] + b"".join(entries) + bytes(end))
    assert time.process_time() - began < 5


def test_a_zip_in_a_zip_is_a_file_like_any_other() -> None:
    inner = zipped({"x": b"\0" * 50_000_000})
    assert read(zipped({"main.py": APP, "inner.zip": inner}))["inner.zip"] == inner


def test_a_hundred_thousand_entries_are_refused_in_bounded_memory_and_time() -> None:
    entry, many = (
        b"PK\x01\x02" + struct.pack("<6H3L5H2L", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a",
        100_000,
    )
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, len(entry) * many, 0, 0)
    tracemalloc.start()
    began = time.process_time()
    told = refusal(entry * many + end)
    took = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "lists more files than an app could have" in told
    assert took < 5
    assert peak < 20_000_000


def test_more_entries_than_anybody_looks_at_are_refused() -> None:
    content = zipped({f"node_modules/{n}": "" for n in range(20_001)})
    assert "20001 files and folders; 20000 is the limit" in refusal(content)


def test_more_files_than_an_app_may_have_are_refused() -> None:
    told = refusal(zipped({"main.py": APP} | {f"d/{n}.txt": "" for n in range(600)}))
    assert "601 files" in told
    assert "500" in told


def test_names_in_utf8_that_do_not_say_so_are_read_as_such() -> None:
    """As the archiver of macOS writes them."""
    content = bytearray(zipped({"main.py": APP, "grüße.txt": "x"}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.index(signature, content.index(signature) + 1)
        content[start + at + 1] &= ~0x08
    assert "grüße.txt" in read(bytes(content))


def test_a_project_without_an_app_is_refused() -> None:
    assert "no Python file" in refusal(zipped({"index.html": "x"}))
    assert "No Python file here makes an app" in refusal(zipped({"main.py": "x = 1"}))
    both = {"one/web.py": APP, "two/web.py": APP}
    assert "More than one file could hold the app: one/web.py, two/web.py" in refusal(zipped(both))


@pytest.mark.parametrize(
    ("files", "main"),
    [
        ({"main.py": APP, "app.py": APP}, "main.py"),
        ({"main.py": "print('a script')", "app.py": APP}, "app.py"),
        ({"src/main.py": APP, "tests/test_main.py": f"from main import app\n{APP}"}, "src/main.py"),
        ({"service/web.py": APP, "service/other.py": "x = 1"}, "service/web.py"),
        ({"main.py": "from fastapi import FastAPI\ndef create_app():\n    return FastAPI()\n"}, "main.py"),
    ],
)
def test_the_file_with_the_app_is_found(files: dict[str, str | bytes], main: str) -> None:
    files = {**files, "README.md": "so that no folder is dropped"}
    assert restore(opened(zipped(files)).files()).bundle.main == main


def test_what_imports_begin_in_is_put_at_the_top() -> None:
    files = {"src/shop/__init__.py": "", "src/shop/main.py": f"from shop.db import x\n{APP}", "src/shop/db.py": "x = 1"}
    restored = restore(
        opened(zipped({f"repo/{path}": text for path, text in (files | {"setup.cfg": ""}).items()})).files()
    )
    assert sorted(restored.bundle.files) == ["setup.cfg", "shop/__init__.py", "shop/db.py", "shop/main.py"]
    assert restored.bundle.main == "shop/main.py"
    assert restored.notes == ["The app's imports begin in src/, so what that holds is at the top."]
    launcher = 'import uvicorn\nuvicorn.run("service.web:api")\n'
    web = "from fastapi import FastAPI\napi = FastAPI()\nadmin = FastAPI()\n"
    restored = restore(opened(zipped({"run.py": launcher, "service/web.py": web})).files())
    assert (restored.bundle.main, restored.bundle.entrypoint) == ("service/web.py", "service.web:api")
