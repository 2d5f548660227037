"""Secrets are found in every form a program prints them in."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.logs import LogQuery
from gofastapi_ext.core.redaction import MARK, Redactor
from gofastapi_ext.platform.runtimes.base import LaunchSpec
from gofastapi_ext.platform.runtimes.local.logs import AppLog, LogPipe

SECRET = 'pä55/w+rd "quoted"\\&<x>\'='
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ+/\n  indented line of it\nshort\n-----END KEY-----\n"
SHORT_LINES = "one\ntwo\nthree\nfour\n"


@pytest.mark.parametrize("secret", [SECRET, "sk_live_51H", "abcd", KEY, "ünïcödé", "with  blanks  "])
def test_every_form_of_a_secret_is_replaced(secret: str) -> None:
    printed = [
        secret,
        secret.strip(),
        f"token={secret};",
        json.dumps(secret),
        json.dumps({"key": secret}, ensure_ascii=False),
        repr(secret),
        repr([secret]),
        repr(secret.encode()),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        urlencode({"q": secret}),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode(),
    ]
    redactor = Redactor([secret])
    for text in printed:
        redacted = redactor.text(text)
        assert MARK in redacted, text
        assert redactor.text(redacted) == redacted
        for piece in (secret.strip(), json.dumps(secret)[1:-1], text.strip("\"'[]b")):
            assert piece not in redacted, text


@pytest.mark.parametrize("user", ["u", "us", "use", "user"])
def test_a_secret_inside_what_is_encoded_in_base64_is_found(user: str) -> None:
    header = base64.b64encode(f"{user}:correct horse battery".encode()).decode()
    redacted = Redactor(["correct horse battery"]).text(f"Authorization: Basic {header}")
    assert MARK in redacted
    left = redacted.removeprefix("Authorization: Basic ").replace(MARK, "")
    assert len(left) <= len(base64.b64encode(f"{user}:".encode())) + 4


def test_lines_of_a_secret_are_found_alone_unless_they_are_short() -> None:
    text = Redactor([KEY]).text("MIIEvQIBADANBgkqhkiG9w0BAQ+/ then indented line of it then short")
    assert text == "*** then *** then short"


def test_secrets_that_overlap_leave_nothing_of_either() -> None:
    assert Redactor(["abcd1234", "1234efgh", "abcd"]).text("xabcd1234efghy abcd") == "x***y ***"


def test_the_mark_is_not_looked_at_again() -> None:
    assert Redactor(["****", "***x"]).text("****, ***x") == "***, ***"


def test_nothing_is_touched_where_there_is_nothing_to_hide() -> None:
    data = b"plain \xff output\n"
    assert Redactor([]).data(data) is data
    assert Redactor(["hunter22"]).data(data) is data
    lone = "lone \ud800 hunter22"
    assert Redactor(["hunter22"]).text(lone) == "lone \ud800 ***"


def test_a_diagnostic_says_the_same_without_the_secret() -> None:
    found = Diagnostic(code="x", message="no hunter22", hint="hunter22?", traceback="\nhunter22", source="'hunter22'")
    told = Redactor(["hunter22"]).diagnostic(found)
    assert "hunter22" not in told.model_dump_json()
    assert (told.code, told.message) == ("x", "no ***")


def test_a_text_that_was_cut_in_a_secret_keeps_no_part_of_it() -> None:
    secret, gap = "sk_live_51Habcdefgh", " […] "
    text = f"cannot use {secret} at {secret}, says the bank"
    redactor = Redactor([secret])
    assert redactor.shortened(text, gap) == "cannot use *** at ***, says the bank"
    for left in range(12, 30):
        for right in range(34, 52):
            told = redactor.shortened(text[:left] + gap + text[right:], gap)
            assert "sk_live" not in told
            assert "fgh" not in told
            assert told.startswith("cannot use ")
            assert told.endswith(", says the bank")


def test_neither_values_nor_secrets_show_in_a_launch() -> None:
    spec = LaunchSpec(
        "a", "ann", 1, Path("x"), "main:app", environment={"A": "hunter22"}, secrets=frozenset({"hunter22"})
    )
    assert "hunter22" not in repr(spec)


def logged(tmp_path: Path, secrets: list[str], chunks: list[bytes], pause_seconds: float = 0.0) -> str:
    """What stands in the log after these chunks came in."""

    async def run() -> None:
        log = AppLog(tmp_path / "app" / "app.log", 10_000_000)
        pipe = LogPipe(log, 1, Redactor(secrets))
        for chunk in chunks:
            pipe.data_received(chunk)
            await asyncio.sleep(pause_seconds)
        pipe.connection_lost(None)
        log.close()

    asyncio.run(run())
    text = (tmp_path / "app" / "app.log").read_text()
    (tmp_path / "app" / "app.log").unlink()
    return "".join(line.split("\t", 3)[3] for line in text.splitlines(keepends=True))


@pytest.mark.parametrize("secret", ["sk_live_51H", KEY, SHORT_LINES])
def test_a_secret_that_comes_in_two_chunks_does_not_slip_through(tmp_path: Path, secret: str) -> None:
    whole = f"before\nis {secret} it\nafter\n".encode()
    assert logged(tmp_path, [secret], [whole]) == "before\nis *** it\nafter\n"
    for cut in range(1, len(whole)):
        text = logged(tmp_path, [secret], [whole[:cut], whole[cut:]])
        # A line may end with the secret, where the secret itself ends with a newline.
        assert text.replace("***\n it", "*** it") == "before\nis *** it\nafter\n", cut


def test_a_secret_in_a_line_that_never_ends_does_not_slip_through(tmp_path: Path) -> None:
    for size in range(32_755, 32_790):
        filler = b"." * size
        text = logged(tmp_path, ["sk_live_51H"], [filler + b"sk_li", b"ve_51H", filler])
        assert "sk_" not in text
        assert "51H" not in text
        assert text.replace("\n", "") == "." * size + MARK + "." * size


def test_lines_that_only_look_like_the_beginning_of_a_secret_wait_a_moment_and_no_longer(tmp_path: Path) -> None:
    async def run() -> None:
        log = AppLog(tmp_path / "app" / "app.log", 10_000_000)
        pipe = LogPipe(log, 1, Redactor([SHORT_LINES]))
        pipe.data_received(b"one\n")
        assert (tmp_path / "app" / "app.log").read_bytes() == b""
        async with asyncio.timeout(30):
            async for lines in log.read(LogQuery(tail=0), follow=True):
                assert [line.text for line in lines] == ["one"]
                break
        pipe.connection_lost(None)
        log.close()

    asyncio.run(run())


def test_secrets_of_many_lines_do_not_hold_output_up() -> None:
    words = "\n".join(f"word{number:04}" for number in range(7000))
    redactor = Redactor([words, *(f"secret number {number}" for number in range(200))])
    line = b"an ordinary line of an ordinary app, of which there are many\n"
    began = time.process_time()
    for _ in range(10):
        redactor.settled(line * 1000)
        redactor.data(line * 1000)
    assert time.process_time() - began < 2
    assert redactor.text(f"<{words}> secret number 199") == "<***> ***"


@pytest.mark.parametrize("secret", ["a" * 60_000, "ab" * 30_000, "a\n" * 30_000, ("a" * 300 + "b") * 100])
def test_a_secret_made_to_be_slow_is_not(secret: str) -> None:
    redactor = Redactor([secret])
    began = time.process_time()
    for data in (secret[:-1] + "c", secret[:-2], secret + secret[:-1], "a" * 60_000, "c" * 60_000):
        redactor.settled(data.encode())
        redactor.data(data.encode())
    assert time.process_time() - began < 2
