"""Drafts: two editors, single files, what is deployed against what is latest, and what hurts them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.platform import Platform, get

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.drafts import (
    CodeState,
    DraftConflict,
    DraftFileSave,
    DraftFileView,
    DraftMove,
    DraftSave,
    DraftView,
)
from gofastapi_ext.core.errors import (
    ConflictError,
    DraftConflictError,
    InvalidBundleError,
    NotFoundError,
)
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.core.models import DeployRequest, StageEvent


def hello(word: str) -> str:
    return f"from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return {word!r}\n"


def bundle(**files: str) -> Bundle:
    """`routers__users_py` is the file `routers/users.py`."""
    named = {name.replace("__", "/").replace("_", "."): BundleFile(text=text) for name, text in files.items()}
    return Bundle(files=named)


def save(platform: Platform, app_id: str, etag: str | None = None, **files: str) -> DraftView:
    return platform.client.save_draft(app_id, DraftSave(bundle=bundle(**files)), etag)


def save_file(
    platform: Platform, app_id: str, path: str, text: str, etag: str | None = None, label: str | None = None
) -> DraftFileView:
    origin = CellOrigin(label=label) if label else None
    return platform.client.save_draft_file(app_id, path, DraftFileSave(file=BundleFile(text=text), origin=origin), etag)


def deploy_draft(platform: Platform, app_id: str, etag: str | None = None) -> StageEvent:
    return list(platform.client.deploy(app_id, DeployRequest(draft_etag=etag)))[-1]


def sides(error: pytest.ExceptionInfo[DraftConflictError]) -> DraftConflict:
    return DraftConflict.model_validate(error.value.details)


@pytest.fixture
def http(platform: Platform) -> Iterator[httpx.Client]:
    """Requests as they are, for what our client would not send."""
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(base_url="http://gofastapi/api/apps", transport=transport, timeout=30, trust_env=False) as client:
        yield client


def test_a_saved_draft_is_the_latest_code_and_nothing_runs(platform: Platform) -> None:
    origins = {"main.py": [CellOrigin(label="In[3]", notebook="one.ipynb")]}
    # A draft may be half-written.
    wanted = DraftSave(bundle=bundle(main_py="def broken(:\n"), origins=origins, env={"WORD": "x"})
    saved = platform.client.save_draft("fresh", wanted)
    read = platform.client.draft("fresh")
    assert read == saved
    assert (read.bundle, read.origins, read.env) == (wanted.bundle, origins, {"WORD": "x"})
    assert read.code_state is CodeState.NOT_DEPLOYED
    assert read.info is not None
    assert (read.info.etag, read.info.code_hash) == (read.etag, wanted.bundle.code_hash)
    app = platform.app("fresh")
    assert (app.state, app.version, app.draft, app.code_state) == ("new", None, read.info, CodeState.NOT_DEPLOYED)
    assert app.instances == []
    assert platform.client.versions("fresh") == []


def test_two_editors_of_a_whole_draft_nothing_is_overwritten(platform: Platform) -> None:
    first = save(platform, "two", main_py="one", notes_txt="same")
    save(platform, "two", first.etag, main_py="mine", notes_txt="same", new_py="n")
    with pytest.raises(DraftConflictError) as error:
        save(platform, "two", first.etag, main_py="theirs", notes_txt="same")
    assert 'The draft of "two" was changed meanwhile by ' in error.value.message
    found = sides(error)
    current = platform.client.draft("two")
    assert current.info is not None
    assert (found.etag, found.saved_by, found.saved_at) == (current.etag, current.info.saved_by, current.info.saved_at)
    assert [(f.path, f.yours, f.theirs) for f in found.files] == [("main.py", "theirs", "mine"), ("new.py", None, "n")]
    assert current.bundle == bundle(main_py="mine", notes_txt="same", new_py="n")

    # Whoever has looked at it may save over it, and so may who means to.
    assert save(platform, "two", str(found.etag), main_py="theirs").bundle == bundle(main_py="theirs")
    assert save(platform, "two", "*", main_py="by force").bundle == bundle(main_py="by force")


def test_a_first_save_is_not_over_somebody_elses(platform: Platform) -> None:
    save(platform, "first", main_py="one")
    with pytest.raises(DraftConflictError) as error:
        save(platform, "first", main_py="two")
    assert [(f.yours, f.theirs) for f in sides(error).files] == [("two", "one")]
    # The same once more is no conflict: an answer may have been lost on its way.
    assert save(platform, "first", main_py="one").bundle == bundle(main_py="one")


def test_conflicts_are_409_and_headers_carry_the_etags(platform: Platform, http: httpx.Client) -> None:
    body = DraftSave(bundle=bundle(main_py="one")).model_dump(mode="json")
    made = http.put("/headers/draft", json=body)
    etag = made.headers["ETag"]
    assert etag == f'"{made.json()["etag"]}"'
    read = http.get("/headers/draft")
    assert (read.status_code, read.headers["ETag"], read.headers["Cache-Control"]) == (200, etag, "no-cache")
    for known in (etag, f'"other", W/{etag}', "*"):
        again = http.get("/headers/draft", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert http.get("/headers/draft", headers={"If-None-Match": '"other"'}).status_code == 200

    other = DraftSave(bundle=bundle(main_py="two")).model_dump(mode="json")
    stale = http.put("/headers/draft", json=other, headers={"If-Match": '"1-abc"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "draft_conflict")
    assert stale.json()["details"]["files"] == [{"path": "main.py", "yours": "two", "theirs": "one"}]
    assert http.delete("/headers/draft").status_code == 422
    assert http.delete("/headers/draft", headers={"If-Match": '"1-abc"'}).status_code == 409

    file = http.get("/headers/draft/files/main.py")
    file_etag = file.headers["ETag"]
    assert file_etag == f'"{bundle(main_py="one").files["main.py"].sha256}"'
    assert http.get("/headers/draft/files/main.py", headers={"If-None-Match": file_etag}).status_code == 304
    stale = http.put("/headers/draft/files/main.py", json={"file": {"text": "x"}}, headers={"If-Match": '"abc"'})
    assert (stale.status_code, stale.json()["details"]["etag"]) == (409, file_etag.strip('"'))
    saved = http.put("/headers/draft/files/main.py", json={"file": {"text": "x"}}, headers={"If-Match": file_etag})
    assert saved.headers["ETag"] == f'"{saved.json()["etag"]}"'
    assert http.delete("/headers/draft/files/main.py", headers={"If-Match": file_etag}).status_code == 409
    assert http.delete("/headers/draft", headers={"If-Match": "*"}).status_code == 204
    assert http.get("/headers/draft").status_code == 404


def test_a_file_is_downloaded_as_it_is_and_never_shown(platform: Platform, http: httpx.Client) -> None:
    large = bytes(range(256)) * 5_000
    sha256 = hashlib.sha256(large).hexdigest()
    platform.client.put_blob(sha256, iter([large]))
    files = {
        "main.py": BundleFile(text="one"),
        "static/ü 1.html": BundleFile(text="<script>1</script>"),
        "logo.png": BundleFile.from_bytes(b"\x89PNG\xff"),
        "big.bin": BundleFile(blob=sha256, blob_bytes=len(large)),
    }
    platform.client.save_draft("bytes", DraftSave(bundle=Bundle(files=files)))
    page = http.get("/bytes/draft/content/static/ü 1.html")
    assert page.content == b"<script>1</script>"
    assert page.headers["ETag"] == f'"{platform.client.draft("bytes").etags["static/ü 1.html"]}"'
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%BC%201.html"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert http.get("/bytes/draft/content/logo.png").content == b"\x89PNG\xff"
    assert http.get("/bytes/draft/content/big.bin").content == large
    assert http.get("/bytes/draft/content/static").json()["message"] == "static is a folder."
    assert http.get("/bytes/draft/content/no.txt").status_code == 404


def test_two_editors_of_two_files_are_not_in_each_others_way(platform: Platform) -> None:
    save(platform, "files", main_py="m", a_py="a", b_py="b")
    a, b = (platform.client.draft_file("files", path) for path in ("a.py", "b.py"))
    save_file(platform, "files", "a.py", "a2", a.etag, label="In[1]")
    save_file(platform, "files", "b.py", "b2", b.etag)
    read = platform.client.draft("files")
    assert read.bundle == bundle(main_py="m", a_py="a2", b_py="b2")
    assert {path: [part.label for part in parts] for path, parts in read.origins.items()} == {"a.py": ["In[1]"]}
    assert platform.client.draft_file("files", "a.py").origins == [CellOrigin(label="In[1]")]

    with pytest.raises(DraftConflictError) as error:
        save_file(platform, "files", "a.py", "mine", a.etag)
    assert "a.py of" in error.value.message
    found = sides(error)
    assert [(f.path, f.yours, f.theirs) for f in found.files] == [("a.py", "mine", "a2")]
    with pytest.raises(DraftConflictError):
        save_file(platform, "files", "b.py", "new, I thought")
    with pytest.raises(DraftConflictError):
        platform.client.delete_draft_file("files", "b.py", b.etag)
    save_file(platform, "files", "a.py", "mine", found.etag)
    platform.client.delete_draft_file("files", "b.py", "*")
    assert platform.client.draft("files").bundle == bundle(main_py="m", a_py="mine")
    # Edited by hand, the file no longer is what the cell has.
    assert platform.client.draft_file("files", "a.py").origins == []
    with pytest.raises(NotFoundError, match=r"There is no file b\.py"):
        platform.client.draft_file("files", "b.py")
    with pytest.raises(DraftConflictError) as error:
        save_file(platform, "files", "b.py", "over what is gone", b.etag)
    assert sides(error).etag is None


def test_many_editors_of_one_file_add_a_line_each_and_no_line_is_lost(platform: Platform) -> None:
    save(platform, "lines", main_py="m", lines_txt="")

    def add_line(number: int) -> None:
        with Client(platform.places) as client:
            while True:
                read = client.draft_file("lines", "lines.txt")
                file = DraftFileSave(file=BundleFile(text=f"{read.file.text}{number}\n"))
                try:
                    client.save_draft_file("lines", "lines.txt", file, read.etag)
                except DraftConflictError:
                    continue
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_line, range(40)))
    lines = (platform.client.draft_file("lines", "lines.txt").file.text or "").split()
    assert sorted(map(int, lines)) == list(range(40))


def test_many_editors_of_many_files_at_once_all_is_there(platform: Platform) -> None:
    save(platform, "many", main_py="m")

    def write(number: int) -> None:
        with Client(platform.places) as client:
            file = DraftFileSave(file=BundleFile(text=str(number)))
            client.save_draft_file("many", f"parts/p{number}.py", file)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(30)))
    files = platform.client.draft("many").bundle.files
    assert {path: file.text for path, file in files.items()} == {"main.py": "m"} | {
        f"parts/p{n}.py": str(n) for n in range(30)
    }


def test_files_and_folders_move(platform: Platform) -> None:
    origin = {"api/users.py": [CellOrigin(label="In[2]")]}
    made = DraftSave(bundle=bundle(main_py="m", api__users_py="u", api__v2__a_py="a", apis_py="x"), origins=origin)
    platform.client.save_draft("moves", made)
    moved = platform.client.move_draft_file("moves", DraftMove(source="api", target="routers"))
    assert moved.bundle == bundle(main_py="m", routers__users_py="u", routers__v2__a_py="a", apis_py="x")
    assert [*moved.origins] == ["routers/users.py"]
    # Another case alone is another name all the same.
    moved = platform.client.move_draft_file("moves", DraftMove(source="routers/users.py", target="routers/Users.py"))
    assert "routers/Users.py" in moved.bundle.files

    for source, target, error, words in (
        ("main.py", "apis.py", ConflictError, "apis.py is there already"),
        ("main.py", "routers", ConflictError, "routers is there already"),
        ("routers", "main.py", ConflictError, "main.py is there already"),
        ("main.py", "apis.py/x", InvalidBundleError, "is a file and cannot hold"),
        ("main.py", "APIS.py", InvalidBundleError, "differ only in case"),
        ("routers", "routers/inner", InvalidBundleError, "cannot be moved into itself"),
        ("nothing", "something", NotFoundError, "neither a file nor a folder nothing"),
        ("main.py", "../main.py", InvalidBundleError, "relative, inside the app"),
        ("main.py", "", InvalidBundleError, "between 1 and 400 characters"),
        ("main.py", ".git/main.py", InvalidBundleError, ".git"),
    ):
        with pytest.raises(error, match=words):
            platform.client.move_draft_file("moves", DraftMove(source=source, target=target))
    assert platform.client.draft("moves").bundle == moved.bundle

    platform.client.move_draft_file("moves", DraftMove(source="main.py", target="app/main.py"))
    assert platform.client.draft("moves").bundle.main == "app/main.py"


def test_latest_against_deployed_through_a_whole_life(platform: Platform) -> None:
    def state() -> tuple[str, bool]:
        """As the app says it, and the draft."""
        app, draft = platform.app("life"), platform.client.draft("life")
        assert app.code_state is draft.code_state
        assert app.draft == draft.info
        return str(app.code_state), draft.info is not None

    save(platform, "life", main_py=hello("one"))
    assert state() == ("not_deployed", True)
    live = deploy_draft(platform, "life")
    assert (live.stage, live.version) == (Stage.LIVE, 1)
    assert get(str(live.url)).json() == "one"
    assert state() == ("up_to_date", False)
    read = platform.client.draft("life")
    assert (read.etag, read.bundle) == ("v1", bundle(main_py=hello("one")))

    # The editor that showed the draft which went live goes on from there, and so does one that read what is live.
    second = save(platform, "life", read.etag, main_py=hello("two"))
    assert state() == ("not_deployed", True)
    assert get(str(live.url)).json() == "one"
    same = save(platform, "life", second.etag, main_py=hello("one"))
    assert state() == ("up_to_date", True)
    third = save(platform, "life", same.etag, main_py=hello("three"))
    with pytest.raises(DraftConflictError):
        deploy_draft(platform, "life", second.etag)
    assert deploy_draft(platform, "life", third.etag).version == 2
    assert state() == ("up_to_date", False)
    fourth = save(platform, "life", third.etag, main_py=hello("four"))

    # A rollback leaves what was never deployed where it is.
    assert list(platform.client.rollback("life", 1))[-1].version == 3
    assert get(str(live.url)).json() == "one"
    assert state() == ("not_deployed", True)
    assert platform.client.draft("life") == fourth
    with pytest.raises(DraftConflictError):
        platform.client.discard_draft("life", third.etag)
    platform.client.discard_draft("life", fourth.etag)
    assert state() == ("up_to_date", False)
    assert platform.client.draft("life").bundle == bundle(main_py=hello("one"))
    with pytest.raises(NotFoundError, match="has no draft"):
        platform.client.discard_draft("life", "*")


def test_a_failed_deploy_of_a_draft_leaves_both_as_they_were(platform: Platform) -> None:
    url = platform.deploy_live("fails", hello("good"))
    broken = save(platform, "fails", "v1", main_py="def broken(:\n")
    failed = deploy_draft(platform, "fails")
    assert failed.stage is Stage.FAILED
    assert "Syntax error" in failed.diagnostics[0].message
    assert platform.client.draft("fails") == broken
    assert get(url).json() == "good"


def test_what_is_edited_begins_with_what_is_live(platform: Platform) -> None:
    platform.deploy_live("begins", hello("one"), files={"notes.txt": "n"}, env={"WORD": "kept"})
    save_file(platform, "begins", "notes.txt", "changed", "*")
    read = platform.client.draft("begins")
    assert read.bundle.files["main.py"].text == hello("one")
    assert read.bundle.files["notes.txt"].text == "changed"
    assert read.env == {"WORD": "kept"}
    assert [part.label for part in read.origins["main.py"]] == ["In[5]"]
    platform.client.discard_draft("begins", read.etag)
    platform.client.delete_draft_file("begins", "notes.txt", "*")
    assert [*platform.client.draft("begins").bundle.files] == ["main.py"]
    platform.client.move_draft_file("begins", DraftMove(source="main.py", target="app.py"))
    assert [*platform.client.draft("begins").bundle.files] == ["app.py"]


def test_a_new_app_from_a_single_file(platform: Platform) -> None:
    save_file(platform, "single", "routers/users.py", "u", label="In[7]")
    assert platform.client.draft("single").bundle == bundle(routers__users_py="u")
    failed = deploy_draft(platform, "single")
    assert failed.stage is Stage.FAILED
    assert failed.diagnostics[0].message == "The bundle has no file main.py."
    with pytest.raises(NotFoundError):
        save_file(platform, "never-made", "a.py", "x", "abc")
    with pytest.raises(NotFoundError):
        platform.app("never-made")
