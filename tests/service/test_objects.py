"""Objects of a real kernel in an app: `%%deploy NAME --with model,df`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from support.kernel import Kernel, Ran, running_kernel
from support.platform import Platform, get, running_platform
from support.secrets import database_of
from support.waiting import until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.errors import ServiceUnreachableError
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.core.objects import MANIFEST

TRAIN = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x = np.arange(20.0).reshape(-1, 1)
model = make_pipeline(StandardScaler(), LinearRegression()).fit(x, x[:, 0] * FACTOR)
df = pd.DataFrame({"when": pd.to_datetime(["2026-01-01"]).tz_localize("Europe/Berlin"), "size": pd.Categorical(["m"])})
names = {"labels": ["a", "b"], "threshold": 0.5}
"""
APP = """from fastapi import FastAPI

app = FastAPI()


@app.get("/predict")
def predict(x: float):
    return model.predict([[x]])[0]


@app.get("/df")
def rows():
    return [str(df.dtypes["when"]), list(df["size"].cat.categories), names]
"""
SMALL = """from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def thing():
    return RETURN
"""


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with running_kernel(tmp_path_factory.mktemp("notebook"), GOFASTAPI_HOME=str(platform.places.home)) as running:
        done = running.run(TRAIN.replace("FACTOR", "2"))
        assert done.status == "ok", done.error
        yield running


def live(ran: Ran) -> str:
    assert ran.status == "ok", ran.error + ran.plain
    match = re.search(r"http://\S+", ran.plain)
    assert match, ran.plain
    return match[0].rstrip(",")


def small(name: str) -> str:
    return SMALL.replace("RETURN", name)


def test_a_model_predicts_in_the_app_what_it_predicts_in_the_kernel(kernel: Kernel, platform: Platform) -> None:
    ran = kernel.run("%%deploy predictor --with model,df --with names\n" + APP)
    url = live(ran)
    for x in (0.5, 7, -3):
        assert get(url, f"/predict?x={x}").json() == float(kernel.run(f"print(model.predict([[{x}]])[0])").text)
    assert get(url, "/df").json() == ["datetime64[us, Europe/Berlin]", ["m"], {"labels": ["a", "b"], "threshold": 0.5}]
    assert re.search(r"From the kernel: model \(Pipeline, skops, \S+ kB\), df \(DataFrame, arrow, ", ran.plain)
    assert "pickle" not in ran.plain
    files = platform.client.versions("predictor")[0].files
    assert files == [
        MANIFEST,
        *(f".gofastapi/objects/{f}" for f in ("df.arrow", "model.skops", "names.json")),
        "main.py",
    ]

    again = kernel.run("%%deploy predictor --with model,df,names\n" + APP)
    assert again.plain.startswith(f"Unchanged: version 1 is live at {url}, nothing to do")


def test_rollback_brings_code_and_object_back_together(kernel: Kernel) -> None:
    kernel.run(TRAIN.replace("FACTOR", "2"))
    url = live(kernel.run("%%deploy rolled --with model,df,names\n" + APP))
    kernel.run(TRAIN.replace("FACTOR", "3"))
    live(kernel.run("%%deploy rolled --with model,df,names\n" + APP))
    assert get(url, "/predict?x=4").json() == pytest.approx(12)
    live(kernel.run("%rollback rolled"))
    assert get(url, "/predict?x=4").json() == pytest.approx(8)
    live(kernel.run("%rollback rolled 2"))
    assert get(url, "/predict?x=4").json() == pytest.approx(12)


def test_the_objects_are_copies_of_their_moment(kernel: Kernel) -> None:
    kernel.run("state = {'count': 1}")
    url = live(kernel.run("%%deploy copies --with state\n" + small("state")))
    kernel.run("state['count'] = 2")
    assert get(url).json() == {"count": 1}
    assert live(kernel.run("%%deploy copies --with state\n" + small("state"))) == url
    assert get(url).json() == {"count": 2}


def test_a_function_of_the_notebook_comes_by_value_and_the_card_warns(kernel: Kernel) -> None:
    kernel.run("rate = 3\ndef price(amount):\n    return float(np.round(amount * rate, 2))\n")
    ran = kernel.run("%%deploy priced --with price\n" + small("price(1.5)"))
    assert get(live(ran)).json() == 4.5
    assert "warning  `price` (function) goes along as a pickle, which runs code when the app loads it" in ran.plain
    assert re.search(r"It loads with Python 3\.\d+ only, and with cloudpickle \S+, numpy \S+\.", ran.plain)
    assert "gofastapi-finding" in ran.html


