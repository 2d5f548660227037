"""`.env` files: read as others read them, and back without loss."""

from __future__ import annotations

import io
import random

import pytest
from dotenv import dotenv_values

from gofastapi_ext.core.dotenv import format_dotenv, parse_dotenv
from gofastapi_ext.core.errors import InvalidRequestError

ORDINARY = r"""
# Settings of the shop
DEBUG=true
export NAME = "The Shop"
  EMPTY=
QUOTED='single # no comment'
COMMENT=value # a comment
HASH=a#b
URL=postgres://user:p=ss@host:5432/db?x=1&y=2
ESCAPES="tab\there\nnext \"quoted\" back\\slash"
SINGLE='it\'s \n literal'
SPACES=two words
UNICODE=grüße 🎉
KEY="-----BEGIN KEY-----
abc+/=
-----END KEY-----"
BASE=/srv/app
DATA=${BASE}/data
CACHE="${BASE}/cache-${MODE:-dev}"
TWICE=first
TWICE=second
DOLLAR=pa$$word
WINDOWS=C:\temp\new
LAST="no newline at the end" # said so"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_ordinary_files_are_read_as_python_dotenv_reads_them(newline: str) -> None:
    theirs = dict(dotenv_values(stream=io.StringIO(ORDINARY)))
    assert parse_dotenv(ORDINARY.replace("\n", newline)) == theirs
    assert theirs["CACHE"] == "/srv/app/cache-dev"
    assert theirs["KEY"] is not None
    assert theirs["KEY"].count("\n") == 2


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert parse_dotenv("\ufeffA=1\n") == {"A": "1"}


def test_single_quotes_keep_what_looks_like_a_reference() -> None:
    assert parse_dotenv("A=1\nB='${A}'\nC=\"\\${A} ${A}\"") == {"A": "1", "B": "${A}", "C": "${A} 1"}


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert parse_dotenv("A='${B}\\n'\nB=\"x${A}y\"")["B"] == "x${B}\\ny"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("A=1\nB", 2, "is not NAME=VALUE"),
        ("A=1\n\n# note\nexport B\nC=1", 4, "is not NAME=VALUE"),
        ("=hunter2", 1, "is not NAME=VALUE"),
        ('A="hunter2', 1, "never closed"),
        ("A=1\nB='hunter2' more", 2, "something follows"),
        ('A="one\ntwo"\nB=${NOWHERE}hunter2', 3, "${NOWHERE} is not set further up"),
    ],
)
def test_what_is_wrong_is_told_by_its_line_and_never_shown(text: str, line: int, message: str) -> None:
    with pytest.raises(InvalidRequestError) as told:
        parse_dotenv(text)
    assert f"Line {line} " in told.value.message
    assert message in told.value.message
    assert "hunter2" not in told.value.message


def test_what_is_written_is_read_back_by_us_and_by_python_dotenv() -> None:
    """Values of all the characters that mean something. Only `${` has no escape in python-dotenv."""
    chance = random.Random(3)
    pieces = [*"aB1 #\"'\\\n\r\t${}=é\u2028\x0b\x1b\x85\ufeff", "${A}", ":-", "\\n", "  "]
    for _ in range(3000):
        variables = {name: "".join(chance.choices(pieces, k=chance.randint(0, 8))) for name in "ABC"}
        text = format_dotenv(variables)
        assert parse_dotenv(text) == variables, text
        assert parse_dotenv(text.replace("\n", "\r\n")) == variables, text
        assert dict(dotenv_values(stream=io.StringIO(text), interpolate=False)) == variables or "${" in str(variables)


def test_secrets_are_written_as_comments() -> None:
    text = format_dotenv({"MODE": "dev"}, ["TOKEN"])
    assert text == "MODE=dev\n# TOKEN is a secret: its value is not exported\n"
    assert parse_dotenv(text) == {"MODE": "dev"}
