"""What is told of requests that failed: the same ones together, and never more than there is room for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gofastapi_runner.failures import Failures, Seen
from gofastapi_runner.protocol import GAP
from gofastapi_runner.tracebacks import SourceMap

JSON = [(b"content-type", b"application/json")]
CODE = """
def divide(by):
    return 1 / by
def look_up(name):
    return {}[name]
"""


def seen(path: str = "/a", **parts: Any) -> Seen:
    scope = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": [], "path_params": {}}
    return Seen(
        scope | parts.pop("scope", {}),
        parts.pop("error", None),
        parts.pop("traceback", None),
        parts.pop("answer", b""),
        parts.pop("answer_headers", JSON),
        parts.pop("has_body", False),
        parts.pop("body", None),
    )


def told(failures: Failures) -> list[dict[str, Any]]:
    return failures.report(500_000)[0]


def raised(function: Any, *arguments: Any) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any will do
        function(*arguments)
    return caught.value


def test_the_first_of_each_kind_is_news() -> None:
    failures = Failures(SourceMap("/nowhere", {}))
    news: list[int] = []
    failures.on_new = lambda: news.append(len(told(failures)))
    for status in (404, 404, 422, 404):
        failures.take("GET", "/a", status, seen())
    assert news == [1, 2]


def test_the_same_failures_are_one_with_the_latest_request(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(CODE)
    code: dict[str, Any] = {}
    exec(compile(CODE, str(tmp_path / "main.py"), "exec"), code)
    failures = Failures(SourceMap(str(tmp_path), {}))
    for number in range(3):
        failures.take("GET", "/a/{n}", 500, seen(f"/a/{number}", error=raised(code["divide"], 0)))
    failures.take("GET", "/a/{n}", 500, seen(error=raised(code["look_up"], "x")))
    failures.take("POST", "/a/{n}", 500, seen(error=raised(code["look_up"], "x")))
    failures.take("GET", "/a/{n}", 404, seen())
    first, second, third, fourth = told(failures)
    assert (first["count"], first["path"], first["exception"]) == (3, "/a/2", "ZeroDivisionError")
    assert (first["file"], first["line"], first["message"]) == ("main.py", 3, "division by zero")
    assert (second["exception"], second["line"], second["count"]) == ("KeyError", 5, 1)
    assert third["method"] == "POST"
    assert (fourth["status"], fourth["exception"], fourth["message"]) == (404, None, "Not Found")
    assert told(failures) == []


def test_too_many_failures_are_counted_and_too_large_ones_are_told_in_short() -> None:
    failures = Failures(SourceMap("/nowhere", {}), record_bodies=True)
    for number in range(80):
        large = {"body": b"\xff" * 65_536, "answer": b'{"detail": "' + b"x" * 5000, "traceback": "y" * 50_000}
        failures.take("GET", f"/{number}", 500, seen(error=ValueError("z" * 9000), has_body=True, **large))
    found, dropped = failures.report(300_000)
    assert (len(found), dropped) == (50, 30)
    assert len(json.dumps(found)) <= 300_000
    assert all(len(failure["message"]) <= 2_000 + len(GAP) for failure in found)
    assert all(failure["body"] is None and failure["has_body"] for failure in found)
    # One that does not fit at all is counted, too.
    failures.take("GET", "/a", 404, seen())
    failures.take("GET", "/a", 404, seen())
    assert failures.report(50) == ([], 2)


@pytest.mark.parametrize(
    ("answer", "message", "shown"),
    [
        (b'{"detail": "no such thing"}', "no such thing", '{"detail": "no such thing"}'),
        (
            b'{"detail": [{"loc": ["body", "n"], "msg": "wrong", "input": "private", "ctx": {"x": "private"}}]}',
            "body.n: wrong",
            '{"detail": [{"loc": ["body", "n"], "msg": "wrong"}]}',
        ),
        # As handlers of apps do it; what they repeat of the body goes, too.
        (
            b'{"errors": [{"msg": "wrong", "input": "private"}], "body": "private"}',
            ": wrong",
            '{"detail": [{"msg": "wrong"}]}',
        ),
        (b'{"detail": [{"msg": "cut", "input": "privat', "Bad Request", None),
        (b"[" * 10_000 + b'"input"', "Bad Request", None),
        (b'{"detail": {"a": 1}}', "Bad Request", '{"detail": {"a": 1}}'),
        (b"", "Bad Request", None),
    ],
)
def test_what_an_answer_says(answer: bytes, message: str, shown: str | None) -> None:
    failures = Failures(SourceMap("/nowhere", {}))
    failures.take("POST", "/a", 400, seen(answer=answer))
    [failure] = told(failures)
    assert (failure["message"], failure["answer"]) == (message, shown)


def test_an_answer_that_is_no_text_is_not_told() -> None:
    failures = Failures(SourceMap("/nowhere", {}))
    failures.take("GET", "/a", 599, seen(answer=b"\x89PNG", answer_headers=[(b"content-type", b"image/png")]))
    [failure] = told(failures)
    assert (failure["answer"], failure["message"]) == (None, "Status 599")


def test_an_exception_that_cannot_be_told_is_told_by_its_class() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    failures = Failures(SourceMap("/nowhere", {}))
    failures.take("GET", "/a", 500, seen(error=Mute()))
    [failure] = told(failures)
    assert (failure["exception"], failure["message"]) == ("Mute", "")
