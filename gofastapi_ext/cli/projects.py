"""Export an app as a project of its own, and make a draft of one."""

from __future__ import annotations

import time
from pathlib import Path

from gofastapi_ext.cli.deploy import show_stages
from gofastapi_ext.cli.output import paint, say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.project import Project, opened_project, readme_of, save_project, version_of, write_project
from gofastapi_ext.client.render import printable
from gofastapi_ext.core.errors import DraftConflictError, InvalidNameError
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.core.naming import check_app_id, suggest_app_id


def export(name: str, target: str, version: str | None, *, as_json: bool) -> None:
    """`gofastapi export`"""
    with open_client() as client:
        manifest = write_project(client, name, Path(target), version)
    if as_json:
        say_json(manifest)
        return
    say(f"{paint('exported', 'good')}  {name} {version_of(manifest)}  {printable(target)}")
    for note in manifest.notes:
        say(paint(f"  {printable(note)}", "dim"))
    say(f"How to run it is in its {readme_of(manifest)}.")


def import_(path: str, name: str | None, *, deploy: bool, force: bool, as_json: bool) -> None:
    """`gofastapi import`. Exits with status 1 where the app was to come live and did not."""
    began = time.perf_counter()
    if name:
        check_app_id(name)
    with opened_project(Path(path)) as project, open_client() as client:
        app_id = name or _name_of(project, Path(path))
        try:
            draft = save_project(client, app_id, project, "*" if force else None)
        except DraftConflictError as error:
            raise DraftConflictError(
                f"There is a draft of {app_id} already. Overwrite it with --force, or choose another --name.",
                error.details,
            ) from None
    bundle = project.restored.bundle
    if as_json:
        told = {"app": app_id, "etag": draft.etag, "code_hash": draft.code_hash, "main": bundle.main}
        say_json(told | {"files": sorted(bundle.files), "left_out": project.left_out, "notes": project.restored.notes})
    else:
        count = len(bundle.files)
        say(
            f"{paint('saved', 'good')}  {app_id}, a draft of {count} {'file' if count == 1 else 'files'}: {bundle.main}"
        )
        if project.restored.manifest and project.restored.manifest.code_hash == draft.code_hash:
            say(paint("  Exactly the code that was exported.", "dim"))
        for note in project.restored.notes:
            say(paint(f"  {printable(note)}", "dim"))
        for line in project.left_out:
            say(paint(f"  Left out: {printable(line)}", "dim"))
    if deploy:
        request = DeployRequest(draft_etag=draft.etag)
        show_stages(
            lambda client: client.deploy(app_id, request.sent_after(time.perf_counter() - began)), as_json=as_json
        )
    elif not as_json:
        say(f"To bring it live: gofastapi draft deploy {app_id}")


def _name_of(project: Project, path: Path) -> str:
    """The app's own name where it was exported, else that of the folder or zip."""
    if project.restored.manifest:
        return check_app_id(project.restored.manifest.name)
    name = suggest_app_id(path.expanduser().resolve().name.removesuffix(".zip"))
    if not name:
        raise InvalidNameError("Say what the app is to be called: --name NAME")
    return name
