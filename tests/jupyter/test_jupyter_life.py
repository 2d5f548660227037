"""Drafts, variables, large content and archives through Jupyter: what an editor in the browser needs."""

from __future__ import annotations

import hashlib
import json
import os

from conftest import Jupyter
from support.platform import Platform

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def draft(text: str) -> dict[str, object]:
    return {"bundle": {"files": {"main.py": {"text": text}}}}


async def test_drafts_are_saved_by_their_etag_and_a_stale_save_tells_both_sides(jupyter: Jupyter) -> None:
    new = await jupyter.ask("PUT", "/api/apps/edited/draft", json=draft(APP), headers={"If-None-Match": "*"})
    assert new.status == 200
    etag = new.headers["ETag"]
    assert (await jupyter.get("/api/apps/edited/draft")).headers["ETag"] == etag
    saved = await jupyter.ask("PUT", "/api/apps/edited/draft", json=draft(APP + "# mine\n"), headers={"If-Match": etag})
    assert saved.status == 200
    stale = await jupyter.ask("PUT", "/api/apps/edited/draft", json=draft(APP + "# late\n"), headers={"If-Match": etag})
    assert (stale.status, stale.json["code"]) == (409, "draft_conflict")
    [sides] = stale.json["details"]["files"]
    assert sides == {"path": "main.py", "yours": APP + "# late\n", "theirs": APP + "# mine\n"}


async def test_single_files_with_odd_names(jupyter: Jupyter) -> None:
    await jupyter.ask("PUT", "/api/apps/files/draft", json=draft(APP), headers={"If-None-Match": "*"})
    path = "/api/apps/files/draft/files/static/a%20b/%C3%BC%231.txt"
    made = await jupyter.ask("PUT", path, json={"file": {"text": "x"}}, headers={"If-None-Match": "*"})
    assert (made.status, made.json["path"]) == (200, "static/a b/ü#1.txt")
    read = await jupyter.get(path)
    assert read.json["file"]["text"] == "x"
    assert (await jupyter.ask("DELETE", path, headers={"If-Match": read.headers["ETag"]})).status in (200, 204)
    assert (await jupyter.get(path)).status == 404


async def test_a_change_of_variables_streams_its_stages_and_tells_no_secret(
    jupyter: Jupyter, platform: Platform
) -> None:
    platform.deploy_live("varied", APP)
    change = {"set": {"TOKEN": {"value": "s3cr3t-word", "secret": True}, "MODE": {"value": "x"}}}
    answer = await jupyter.ask("PUT", "/api/apps/varied/env", json=change)
    stages = [json.loads(line)["stage"] for line in answer.body.splitlines()]
    assert stages == ["start", "ready", "live"]
    listed = await jupyter.get("/api/apps/varied/env")
    assert b"s3cr3t-word" not in listed.body
    assert {v["name"]: v["value"] for v in listed.json["variables"]} == {"MODE": "x", "TOKEN": None}


async def test_large_content_goes_up_as_a_stream(jupyter: Jupyter) -> None:
    content = os.urandom(16) * 400_000
    name = hashlib.sha256(content).hexdigest()
    assert (await jupyter.ask("HEAD", f"/api/blobs/{name}")).status == 404
    assert (await jupyter.ask("PUT", f"/api/blobs/{name}", data=content)).status in (200, 201, 204)
    assert (await jupyter.ask("HEAD", f"/api/blobs/{name}")).status in (200, 204)
    wrong = await jupyter.ask("PUT", f"/api/blobs/{'0' * 64}", data=content)
    assert wrong.status == 422


async def test_an_exported_project_comes_as_a_download(jupyter: Jupyter, platform: Platform) -> None:
    platform.deploy_live("packed", APP)
    answer = await jupyter.get("/api/apps/packed/export")
    assert answer.status == 200
    assert "packed" in answer.headers["Content-Disposition"]
    assert answer.body.startswith(b"PK")
    back = await jupyter.ask(
        "PUT", "/api/apps/unpacked/draft/archive", data=answer.body, headers={"Content-Type": "application/zip"}
    )
    assert back.status == 200
    packed = platform.app("packed").code_hash
    assert platform.client.draft("unpacked").code_hash == packed


async def test_nothing_of_it_is_open_to_strangers(jupyter: Jupyter) -> None:
    for method, path in (
        ("GET", "/api/apps/edited/draft"),
        ("PUT", "/api/apps/edited/draft"),
        ("GET", "/api/apps/varied/env"),
        ("PUT", "/api/apps/varied/env"),
        ("POST", "/api/apps/varied/stop"),
        ("POST", "/api/apps/varied/clone"),
        ("DELETE", "/api/apps/varied?confirm=varied"),
        ("GET", "/api/apps/packed/export"),
        ("PUT", f"/api/blobs/{'0' * 64}"),
        ("POST", "/api/admin/keys/rotate"),
    ):
        assert (await jupyter.ask(method, path, anonymous=True)).status in (401, 403), path
        # A login by cookie alone, as another site's page would use it, changes nothing.
        if method != "GET":
            assert (await jupyter.ask(method, path, anonymous=True, headers=await jupyter.log_in())).status == 403, path
