"""The composition root: the only file that names concrete adapters. Starts and stops everything."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from typing import Protocol

from fastapi import FastAPI

from gofastapi_ext._version import __version__
from gofastapi_ext.client.places import Places
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.models import MongoView, ServiceView
from gofastapi_ext.core.validation import ImportPolicy
from gofastapi_ext.platform.api import alerts as alerts_api
from gofastapi_ext.platform.api import app_errors as app_errors_api
from gofastapi_ext.platform.api import apps as apps_api
from gofastapi_ext.platform.api import backups as backups_api
from gofastapi_ext.platform.api import blobs as blobs_api
from gofastapi_ext.platform.api import branches as branches_api
from gofastapi_ext.platform.api import cleanup as cleanup_api
from gofastapi_ext.platform.api import convert as convert_api
from gofastapi_ext.platform.api import database as database_api
from gofastapi_ext.platform.api import documents as documents_api
from gofastapi_ext.platform.api import drafts as drafts_api
from gofastapi_ext.platform.api import env as env_api
from gofastapi_ext.platform.api import events as events_api
from gofastapi_ext.platform.api import export as export_api
from gofastapi_ext.platform.api import health as health_api
from gofastapi_ext.platform.api import metrics as metrics_api
from gofastapi_ext.platform.api import service as service_api
from gofastapi_ext.platform.api import stats as stats_api
from gofastapi_ext.platform.api import transfers as transfers_api
from gofastapi_ext.platform.api import versions as versions_api
from gofastapi_ext.platform.api.bodies import BodyLimit
from gofastapi_ext.platform.api.errors import add_error_handlers
from gofastapi_ext.platform.api.measured import Measured
from gofastapi_ext.platform.api.segments import RawSegments
from gofastapi_ext.platform.api.state import Services
from gofastapi_ext.platform.api.version_header import VersionHeader
from gofastapi_ext.platform.auth import laptop_owner
from gofastapi_ext.platform.control.alerts import Alerts
from gofastapi_ext.platform.control.announce import tell_of_error
from gofastapi_ext.platform.control.apps import Apps
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.blobs import Blobs
from gofastapi_ext.platform.control.browser import Browser, Place
from gofastapi_ext.platform.control.cleanup import Cleanup
from gofastapi_ext.platform.control.clones import Clones
from gofastapi_ext.platform.control.connection_cap import ConnectionCap
from gofastapi_ext.platform.control.convert import Conversions
from gofastapi_ext.platform.control.data_room import DataRoom
from gofastapi_ext.platform.control.database_guard import DatabaseGuard
from gofastapi_ext.platform.control.database_views import DatabaseViews
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.control.disk import check_disk
from gofastapi_ext.platform.control.drafts import Drafts
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.error_recorder import ErrorRecorder
from gofastapi_ext.platform.control.errors import Errors
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.export import Exports
from gofastapi_ext.platform.control.garbage import Garbage
from gofastapi_ext.platform.control.health import HealthWatch
from gofastapi_ext.platform.control.history import History
from gofastapi_ext.platform.control.idle import IdleApps
from gofastapi_ext.platform.control.imports import Imports
from gofastapi_ext.platform.control.leftovers import Leftovers
from gofastapi_ext.platform.control.metrics import MetricsRecorder
from gofastapi_ext.platform.control.metrics_views import Metrics
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.control.probes import Prober
from gofastapi_ext.platform.control.rebinding import Rebinding
from gofastapi_ext.platform.control.removal import Removal
from gofastapi_ext.platform.control.replay import Replays
from gofastapi_ext.platform.control.sleep import Sleeper
from gofastapi_ext.platform.control.stats import Stats
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.control.undo import Undo
from gofastapi_ext.platform.control.validate import Validator
from gofastapi_ext.platform.control.webhooks import Sender
from gofastapi_ext.platform.databases.copies import Copies
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.databases.server import ExternalMongo, MongoServer
from gofastapi_ext.platform.databases.users import DatabaseUsers
from gofastapi_ext.platform.databases.watch import ServerWatch
from gofastapi_ext.platform.keyring import KeyRing
from gofastapi_ext.platform.runtimes.local.runtime import LocalRuntime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.database import DATABASE, connect
from gofastapi_ext.platform.store.stores import Stores

# One for each resource.
_ROOMS = (
    service_api,
    stats_api,
    cleanup_api,
    apps_api,
    app_errors_api,
    env_api,
    blobs_api,
    drafts_api,
    convert_api,
    export_api,
    versions_api,
    health_api,
    metrics_api,
    alerts_api,
    events_api,
    database_api,
    backups_api,
    branches_api,
    documents_api,
    transfers_api,
)


class _Loop(Protocol):
    """Something that runs beside the requests until it is stopped."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


