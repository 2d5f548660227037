"""Which errors are the same, what of a request can be sent again, and how both are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from yarl import URL

from gofastapi_ext.client.app_errors import (
    ago,
    check_may_replay,
    error_as_text,
    errors_as_text,
    how_often,
    replay_as_text,
    replay_request,
)
from gofastapi_ext.core.app_errors import (
    Answer,
    ErrorRequest,
    ErrorType,
    ErrorView,
    ReplayView,
    error_id,
    error_type,
    in_words,
)
from gofastapi_ext.core.diagnostics import CellPosition, Diagnostic
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.replay import can_be_sent, check_headers, headers_to_send, request_target, what_lacks
from gofastapi_ext.notebook.magic_words import as_magics

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RAISED: dict[str, Any] = {
    "method": "GET", "route": "/menu/{item}", "status": 500, "exception": "KeyError", "message": "'toast'",
    "file": "main.py", "line": 12,
}  # fmt: skip
REFUSED: dict[str, Any] = RAISED | {"status": 422, "exception": None, "message": "x", "file": None, "line": None}
HOSTILE_PATHS = (
    "http://evil.example/x", "//evil.example/x", "@evil.example", "/x@evil.example:1/", "evil.example", "\\\\evil", "",
    "/a\r\nHost: evil.example\r\n\r\nGET /b", "/\r\n", "/a b", "/../../x", "/..%2f..", "?a=b", "/#x", "/ü\ud800",
    "/a?b=http://evil.example/&c=\r\nX: y", "http:@evil.example", "/%0d%0aX:y", "/\x00", "/[::1]",
)  # fmt: skip


def group(of: dict[str, Any], app: str = "hello", version: int = 1, **changes: Any) -> str:
    return error_id(app, version, **(of | changes))


@pytest.mark.parametrize(
    "change",
    [
        {"app": "other"},
        {"version": 2},
        {"method": "POST"},
        {"route": "/menu"},
        {"status": 503},
        {"exception": "ValueError"},
        {"file": "b.py"},
        {"line": 13},
    ],
)
def test_what_makes_another_error(change: dict[str, Any]) -> None:
    assert group(RAISED) != group(RAISED, **change)


def test_one_place_is_one_error_whatever_the_message() -> None:
    assert group(RAISED) == group(RAISED, message="'tea'")
    assert len(group(RAISED)) == 12


def test_without_a_place_the_message_counts_but_for_what_changes() -> None:
    assert group(REFUSED, message="no order 17") == group(REFUSED, message="no order 4711")
    uuids = ["no 0b50f9be-54a1-4e2f-a7f0-0d3c6a3d2c11", "no 9e107d9d-372b-b682-6bd8-1d3542a419d6"]
    assert group(REFUSED, message=uuids[0]) == group(REFUSED, message=uuids[1])
    assert group(REFUSED, message="no order") != group(REFUSED, message="no guest")


def test_parts_are_not_taken_for_each_other() -> None:
    assert group(REFUSED, method="GET", route="/a") != group(REFUSED, method="GE", route="T/a")


def test_whose_error_it_is() -> None:
    assert error_type(404, None) is ErrorType.CLIENT
    assert error_type(500, None) is ErrorType.SERVER
    assert error_type(499, "KeyError") is ErrorType.SERVER
    assert error_type(200, "KeyError") is ErrorType.SERVER


def test_an_exception_in_words() -> None:
    assert in_words("KeyError", "'toast'") == "KeyError: 'toast'"
    assert in_words("KeyError", "KeyError: 'toast'") == "KeyError: 'toast'"
    assert in_words("AssertionError", "") == "AssertionError"
    assert in_words(None, "Not Found") == "Not Found"


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_whatever_the_path_the_request_stays_where_it_belongs(path: str) -> None:
    target = request_target(path)
    assert target.startswith("/")
    assert target.isascii()
    assert target.isprintable()
    assert " " not in target
    url = URL.build(scheme="http", host="127.0.0.1", port=18000, path=target.partition("?")[0], encoded=True)
    assert (url.host, url.port, url.raw_path) == ("127.0.0.1", 18000, target.partition("?")[0])


@pytest.mark.parametrize("path", ["/a/b?c=d&e=%20f", "/~x/1,2;3=4!*'()", "//twice", "/%C3%BC?q=a+b"])
def test_an_ordinary_path_is_sent_as_it_was(path: str) -> None:
    assert request_target(path) == path


def test_methods() -> None:
    assert can_be_sent("GET")
    assert can_be_sent("PURGE")
    assert not can_be_sent("WEBSOCKET")
    assert not can_be_sent("GET / HTTP/1.1\r\nX: y")


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("X-A", "b\r\nHost: evil", "control characters"),
        ("X-A", "b\x00", "control characters"),
        ("X A", "b", "name of a header"),
        ("", "b", "name of a header"),
        ("X-A\n", "b", "name of a header"),
        ("Transfer-Encoding", "chunked", "about the connection"),
        ("content-length", "7", "about the connection"),
        ("Host", "evil.example", "about the connection"),
    ],
)
def test_headers_that_cannot_be_sent(name: str, value: str, word: str) -> None:
    with pytest.raises(InvalidRequestError, match=word):
        check_headers({name: value})


def test_headers_that_are_sent() -> None:
    stored = {
        "accept": "*/*",
        "authorization": "***",
        "connection": "close",
        "bad name": "x",
        "x-a": "1\n2",
        "x-b": "2",
    }
    assert headers_to_send(stored, {}) == {"accept": "*/*", "x-b": "2"}
    assert headers_to_send(stored, {"Authorization": "me", "X-B": "3"}) == {
        "accept": "*/*",
        "Authorization": "me",
        "X-B": "3",
    }


def test_what_a_request_lacks_in_words() -> None:
    headers = {"cookie": "***", "accept": "*/*"}
    assert what_lacks("/a?token=***&b=1&c=%2A%2A%2A", headers, lacks_body=True, given={}) == [
        "the value of token in the query",
        "the value of c in the query",
        "the header cookie",
        "its body",
    ]
    assert what_lacks("/a", headers, lacks_body=False, given={"Cookie": "mine"}) == []
    assert what_lacks("/aaa […] ", {}, lacks_body=False, given={}) == ["a part of its path"]


def an_error(**changes: Any) -> ErrorView:
    cell = CellPosition(label="In[5]", line=13)
    raised = Diagnostic(
        code="KeyError",
        message="KeyError: 'toast'",
        file="main.py",
        line=12,
        column=11,
        end_line=12,
        end_column=23,
        source="    return prices[item]",
        cell=cell,
        traceback="Traceback (most recent call last):\n  cell In[5], line 13, in menu",
    )
    whole: dict[str, Any] = {
        "id": "3fa9c1d2e4b5", "app": "hello", "version": 3, "type": "server", "method": "GET",
        "route": "/menu/{item}", "status": 500, "exception": "KeyError", "message": "'toast'", "diagnostic": raised,
        "count": 12, "first_at": NOW - timedelta(hours=3), "last_at": NOW - timedelta(minutes=2),
        "request": ErrorRequest(method="GET", path="/menu/toast", headers={"accept": "*/*"}),
        "answer": "Internal Server Error",
    }  # fmt: skip
    return ErrorView(**(whole | changes))


def test_a_list_names_the_cell_and_shows_the_line() -> None:
    assert errors_as_text([an_error()], NOW).splitlines() == [
        "500  GET /menu/{item}  12 times, latest 2 min ago, v3, 3fa9c1d2e4b5",
        "  error  main.py:12:12  KeyError: 'toast'  (cell In[5], line 13)",
        "      12 |     return prices[item]",
        "         |            ^^^^^^^^^^^^",
    ]


def test_an_error_without_a_place_is_said_in_its_own_words() -> None:
    refused = an_error(type="client", status=404, exception=None, message="Not Found", diagnostic=None, count=1)
    assert "once, 2 min ago" in errors_as_text([refused], NOW)
    assert errors_as_text([refused], NOW).endswith("\n  warning  Not Found")


def test_one_in_full() -> None:
    text = error_as_text(an_error(), NOW)
    assert "      Traceback (most recent call last):\n        cell In[5], line 13, in menu" in text
    assert "\n      GET /menu/toast\n      accept: */*\n" in text
    assert text.endswith("\n      Internal Server Error")


def test_nothing_an_app_says_drives_the_terminal() -> None:
    hostile = an_error(
        route="/\x1b[2J", message="\x1b]0;x\x07", diagnostic=None, exception=None, answer="\x1b[31m",
        request=ErrorRequest(method="GET", path="/\x1b[2J", headers={"x\x1b": "\x9b"}, body="\x1b[1m"),
    )  # fmt: skip
    view = ReplayView(
        error=hostile,
        version=4,
        before=Answer(status=500, body="\x1b[2J"),
        now=Answer(status=200, content_type="\x1b[2J", body="\x1b[2J"),
        left_out=["the header \x1b[2J"],
    )
    for text in (error_as_text(hostile, NOW), replay_as_text(view)):
        assert "\x1b" not in text
        assert "\x9b" not in text


def test_both_answers_and_what_was_left_out() -> None:
    view = ReplayView(
        error=an_error(),
        version=4,
        before=Answer(status=500, body="Internal Server Error"),
        now=Answer(status=200, content_type="application/json", body='{"price": 3}', seconds=0.012),
        left_out=["the header cookie", "its body"],
    )
    assert replay_as_text(view, reword=as_magics).endswith("from now on: %app hello --record-bodies on")
    assert replay_as_text(view).splitlines() == [
        "GET /menu/toast",
        "",
        "  before  v3  500",
        "      Internal Server Error",
        "",
        "  now     v4  200  application/json, 12 ms",
        '      {"price": 3}',
        "",
        "Not kept, so not sent: the header cookie, its body. "
        "To keep bodies from now on: gofastapi app hello --record-bodies on",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "just now"),
        (2, "just now"),
        (42, "42 s ago"),
        (119, "1 min ago"),
        (7200, "2 h ago"),
        (90_000, "25 h ago"),
        (200_000, "2 days ago"),
    ],
)
def test_how_long_ago(seconds: float, words: str) -> None:
    assert ago(seconds) == words
    assert how_often(an_error(count=1, last_at=NOW - timedelta(seconds=seconds)), NOW) == f"once, {words}"


def test_what_is_given_to_a_replay(tmp_path: Any) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(b'{"a": 1}')
    request = replay_request(["Authorization: Bearer x:y", "X-A:1"], str(body))
    assert request.headers == {"Authorization": "Bearer x:y", "X-A": "1"}
    assert request.body == '{"a": 1}'
    with pytest.raises(InvalidRequestError, match="a name and a value"):
        replay_request(["Authorization"], None)
    body.write_bytes(b"\xff")
    with pytest.raises(InvalidRequestError, match="UTF-8"):
        replay_request([], str(body))


def test_what_may_change_something_needs_a_yes() -> None:
    check_may_replay(an_error())
    with pytest.raises(InvalidRequestError, match="--yes"):
        check_may_replay(an_error(method="POST"))
