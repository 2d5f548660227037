"""What runs beside the requests: apps and whatever watches them, put together, started and stopped."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from gofastapi_ext.core.validation import ImportPolicy
from gofastapi_ext.platform.control.alerts import Alerts
from gofastapi_ext.platform.control.announce import tell_of_error
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.cleanup import Cleanup
from gofastapi_ext.platform.control.connection_cap import ConnectionCap
from gofastapi_ext.platform.control.data_room import DataRoom
from gofastapi_ext.platform.control.database_guard import DatabaseGuard
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.error_recorder import ErrorRecorder
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.garbage import Garbage
from gofastapi_ext.platform.control.health import HealthWatch
from gofastapi_ext.platform.control.idle import IdleApps
from gofastapi_ext.platform.control.leftovers import Leftovers
from gofastapi_ext.platform.control.metrics import MetricsRecorder
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.control.probes import Prober
from gofastapi_ext.platform.control.rebinding import Rebinding
from gofastapi_ext.platform.control.removal import Removal
from gofastapi_ext.platform.control.sleep import Sleeper
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.control.validate import Validator
from gofastapi_ext.platform.control.webhooks import Sender
from gofastapi_ext.platform.databases.copies import Copies
from gofastapi_ext.platform.databases.server import MongoServer
from gofastapi_ext.platform.databases.watch import ServerWatch
from gofastapi_ext.platform.keyring import KeyRing
from gofastapi_ext.platform.runtimes.base import Runtime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.stores import Stores


@dataclass(frozen=True)
class Ground:
    """What the engine, and every use case, stands on."""

    settings: Settings
    home: Path
    run: Path
    runtime: Runtime
    server: MongoServer
    watch: ServerWatch
    copies: Copies
    stores: Stores
    keyring: KeyRing
    environments: Environments
    backups: BackupFiles
    databases: Databases
    events: EventFeed
    telemetry: Telemetry


class _Loop(Protocol):
    """Something that runs beside the requests until it is stopped."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass(frozen=True)
class Engine:
    """What use cases set in motion or ask."""

    alerts: Alerts
    cleanup: Cleanup
    data: DataRoom
    deployments: Deployments
    errors: ErrorRecorder
    health: HealthWatch
    metrics: MetricsRecorder
    observer: Observer
    rebinding: Rebinding
    removal: Removal
    sleeper: Sleeper
    supervisors: Supervisors
    tools: DeployTools

    @classmethod
    async def start(cls, ground: Ground, owner: str, stack: AsyncExitStack) -> Self:
        """Restore every app and begin every loop, each thing's end pushed on `stack` as it comes up."""
        settings, stores, events, telemetry = ground.settings, ground.stores, ground.events, ground.telemetry
        apps, runtime, databases = stores.apps, ground.runtime, ground.databases

        async def url_of(app_id: str) -> str | None:
            record = await apps.get(app_id)
            return runtime.url(record.port) if record is not None and record.port is not None else None

        alerts = Alerts(stores.alerts, ground.keyring, events, url_of, Sender(), telemetry)
        events.add_listener(alerts.heed)
        _begin(alerts, stack)
        observer = Observer(settings.report_interval_seconds, telemetry)
        metrics = MetricsRecorder(stores.metrics, apps, observer, telemetry)
        events.add_listener(metrics.heed)
        _begin(metrics, stack)
        errors = ErrorRecorder(stores.errors, observer, settings.max_errors_kept, partial(tell_of_error, events))
        _begin(errors, stack)
        stack.push_async_callback(observer.stop)
        supervisors = Supervisors(
            home=ground.home,
            apps=apps,
            versions=stores.versions,
            bundles=stores.bundles,
            environments=ground.environments,
            databases=databases,
            runtime=runtime,
            settings=settings,
            observer=observer,
            events=events,
        )
        stack.push_async_callback(supervisors.stop)
        stack.push_async_callback(observer.refresh_all)
        tools = _deploy_tools(ground, supervisors)
        deployments = Deployments(tools, supervisors)
        stack.push_async_callback(deployments.stop)
        removal = Removal(
            tools,
            supervisors,
            forget=(metrics.remove_app, errors.remove_app, alerts.remove_app, events.remove_app),
        )
        rebinding = Rebinding(databases, apps, supervisors, deployments, events, ground.home, settings)
        data = DataRoom.open(
            settings,
            files=ground.backups,
            databases=databases,
            copies=ground.copies,
            rebinding=rebinding,
            apps=apps,
            supervisors=supervisors,
            events=events,
            telemetry=telemetry,
        )
        stack.push_async_callback(data.jobs.stop)
        cleanup = Cleanup(
            tools,
            removal=removal,
            idle=IdleApps(
                apps=apps,
                drafts=stores.drafts,
                removal=removal,
                observer=observer,
                last_request_at=metrics.last_request_at,
                events=events,
                remove_after_seconds=settings.remove_after,
            ),
            leftovers=Leftovers(
                home=ground.home,
                run=ground.run,
                apps=apps,
                versions=stores.versions,
                supervisors=supervisors,
                runtime=runtime,
            ),
            data=data.upkeep,
            events=events,
            owner=owner,
        )
        stack.push_async_callback(cleanup.stop)

        # What a crash cut short is ended before anything begins anew.
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
            recent=metrics.recent,
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
        guard = DatabaseGuard(databases, ground.server, ground.watch, apps, connections, events, telemetry, settings)
        _begin(guard, stack)
        return cls(
            alerts=alerts,
            cleanup=cleanup,
            data=data,
            deployments=deployments,
            errors=errors,
            health=health,
            metrics=metrics,
            observer=observer,
            rebinding=rebinding,
            removal=removal,
            sleeper=sleeper,
            supervisors=supervisors,
            tools=tools,
        )


def _deploy_tools(ground: Ground, supervisors: Supervisors) -> DeployTools:
    settings, stores = ground.settings, ground.stores
    policy = ImportPolicy(mode=settings.import_policy, allowed=frozenset(settings.allowed_imports))
    return DeployTools(
        home=ground.home,
        apps=stores.apps,
        versions=stores.versions,
        drafts=stores.drafts,
        bundles=stores.bundles,
        environments=ground.environments,
        garbage=Garbage(stores.versions, stores.drafts, stores.bundles, stores.blobs),
        runtime=ground.runtime,
        launcher=supervisors.launcher,
        validator=Validator(ground.runtime, policy),
        settings=settings,
        telemetry=ground.telemetry,
        events=ground.events,
    )


def _begin(loop: _Loop, stack: AsyncExitStack) -> None:
    """Start it now, and stop it before whatever was begun earlier."""
    stack.push_async_callback(loop.stop)
    loop.start()
