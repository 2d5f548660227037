"""`%%deploy --draft`, `%%deployfile`, `%versions` and `%diff` in a real kernel, against a real service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kernel import Kernel, Ran, running_kernel
from support.platform import Platform, get

from gofastapi_ext.core.bundle import BundleFile, CellOrigin
from gofastapi_ext.core.drafts import CodeState, DraftFileSave, DraftSave
from gofastapi_ext.core.errors import NotFoundError

MAIN = """from fastapi import FastAPI
from routers.users import router

app = FastAPI()
app.include_router(router)


@app.get("/")
def root():
    return "WORD"
"""
USERS = """from fastapi import APIRouter

router = APIRouter()


@router.get("/users")
def users():
    return ["NAME"]
"""
ALONE = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/")\ndef root():\n    return "WORD"\n'


def main(word: str) -> str:
    return MAIN.replace("WORD", word)


def alone(word: str) -> str:
    return ALONE.replace("WORD", word)


def users(name: str) -> str:
    return USERS.replace("NAME", name)


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with running_kernel(tmp_path_factory.mktemp("notebook"), GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def url_of(ran: Ran) -> str:
    assert ran.status == "ok", ran.error + ran.plain
    match = re.search(r"http://\S+", ran.plain)
    assert match, ran.plain
    return match[0].rstrip(",")


def test_a_cell_is_saved_as_the_draft_and_not_deployed(platform: Platform, kernel: Kernel) -> None:
    ran = kernel.run("%%deploy later --draft --env WORD=x\n" + alone("one"))
    assert ran.status == "ok"
    assert "later: saved as draft, not deployed" in ran.plain
    assert "later: saved as draft, not deployed" in ran.html
    assert "http://" not in ran.plain
    app = platform.app("later")
    assert (app.version, app.code_state, app.instances) == (None, CodeState.NOT_DEPLOYED, [])
    draft = platform.client.draft("later")
    assert draft.bundle.files["main.py"].text == alone("one")
    assert draft.env == {"WORD": "x"}
    [origin] = draft.origins["main.py"]
    assert (origin.cell_id, origin.line_offset) == ("cell-1", 1)

    # The same cell, changed: it is its own draft.
    assert kernel.run("%%deploy later --draft\n" + alone("two")).status == "ok"
    live = kernel.run("%%deploy later\n" + alone("three"))
    assert get(url_of(live)).json() == "three"
    # The older state of this cell, saved before, is done with.
    assert platform.app("later").draft is None
    assert "it is what is live" in kernel.run("%%deploy later --draft\n" + alone("three")).plain


def test_a_draft_that_was_changed_elsewhere_is_not_overwritten(platform: Platform, kernel: Kernel) -> None:
    kernel.run("%%deploy shared --draft\n" + alone("mine"))
    read = platform.client.draft_file("shared", "main.py")
    edited = DraftFileSave(file=BundleFile(text=alone("edited in an editor")))
    platform.client.save_draft_file("shared", "main.py", edited, read.etag)
    refused = kernel.run("%%deploy shared --draft\n" + alone("mine again"))
    assert refused.status == "error"
    assert "\n" not in refused.error
    assert re.search(
        r"The draft of shared was saved elsewhere, by \S+, \d{4}-\d\d-\d\d \d\d:\d\d, and is not what this cell has. "
        r"Nothing was overwritten: --force does that.",
        refused.error,
    )
    assert '-    return "edited in an editor"\n+    return "mine again"' in refused.plain
    assert 'class="gofastapi-removed">-    return &quot;edited' in refused.html
    assert platform.client.draft_file("shared", "main.py").file == edited.file
    # What is there already can be saved by anybody.
    assert kernel.run("%%deploy shared --draft\n" + alone("edited in an editor"), "cell-2").status == "ok"

    platform.client.save_draft_file("shared", "main.py", edited.model_copy(update={"origin": None}), "*")
    forced = kernel.run("%%deploy shared --draft --force\n" + alone("mine again"))
    assert forced.status == "ok", forced.error
    assert platform.client.draft("shared").bundle.files["main.py"].text == alone("mine again")


def test_two_front_ends_that_name_no_cells_do_not_overwrite_each_other(
    platform: Platform, kernel: Kernel, tmp_path: Path
) -> None:
    with running_kernel(tmp_path, GOFASTAPI_HOME=str(platform.places.home)) as other:
        assert kernel.run("%%deploy terminals --draft\n" + alone("one"), None).status == "ok"
        assert "was saved elsewhere" in other.run("%%deploy terminals --draft\n" + alone("two"), None).error
        assert "The draft stays" in other.run("%%deploy terminals\n" + alone("two"), None).plain
    assert kernel.run("%%deploy terminals --draft\n" + alone("one more"), None).status == "ok"
    assert "The draft stays" not in kernel.run("%%deploy terminals\n" + alone("the last"), None).plain
    assert platform.client.draft("terminals").info is None


def test_files_others_added_to_the_draft_stay_in_it(platform: Platform, kernel: Kernel) -> None:
    kernel.run("%%deploy added --draft\n" + alone("one"))
    platform.client.save_draft_file("added", "notes.txt", DraftFileSave(file=BundleFile(text="theirs")))
    kernel.run("%%deploy added --draft\n" + alone("two"))
    files = platform.client.draft("added").bundle.files
    assert {path: file.text for path, file in files.items()} == {"main.py": alone("two"), "notes.txt": "theirs"}
    # A deploy of the cell alone is not a deploy of that draft, which stays.
    live = kernel.run("%%deploy added\n" + alone("three"))
    assert url_of(live)
    assert "The draft stays, for what it has of its own: notes.txt. See it: %diff added live draft" in live.plain
    assert platform.client.draft("added").bundle.files == files
    assert platform.app("added").code_state is CodeState.NOT_DEPLOYED


def test_deployfile_cells_come_along_and_their_errors_name_their_cell(platform: Platform, kernel: Kernel) -> None:
    ran = kernel.run("%%deployfile multi routers/users.py\n" + users("anna"), "cell-users")
    assert ran.text == (
        "routers/users.py is in the draft of multi, not deployed. It comes along with %%deploy multi.\n"
    )
    assert platform.app("multi").version is None
    first = kernel.run("%%deploy multi\n" + main("one"), "cell-main")
    url = url_of(first)
    assert get(url, "/users").json() == ["anna"]
    assert "Came along: routers/users.py (from %%deployfile)" in first.plain
    assert platform.app("multi").draft is None

    # Deployed again alone, the cell keeps the file, which is what is live now.
    again = kernel.run("%%deploy multi\n" + main("two"), "cell-main")
    assert "Came along: routers/users.py (from %%deployfile)" in again.plain
    assert (get(url).json(), get(url, "/users").json()) == ("two", ["anna"])

    kernel.run("%%deployfile multi routers/users.py\n" + users("bob"), "cell-users")
    assert get(url, "/users").json() == ["anna"]
    url_of(kernel.run("%%deploy multi\n" + main("two"), "cell-main"))
    assert get(url, "/users").json() == ["bob"]

    broken = users("bob").replace("def users():", "def users(:")
    kernel.run("%%deployfile multi routers/users.py\n" + broken, "cell-users")
    number = kernel.run("print(len(get_ipython().history_manager.input_hist_raw) - 2)").text.strip()
    failed = kernel.run("%%deploy multi\n" + main("three"), "cell-main")
    assert failed.error == f"multi: Syntax error: invalid syntax (In[{number}], line 8)"
    assert f"In[{number}]:8:11" in failed.plain
    assert get(url, "/users").json() == ["bob"]

    fails = users("x") + "\nraise RuntimeError('not today')\n"
    kernel.run("%%deployfile multi routers/users.py\n" + fails, "cell-users")
    number = kernel.run("print(len(get_ipython().history_manager.input_hist_raw) - 2)").text.strip()
    failed = kernel.run("%%deploy multi\n" + main("three"), "cell-main")
    assert failed.error == f"multi: RuntimeError: not today (In[{number}], line 11)"
    # The draft is still there, to be mended.
    assert platform.client.draft_file("multi", "routers/users.py").file.text == fails


def test_a_file_of_the_draft_that_was_saved_elsewhere_is_not_overwritten(platform: Platform, kernel: Kernel) -> None:
    kernel.run("%%deployfile guarded a.py\none = 1\n", "cell-a")
    etag = platform.client.draft_file("guarded", "a.py").etag
    platform.client.save_draft_file("guarded", "a.py", DraftFileSave(file=BundleFile(text="edited = 1\n")), etag)
    refused = kernel.run("%%deployfile guarded a.py\ntwo = 2\n", "cell-a")
    assert "The draft of guarded was saved elsewhere" in refused.error
    assert "-edited = 1\n+two = 2" in refused.plain
    assert kernel.run("%%deployfile guarded a.py --force\ntwo = 2\n", "cell-a").status == "ok"
    assert platform.client.draft_file("guarded", "a.py").file.text == "two = 2\n"

    # Another cell of another notebook put it there.
    foreign = DraftFileSave(
        file=BundleFile(text="three = 3\n"), origin=CellOrigin(label="In[1]", notebook="other.ipynb", cell_id="x")
    )
    platform.client.save_draft_file("guarded", "a.py", foreign, "*")
    assert kernel.run("%%deployfile guarded a.py\nfour = 4\n", "cell-a").status == "error"

    gone = kernel.run("%deployfile guarded a.py --remove")
    assert "a.py is no longer in the draft of guarded" in gone.text
    with pytest.raises(NotFoundError):
        platform.client.draft_file("guarded", "a.py")
    assert "There is no file a.py" in kernel.run("%deployfile guarded a.py --remove").error


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%%deployfile app\nx\n", "Usage: %%deployfile NAME PATH"),
        ("%%deployfile app ../x\nx\n", "'../x' cannot be a file of the app"),
        ("%%deployfile app /etc/x\nx\n", "relative, inside the app"),
        ("%%deployfile App x\nx\n", 'Try "app"'),
        ("%%deployfile app x --remove\nx\n", "Usage: %%deployfile NAME PATH"),
        ("%deployfile app x", "Usage: %%deployfile NAME PATH"),
        ("%%deployfile app .env\nKEY=1\n", ".env: may hold secrets; they never go into an app's files"),
        ("%%deployfile app key.txt\n-----BEGIN PRIVATE KEY-----\n", "key.txt: may hold secrets"),
        ("%%deploy app --force\nx\n", "--force goes with --draft"),
        ("%%deploy app --draft --open\nx\n", "--draft deploys nothing"),
        ("%diff", "Usage: %diff NAME"),
        ("%diff never-there", 'There is no app "never-there"'),
        ("%versions never-there", 'There is no app "never-there"'),
        ("%versions", "Usage: %versions NAME"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(kernel: Kernel, line: str, words: str) -> None:
    ran = kernel.run(line)
    assert ran.status == "error"
    assert words in ran.error
    assert "\n" not in ran.error


def test_versions_and_differences_are_shown(platform: Platform, kernel: Kernel) -> None:
    kernel.run("%%deploy past --message first\n" + alone("one"))
    kernel.run("%%deploy past --message <b>second</b>\n" + alone("two"))
    ran = kernel.run("%versions past")
    rows = ran.plain.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [["v2", "live"], ["v1", "superseded"]]
    assert rows[2].endswith("first")
    assert "&lt;b&gt;second&lt;/b&gt;" in ran.html
    assert "<b>second" not in ran.html

    before = kernel.run("%diff past")
    assert before.plain.splitlines()[0] == "v1 → v2"
    assert '-    return "one"\n+    return "two"' in before.plain
    assert '<span class="gofastapi-added">+    return &quot;two&quot;</span>' in before.html
    assert kernel.run("%diff past 2 1").plain.splitlines()[0] == "v2 → v1"
    kernel.run("%%deploy past --draft\n" + alone("three"))
    draft = kernel.run("%diff past")
    assert draft.plain.splitlines()[0] == "v2 → draft"
    assert '+    return "three"' in draft.plain
    assert kernel.run("%diff past 1 draft").plain.splitlines()[0] == "v1 → draft"
    assert platform.app("past").version == 2


def test_completion_knows_drafts_and_versions(platform: Platform, kernel: Kernel) -> None:
    kernel.run("%%deploy completes\n" + alone("one"))
    platform.client.save_draft("completes", DraftSave(bundle=platform.client.version("completes", 1).bundle))
    assert "--draft" in kernel.complete("%%deploy completes --")
    assert "completes" in kernel.complete("%diff comp")
    assert {"live", "draft", "1"} <= set(kernel.complete("%diff completes "))
    assert kernel.complete("%%deployfile completes m") == ["main.py"]
    assert "Add one file to the draft" in kernel.run("%%deployfile?").help


def test_what_a_deployfile_cell_imports_comes_along_too(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("imports")
    (folder / "names.py").write_text("NAME = 'carla'\n")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as kernel:
        needs = "from names import NAME\n" + users("").replace('""', "NAME")
        kernel.run("%%deployfile needs routers/users.py\n" + needs, "cell-users")
        ran = kernel.run("%%deploy needs\n" + main("one"), "cell-main")
        assert get(url_of(ran), "/users").json() == ["carla"]
        assert "Came along: routers/users.py (from %%deployfile), names.py" in ran.plain
        assert platform.app("needs").draft is None


def test_objects_of_a_draft_are_those_of_its_last_save(platform: Platform, kernel: Kernel) -> None:
    kernel.run("words = {'a': 1}")
    assert kernel.run("%%deploy brings --draft --with words\n" + alone("one")).status == "ok"
    assert ".gofastapi/objects.json" in platform.client.draft("brings").bundle.files
    assert kernel.run("%%deploy brings --draft\n" + alone("two")).status == "ok"
    assert [*platform.client.draft("brings").bundle.files] == ["main.py"]
    kernel.run("%%deploy brings --draft --with words\n" + alone("two"))
    # An older state of this cell, objects and all.
    url_of(kernel.run("%%deploy brings\n" + alone("three")))
    assert platform.app("brings").draft is None
