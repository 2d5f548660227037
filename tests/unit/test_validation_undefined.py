"""Names that a cell uses and does not define."""

from __future__ import annotations

import sys
import textwrap

import pytest

from gofastapi_ext.core.validation.undefined import undefined_names


def names(source: str) -> list[str]:
    return [each.name for each in undefined_names(textwrap.dedent(source))]


@pytest.mark.parametrize(
    "source",
    [
        "print(model)",
        "def predict(x):\n    return model.predict(x)",
        "@app.get('/')\ndef f(x: model): ...\napp = 1",
        "def f() -> model: ...",
        "def f(x=model): ...",
        "class A(model): ...",
        "class A:\n    x: model",
        "class A:\n    y = 1\n    def f(self):\n        return y + model\ny = 2",
        "f = lambda x: model(x)",
        "[x for x in model]",
        "[x for x in [1] if model]",
        "{k: model for k in 'ab'}",
        "def f():\n    x = model\n    model2 = x",
        "def f(model): ...\ndef g():\n    return model",
        "def f():\n    model = 1\ndef g():\n    return model",
        "class A:\n    model = 1\n    def f(self):\n        return model",
        "class A:\n    model = 1\n    x = [model for _ in 'ab']",
        "[model for model in [1]]\nprint(model)",
        "with model as m: ...",
        "model.x = 1",
        "model[0] = 1",
        "f'{model}'",
        "def f():\n    del model",
        "async def f():\n    async for x in model: ...",
        "x: int = model",
        "model: int\nprint(model)",
        "try:\n    model\nexcept KeyError: ...",
        "match model:\n    case 1: ...",
        "import model.x as y\nprint(model)",
    ],
)
def test_what_nothing_binds_is_found(source: str) -> None:
    assert names(source) == ["model"]


@pytest.mark.parametrize(
    "source",
    [
        "model = 1\nprint(model)",
        "def f():\n    return model\nmodel = 1",
        "import model",
        "import model.x\nmodel",
        "from x import y as model\nmodel",
        "from x import *\nmodel",
        "def model(): ...\nmodel",
        "class model: ...\nmodel",
        "for model in [1]: ...\nmodel",
        "with open('x') as (a, model): ...\nmodel",
        "a, *model = [1]\nmodel",
        "if (model := 1): ...\nmodel",
        "[(model := x) for x in [1]]\nmodel",
        "def f():\n    [[(model := y) for y in x] for x in [[1]]]\n    return model",
        "try: ...\nexcept Exception as model: ...\nmodel",
        "match [1]:\n    case [model, *rest]: ...\nmodel, rest",
        "match {}:\n    case {'a': 1, **model}: ...\nmodel",
        "def f(model, /, *a, k=1, **kw):\n    return model, a, k, kw",
        "def f():\n    global model\n    model = 1\ndef g():\n    return model",
        "def f():\n    model = 1\n    def g():\n        return model",
        "def f():\n    model = 1\n    def g():\n        nonlocal model\n        model += 1",
        "lambda model: model",
        "class A:\n    model = 1\n    other = model",
        "def f():\n    x: model = 1",
        "def f():\n    model: int\n    return model",
        "print(len, ValueError, __name__, __file__)",
        "class A:\n    def f(self):\n        return __class__, super()",
        "try:\n    model\nexcept NameError: ...",
        "try:\n    model\nexcept (KeyError, NameError): ...",
        "try:\n    model\nexcept: ...",
        "if __name__ == '__main__':\n    model",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    model",
        "exec('model = 1')\nmodel",
        "globals()['model'] = 1\nmodel",
        "x: 'model' = 1",
        "def broken(:\n    model",
        "",
    ],
)
def test_what_is_bound_or_may_be_is_no_finding(source: str) -> None:
    assert names(source) == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_type_parameters() -> None:
    assert names(
        "def f[T](x: T) -> T:\n    return model\nclass A[K](dict[K, int]):\n    x: K\ntype P[V] = list[V]\nP"
    ) == ["model"]


def test_what_ipython_adds_is_not_there() -> None:
    assert names("display(1)\nget_ipython()") == ["display", "get_ipython"]


def test_each_once_at_its_first_use_in_characters() -> None:
    found = undefined_names("x = 'größe', df\nmodel(df)\n")
    assert [(each.name, each.place) for each in found] == [
        ("df", {"line": 1, "column": 13, "end_line": 1, "end_column": 15}),
        ("model", {"line": 2, "column": 0, "end_line": 2, "end_column": 5}),
    ]


def test_text_that_is_nested_deeply_is_left_to_others() -> None:
    assert undefined_names("x = " + "-" * 3000 + "model") == []
