"""What is told of a mongod that ended, from what it wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from gofastapi_ext.platform.databases.last_words import last_words

STARTED = '{"s":"I","c":"CONTROL","msg":"MongoDB starting","attr":{"error":"none"}}'
WARNED = '{"s":"W","c":"CONTROL","msg":"Access control is on"}'
INIT = (
    '{"s":"F","c":"CONTROL","msg":"Error during global initialization",'
    '"attr":{"error":{"code":38,"errmsg":"Failed to open log"}}}'
)
TURTLE = (
    '{"s":"E","c":"WT","msg":"WiredTiger error message",'
    '"attr":{"error":-31809,"message":{"msg":"fatal turtle file","error_str":"corruption"}}}'
)
TERMINATING = '{"s":"E","c":"CONTROL","msg":"terminating","attr":{"error":"Location28596: no lock file"}}'
ASSERTION = '{"s":"F","c":"ASSERT","msg":"Fatal\\n\\nassertion","attr":{"msgid":50853}}'
SIGNAL = '{"s":"F","c":"CONTROL","msg":"Writing fatal message","attr":{"message":"Got signal: 6 (Aborted).\\n"}}'


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ""),
        (["", " "], ""),
        (["error while loading: libcrypto.so.1.1"], "error while loading: libcrypto.so.1.1"),
        (["first", "second", "third"], "second; third"),
        ([STARTED, INIT], "Failed to open log"),
        ([STARTED, TERMINATING, WARNED, STARTED], "Location28596: no lock file"),
        ([TURTLE, TURTLE, ASSERTION, SIGNAL], "fatal turtle file: corruption; Fatal assertion"),
        ([SIGNAL, "[]", "{not json"], "Got signal: 6 (Aborted)."),
        (['{"s":"E","msg":"no port"}', '{"s":"F","msg":"x","attr":[1]}'], "no port; x"),
    ],
)
def test_the_first_errors_or_the_last_lines(lines: list[str], words: str, tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    before = TERMINATING.replace("28596", "1") + "\n"
    log.write_text(before + "\n".join(lines))
    assert last_words(log, len(before)) == words


def test_it_is_one_line_of_bounded_length_whatever_was_written(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    log.write_bytes(b"\xff\x00" * 5000)
    assert 0 < len(last_words(log, 0)) <= 600
    assert last_words(tmp_path / "none", 0) == ""
