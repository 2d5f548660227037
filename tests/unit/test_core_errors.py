"""Errors cross the wire by their code and come back as the same class."""

from __future__ import annotations

import pytest

from gofastapi_ext.core import errors
from gofastapi_ext.core.errors import GoFastAPIError, error_from_code


def all_classes() -> list[type[GoFastAPIError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, GoFastAPIError)]


def test_every_error_has_a_code_of_its_own() -> None:
    named = [cls for cls in all_classes() if cls is not GoFastAPIError]
    assert len(named) >= 9
    assert len({cls.code for cls in named}) == len(named)


@pytest.mark.parametrize("cls", [cls for cls in all_classes() if cls is not GoFastAPIError])
def test_every_error_comes_back_by_its_code(cls: type[GoFastAPIError]) -> None:
    again = error_from_code(cls.code, "words", {"n": 1})
    assert type(again) is cls
    assert (again.message, again.details, str(again)) == ("words", {"n": 1}, "words")


def test_an_unknown_code_is_still_an_error_of_ours() -> None:
    error = error_from_code("from_the_future", "words")
    assert type(error) is GoFastAPIError
    assert error.details == {}
