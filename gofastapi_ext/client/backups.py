"""The part of the client that is about backups and branches of a user's database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from pydantic import TypeAdapter

from gofastapi_ext.client.database import branch_params
from gofastapi_ext.client.transport import WENT_AWAY, Transport
from gofastapi_ext.core.backups import (
    BackupsView,
    BackupView,
    BranchChange,
    BranchRequest,
    BranchView,
    DataProgress,
    DataStage,
    PromoteRequest,
    RestoreRequest,
    UndoRequest,
)
from gofastapi_ext.core.errors import NotFoundError, ServiceUnreachableError, error_from_code

_BRANCHES = TypeAdapter(list[BranchView])
_BACKUPS = "/api/database/backups"
_PIECE_BYTES = 1_000_000
_BRANCHES_PATH = "/api/database/branches"


class BackupCalls(Transport):
    """What takes time yields how far it is; the last event is `done`. What fails raises, and has changed nothing."""

    def backups(self) -> BackupsView:
        return self._ask("GET", _BACKUPS, BackupsView)

    def back_up(self, *, branch: str | None = None) -> Iterator[DataProgress]:
        """Back the database up, as it is at one moment."""
        yield from self._progress("POST", _BACKUPS, params=branch_params(branch))

    def backup(self, backup_id: str) -> BackupView:
        return self._ask("GET", _backup(backup_id), BackupView)

    def delete_backup(self, backup_id: str) -> BackupView:
        return self._ask("DELETE", _backup(backup_id), BackupView, params={"confirm": backup_id})

    def download_backup(self, backup_id: str, target: IO[bytes]) -> None:
        self._download(f"{_backup(backup_id)}/content", target)

    def upload_backup(self, content: Iterable[bytes]) -> BackupView:
        """Take a file in that was downloaded, here or elsewhere. Raises `DamagedBackupError`."""
        headers = {"Content-Type": "application/zip"}
        return self._ask("POST", f"{_BACKUPS}/upload", BackupView, content=content, headers=headers)

    def restore_backup(self, backup_id: str, *, confirm: str, branch: str | None = None) -> Iterator[DataProgress]:
        """Its content takes the place of the data, and running apps move over; `confirm` is the database's name."""
        content = RestoreRequest(confirm=confirm).model_dump_json()
        path = f"{_backup(backup_id)}/restore"
        yield from self._progress("POST", path, content=content, params=branch_params(branch))

    def undo_restore(self, name: str | None = None) -> Iterator[DataProgress]:
        """Bring back what a restore or a promotion replaced: the last one, or the database of this name."""
        content = UndoRequest(name=name).model_dump_json()
        yield from self._progress("POST", f"{_BACKUPS}/undo", content=content)

    def branches(self) -> list[BranchView]:
        """By name."""
        return _BRANCHES.validate_json(self._request("GET", _BRANCHES_PATH).content)

    def branch(self, name: str) -> BranchView:
        return self._ask("GET", _branch(name), BranchView)

    def create_branch(self, name: str, *, ttl: str | None = None, backup: str | None = None) -> Iterator[DataProgress]:
        """A copy of the data as they are now, or of a backup; it lives for `ttl`, as `24h`."""
        content = BranchRequest(name=name, ttl=ttl, backup=backup).model_dump_json()
        yield from self._progress("POST", _BRANCHES_PATH, content=content)

    def extend_branch(self, name: str, ttl: str) -> BranchView:
        """Let it live so long from now on."""
        return self._ask("PATCH", _branch(name), BranchView, content=BranchChange(ttl=ttl).model_dump_json())

    def drop_branch(self, name: str, *, force: bool = False) -> None:
        """Drop it with all its data. Raises `ConflictError` where an app runs on it; `force` stops that."""
        params = {"confirm": name, "force": "true" if force else "false"}
        self._request("DELETE", _branch(name), params=params)

    def promote_branch(self, name: str) -> Iterator[DataProgress]:
        """Its data become the data themselves, and running apps move over."""
        content = PromoteRequest(confirm=name).model_dump_json()
        yield from self._progress("POST", f"{_branch(name)}/promote", content=content)

    def _progress(self, method: str, path: str, **kwargs: Any) -> Iterator[DataProgress]:
        stage = None
        for event in self._stream(method, path, DataProgress, **kwargs):
            stage = event.stage
            if stage is DataStage.FAILED and event.error is not None:
                raise error_from_code(event.error.code, event.error.message, event.error.details)
            yield event
        if stage is not DataStage.DONE:
            raise ServiceUnreachableError(WENT_AWAY)


def found_backup(client: BackupCalls, source: str) -> BackupView:
    """The backup that is meant: by its id, as `latest`, or a file, which is taken in first."""
    if source == "latest":
        backups = client.backups().backups
        if not backups:
            raise NotFoundError("There is no backup yet. Make one: gofastapi db backup")
        return backups[0]
    path = Path(source).expanduser()
    if path.is_file():
        with path.open("rb") as file:
            return client.upload_backup(iter(lambda: file.read(_PIECE_BYTES), b""))
    return client.backup(source)


def _backup(backup_id: str) -> str:
    return f"{_BACKUPS}/{quote(backup_id, safe='')}"


def _branch(name: str) -> str:
    return f"{_BRANCHES_PATH}/{quote(name, safe='')}"