def create_app(settings: Settings, places: Places) -> FastAPI:
    """The service's ASGI app. Its lifespan starts MongoDB and the runtime, and restores every app."""

    telemetry = Telemetry()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.services = await _start(settings, places, telemetry, stack)
            yield

    app = FastAPI(
        title="GoFastAPI",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
        lifespan=lifespan,
    )
    for room in _ROOMS:
        # Rather than `include_router`, which makes every route a second time when it is first looked for: 2 MB.
        app.router.routes.extend(room.router.routes)
    add_error_handlers(app)

    app.add_middleware(RawSegments)
    app.add_middleware(BodyLimit, limits=settings.limits)
    app.add_middleware(VersionHeader)
    app.add_middleware(Measured, telemetry=telemetry)
    return app


async def _start(settings: Settings, places: Places, telemetry: Telemetry, stack: AsyncExitStack) -> Services:
    """Start what the service stands on, each thing's end pushed on `stack` as it comes up."""
    started_at = datetime.now(UTC)
    key = PlatformKey.load(places.home / "platform.key")
    server: MongoServer
    if settings.mongo_uri is not None:
        server = ExternalMongo(settings.mongo_uri.get_secret_value())
    else:
        server = EmbeddedMongo(places.home / "mongo", places.mongo_socket, key, settings.mongod)
    runtime = LocalRuntime(places.home, settings, dict(os.environ))
    stack.push_async_callback(server.stop)
    stack.push_async_callback(runtime.stop)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.start())
        group.create_task(runtime.start())

    client = connect(server.root_uri)
    stack.push_async_callback(client.close)
    copies = Copies(client, key.derive("installation")[:16], places.home / "backups" / ".locked")
    # Before anything is written: that would wait for ever where the service before this one left a lock.
    await copies.release()
    stores = await Stores.open(
        client[DATABASE],
        keep_events_seconds=86_400 * settings.events_keep_days,
        keep_metrics_seconds=3600 * settings.metrics_keep_hours,
        max_errors=settings.max_errors_kept,
    )
    apps, versions, drafts, bundles, blobs = (
        stores.apps, stores.versions, stores.drafts, stores.bundles, stores.blobs,
    )  # fmt: skip
    mounted_key = settings.secrets_key_file
    keyring = KeyRing(mounted_key or places.home / "secrets.key", mounted=mounted_key is not None)
    environments = Environments(stores.environments, apps, stores.alerts, stores.undo, keyring, settings.limits)
    owner = laptop_owner()
    backups = BackupFiles(places.home, copies.installation, settings.min_free_disk_bytes, settings.backup_limit_bytes)
    databases = Databases(stores.databases, DatabaseUsers(server, client, key), backups)
    stack.push_async_callback(databases.stop)
    await databases.binding(owner.user)

    events = EventFeed(stores.events)
    events.add_listener(telemetry.heed)
    await events.start()
    stack.push_async_callback(events.stop)

    async def url_of(app_id: str) -> str | None:
        record = await apps.get(app_id)
        return runtime.url(record.port) if record is not None and record.port is not None else None

    alerts = Alerts(stores.alerts, keyring, events, url_of, Sender(), telemetry)
    events.add_listener(alerts.heed)
    _begin(alerts, stack)
    observer = Observer(settings.report_interval_seconds, telemetry)
    metrics_recorder = MetricsRecorder(stores.metrics, apps, observer, telemetry)
    events.add_listener(metrics_recorder.heed)
    _begin(metrics_recorder, stack)
    error_recorder = ErrorRecorder(stores.errors, observer, settings.max_errors_kept, partial(tell_of_error, events))
    _begin(error_recorder, stack)
    stack.push_async_callback(observer.stop)
    supervisors = Supervisors(
        home=places.home,
        apps=apps,
        versions=versions,
        bundles=bundles,
        environments=environments,
        databases=databases,
        runtime=runtime,
        settings=settings,
        observer=observer,
        events=events,
    )
    stack.push_async_callback(supervisors.stop)
    stack.push_async_callback(observer.refresh_all)
    validator = Validator(
        runtime, ImportPolicy(mode=settings.import_policy, allowed=frozenset(settings.allowed_imports))
    )
    tools = DeployTools(
        home=places.home,
        apps=apps,
        versions=versions,
        drafts=drafts,
        bundles=bundles,
        environments=environments,
        garbage=Garbage(versions, drafts, bundles, blobs),
        runtime=runtime,
        launcher=supervisors.launcher,
        validator=validator,
        settings=settings,
        telemetry=telemetry,
        events=events,
    )
    deployments = Deployments(tools, supervisors)
    stack.push_async_callback(deployments.stop)
    forget = (metrics_recorder.remove_app, error_recorder.remove_app, alerts.remove_app, events.remove_app)
    removal = Removal(tools, supervisors, forget=forget)
    idle = IdleApps(
        apps=apps,
        drafts=drafts,
        removal=removal,
        observer=observer,
        last_request_at=metrics_recorder.last_request_at,
        events=events,
        remove_after_seconds=settings.remove_after,
    )
    rebinding = Rebinding(databases, apps, supervisors, deployments, events, places.home, settings)
    data = DataRoom.open(
        settings,
        files=backups,
        databases=databases,
        copies=copies,
        rebinding=rebinding,
        apps=apps,
        supervisors=supervisors,
        events=events,
        telemetry=telemetry,
    )
    stack.push_async_callback(data.jobs.stop)
    leftovers = Leftovers(
        home=places.home, run=places.run, apps=apps, versions=versions, supervisors=supervisors, runtime=runtime
    )
    cleanup = Cleanup(
        tools, removal=removal, idle=idle, leftovers=leftovers, data=data.upkeep, events=events, owner=owner.user
    )
    stack.push_async_callback(cleanup.stop)
    await cleanup.end_orphans()
    await data.changes.mend()
    await rebinding.finish()
    await apps.limit_workers(settings.limits.max_workers)
    await supervisors.restore()
    observer.start()
    health = HealthWatch(
        apps=apps.all,
        serving=supervisors.serving_pid,
        lacks=supervisors.lacks,
        url=runtime.url,
        recent=metrics_recorder.recent,
        prober=Prober(runtime.probe_headers),
        events=events,
        telemetry=telemetry,
        interval_seconds=settings.health_interval_seconds,
    )
    _begin(health, stack)
    sleeper = Sleeper(apps, supervisors, observer, health, settings.sleep_after, telemetry)
    _begin(sleeper, stack)
    cleanup.start()
    _begin(data.nightly, stack)
    connections = ConnectionCap(apps, supervisors, deployments, events, settings.database_connections_per_app)
    guard = DatabaseGuard(databases, server, ServerWatch(client), apps, connections, events, telemetry, settings)
    _begin(guard, stack)

    def describe() -> ServiceView:
        return ServiceView(
            pid=os.getpid(),
            version=__version__,
            socket=str(places.socket),
            home=str(places.home),
            python=sys.executable,
            started_at=started_at,
            mongo=MongoView(pid=server.pid, address=server.address),
        )

    last_request_at = metrics_recorder.last_request_at
    app_cases = Apps(tools, supervisors, deployments, removal, health, sleeper, observer, last_request_at)
    errors = Errors(app_cases, stores.errors, error_recorder, versions, bundles)
    metrics = Metrics(app_cases, apps, stores.metrics, metrics_recorder, observer, 3600 * settings.metrics_keep_hours)

    def tell_of_draft(record: AppRecord, message: str, by: str) -> None:
        # For editors that have it open. Nobody wants to read of every save in the list of what happened.
        events.publish(EventKind.DRAFT_SAVED, message, owner=record.owner, app=record.id, by=by, is_kept=False)

    def tell_of_data(place: Place) -> None:
        details = {"collection": place.collection, "branch": place.branch}
        said = f'The collection "{place.collection}" was changed.'
        events.publish(EventKind.DATA_CHANGED, said, owner=place.user, details=details, is_kept=False)

    draft_cases = Drafts(apps, drafts, versions, bundles, settings.limits, tools.garbage.bundle, tell_of_draft)
    return Services(
        alerts=alerts,
        apps=app_cases,
        backups=data.backups,
        blobs=Blobs(app_cases, versions, drafts, bundles, blobs, settings.limits),
        branches=data.branches,
        browser=Browser(
            databases,
            Undo(stores.undo, keyring),
            settings.database_operation_seconds,
            partial(check_disk, places.home, settings.min_free_disk_bytes, "import the rest."),
            tell_of_data,
        ),
        clones=Clones(tools, app_cases, deployments),
        conversions=Conversions(draft_cases),
        database_views=DatabaseViews(databases, settings.database_limit_bytes),
        databases=databases,
        deployments=deployments,
        drafts=draft_cases,
        environments=environments,
        errors=errors,
        events=events,
        health=health,
        exports=Exports(tools, deployments, blobs, _objects_loader()),
        history=History(bundles, draft_cases, versions),
        imports=Imports(draft_cases, blobs, settings.limits),
        cleanup=cleanup,
        metrics=metrics,
        rebinding=rebinding,
        replays=Replays(errors, runtime),
        stats=Stats(apps, versions, stores.events, metrics),
        telemetry=telemetry,
        validator=validator,
        limits=settings.limits,
        database_ready=server.ready,
        describe=describe,
        owner=owner,
    )


def _begin(loop: _Loop, stack: AsyncExitStack) -> None:
    """Start it now, and stop it before whatever was begun earlier."""
    stack.push_async_callback(loop.stop)
    loop.start()


def _objects_loader() -> str:
    """The source of the module that an exported project loads its things from the kernel with."""
    return files("gofastapi_runner").joinpath("objects.py").read_text("utf-8")
