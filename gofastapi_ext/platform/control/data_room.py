"""Backups and branches, with what they stand on, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.backups import Backups
from gofastapi_ext.platform.control.branches import Branches
from gofastapi_ext.platform.control.data_upkeep import DataUpkeep
from gofastapi_ext.platform.control.database_changes import DatabaseChanges
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.filling import Filling
from gofastapi_ext.platform.control.jobs import Jobs
from gofastapi_ext.platform.control.nightly import Nightly
from gofastapi_ext.platform.control.rebinding import Rebinding
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.databases.copies import Copies
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppStore

_LONGEST_BRANCH_SECONDS = 366 * 86_400.0
# What is due, a backup or that something goes, is hardly ever urgent.
_CHECKS_PER_UPKEEP = 4


@dataclass(frozen=True)
class DataRoom:
    """All that concerns whole databases."""

    backups: Backups
    branches: Branches
    changes: DatabaseChanges
    jobs: Jobs
    nightly: Nightly
    upkeep: DataUpkeep

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        files: BackupFiles,
        databases: Databases,
        copies: Copies,
        rebinding: Rebinding,
        apps: AppStore,
        supervisors: Supervisors,
        events: EventFeed,
        telemetry: Telemetry,
    ) -> Self:
        branch_seconds = _LONGEST_BRANCH_SECONDS if settings.branch_ttl is None else settings.branch_ttl
        changes = DatabaseChanges(databases, settings.keep_replaced or 0.0, branch_seconds)
        filling = Filling(databases, copies, files)
        jobs = Jobs()
        backups = Backups(
            databases,
            changes,
            files,
            filling,
            jobs,
            rebinding,
            events,
            nightly_at=settings.backup_at,
            nightly_kept=settings.backups_kept,
        )
        branches = Branches(
            databases,
            changes,
            files,
            filling,
            copies,
            jobs,
            rebinding,
            apps,
            supervisors,
            events,
            default_seconds=branch_seconds,
            most=settings.max_branches,
            drain_seconds=settings.drain_seconds,
        )
        upkeep = DataUpkeep(databases, branches, files)
        interval_seconds = _CHECKS_PER_UPKEEP * settings.database_check_seconds
        nightly = Nightly(databases, copies, backups, upkeep, events, telemetry, settings.backup_at, interval_seconds)
        return cls(backups, branches, changes, jobs, nightly, upkeep)