def test_other_modules_import_objects_by_name(kernel: Kernel, platform: Platform) -> None:
    kernel.run("names = {'labels': ['a']}")
    kernel.run(
        "from pathlib import Path\nPath('words.py').write_text('from gofastapi_objects import names as WORDS\\n')"
    )
    ran = kernel.run("%%deploy shared --with names\nfrom words import WORDS\n" + small("[WORDS, WORDS is names]"))
    assert get(live(ran)).json() == [{"labels": ["a"]}, True]


@pytest.mark.parametrize(
    ("define", "name", "message", "hint"),
    [
        (
            "threshold = 0.25",
            "threshold",
            "`threshold` is defined in the notebook, not in this cell",
            "--with threshold",
        ),
        ("def helper(): ...", "helper", "`helper` is defined in the notebook, not in this cell", "--with helper"),
        ("class Item: ...", "Item", "`Item` is defined in the notebook", "Move its definition into this cell, or"),
        ("import numpy as np", "np", "`np` is imported in the notebook, not in this cell", "Add: import numpy as np"),
        ("import json", "json", "`json` is imported", "Add: import json"),
        (
            "from fastapi.responses import HTMLResponse",
            "HTMLResponse",
            "`HTMLResponse` is imported in the notebook",
            "responses import HTMLResponse",
        ),
        (
            "file = open('open.txt', 'w')",
            "file",
            "`file` is made in the notebook, not in this cell, and",
            "--file PATH",
        ),
        ("", "display", "`display` is there in a notebook only", "print()"),
        ("", "get_ipython", "`get_ipython` is there in a notebook only", "print()"),
        ("", "Out", "`Out` is there in a notebook only", "print()"),
    ],
    ids=lambda value: value.split("\n")[0][:20],
)
def test_a_name_that_only_the_kernel_has_is_found_at_its_line(
    kernel: Kernel, platform: Platform, define: str, name: str, message: str, hint: str
) -> None:
    kernel.run(define)
    ran = kernel.run(f"%%deploy undefined\n{small(f'str({name})')}")
    assert ran.status == "error"
    assert ran.error_name == "DeployFailed"
    assert re.search(rf"undefined: {re.escape(message)}.* \(In\[\d+\], line 9\)", ran.error)
    assert message in ran.plain
    assert hint in ran.plain
    assert f"9 |     return str({name})\n        |                {'^' * len(name)}" in ran.plain
    # Nothing was sent: there is no such app.
    assert "undefined" not in [app.id for app in platform.client.apps()]


def test_what_was_live_goes_on_and_the_card_says_so(kernel: Kernel) -> None:
    url = live(kernel.run("%%deploy careful\n" + small("1")))
    kernel.run("late = 2")
    ran = kernel.run("%%deploy careful\n" + small("late"))
    assert f"Version 1 is still live at {url}." in ran.plain
    assert get(url).json() == 1


def test_names_that_neither_has_are_left_to_the_app(kernel: Kernel) -> None:
    ran = kernel.run("%%deploy nowhere\n" + small("1") + "\nnot_there_either\n")
    assert "NameError" in ran.error


def test_a_name_the_kernel_does_not_have(kernel: Kernel) -> None:
    for line, words in (
        ("--with modl", "There is no `modl` here. Did you mean `model`?"),
        ("--with qqqqqq", "There is no `qqqqqq` here. Run the cell that makes it"),
        ("--with np", "`np` is a module: add `import numpy as np` to the cell"),
        ("--with model, df", "Write the names of --with without a blank"),
        ("--with 1x", '"1x" is none'),
        ("--with", "--with needs a value"),
    ):
        ran = kernel.run(f"%%deploy typo {line}\n" + small("1"))
        assert ran.status == "error"
        assert words in ran.error
        assert "\n" not in ran.error


