"""What a webhook's address may be, how messages are signed, and which events are worth one."""

from __future__ import annotations

from typing import Any

import pytest

from gofastapi_ext.core.alerts import AlertKind, alert_for, check_webhook_url, sign
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.events import EventKind


def test_the_signature_is_what_anybody_computes() -> None:
    # printf '1700000000.{"id":"1"}' | openssl dgst -sha256 -hmac secret
    expected = "v1=086f6aff7bd084c98679825129c5a64dbad88c760016d6d2c0fb123f27951d54"
    assert sign("secret", "1700000000", b'{"id":"1"}') == expected
    assert sign("secret", "1700000001", b'{"id":"1"}') != expected
    assert sign("secreT", "1700000000", b'{"id":"1"}') != expected


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hook?token=a", "http://127.0.0.1:8000", "http://[::1]:8000/x", "HTTPS://EXAMPLE.COM/"],
)
def test_addresses_of_webhooks(url: str) -> None:
    assert check_webhook_url(f" {url} ") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://[::1/",
        "https://exa mple.com/",
        "https://example.com/\nHost: other",
        "https://exämple.com/",
        "https://who:sesame@example.com/",
        "https://sesame@example.com/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_what_is_no_address_of_a_webhook_is_not_repeated(url: str) -> None:
    with pytest.raises(InvalidRequestError) as error:
        check_webhook_url(url)
    assert "sesame" not in error.value.message
    assert error.value.details == {}


@pytest.mark.parametrize(
    ("kind", "details", "alert"),
    [
        (EventKind.HEALTH, {"color": "red"}, AlertKind.TURNED_RED),
        (EventKind.HEALTH, {"color": "yellow"}, None),
        (EventKind.HEALTH, {}, None),
        (EventKind.CRASH_LOOP, {}, AlertKind.CRASH_LOOP),
        (EventKind.CRASHED, {}, None),
        (EventKind.DEPLOY_FAILED, {}, AlertKind.DEPLOY_FAILED),
        (EventKind.REMOVAL_WARNING, {}, AlertKind.REMOVAL_WARNING),
        (EventKind.ALERT_FAILED, {}, None),
    ],
)
def test_events_worth_an_alert(kind: EventKind, details: dict[str, Any], alert: AlertKind | None) -> None:
    assert alert_for(kind, details) is alert
