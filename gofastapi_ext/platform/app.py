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

from fastapi import FastAPI

from gofastapi_ext._version import __version__
from gofastapi_ext.client.places import Places
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.models import MongoView, ServiceView
from gofastapi_ext.platform.api.application import api_application
from gofastapi_ext.platform.api.state import Services
from gofastapi_ext.platform.auth import Principal, laptop_owner
from gofastapi_ext.platform.control.apps import Apps
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.blobs import Blobs
from gofastapi_ext.platform.control.browser import Browser, Place
from gofastapi_ext.platform.control.clones import Clones
from gofastapi_ext.platform.control.convert import Conversions
from gofastapi_ext.platform.control.database_views import DatabaseViews
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.disk import check_disk
from gofastapi_ext.platform.control.drafts import Drafts
from gofastapi_ext.platform.control.engine import Engine, Ground
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.errors import Errors
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.export import Exports
from gofastapi_ext.platform.control.history import History
from gofastapi_ext.platform.control.imports import Imports
from gofastapi_ext.platform.control.metrics_views import Metrics
from gofastapi_ext.platform.control.replay import Replays
from gofastapi_ext.platform.control.stats import Stats
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.control.undo import Undo
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


def create_app(settings: Settings, places: Places) -> FastAPI:
    """The service's ASGI app. Its lifespan starts MongoDB and the runtime, and restores every app."""
    telemetry = Telemetry()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        started_at, owner = datetime.now(UTC), laptop_owner()
        async with AsyncExitStack() as stack:
            ground = await _lay_ground(settings, places, owner, telemetry, stack)
            engine = await Engine.start(ground, owner.user, stack)
            app.state.services = _services(ground, engine, owner, places, started_at)
            yield

    return api_application(lifespan, settings.limits, telemetry)


async def _lay_ground(
    settings: Settings, places: Places, owner: Principal, telemetry: Telemetry, stack: AsyncExitStack
) -> Ground:
    """Start what all else stands on, each thing's end pushed on `stack` as it comes up."""
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
    mounted_key = settings.secrets_key_file
    keyring = KeyRing(mounted_key or places.home / "secrets.key", mounted=mounted_key is not None)
    backups = BackupFiles(places.home, copies.installation, settings.min_free_disk_bytes, settings.backup_limit_bytes)
    databases = Databases(stores.databases, DatabaseUsers(server, client, key), backups)
    stack.push_async_callback(databases.stop)
    await databases.binding(owner.user)
    events = EventFeed(stores.events)
    events.add_listener(telemetry.heed)
    await events.start()
    stack.push_async_callback(events.stop)
    return Ground(
        settings=settings,
        home=places.home,
        run=places.run,
        runtime=runtime,
        server=server,
        watch=ServerWatch(client),
        copies=copies,
        stores=stores,
        keyring=keyring,
        environments=Environments(
            stores.environments, stores.apps, stores.alerts, stores.undo, keyring, settings.limits
        ),
        backups=backups,
        databases=databases,
        events=events,
        telemetry=telemetry,
    )


def _services(ground: Ground, engine: Engine, owner: Principal, places: Places, started_at: datetime) -> Services:
    """The use cases that the API's routes work with."""
    settings, stores, events, tools = ground.settings, ground.stores, ground.events, engine.tools
    versions, bundles, blobs = stores.versions, stores.bundles, stores.blobs

    def describe() -> ServiceView:
        return ServiceView(
            pid=os.getpid(),
            version=__version__,
            socket=str(places.socket),
            home=str(places.home),
            python=sys.executable,
            started_at=started_at,
            mongo=MongoView(pid=ground.server.pid, address=ground.server.address),
        )

    def tell_of_draft(record: AppRecord, message: str, by: str) -> None:
        # For editors that have it open. Nobody wants to read of every save in the list of what happened.
        events.publish(EventKind.DRAFT_SAVED, message, owner=record.owner, app=record.id, by=by, is_kept=False)

    def tell_of_data(place: Place) -> None:
        details = {"collection": place.collection, "branch": place.branch}
        said = f'The collection "{place.collection}" was changed.'
        events.publish(EventKind.DATA_CHANGED, said, owner=place.user, details=details, is_kept=False)

    apps = Apps(
        tools,
        engine.supervisors,
        engine.deployments,
        engine.removal,
        engine.health,
        engine.sleeper,
        engine.observer,
        engine.metrics.last_request_at,
    )
    drafts = Drafts(stores.apps, stores.drafts, versions, bundles, settings.limits, tools.garbage.bundle, tell_of_draft)
    errors = Errors(apps, stores.errors, engine.errors, versions, bundles)
    metrics = Metrics(
        apps, stores.apps, stores.metrics, engine.metrics, engine.observer, 3600 * settings.metrics_keep_hours
    )
    return Services(
        alerts=engine.alerts,
        apps=apps,
        backups=engine.data.backups,
        blobs=Blobs(apps, versions, stores.drafts, bundles, blobs, settings.limits),
        branches=engine.data.branches,
        browser=Browser(
            ground.databases,
            Undo(stores.undo, ground.keyring),
            settings.database_operation_seconds,
            partial(check_disk, places.home, settings.min_free_disk_bytes, "import the rest."),
            tell_of_data,
        ),
        cleanup=engine.cleanup,
        clones=Clones(tools, apps, engine.deployments),
        conversions=Conversions(drafts),
        database_views=DatabaseViews(ground.databases, settings.database_limit_bytes),
        databases=ground.databases,
        deployments=engine.deployments,
        drafts=drafts,
        environments=ground.environments,
        errors=errors,
        events=events,
        exports=Exports(tools, engine.deployments, blobs, _objects_loader()),
        health=engine.health,
        history=History(bundles, drafts, versions),
        imports=Imports(drafts, blobs, settings.limits),
        metrics=metrics,
        rebinding=engine.rebinding,
        replays=Replays(errors, ground.runtime),
        stats=Stats(stores.apps, versions, stores.events, metrics),
        telemetry=ground.telemetry,
        validator=tools.validator,
        limits=settings.limits,
        database_ready=ground.server.ready,
        describe=describe,
        owner=owner,
    )


def _objects_loader() -> str:
    """The source of the module that an exported project loads its things from the kernel with."""
    return files("gofastapi_runner").joinpath("objects.py").read_text("utf-8")