def test_what_cannot_be_saved_is_named_with_the_reason_and_a_way_out(kernel: Kernel, platform: Platform) -> None:
    kernel.run(
        "import threading, pymongo\n"
        "class Service:\n"
        "    def __init__(self):\n"
        "        self.client = pymongo.MongoClient('localhost', connect=False)\n"
        "service = Service()\nlock = threading.Lock()\nfine = 1\n"
    )
    ran = kernel.run("%%deploy stuck --with service,fine,lock\n" + small("1"))
    assert ran.error_name == "DeployFailed"
    assert "stuck: `service` cannot leave the kernel: it holds `service.client`, which is a connection" in ran.error
    assert ran.error.endswith("and 1 more")
    assert "`lock` cannot leave the kernel: it is a lock." in ran.plain
    assert "hint: Make it in the cell instead" in ran.plain
    assert "stuck" not in [app.id for app in platform.client.apps()]


def test_what_is_too_large_says_so_before_it_is_sent(kernel: Kernel) -> None:
    kernel.run("huge = np.zeros(30_000_000)")
    ran = kernel.run("%%deploy big --with huge\n" + small("1"))
    assert "big: `huge` is 240.0 MB; 100.0 MB is the limit for one thing." in ran.error
    kernel.run("del huge")


def test_large_objects_are_sent_once_and_people_see_it(kernel: Kernel, platform: Platform) -> None:
    kernel.run("weights = np.random.default_rng(0).random(500_000)")
    ran = kernel.run("%%deploy heavy --with weights\n" + small("float(weights.sum())"))
    assert get(live(ran)).json() == float(kernel.run("print(float(weights.sum()))").text)
    shown = "".join(m["content"]["data"]["text/html"] for m in ran.messages if "data" in m["content"])
    assert "Sending weights, 4.0 MB" in shown
    [blob] = platform.client.version("heavy", 1).bundle.blobs

    again = kernel.run("%%deploy heavy2 --with weights\n" + small("weights.shape"))
    assert get(live(again)).json() == [500_000]
    assert "Sending weights" not in "".join(
        m["content"]["data"]["text/html"] for m in again.messages if "data" in m["content"]
    )
    assert platform.client.version("heavy2", 1).bundle.blobs == {blob}

    # Two apps share it; one goes for good, and the other one keeps it, also for a start from nothing.
    platform.client.delete("heavy", forever=True)
    assert platform.client.get_blob("heavy2", blob)[:6] == b"\x93NUMPY"
    list(platform.client.restart("heavy2"))
    assert get(platform.app("heavy2").url or "").json() == [500_000]


def test_names_differing_in_case_are_two_objects(kernel: Kernel) -> None:
    kernel.run("X = [1]\nx = [2]")
    assert get(live(kernel.run("%%deploy cases --with X,x\n" + small("[X, x]")))).json() == [[1], [2]]


def test_a_draft_has_its_objects(kernel: Kernel, platform: Platform) -> None:
    kernel.run("word = 'from the draft'")
    ran = kernel.run("%%deploy drafted --draft --with word\n" + small("word"))
    assert ran.status == "ok", ran.error
    assert "From the kernel: word (str, json, 16 B)" in ran.plain
    assert MANIFEST in platform.client.draft("drafted").bundle.files
    [*_, last] = platform.client.deploy("drafted", DeployRequest())
    assert get(last.url or "").json() == "from the draft"
    failed = kernel.run("%%deploy drafted --draft\n" + small("word"))
    assert failed.error_name == "DeployFailed"
    assert "--with word" in failed.plain


