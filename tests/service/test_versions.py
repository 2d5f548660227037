"""Versions in full: who, when and what; how any two of them differ; what a rollback keeps and what goes."""

from __future__ import annotations

import getpass
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from support.platform import Platform, get
from support.waiting import until

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.core.variables import EnvChange, Setting


def hello(word: str) -> str:
    return f"from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return {word!r}\n"


def bundle(**files: str) -> Bundle:
    """`routers__users_py` is the file `routers/users.py`."""
    named = {name.replace("__", "/").replace("_", "."): BundleFile(text=text) for name, text in files.items()}
    return Bundle(files=named)


def asked(platform: Platform, path: str) -> httpx.Response:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(base_url="http://gofastapi", transport=transport, trust_env=False) as client:
        return client.get(path)


def test_a_version_tells_who_when_what_and_with_which_names(platform: Platform) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    setting = {"TOKEN": Setting(value="hidden", secret=True), "COLOUR": Setting(value="red")}
    platform.deploy_live("told", hello("one"), message="the first one", env={"WORD": "x"}, files={"a.txt": "12345"})
    list(platform.client.change_env("told", EnvChange(set=setting)))
    platform.deploy_live("told", hello("two"), message="a second\nwith two lines")
    second, first = platform.client.versions("told")
    assert (first.number, first.message, first.state) == (1, "the first one", "superseded")
    assert (second.number, second.message, second.state) == (2, "a second\nwith two lines", "live")
    assert first.created_by == getpass.getuser()
    assert before < first.created_at < second.created_at < datetime.now(UTC)
    assert (first.files, first.size_bytes) == (["a.txt", "main.py"], len(hello("one")) + 5)
    assert first.env_names == ["WORD"]
    assert second.env_names == ["COLOUR", "TOKEN"]
    content = platform.client.version("told", 1)
    assert content.version == first
    assert content.bundle == bundle(main_py=hello("one"), a_txt="12345")
    assert content.bundle.code_hash == first.code_hash


def test_the_code_of_a_version_is_told_by_its_cells(platform: Platform) -> None:
    app = "from fastapi import FastAPI\napp = FastAPI()"
    parts = [CellOrigin(label="In[2]", notebook="a.ipynb", cell_id="x", line_offset=1)]
    parts.append(CellOrigin(label="In[3]", notebook="a.ipynb", cell_id="y", line_offset=-3, first_line=4))
    request = DeployRequest(
        bundle=bundle(main_py=f"{app}\n\nprice = 3\n", other_py="x = 1\n"), origins={"main.py": parts}
    )
    list(platform.client.deploy("of-cells", request))
    told = asked(platform, "/api/apps/of-cells/versions/1/cells").json()
    assert [(each["path"], each["cell"]["cell_id"], each["text"]) for each in told] == [
        ("main.py", "x", app),
        ("main.py", "y", "price = 3"),
    ]
    missing = asked(platform, "/api/apps/of-cells/versions/7/cells")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_any_two_versions_and_the_draft_are_compared(platform: Platform) -> None:
    platform.deploy_live("diffs", hello("one"), env={"OLD": "1"}, files={"gone.txt": "x\n"})
    platform.deploy_live("diffs", hello("two"), env={"NEW": "2"})
    draft = platform.client.save_draft(
        "diffs", DraftSave(bundle=bundle(main_py=hello("two"), routers__users_py="u\n"), env={"NEW": "2"})
    )
    there = platform.client.diff("diffs", 1, "2")
    assert (there.old, there.new, there.env_added, there.env_removed) == ("v1", "v2", ["NEW"], ["OLD"])
    assert [(f.path, str(f.change)) for f in there.files] == [("gone.txt", "removed"), ("main.py", "changed")]
    assert "-def root(): return 'one'\n+def root(): return 'two'\n" in there.files[1].unified
    back = platform.client.diff("diffs", 2, "v1")
    assert (back.old, back.new, back.env_added, back.env_removed) == ("v2", "v1", ["OLD"], ["NEW"])
    assert "-def root(): return 'two'\n+def root(): return 'one'\n" in back.files[1].unified
    assert platform.client.diff("diffs", 1, "live") == there
    assert platform.client.diff("diffs", 2, "live").files == []

    against_draft = platform.client.diff("diffs", 2)
    assert (against_draft.old, against_draft.new) == ("v2", "draft")
    assert [(f.path, f.unified) for f in against_draft.files] == [
        ("routers/users.py", "--- /dev/null\n+++ b/routers/users.py\n@@ -0,0 +1 @@\n+u\n")
    ]
    assert (against_draft.env_added, against_draft.env_removed) == ([], [])
    platform.client.discard_draft("diffs", draft.etag)
    assert platform.client.diff("diffs", 2).files == []

    for number, against, error, words in (
        (3, "draft", NotFoundError, "has no version 3. It has: 2, 1."),
        (1, "7", NotFoundError, "has no version 7"),
        (1, "latest", InvalidRequestError, 'a version\'s number, "draft" or "live"'),
        (1, "-1", InvalidRequestError, "a version's number"),
    ):
        with pytest.raises(error, match=words):
            platform.client.diff("diffs", number, against)
    with pytest.raises(NotFoundError, match="has no version 3"):
        platform.client.version("diffs", 3)
    with pytest.raises(NotFoundError):
        platform.client.version("nobodys", 1)


