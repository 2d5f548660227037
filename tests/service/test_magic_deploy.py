"""`%%deploy` in a real kernel, against a real service."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kernel import Kernel, Ran, running_kernel
from support.platform import Platform, get
from support.waiting import held_until, until

from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.notebook.report import MEDIA_TYPE

HELLO = """from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def hello():
    return "WORD"
"""


def hello(word: str) -> str:
    return HELLO.replace("WORD", word)


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "helpers.py").write_text("from words import WORD\n")
    (folder / "words.py").write_text("WORD = 'from a module'\n")
    (folder / "data.json").write_text('{"answer": 42}')
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def live(ran: Ran) -> str:
    """The URL a cell says its app is live at."""
    assert ran.status == "ok", ran.error + ran.plain
    match = re.search(r"http://\S+", ran.plain)
    assert match, ran.plain
    return match[0].rstrip(",")


def test_the_magics_are_there_without_load_ext_and_cost_a_kernel_nothing(kernel: Kernel) -> None:
    names = kernel.run("import sys; print([n for n in sys.modules if n in ('httpx', 'pydantic', 'ipywidgets')])")
    assert names.text.strip() == "[]"
    assert "%apps" in kernel.run("%lsmagic").plain


def test_what_is_wrong_is_left_in_the_notebook_for_front_ends(kernel: Kernel) -> None:
    code = hello("one").rstrip() + "\n\nprice = total + 1\n"
    kernel.run("total = 3")
    refused = kernel.run("%%deploy reported\n" + code, cell_id="cell-7")
    (told,) = (output[MEDIA_TYPE] for output in refused.outputs if MEDIA_TYPE in output)
    assert (told["app"], told["ending"], told["version"]) == ("reported", "failed", None)
    cell = {"path": "main.py", "cell_id": "cell-7", "crc32": zlib.crc32(code.strip().encode())}
    assert cell.items() <= told["cells"][0].items()
    assert [(each["code"], each["cell"]["line"]) for each in told["diagnostics"]] == [("only_in_notebook", 11)]
    went = kernel.run("%%deploy reported\n" + hello("one"))
    (told,) = (output[MEDIA_TYPE] for output in went.outputs if MEDIA_TYPE in output)
    assert (told["ending"], told["version"], told["diagnostics"]) == ("live", 1, [])


def test_first_deploy_unchanged_and_second_version(kernel: Kernel) -> None:
    first = kernel.run("%%deploy cell\n" + hello("one"))
    url = live(first)
    assert get(url).json() == "one"
    for stage in ("validate", "release", "start", "ready", "live"):
        assert re.search(rf"  {stage} +\S+ m?s", first.plain)
    assert "cell v1 is live in" in first.plain
    assert f'href="{url}"' in first.html

    again = kernel.run("%%deploy cell\n" + hello("one"))
    assert again.plain == f"Unchanged: version 1 is live at {url}, nothing to do"

    changed = kernel.run("%%deploy cell\n" + hello("two"))
    assert live(changed) == url
    assert "cell v2 is live in" in changed.plain
    assert get(url).json() == "two"


def test_stages_are_shown_as_they_end(kernel: Kernel) -> None:
    ran = kernel.run("%%deploy staged\n" + hello("x"))
    shown = [m["content"]["data"]["text/html"] for m in ran.messages if "data" in m["content"]]
    done = [html.count('<li class="gofastapi-done"') for html in shown]
    assert done == [0, 1, 2, 3, 4, 5]
    assert '<li class="gofastapi-now">start' in shown[2]


def test_the_cell_defines_nothing_in_the_notebook(kernel: Kernel) -> None:
    live(kernel.run("%%deploy nothing\n" + hello("x") + "only_in_the_app = 1\n"))
    assert kernel.run("print('only_in_the_app' in globals(), 'app' in globals())").text.strip() == "False False"


@pytest.mark.parametrize(
    ("above", "line"), [("", 4), ("\n\n", 6), ("%%time\n", 5)], ids=["first line", "blank lines", "another magic"]
)
def test_a_syntax_error_points_at_the_line_of_the_cell(kernel: Kernel, above: str, line: int) -> None:
    ran = kernel.run(above + "%%deploy syntax\nfrom fastapi import FastAPI\napp = FastAPI()\ndef broken(:\n    pass\n")
    assert ran.status == "error"
    assert ran.error_name == "DeployFailed"
    number = kernel.run("print(len(get_ipython().history_manager.input_hist_raw) - 2)").text.strip()
    assert ran.error == f"syntax: Syntax error: invalid syntax (In[{number}], line {line})"
    assert f"      {line} | def broken(:\n        |            ^" in ran.plain
    assert "gofastapi-caret" in ran.html


def test_an_error_at_import_shows_the_users_traceback_and_leaves_what_is_live(kernel: Kernel) -> None:
    url = live(kernel.run("%%deploy broken\n" + hello("good")))
    ran = kernel.run("%%deploy broken\n" + hello("bad") + "\ndef setting(name):\n    return {}[name]\n\nsetting('x')\n")
    assert ran.status == "error"
    assert re.fullmatch(r"broken: KeyError: 'x' \(In\[\d+\], line 12\)", ran.error)
    assert re.search(r"In\[\d+\], line 14, in <module>\n +setting\('x'\)", ran.plain)
    assert "      12 |     return {}[name]\n         |            ^^^^^^^^" in ran.plain
    assert f"Version 1 is still live at {url}." in ran.plain
    assert "gofastapi_ext" not in ran.plain + ran.error
    assert get(url).json() == "good"


def test_a_missing_module_says_what_to_do(kernel: Kernel) -> None:
    ran = kernel.run("%%deploy missing\n" + hello("x") + "import not_there_at_all\n")
    assert "not_there_at_all is not installed" in ran.error
    assert "%pip install not_there_at_all" in ran.plain


def test_local_modules_come_along_and_the_card_says_so(kernel: Kernel) -> None:
    ran = kernel.run("%%deploy modules\nfrom helpers import WORD\n" + HELLO.replace('"WORD"', "WORD"))
    assert get(live(ran)).json() == "from a module"
    assert "Came along: helpers.py, words.py" in ran.plain
    assert "<code>helpers.py</code>, <code>words.py</code>" in ran.html


def test_environment_files_and_message(kernel: Kernel, platform: Platform) -> None:
    source = hello("x").replace('"x"', "[open('data.json').read(), os.environ['GREETING'], os.environ['TOKEN']]")
    kernel.run("token = 'hunter2 secret'")
    line = "%%deploy options --env 'GREETING=hi there' --env 'TOKEN={token}' --file data.json --message 'it is new'"
    ran = kernel.run(f"{line}\nimport os\n{source}")
    assert get(live(ran)).json() == ['{"answer": 42}', "hi there", "hunter2 secret"]
    assert "Environment: GREETING, TOKEN" in ran.plain
    assert "hunter2" not in ran.plain + ran.html + ran.text
    assert platform.client.versions("options")[0].message == "it is new"


def test_run_runs_the_cell_first_and_deploys_only_what_ran(kernel: Kernel, platform: Platform) -> None:
    ran = kernel.run("%%deploy ran --run\n" + hello("x") + "print('from the cell')\n")
    live(ran)
    assert "from the cell" in ran.text
    assert kernel.run("print(app)").text.startswith("<fastapi.applications.FastAPI")
    failed = kernel.run("%%deploy not-ran --run\n\n1 / 0\n")
    assert failed.error == "The cell failed, so not-ran was not deployed."
    [own] = [m for m in failed.messages if m["msg_type"] == "error" and m["content"]["ename"] == "ZeroDivisionError"]
    assert "line 3" in "".join(own["content"]["traceback"])
    assert "not-ran" not in [app.id for app in platform.client.apps()]


def test_open_opens_the_app_once(kernel: Kernel) -> None:
    ran = kernel.run("%%deploy opened --open\n" + hello("x"))
    [script] = [output["application/javascript"] for output in ran.outputs if "application/javascript" in output]
    assert "window.open" in script
    assert "Date.now()" in script


def test_what_is_wrong_with_the_line_is_one_line(kernel: Kernel) -> None:
    for line, words in (
        ("%%deploy", "Usage: %%deploy NAME"),
        ("%%deploy Bad_Name", 'Try "bad-name"'),
        ("%%deploy x --env PORT=1", "PORT is set by the platform"),
        ("%%deploy x --file nowhere", "--file nowhere: there is no such file"),
    ):
        ran = kernel.run(line + "\n" + HELLO)
        assert ran.status == "error"
        assert words in ran.error
        assert "\n" not in ran.error
        assert ran.outputs == []


def test_an_interrupt_leaves_the_deploy_to_the_service(kernel: Kernel, platform: Platform, tmp_path: Path) -> None:
    ran = kernel.send("%%deploy slow\n" + held_until(tmp_path / "gate") + hello("late"))
    kernel.until_text(ran, "release")
    kernel.manager.interrupt_kernel()
    kernel.finish(ran)
    assert ran.status == "error"
    assert ran.error == "slow is still deploying in the background: %apps shows when it is live."
    assert "still deploying in the background" in ran.plain
    (tmp_path / "gate").touch()
    assert get(platform.until_state("slow", State.RUNNING).url or "").json() == "late"


def test_a_service_of_another_version_is_one_line_with_the_way_out(kernel: Kernel) -> None:
    kernel.run("import gofastapi_ext.client.transport as c; real, c.__version__ = c.__version__, '9.9.9'")
    ran = kernel.run("%%deploy other\n" + HELLO)
    kernel.run("c.__version__ = real")
    assert ran.status == "error"
    assert "gofastapi up --restart" in ran.error
    assert "this is 9.9.9" in ran.error
    assert "\n" not in ran.error


def test_the_service_restarts_under_a_kernel_that_knew_it(tmp_path: Path, kernel: Kernel, platform: Platform) -> None:
    url = live(kernel.run("%%deploy survivor\n" + hello("one")))
    pid = platform.client.service().pid
    platform.stop()
    platform.start()
    assert platform.client.service().pid != pid
    until(lambda: platform.app("survivor").state is State.RUNNING, what="restored")
    assert live(kernel.run("%%deploy survivor\n" + hello("two"))) == url
    assert get(url).json() == "two"
