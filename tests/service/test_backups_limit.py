"""What a user's own backups may take: what does not fit is refused before anything of the others goes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.cli import CommandLine
from support.noted import user_data
from support.platform import Platform, running_platform

from gofastapi_ext.core.backups import BackupKind, BackupView
from gofastapi_ext.core.errors import OverLimitError

LIMIT_BYTES = 250_000
DOCUMENT_BYTES = 90_000


def backed_up(platform: Platform) -> BackupView:
    backup = list(platform.client.back_up())[-1].backup
    assert backup is not None
    assert DOCUMENT_BYTES < backup.file_bytes < LIMIT_BYTES / 2
    return backup


def test_what_does_not_fit_is_refused_until_something_is_deleted(tmp_path: Path) -> None:
    with running_platform(GOFASTAPI_BACKUP_LIMIT_BYTES=str(LIMIT_BYTES)) as platform:
        client, folder = platform.client, platform.places.home / "backups" / platform.client.me().user
        with user_data(platform) as data:
            data.noise.insert_one({"bytes": os.urandom(DOCUMENT_BYTES)})
        first, second = backed_up(platform), backed_up(platform)

        with pytest.raises(OverLimitError) as refused:
            list(client.back_up())
        taken = round((first.file_bytes + second.file_bytes) / 1000, 1)
        assert f"may take 250.0 kB, and they take {taken} kB" in refused.value.message
        assert f"gofastapi db backups --delete {first.id}" in refused.value.message
        with (tmp_path / "second.zip").open("wb") as file:
            client.download_backup(second.id, file)
        with pytest.raises(OverLimitError, match=first.id), (tmp_path / "second.zip").open("rb") as file:
            client.upload_backup(file)
        assert [each.id for each in client.backups().backups] == [second.id, first.id]
        assert len(list(folder.iterdir())) == 4

        # Those of the night are not what somebody makes: here one that was is said to be of it.
        description = folder / f"{first.id}.json"
        description.write_text(json.dumps(json.loads(description.read_text()) | {"kind": BackupKind.NIGHTLY}))
        with (tmp_path / "second.zip").open("rb") as file:
            uploaded = client.upload_backup(file)
        assert uploaded.kind is BackupKind.UPLOADED

        said = CommandLine(platform.places.home, tmp_path).run("db", "backups", "--delete", second.id, "--yes")
        assert second.id in said
        third = backed_up(platform)
        client.delete_backup(third.id)
        # There is room, but not for this one.
        with user_data(platform) as data:
            data.noise.insert_one({"bytes": os.urandom(DOCUMENT_BYTES)})
        with pytest.raises(OverLimitError, match=f"this one does not fit.*--delete {uploaded.id}"):
            list(client.back_up())
        assert len(client.backups().backups) == 2


def test_one_that_is_larger_than_all_may_be() -> None:
    with running_platform(GOFASTAPI_BACKUP_LIMIT_BYTES="100") as platform:
        with pytest.raises(OverLimitError, match="larger than the 100 B that your own backups may take"):
            list(platform.client.back_up())
        assert platform.client.backups().backups == []
