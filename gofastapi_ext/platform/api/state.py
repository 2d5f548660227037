"""What the routers work with, put together by `platform.app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.models import ServiceView
from gofastapi_ext.platform.auth import Principal
from gofastapi_ext.platform.control.alerts import Alerts
from gofastapi_ext.platform.control.apps import Apps
from gofastapi_ext.platform.control.backups import Backups
from gofastapi_ext.platform.control.blobs import Blobs
from gofastapi_ext.platform.control.branches import Branches
from gofastapi_ext.platform.control.browser import Browser
from gofastapi_ext.platform.control.cleanup import Cleanup
from gofastapi_ext.platform.control.clones import Clones
from gofastapi_ext.platform.control.convert import Conversions
from gofastapi_ext.platform.control.database_views import DatabaseViews
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.control.drafts import Drafts
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.errors import Errors
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.export import Exports
from gofastapi_ext.platform.control.health import HealthWatch
from gofastapi_ext.platform.control.history import History
from gofastapi_ext.platform.control.imports import Imports
from gofastapi_ext.platform.control.metrics_views import Metrics
from gofastapi_ext.platform.control.rebinding import Rebinding
from gofastapi_ext.platform.control.replay import Replays
from gofastapi_ext.platform.control.stats import Stats
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.control.validate import Validator


@dataclass(frozen=True)
class Services:
    """The use cases behind the API."""

    alerts: Alerts
    apps: Apps
    backups: Backups
    blobs: Blobs
    branches: Branches
    browser: Browser
    cleanup: Cleanup
    clones: Clones
    conversions: Conversions
    database_views: DatabaseViews
    databases: Databases
    deployments: Deployments
    drafts: Drafts
    environments: Environments
    errors: Errors
    events: EventFeed
    exports: Exports
    health: HealthWatch
    history: History
    imports: Imports
    metrics: Metrics
    rebinding: Rebinding
    replays: Replays
    stats: Stats
    telemetry: Telemetry
    validator: Validator
    limits: Limits
    database_ready: Callable[[], Awaitable[None]]
    """Returns when the database runs. Raises `UnavailableError` with words where it cannot."""
    describe: Callable[[], ServiceView]
    owner: Principal


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _services_with_data(services: Annotated[Services, Depends(_services)]) -> Services:
    await services.database_ready()
    return services


async def _caller(services: Annotated[Services, Depends(_services)]) -> Principal:
    return services.owner


UsesServices = Annotated[Services, Depends(_services_with_data)]
WithoutData = Annotated[Services, Depends(_services)]
"""For what is answered without the database, and so also where that cannot be started."""
Caller = Annotated[Principal, Depends(_caller)]