def test_marked_cells_have_their_objects(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "marked.ipynb"
    cells = [
        "#| deploy: marked-objects\nfrom fastapi import FastAPI\nfrom words import word\napp = FastAPI()\n",
        "#| deploy: marked-objects\n@app.get('/')\ndef both():\n    return [word(), number]\n",
        "#| deploy: marked-objects\n#| file: words.py\n"
        "from gofastapi_objects import number\ndef word():\n    return number\n",
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    environment = {"GOFASTAPI_HOME": str(platform.places.home), "JPY_SESSION_NAME": str(path)}
    with running_kernel(tmp_path, **environment) as kernel:
        kernel.run("number = 41")
        refused = kernel.run("%deploy marked-objects")
        assert "`number` is defined in the notebook, not in this cell" in refused.error
        assert "--with number" in refused.plain
        ran = kernel.run("%deploy marked-objects --with number")
        assert get(live(ran)).json() == [41, 41]
        assert "From the kernel: number (int, json, 2 B)" in ran.plain


def test_completion_offers_what_the_kernel_has(kernel: Kernel) -> None:
    kernel.run("alpha_one = alpha_two = 1\nimport json as alpha_module")
    assert kernel.complete("%%deploy x --with alpha") == ["alpha_one", "alpha_two"]
    assert kernel.complete("%%deploy x --with alpha_one,alpha") == ["alpha_one,alpha_two"]
    assert "--with" in kernel.complete("%%deploy x --w")
    assert "--with OBJECT" in kernel.run("%%deploy?").help


def tampered(platform: Platform, source: str, target: str, **changes: object) -> str:
    """Deploy a copy of a version whose manifest says something else of its first object; return what is said."""
    bundle = platform.client.version(source, 1).bundle
    manifest = json.loads(bundle.files[MANIFEST].text or "")
    manifest["python"] = changes.pop("python", manifest["python"])
    manifest["objects"][0] |= changes
    files = {**bundle.files, MANIFEST: BundleFile(text=json.dumps(manifest))}
    last = list(platform.client.deploy(target, DeployRequest(bundle=Bundle(files=files))))[-1]
    assert last.stage == "failed"
    assert last.failed_stage == "start"
    [diagnostic] = last.diagnostics
    assert diagnostic.code == "object_failed"
    return f"{diagnostic.message}\n{diagnostic.hint}"


def test_other_versions_of_python_and_libraries_are_a_clear_failure(kernel: Kernel, platform: Platform) -> None:
    kernel.run("thing = {1, 2}")
    live(kernel.run("%%deploy versioned --with thing\n" + small("sorted(thing)")))
    said = tampered(platform, "versioned", "older", python="3.8.1")
    assert "`thing` was saved with Python 3.8 and cannot be loaded with Python 3." in said
    assert "Deploy the app again from the notebook" in said
    said = tampered(platform, "versioned", "other", libraries={"numpy": "1.0.0"})
    assert "`thing` was saved with numpy 1.0.0 and cannot be loaded with numpy 2." in said
    said = tampered(platform, "versioned", "missing", path=".gofastapi/objects/none.pkl")
    assert "`thing` cannot be loaded from .gofastapi/objects/none.pkl: FileNotFoundError" in said


def test_a_damaged_blob_is_found_by_its_hash_and_mended_by_a_deploy(kernel: Kernel) -> None:
    with running_platform() as platform:
        kernel.run(f"import os; os.environ['GOFASTAPI_HOME'] = {str(platform.places.home)!r}")
        try:
            kernel.run("weights = np.arange(50_000)")
            cell = "%%deploy fragile --with weights\n" + small("int(weights.sum())")
            url = live(kernel.run(cell))
            [blob] = platform.client.version("fragile", 1).bundle.blobs
            damage(platform)
            with pytest.raises(ServiceUnreachableError):
                platform.client.get_blob("fragile", blob)
            assert get(url).json() == 1249975000  # what runs has its own copy
            # The damaged content is gone, so it is sent again, and everything that shares it is whole.
            live(kernel.run(cell + "# changed\n"))
            assert platform.client.get_blob("fragile", blob)[:6] == b"\x93NUMPY"
            live(kernel.run("%rollback fragile 1"))
            assert get(url).json() == 1249975000

            damage(platform)
            failed = kernel.run("%rollback fragile 2")
            assert "is damaged and was not used. Deploy the app again from its source." in failed.error
            assert get(url).json() == 1249975000
        finally:
            kernel.run("del os.environ['GOFASTAPI_HOME']")


def damage(platform: Platform) -> None:
    """Change a part of every blob behind the service's back."""
    with database_of(platform) as database:
        for chunk in database["blobs.chunks"].find({}):
            content = bytearray(chunk["data"])
            content[-1] ^= 1
            database["blobs.chunks"].update_one({"_id": chunk["_id"]}, {"$set": {"data": bytes(content)}})


def test_after_kill_9_apps_come_back_with_their_objects(kernel: Kernel) -> None:
    with running_platform() as platform:
        kernel.run(f"import os; os.environ['GOFASTAPI_HOME'] = {str(platform.places.home)!r}")
        try:
            kernel.run("weights = np.arange(50_000)")
            url = live(kernel.run("%%deploy lasting --with weights,names\n" + small("[int(weights.sum()), names]")))
            before = get(url).json()
            for process in platform.processes():
                os.kill(process.pid, 9)
            assert platform.process
            platform.process.kill()
            platform.process.wait()
            platform.start()
            until(lambda: platform.app("lasting").state is State.RUNNING, what="restored")
            assert get(url).json() == before
        finally:
            kernel.run("del os.environ['GOFASTAPI_HOME']")
