"""What keeps the service's memory small, each in a Python of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAPS = """
import ctypes, sys, threading
from gofastapi_ext.platform.allocator import share_one_heap

libc = ctypes.CDLL(None)
if not hasattr(libc, "malloc_info"):
    sys.exit("no glibc")
if "share" in sys.argv:
    share_one_heap()
all_there = threading.Barrier(4)

def work():
    all_there.wait()
    kept.append([bytes(n) for n in range(1000, 5000)])
    all_there.wait()

kept = []
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


def ran(source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", source, *arguments], capture_output=True, text=True, timeout=60)


def test_threads_take_memory_from_one_heap() -> None:
    by_default = ran(HEAPS)
    if "no glibc" in by_default.stderr:
        pytest.skip("the C library has no such thing")
    assert by_default.stdout.count("<heap nr=") > 1
    assert ran(HEAPS, "share").stdout.count("<heap nr=") == 1


def test_the_service_starts_without_what_only_some_need() -> None:
    done = ran("import sys, gofastapi_ext.platform.__main__; print({m.partition('.')[0] for m in sys.modules})")
    assert "pymongo" in done.stdout
    assert {name for name in ("aiohttp", "cryptography") if f"'{name}'" in done.stdout} == set()
