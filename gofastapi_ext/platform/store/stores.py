"""All stores of the platform's database, opened together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from gofastapi_ext.platform.store.alerts import AlertStore
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.blobs import BlobStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.database import Database
from gofastapi_ext.platform.store.databases import DatabaseStore
from gofastapi_ext.platform.store.drafts import DraftStore
from gofastapi_ext.platform.store.environments import EnvStore
from gofastapi_ext.platform.store.errors import ErrorStore
from gofastapi_ext.platform.store.events import EventStore
from gofastapi_ext.platform.store.metrics import MetricsStore
from gofastapi_ext.platform.store.undo import UndoStore
from gofastapi_ext.platform.store.versions import VersionStore


@dataclass(frozen=True)
class Stores:
    """One for each aggregate."""

    alerts: AlertStore
    apps: AppStore
    blobs: BlobStore
    bundles: BundleStore
    databases: DatabaseStore
    drafts: DraftStore
    environments: EnvStore
    errors: ErrorStore
    events: EventStore
    metrics: MetricsStore
    undo: UndoStore
    versions: VersionStore

    @classmethod
    async def open(
        cls, database: Database, *, keep_events_seconds: float, keep_metrics_seconds: float, max_errors: int
    ) -> Self:
        """Make what is missing: collections, indexes, their times to live."""
        blobs = BlobStore(database)
        stores = cls(
            alerts=AlertStore(database),
            apps=AppStore(database),
            blobs=blobs,
            bundles=BundleStore(database, blobs),
            databases=DatabaseStore(database),
            drafts=DraftStore(database),
            environments=EnvStore(database),
            errors=ErrorStore(database, keep_metrics_seconds, max_errors),
            events=EventStore(database, keep_events_seconds),
            metrics=MetricsStore(database, keep_metrics_seconds),
            undo=UndoStore(database),
            versions=VersionStore(database, keep_events_seconds),
        )
        for field in fields(stores):
            await getattr(stores, field.name).prepare()
        return stores
