"""What an app may be called."""

from __future__ import annotations

import re

import pytest

from gofastapi_ext.core.errors import InvalidNameError
from gofastapi_ext.core.naming import (
    MAX_APP_ID_LENGTH,
    RESERVED_APP_IDS,
    check_app_id,
    database_name,
    next_database_name,
    suggest_app_id,
)


@pytest.mark.parametrize("name", ["a", "hello", "my-app-2", "x" * MAX_APP_ID_LENGTH, "a--b"])
def test_good_names(name: str) -> None:
    assert check_app_id(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "-", "A", "Hello", "1app", "-app", "app-", "my_app", "my app", "my.app", "../app", "app/x", "app\n",
        "\u00fcber", "\uff41pp", "a\0", "$(reboot)", "x" * (MAX_APP_ID_LENGTH + 1),
    ],
)  # fmt: skip
def test_bad_names(name: str) -> None:
    with pytest.raises(InvalidNameError):
        check_app_id(name)


@pytest.mark.parametrize("name", sorted(RESERVED_APP_IDS))
def test_reserved_names_come_with_another_one(name: str) -> None:
    with pytest.raises(InvalidNameError, match="reserved") as caught:
        check_app_id(name)
    check_app_id(re.findall(r'"([^"]+)"', caught.value.message)[1])


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("My App", "my-app"),
        ("my_app", "my-app"),
        ("  Hello, World!  ", "hello-world"),
        ("123 go", "go"),
        ("WWW", "my-www"),
        ("-x-", "x"),
        ("123", ""),
        ("\u4e2d\u6587", ""),
        ("x" * 39 + "-yz", "x" * 39),
    ],
)
def test_suggestions_are_good_names(text: str, suggestion: str) -> None:
    assert suggest_app_id(text) == suggestion
    if suggestion:
        check_app_id(suggestion)


def test_the_complaint_suggests_the_nearest_name() -> None:
    with pytest.raises(InvalidNameError, match='Try "my-app"'):
        check_app_id("My App")
    with pytest.raises(InvalidNameError) as caught:
        check_app_id("123")
    assert "Try" not in caught.value.message


def test_a_users_database() -> None:
    assert database_name("ada") == "user_ada"


@pytest.mark.parametrize("user", ["Ada", "ada.l@example.com", "a" * 200, "ада", "$", "a/b\0c", "ada~1234abcd", ""])
def test_the_database_of_a_user_with_another_id_is_a_name_of_mongodb(user: str) -> None:
    for name in (database_name(user), next_database_name(user)):
        assert re.fullmatch(r"user_[a-z0-9_~-]+", name)
        assert len(name) < 50
    assert database_name(user) == database_name(user)
    assert database_name(user) != database_name(user + "x")
    assert database_name(user) not in {database_name("ada"), database_name("a"), database_name("a-b-c")}


def test_a_new_database_is_nobodys_own() -> None:
    assert re.fullmatch(r"user_ada~[0-9a-f]{8}", next_database_name("ada"))
    assert next_database_name("ada") != next_database_name("ada")
    assert len(database_name("ADA").rpartition("~")[2]) == 16
