"""What came with a request and sounds like a credential is told nowhere, however an app repeats it."""

from __future__ import annotations

import base64
import time

import pytest
from gofastapi_runner.credentials import Credentials

SECRET = "s3cret-of-mine"


def of(query: str = "", headers: dict[str, str] | None = None, **path_params: object) -> Credentials:
    told = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Credentials(told, query.encode(), path_params)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("page=2&token=abc", "page=2&token=***"),
        ("page=2;token=abc", "page=2;token=***"),
        ("%74oken=abc&a%5Bapi_key%5D=abc", "%74oken=***&a%5Bapi_key%5D=***"),
        ("back=http://a/?token=abc", "back=***"),
        ("back=http%3A%2F%2Fa%3Fx%3D1%26token%3Dabc", "back=***"),
        ("access_token=abc&pass=abc&X-Amz-Signature=abc", "access_token=***&pass=***&X-Amz-Signature=***"),
        ("token", "token"),
        ("q=a=b&&;;=x", "q=a=b&&;;=x"),
        ("a=\xff", "a=\u00c3\u00bf"),
    ],
)
def test_of_a_query_what_sounds_like_a_credential_is_left_out(query: str, shown: str) -> None:
    assert of(query).query() == shown


def test_of_headers_the_harmless_are_told_and_of_credentials_that_there_were_some() -> None:
    headers = {"host": "a", "authorization": "Bearer x", "x-api-key": "x", "x-other": "x", "cookie": "a=b"}
    assert of("", headers).headers() == {"host": "a", "authorization": "***", "x-api-key": "***", "cookie": "***"}


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        (of("", {"authorization": f"Bearer {SECRET}"}), f"no session for {SECRET}"),
        (of("", {"authorization": f"Bearer {SECRET}"}), f"bad header: Bearer {SECRET}"),
        (of("", {"authorization": "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()}), f"not {SECRET}"),
        (of("", {"cookie": f'theme=dark; session="{SECRET}"'}), f"KeyError: '{SECRET}'"),
        (of("", {"x-api-key": SECRET}), f'{{"detail": "unknown {SECRET}"}}'),
        (of(f"token={SECRET}%21"), f"not {SECRET}!, as in token={SECRET}%21"),
        (of("", {}, token=SECRET), f"GET /reset/{SECRET}"),
    ],
)
def test_what_an_app_repeats_of_them_is_taken_out(credentials: Credentials, told: str) -> None:
    shown = credentials.without(told)
    assert SECRET not in shown
    assert "***" in shown


def test_what_an_app_says_of_other_things_stays() -> None:
    words = "dark is no theme of page 2"
    assert of("page=2&code=2", {"cookie": "theme=dark", "user-agent": "no theme"}).without(words) == words


def test_a_part_of_a_path_that_its_route_calls_a_token_is_left_out() -> None:
    assert of("", None, token="1", page="2").path(b"/reset/1/2") == "/reset/***/2"
    assert of("", None, reset_token="a b").path(b"/reset/a%20b") == "/reset/***"
    assert of("", None, author="somebody", code="12345678").path(b"/by/somebody/12345678") == "/by/somebody/12345678"
    assert Credentials([], b"", ["no", "mapping"]).path(b"/a") == "/a"


def test_requests_made_to_keep_it_busy_take_no_time() -> None:
    began = time.process_time()
    for query in ("a" * 60_000, "a=" * 30_000, "a=" + "?" * 60_000, "token=x&" * 8_000, "a=%3f" * 12_000):
        made = of(query, {"cookie": 'a="\\' * 10_000, "authorization": "x" * 60_000}, token="\ud800" * 100)
        made.query()
        made.without("x" * 16_000)
    assert time.process_time() - began < 2.0