def test_the_service_answers_others_while_it_compares(platform: Platform) -> None:
    lines = [f"value_{n * 7919 % 1000} = {n % 60}\n" for n in range(9_900)]
    url = platform.deploy_live("large", hello("x"), files={"a.py": "".join(lines)})
    platform.deploy_live("large", hello("x"), files={"a.py": "".join(reversed(lines))})
    with ThreadPoolExecutor(3) as pool:
        diffs = [pool.submit(platform.client.diff, "large", 1, "2") for _ in range(3)]
        slowest = 0.0
        while not all(diff.done() for diff in diffs):
            begun = datetime.now(UTC)
            platform.client.me()
            assert get(url).json() == "x"
            slowest = max(slowest, (datetime.now(UTC) - begun).total_seconds())
    assert all(diff.result().files[0].unified for diff in diffs)
    assert slowest < 5


def test_ten_versions_stay_and_their_code_with_that_of_the_draft(platform: Platform) -> None:
    platform.deploy_live("ten", hello("draft"))
    for number in range(2, 13):
        platform.deploy_live("ten", hello(f"{number}"))
        if number == 2:
            # The code of v1, which is about to be pruned; and it is what the draft has.
            platform.client.save_draft("ten", DraftSave(bundle=bundle(main_py=hello("draft"))))
    until(lambda: len(platform.client.versions("ten")) == 10)
    kept = platform.client.versions("ten")
    assert [version.number for version in kept] == list(range(12, 2, -1))
    with pytest.raises(NotFoundError, match="has no version 2"):
        platform.client.version("ten", 2)
    with pytest.raises(NotFoundError, match="has no version 2"):
        list(platform.client.rollback("ten", 2))
    assert platform.client.draft("ten").bundle == bundle(main_py=hello("draft"))
    stored = {bundle(main_py=hello(f"{number}")).code_hash for number in range(1, 13)}
    with platform.database() as database:

        def there() -> set[str]:
            return {file["_id"] for file in database["bundles.files"].find({"_id": {"$in": list(stored)}})}

        until(lambda: there() == {version.code_hash for version in kept}, what="code of pruned versions gone")
        draft_hash = bundle(main_py=hello("draft")).code_hash
        assert database["bundles.files"].find_one({"_id": draft_hash}) is not None
        last = list(platform.client.deploy("ten", DeployRequest()))[-1]
        assert get(str(last.url)).json() == "draft"
        assert database["bundles.files"].find_one({"_id": draft_hash}) is not None


def test_a_rollback_to_what_fails_leaves_what_is_live(platform: Platform) -> None:
    url = platform.deploy_live("safe", hello("one"), env={"WORK": "yes"})
    source = "import os\nassert os.environ.get('WORK'), 'it needs WORK'\n" + hello("two")
    list(platform.client.change_env("safe", EnvChange(set={"WORK": Setting(value="yes")})))
    platform.deploy_live("safe", source)
    platform.deploy_live("safe", hello("three"))
    list(platform.client.change_env("safe", EnvChange(unset=["WORK"])))
    failed = list(platform.client.rollback("safe", 2))[-1]
    assert failed.stage == "failed"
    assert "it needs WORK" in failed.diagnostics[0].message
    assert get(url).json() == "three"
    # Its own variables come back with a version.
    done = list(platform.client.rollback("safe", 1))[-1]
    assert (done.stage, get(url).json()) == ("live", "one")
    newest = platform.client.versions("safe")[0]
    assert (newest.rollback_of, newest.env_names, newest.message) == (1, ["WORK"], "Rollback to version 1")
    assert newest.code_hash == platform.client.version("safe", 1).version.code_hash


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999", "1.5"])
def test_numbers_that_are_none(platform: Platform, number: str) -> None:
    platform.deploy_live("numbers", hello("x"))
    for path in (f"versions/{number}", f"versions/{number}/diff", f"versions/{number}/cells"):
        answer = asked(platform, f"/api/apps/numbers/{path}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_every_attempt_is_told_with_the_seconds_of_its_stages(platform: Platform) -> None:
    platform.deploy_live("tried", hello("one"), client_seconds=0.25)
    platform.deploy_failed("tried", hello("two") + "raise ValueError('not today')\n")
    list(platform.client.change_env("tried", EnvChange(set={"A": Setting(value="1")})))
    platform.deploy_live("others", hello("x"))
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(base_url="http://gofastapi/api/apps/tried", transport=transport, trust_env=False) as client:
        told = until(lambda: found if len(found := client.get("/deployments").json()) == 3 else None, 5, "all stored")
        assert [each["kind"] for each in client.get("/deployments?limit=2").json()] == ["environment", "deploy"]
    environment, failed, first = told
    assert (environment["kind"], environment["outcome"], environment["version"]) == ("environment", "live", 1)
    assert list(environment["stages"]) == ["start", "ready", "live"]
    assert (failed["outcome"], failed["failed_stage"]) == ("failed", "start")
    assert "not today" in failed["problem"]
    assert (first["by"], first["client_seconds"]) == (getpass.getuser(), 0.25)
    assert list(first["stages"]) == ["validate", "release", "start", "ready", "live"]
    assert sum(first["stages"].values()) == pytest.approx(first["seconds"], abs=0.05)
