"""Models, functions and classes of the kernel: saved by one Python, loaded by another."""

from __future__ import annotations

import collections
import pickle
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gofastapi_runner.objects import load
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from support.objects import LIMIT, unpack

from gofastapi_ext.notebook.objects.save import save, warning_about
from gofastapi_ext.notebook.objects.saved import CannotSaveError, Saved

RANDOM = np.random.default_rng(0)
X = RANDOM.random((60, 3))
Y = (X[:, 0] > X[:, 1]).astype(int)


MODELS = {
    "linear": LinearRegression(),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression(C=0.5)),
    "forest": RandomForestClassifier(10, random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=5, random_state=0),
    "union": make_pipeline(
        FeatureUnion([("a", StandardScaler()), ("b", FunctionTransformer(np.log1p))]), LinearRegression()
    ),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    "columns": make_pipeline(
        ColumnTransformer([("scale", StandardScaler(), [0, 1]), ("one", OneHotEncoder(handle_unknown="ignore"), [2])]),
        LogisticRegression(),
    ),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_estimators_go_with_skops_and_predict_the_same(tmp_path: Path, model: Any) -> None:
    model.fit(X, Y)
    saved = save("model", model, LIMIT)
    assert saved.format == "skops"
    assert warning_about("model", saved) is None
    assert {"scikit-learn", "skops", "numpy"} <= saved.libraries.keys()
    back = load(unpack(tmp_path, model=saved))["model"]
    assert type(back) is type(model)
    np.testing.assert_array_equal(back.predict(X), model.predict(X))
    assert str(back.get_params()) == str(model.get_params())


def test_loading_trusts_the_types_that_were_there_and_no_other(tmp_path: Path) -> None:
    saved = save("model", RandomForestClassifier(2).fit(X, Y), LIMIT)
    assert saved.details["trusted"] == ["sklearn.tree._tree.Tree"]
    other = Saved(saved.format, saved.type, saved.content, saved.libraries, {"trusted": []})
    with pytest.raises(Exception, match=r"sklearn\.tree\._tree\.Tree"):
        load(unpack(tmp_path, model=other))


@pytest.mark.parametrize("name", ["pipeline", "forest", "columns"])
def test_a_model_that_is_saved_again_gives_the_same_bytes(name: str) -> None:
    model = MODELS[name].fit(X, Y)
    before = save("model", model, LIMIT).content
    # Archives note the time in steps of two seconds.
    time.sleep(2.1)
    assert save("model", model, LIMIT).content == before


def test_nothing_of_the_machine_is_in_the_archive(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(save("model", MODELS["forest"].fit(X, Y), LIMIT).content)
    with zipfile.ZipFile(tmp_path / "model") as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        assert all(len(name.partition(".")[0]) < 7 for name in archive.namelist())


@pytest.mark.parametrize(
    "odd",
    [re.compile("a"), collections.deque([1])],
    ids=["which skops does not know", "which it rebuilds empty"],
)
def test_what_skops_is_not_able_to_goes_with_joblib_and_a_warning(tmp_path: Path, odd: Any) -> None:
    saved = save("model", FunctionTransformer(np.log1p, kw_args={"odd": odd}), LIMIT)
    assert saved.format == "joblib"
    back = load(unpack(tmp_path, model=saved))["model"].kw_args["odd"]
    assert pickle.dumps(back) == pickle.dumps(odd)
    warning = warning_about("model", saved)
    assert warning
    assert "joblib" in (warning.hint or "")


def test_an_estimator_with_something_open_inside_names_it() -> None:
    with Path(__file__).open() as file:
        model = FunctionTransformer(kw_args={"file": file})
        with pytest.raises(CannotSaveError, match=r"it holds `model\.kw_args\['file'\]`, which is an open file"):
            save("model", model, LIMIT)


def test_a_model_that_is_too_large() -> None:
    with pytest.raises(CannotSaveError, match=r"is \d+\.\d kB; 10\.0 kB is the limit"):
        save("model", MODELS["forest"].fit(X, Y), 10_000)


NOTEBOOK = """
import sys, numpy as np
from pathlib import Path
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.linear_model import LinearRegression
from gofastapi_ext.notebook.objects.save import save
from gofastapi_ext.notebook.objects.saved import manifest, path_of

FACTOR = 3

class Times(BaseEstimator, TransformerMixin):
    def fit(self, x, y=None):
        return self
    def transform(self, x):
        return np.asarray(x) * FACTOR

def predict(x):
    return float(model.predict([[x]])[0])

model = make_pipeline(Times(), LinearRegression()).fit([[1], [2]], [1, 2])
entries = []
for name in ("model", "predict", "Times"):
    saved = save(name, globals()[name], 1_000_000)
    path = Path(path_of(name, saved.format))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved.content)
    entries.append(saved.entry(name))
Path(".gofastapi/objects.json").write_text(manifest(entries))
print([entry["format"] for entry in entries], entries[0]["libraries"].keys())
"""
APP = """
from gofastapi_runner.objects import provide
provide(".", "main")
assert "sklearn" in __import__("sys").modules
import main
"""
MAIN = """
from gofastapi_objects import model as same
print(round(predict(5), 6), Times().fit([]).transform([2]).tolist(), same is model)
"""


def run(folder: Path, code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_functions_and_classes_of_the_notebook_go_by_value(tmp_path: Path) -> None:
    """Two processes: what the first defines in its `__main__` the second never saw."""
    saved = run(tmp_path, NOTEBOOK)
    assert saved.startswith("['cloudpickle', 'cloudpickle', 'cloudpickle']")
    assert "scikit-learn" in saved
    assert "cloudpickle" in saved
    (tmp_path / "main.py").write_text(MAIN)
    assert run(tmp_path, APP) == "5.0 [6] True"


def test_an_app_without_objects_imports_nothing_for_them(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    heavy = "print([m for m in ('numpy', 'pickle', 'importlib.metadata', 'gofastapi_objects') if m in sys.modules])"
    code = f"import sys\nfrom gofastapi_runner.objects import provide\nprovide('.', 'main')\nimport main\n{heavy}"
    assert run(tmp_path, code) == "[]"
