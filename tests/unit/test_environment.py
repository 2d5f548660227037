"""Which variables an app can have."""

from __future__ import annotations

import pytest

from gofastapi_ext.core.environment import check_change, check_environment
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.variables import EnvChange, Setting


def setting(value: str, *, secret: bool = False) -> Setting:
    return Setting.model_validate({"value": value, "secret": secret})


@pytest.mark.parametrize(
    "name",
    ["A", "_", "a1", "DATABASE_URL", "PYTHONUNBUFFERED", "HOSTNAME", "PORTS", "ENV", "USER", "HTTP_PROXY", "LDAP_HOST"],
)
def test_names_that_may_be_set(name: str) -> None:
    check_environment({name: ""})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "cannot be the name"),
        ("1A", "cannot be the name"),
        ("A B", "cannot be the name"),
        ("A\n", "cannot be the name"),
        ("Ä", "cannot be the name"),
        ("A" * 201, "200 at most"),
        ("PORT", "set by the platform"),
        ("HOST", "set by the platform"),
        ("PLATFORM_MONGO_URI", "set by the platform"),
        ("GOFASTAPI_HOME", "set by the platform"),
        ("PATH", "os.environ['PATH']"),
        ("HOME", "account your app runs as"),
        ("VIRTUAL_ENV", "Python environment"),
        ("PYTHONPATH", "Modules beside your code"),
        ("PYTHONHOME", "before your app does"),
        ("LD_PRELOAD", "before your app does"),
        ("LD_LIBRARY_PATH", "before your app does"),
        ("DYLD_INSERT_LIBRARIES", "before your app does"),
    ],
)
def test_names_that_may_not_and_why(name: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError) as told:
        check_environment({name: "hunter22"})
    assert reason in told.value.message
    assert len(told.value.message) < 400
    assert "hunter22" not in told.value.message


@pytest.mark.parametrize(("value", "words"), [("a\0b", "NUL"), ("\ud800", "UTF-8")])
def test_values_no_process_can_have(value: str, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        check_environment({"A": value})


def test_all_of_it_has_a_limit() -> None:
    check_environment({"A": "x" * 99}, 100)
    with pytest.raises(InvalidRequestError, match="101 B together; 100 B is the limit"):
        check_environment({"A": "é" * 50}, 100)


def test_a_secret_is_long_enough_to_be_found_in_logs() -> None:
    check_change(EnvChange(set={"A": setting("abcd", secret=True)}))
    for value in ("", "abc", "   abc  ", "\n\n\n\n"):
        with pytest.raises(InvalidRequestError, match="4 characters at least"):
            check_change(EnvChange(set={"A": setting(value, secret=True)}))
        check_change(EnvChange(set={"A": setting(value)}))


def test_a_secret_does_not_stand_in_a_variable_beside_it() -> None:
    url = setting("mongodb://me:hunter22@host/")
    with pytest.raises(InvalidRequestError, match="make URL a secret too") as told:
        check_change(EnvChange(set={"URL": url, "PASSWORD": setting("hunter22", secret=True)}))
    assert "hunter22" not in told.value.message
    check_change(EnvChange(set={"URL": url, "MODE": setting("host", secret=True)}))  # too short to mean anything
    both = {"URL": setting("a hunter22", secret=True), "PASSWORD": setting("hunter22", secret=True)}
    check_change(EnvChange(set=both))


def test_no_value_shows_in_a_change() -> None:
    change = EnvChange(set={"A": setting("hunter22", secret=True), "B": setting("hunter23")})
    assert "hunter2" not in repr(change) + str(change)
    assert "hunter22" in change.model_dump_json()
